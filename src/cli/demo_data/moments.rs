//! Times as the shop's databases write them: `2026-03-31 23:59:59`, no zone, a second's precision.

/// First second of the shop's data, 2024-04-01, in seconds since 1970.
pub(super) const FIRST: i64 = 1_711_929_600;
/// The last second before the jobs ran, 2026-03-31 23:59:59.
pub(super) const LAST: i64 = 1_775_001_599;
/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// `2026-03-31 23:59:59`.
pub(super) fn moment(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let rest = seconds.rem_euclid(DAY);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

/// `2026-03-31`.
pub(super) fn date(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of a count of days since 1970-01-01 (years begin in March while counting).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shop_spans_two_years() {
        assert_eq!(moment(FIRST), "2024-04-01 00:00:00");
        assert_eq!(moment(LAST), "2026-03-31 23:59:59");
        assert_eq!(date(FIRST - DAY * 32), "2024-02-29", "a leap day");
        assert_eq!(moment(-1), "1969-12-31 23:59:59");
    }
}
