//! Times as logs write them.
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// The instant that `text` names: RFC 3339, a date with or without time (UTC then), or seconds,
/// milliseconds or microseconds since 1970.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return from_epoch(number);
    }
    let bare = text.strip_suffix("UTC").unwrap_or(text).trim_end();
    bare.parse::<Timestamp>().ok().or_else(|| in_utc(bare)).or_else(|| with_offset_apart(bare))
}

/// `2026-01-05 10:00:00.123 +0100`, as Snowflake writes it.
fn with_offset_apart(text: &str) -> Option<Timestamp> {
    let (time, offset) = text.rsplit_once(' ').filter(|(_, offset)| offset.starts_with(['+', '-']))?;
    format!("{}{offset}", time.trim_end()).parse().ok()
}

fn in_utc(text: &str) -> Option<Timestamp> {
    let date_time: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(date_time).ok()
}

/// Numbers this large can only be of the finer unit: seconds reach the year 5138 at 10^11.
fn from_epoch(number: f64) -> Option<Timestamp> {
    let seconds = match number.abs() {
        size if size < 1e11 => number,
        size if size < 1e14 => number / 1e3,
        _ => number / 1e6,
    };
    let in_range = seconds.is_finite() && seconds.abs() < 1e11;
    in_range.then(|| Timestamp::from_second(seconds.floor() as i64).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_write_times_in_many_ways() {
        let noon = "2026-01-05T12:00:00Z".parse::<Timestamp>().unwrap();
        for text in [
            "2026-01-05T13:00:00+01:00",
            "2026-01-05 12:00:00",
            "2026-01-05 12:00:00 UTC",
            "2026-01-05 13:00:00.000 +0100",
            "2026-01-05 12:00:00.000 +0000",
            "1767614400",
            "1767614400000",
        ] {
            assert_eq!(instant(text), Some(noon), "{text}");
        }
        assert_eq!(instant("2026-01-05").unwrap().to_string(), "2026-01-05T00:00:00Z");
        for text in ["", "soon", "2026-13-01", "NaN", "1e300"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
