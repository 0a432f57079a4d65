//! Dates and times as text and back, exact to the microsecond: for engines that keep them as text.
use crate::vocab::{LogicalType, Value};

const DAY_MICROS: i64 = 86_400_000_000;

/// A date, time or instant as SQLite's own functions read it; `None` for other values.
pub(super) fn text_of(value: &Value) -> Option<String> {
    Some(match *value {
        Value::DateDays(days) => date(i64::from(days)),
        Value::TimeMicros(micros) => clock(micros),
        Value::TimestampMicros(micros) => stamp(micros, ' '),
        Value::InstantMicros(micros) => stamp(micros, 'T') + "Z",
        _ => return None,
    })
}

/// The value of type `logical` that `text` writes; `None` where it writes none, or not exactly.
pub(super) fn value_of(text: &str, logical: LogicalType) -> Option<Value> {
    match logical {
        LogicalType::Date => Some(Value::DateDays(i32::try_from(days(text)?).ok()?)),
        LogicalType::Time => micros_of_day(text).map(Value::TimeMicros),
        LogicalType::Timestamp => Some(Value::TimestampMicros(i64::try_from(micros(text)?).ok()?)),
        LogicalType::TimestampTz => {
            let (local, offset) = zone(text)?;
            Some(Value::InstantMicros(i64::try_from(micros(local)? - i128::from(offset)).ok()?))
        }
        _ => None,
    }
}

fn stamp(micros: i64, between: char) -> String {
    format!("{}{between}{}", date(micros.div_euclid(DAY_MICROS)), clock(micros.rem_euclid(DAY_MICROS)))
}

fn clock(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let whole = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    match fraction {
        0 => whole,
        fraction => format!("{whole}.{fraction:06}"),
    }
}

/// Days since 1970-01-01 as a date, by Howard Hinnant's `civil_from_days`.
fn date(days: i64) -> String {
    let z = days + 719_468;
    let (era, day_of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    match year {
        0..=9999 => format!("{year:04}-{month:02}-{day:02}"),
        year => format!("{year:+05}-{month:02}-{day:02}"),
    }
}

/// Days since 1970-01-01 of `YYYY-MM-DD`, years beyond four digits with a sign.
fn days(text: &str) -> Option<i64> {
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let mut parts = unsigned.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let signed = unsigned.len() != text.len();
    let shape = (year.len() == 4 || (signed && (4..=7).contains(&year.len()))) && month.len() == 2 && day.len() == 2;
    if parts.next().is_some() || !shape {
        return None;
    }
    let (year, month, day) = (sign * number(year)?, number(month)?, number(day)?);
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    // A day the month does not have comes out as another date.
    ((1..=12).contains(&month) && (1..=31).contains(&day) && days_match(days, year, month, day)).then_some(days)
}

fn days_match(days: i64, year: i64, month: i64, day: i64) -> bool {
    let written = date(days);
    let expected = match year {
        0..=9999 => format!("{year:04}-{month:02}-{day:02}"),
        year => format!("{year:+05}-{month:02}-{day:02}"),
    };
    written == expected
}

/// Microseconds since midnight of `HH:MM[:SS[.ffffff]]`.
fn micros_of_day(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let parts: Vec<&str> = whole.split(':').collect();
    let (hours, minutes, seconds) = match parts[..] {
        [hours, minutes] if !text.contains('.') => (hours, minutes, "00"),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    let two = |part: &str, most: i64| number(part).filter(|n| part.len() == 2 && *n <= most);
    let seconds = two(hours, 23)? * 3600 + two(minutes, 59)? * 60 + two(seconds, 59)?;
    let (kept, beyond) = fraction.split_at_checked(6).unwrap_or((fraction, ""));
    let exact = !fraction.is_empty() && beyond.bytes().all(|b| b == b'0');
    let scale = 10_i64.pow(6 - u32::try_from(kept.len()).ok()?);
    exact.then_some(seconds * 1_000_000 + number(kept)? * scale)
}

/// The first day of 64 bits of microseconds begins before them, hence the wider sum.
fn micros(text: &str) -> Option<i128> {
    let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    Some(i128::from(days(date)?) * i128::from(DAY_MICROS) + i128::from(micros_of_day(clock)?))
}

/// The text without its zone, and the zone's offset in microseconds.
fn zone(text: &str) -> Option<(&str, i64)> {
    if let Some(local) = text.strip_suffix(['Z', 'z']) {
        return Some((local, 0));
    }
    let at = text.len().checked_sub(6)?;
    let (local, offset) = text.split_at_checked(at)?;
    let sign = match offset.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    Some((local, sign * micros_of_day(&offset[1..])?))
}

fn number(digits: &str) -> Option<i64> {
    match digits.bytes().all(|b| b.is_ascii_digit()) {
        true => digits.parse().ok(),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_epoch_and_its_neighbours_are_written_as_people_do() {
        assert_eq!(text_of(&Value::DateDays(0)).unwrap(), "1970-01-01");
        assert_eq!(text_of(&Value::DateDays(11_016)).unwrap(), "2000-02-29");
        assert_eq!(text_of(&Value::TimestampMicros(-1)).unwrap(), "1969-12-31 23:59:59.999999");
        assert_eq!(text_of(&Value::InstantMicros(0)).unwrap(), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["2023-02-29", "2023-13-01", "2023-1-1", "20230101", "", "-", "2023-01-01x", "é", "12023-01-01"] {
            assert_eq!(value_of(text, LogicalType::Date), None, "{text}");
        }
        for text in ["24:00:00", "12:60:00", "12", "1:00:00", "12:00:00.", "12:00:00.1234567", "12:00.5"] {
            assert_eq!(value_of(text, LogicalType::Time), None, "{text}");
        }
        assert_eq!(value_of("2024-01-01T00:00:00", LogicalType::TimestampTz), None);
        let shifted = value_of("1970-01-01 01:00:00+01:00", LogicalType::TimestampTz);
        assert_eq!(shifted, Some(Value::InstantMicros(0)));
    }

    proptest! {
        #[test]
        fn every_date_and_time_comes_back(
            days in any::<i32>(), micros in prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)], of_day in 0..DAY_MICROS
        ) {
            for (value, logical) in [
                (Value::DateDays(days), LogicalType::Date), (Value::TimeMicros(of_day), LogicalType::Time),
                (Value::TimestampMicros(micros), LogicalType::Timestamp),
                (Value::InstantMicros(micros), LogicalType::TimestampTz),
            ] {
                prop_assert_eq!(value_of(&text_of(&value).unwrap(), logical), Some(value));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}") {
            for logical in [LogicalType::Date, LogicalType::Time, LogicalType::Timestamp, LogicalType::TimestampTz] {
                let _ = value_of(&text, logical);
            }
        }
    }
}
