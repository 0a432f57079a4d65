//! Dates and times as text, exact over all that 64 bits of microseconds hold: ISO 8601 in the
//! proleptic Gregorian calendar. Years 0000 to 9999 are written as RFC 3339 wants them, all others in
//! ISO's expanded form, with a sign and at least six digits. Own arithmetic, because time libraries
//! stop at year 9999 and databases do not.

use std::io::Write;

const DAY_MICROS: i64 = 86_400_000_000;
const MINUTE_MICROS: i64 = 60_000_000;

/// `2024-02-29`, `-000044-03-15`.
pub(super) fn push_date(out: &mut Vec<u8>, days: i32) {
    push_days(out, i64::from(days));
}

/// `23:59:59.000001`; the fraction is left out where it is nought.
pub(super) fn push_time(out: &mut Vec<u8>, micros: i64) {
    let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    push_pair(out, seconds / 3600);
    out.push(b':');
    push_pair(out, seconds / 60 % 60);
    out.push(b':');
    push_pair(out, seconds % 60);
    if fraction != 0 {
        out.push(b'.');
        [fraction / 10_000, fraction / 100 % 100, fraction % 100].into_iter().for_each(|two| push_pair(out, two));
    }
}

/// `2024-02-29T23:59:59.5`, without a zone.
pub(super) fn push_timestamp(out: &mut Vec<u8>, micros: i64) {
    push_days(out, micros.div_euclid(DAY_MICROS));
    out.push(b'T');
    push_time(out, micros.rem_euclid(DAY_MICROS));
}

/// `2024-02-29T23:59:59.5Z`.
pub(super) fn push_instant(out: &mut Vec<u8>, micros: i64) {
    push_timestamp(out, micros);
    out.push(b'Z');
}

/// Days of a date's text.
pub(super) fn parse_date(text: &str) -> Option<i32> {
    i32::try_from(parse_days(text)?).ok()
}

/// Microseconds since midnight; a fraction has one to six digits.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, micros_of(fraction)?),
        None => (text, 0),
    };
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *clock.as_bytes() else { return None };
    let (hours, minutes, seconds) = (pair(h1, h2)?, pair(m1, m2)?, pair(s1, s2)?);
    (hours < 24 && minutes < 60 && seconds < 60)
        .then_some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + fraction)
}

/// Microseconds of a date and time without a zone.
pub(super) fn parse_timestamp(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T')?;
    let (days, time) = (parse_days(date)?, parse_time(time)?);
    // The first day that 64 bits reach starts before they do: the sum is in range where the product is not.
    i64::try_from(i128::from(days) * i128::from(DAY_MICROS) + i128::from(time)).ok()
}

/// Microseconds in UTC of a date and time with `Z` or an offset such as `+02:00`.
pub(super) fn parse_instant(text: &str) -> Option<i64> {
    if let Some(utc) = text.strip_suffix('Z') {
        return parse_timestamp(utc);
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = *offset.as_bytes() else { return None };
    let (hours, minutes) = (pair(h1, h2)?, pair(m1, m2)?);
    let ahead = (hours * 60 + minutes) * MINUTE_MICROS * if sign == b'+' { 1 } else { -1 };
    match hours < 24 && minutes < 60 {
        true => parse_timestamp(local)?.checked_sub(ahead),
        false => None,
    }
}

fn push_days(out: &mut Vec<u8>, days: i64) {
    let (year, month, day) = civil(days);
    match year {
        0..=9999 => [year / 100, year % 100].into_iter().for_each(|two| push_pair(out, two)),
        _ => write!(out, "{year:+07}").expect("a Vec takes whatever is written to it"),
    }
    out.push(b'-');
    push_pair(out, month);
    out.push(b'-');
    push_pair(out, day);
}

/// Two digits of a number from 0 to 99.
fn push_pair(out: &mut Vec<u8>, number: i64) {
    let digit = |digit: i64| b'0'.wrapping_add(digit as u8);
    out.extend([digit(number / 10), digit(number % 10)]);
}

fn parse_days(text: &str) -> Option<i64> {
    let (year, rest) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let [b'-', m1, m2, b'-', d1, d2] = *rest.as_bytes() else { return None };
    let (year, month, day) = (parse_year(year)?, pair(m1, m2)?, pair(d1, d2)?);
    let days = days_of(year, month, day);
    // A day that is not in the calendar comes back as another.
    (civil(days) == (year, month, day)).then_some(days)
}

/// One spelling a year: four digits, or a sign and six or more where four do not do.
fn parse_year(text: &str) -> Option<i64> {
    let expanded = text.starts_with(['+', '-']);
    let digits = if expanded { &text[1..] } else { text };
    if !digits.bytes().all(|b| b.is_ascii_digit()) || digits.len() > 7 {
        return None;
    }
    let year: i64 = text.parse().ok()?;
    let right = match expanded {
        false => digits.len() == 4,
        true => !(0..=9999).contains(&year) && format!("{year:+07}") == text,
    };
    right.then_some(year)
}

fn micros_of(fraction: &str) -> Option<i64> {
    let right = (1..=6).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
    right.then(|| format!("{fraction:0<6}").parse().ok())?
}

fn pair(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// Year, month and day of a count of days. Years start in March here, so that the leap day comes last;
/// the calendar repeats every 400 years, which are 146,097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let from_march = days + 719_468;
    let (era, day_of_era) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The count of days of a date: the inverse of [`civil`].
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written<T>(push: fn(&mut Vec<u8>, T), value: T) -> String {
        let mut out = Vec::new();
        push(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn known_days_have_their_known_dates() {
        // Counts from Python's `date.toordinal() - 719163`; beyond year 9999 from the 400-year cycle:
        // 2000-03-01 is day 11017, and 146,097 days are 400 years.
        for (days, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (-719_162, "0001-01-01"),
            (2_932_896, "9999-12-31"),
            (2_932_897, "+010000-01-01"),
            (11_017 + 146_097 * 100, "+042000-03-01"),
            (11_017 - 146_097 * 5 - 366, "-000001-03-01"),
            (-719_528, "0000-01-01"),
            (-719_529, "-000001-12-31"),
        ] {
            assert_eq!((written(push_date, days).as_str(), parse_date(text)), (text, Some(days)));
        }
    }

    #[test]
    fn the_ends_of_the_range_survive() {
        for days in [i32::MIN, i32::MAX] {
            assert_eq!(parse_date(&written(push_date, days)), Some(days));
        }
        for micros in [i64::MIN, i64::MAX] {
            assert_eq!(parse_timestamp(&written(push_timestamp, micros)), Some(micros));
        }
        // PostgreSQL's documentation and Java's Instant give this end of the 64-bit range.
        assert_eq!(written(push_instant, i64::MAX), "+294247-01-10T04:00:54.775807Z");
    }

    #[test]
    fn an_offset_is_taken_off() {
        assert_eq!(parse_instant("1970-01-01T02:00:00.5+02:00"), Some(500_000));
        assert_eq!(parse_instant("1969-12-31T19:00:00-05:00"), Some(0));
    }

    #[test]
    fn what_is_no_date_or_time_is_refused() {
        for text in ["2023-02-29", "2024-13-01", "2024-1-01", "24-01-01", "+2024-01-01", "+002024-01-01", "-0044-03-15"]
        {
            assert_eq!(parse_date(text), None, "{text}");
        }
        for text in ["", "é-01-01", "-000000-01-01", "2024-00-10", "2024-01-00", "+99999999-01-01"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        for text in
            ["24:00:00", "12:60:00", "12:00:60", "12:00", "1:00:00", "12:00:00.", "12:00:00.1234567", "12:00:00Z"]
        {
            assert_eq!(parse_time(text), None, "{text}");
        }
        for text in ["1970-01-01T00:00:00", "1970-01-01T00:00:00+2", "1970-01-01T00:00:00+24:00", "Z", "é", "+ééé"]
        {
            assert_eq!(parse_instant(text), None, "{text}");
        }
        assert_eq!(parse_timestamp("1970-01-01 00:00:00"), None);
    }

    proptest! {
        #[test]
        fn every_count_reads_back(days: i32, micros: i64, time in 0..DAY_MICROS) {
            prop_assert_eq!(parse_date(&written(push_date, days)), Some(days));
            prop_assert_eq!(parse_timestamp(&written(push_timestamp, micros)), Some(micros));
            prop_assert_eq!(parse_instant(&written(push_instant, micros)), Some(micros));
            prop_assert_eq!(parse_time(&written(push_time, time)), Some(time));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}|[-+0-9T:.Z]{0,32}") {
            let _ = (parse_date(&text), parse_time(&text), parse_timestamp(&text), parse_instant(&text));
        }
    }
}
