//! How often a schedule runs: five cron fields, `@daily` and its like, `every 15m`.

/// Days of four hundred Gregorian years, after which weekdays and dates repeat.
const CYCLE_DAYS: u32 = 146_097;
const SECONDS_A_DAY: f64 = 86_400.0;

/// Mean runs per day of the schedule `text`; `None` where it is not understood.
///
/// Cron's minutes and hours are counted exactly; its days are averaged over the 400 years after
/// which the calendar repeats. `@once` and `@reboot` count as no runs.
pub fn runs_per_day(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Some(name) = text.strip_prefix('@') {
        return named(name);
    }
    if let Some(rest) = text.strip_prefix("every") {
        return interval(rest.trim_start_matches([':', ' ']));
    }
    cron(text)
}

fn named(name: &str) -> Option<f64> {
    match name.split_whitespace().next()? {
        "hourly" => Some(24.0),
        "daily" | "midnight" => Some(1.0),
        "weekly" => Some(1.0 / 7.0),
        "monthly" => cron("0 0 1 * *"),
        "yearly" | "annually" => cron("0 0 1 1 *"),
        "once" | "reboot" | "never" => Some(0.0),
        "every" => interval(name.strip_prefix("every")?.trim()),
        _ => None,
    }
}

/// Runs per day of `15m`, `1h30m`, `2 days`.
fn interval(text: &str) -> Option<f64> {
    let mut seconds = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u32 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].trim_start();
        let letters = unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len());
        seconds += f64::from(number) * unit_seconds(&unit[..letters])?;
        rest = unit[letters..].trim_start();
    }
    (seconds > 0.0).then(|| SECONDS_A_DAY / seconds)
}

fn unit_seconds(unit: &str) -> Option<f64> {
    match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" | "second" | "seconds" => Some(1.0),
        "m" | "min" | "minute" | "minutes" => Some(60.0),
        "h" | "hour" | "hours" => Some(3_600.0),
        "d" | "day" | "days" => Some(SECONDS_A_DAY),
        "w" | "week" | "weeks" => Some(7.0 * SECONDS_A_DAY),
        _ => None,
    }
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

fn cron(text: &str) -> Option<f64> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else { return None };
    let minutes = values(minute, 0, 59, &[])?.count_ones();
    let hours = values(hour, 0, 23, &[])?.count_ones();
    let days = values(day, 1, 31, &[])?;
    let months = values(month, 1, 12, MONTHS)?;
    // Both 0 and 7 are Sunday.
    let weekdays = values(weekday, 0, 7, WEEKDAYS)?;
    let weekdays = (weekdays | (weekdays >> 7)) & 0x7F;
    let runs_a_day = f64::from(minutes * hours);
    Some(runs_a_day * day_share(days, months, weekdays, is_any(day), is_any(weekday)))
}

fn is_any(field: &str) -> bool {
    field.starts_with(['*', '?'])
}

/// The values a cron field names, one bit each.
fn values(field: &str, low: u32, high: u32, names: &[&str]) -> Option<u64> {
    let mut bits = 0;
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u32>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (first, last) = match range {
            "*" | "?" => (low, if names.len() == 7 { 6 } else { high }),
            _ => match range.split_once('-') {
                Some((first, last)) => (value(first, low, names)?, value(last, low, names)?),
                None if part.contains('/') => (value(range, low, names)?, high),
                None => (value(range, low, names)?, value(range, low, names)?),
            },
        };
        if first < low || last > high || first > last {
            return None;
        }
        bits |= (first..=last).step_by(step as usize).fold(0u64, |bits, value| bits | 1 << value);
    }
    Some(bits)
}

fn value(text: &str, low: u32, names: &[&str]) -> Option<u32> {
    let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
    named.map(|at| at as u32 + if names.len() == 12 { low } else { 0 }).or_else(|| text.parse().ok())
}

/// The share of all days that match. Where date and weekday are both given, cron takes either.
fn day_share(days: u64, months: u64, weekdays: u64, any_day: bool, any_weekday: bool) -> f64 {
    if any_day && days.count_ones() == 31 && months.count_ones() == 12 {
        return f64::from(weekdays.count_ones()) / 7.0;
    }
    let mut matched = 0u32;
    // 1 January 2001 was a Monday.
    let (mut year, mut month, mut day, mut weekday) = (2001u32, 1u32, 1u32, 1u32);
    for _ in 0..CYCLE_DAYS {
        let (on_day, on_weekday) = (days >> day & 1 == 1, weekdays >> weekday & 1 == 1);
        let on = if any_day || any_weekday { on_day && on_weekday } else { on_day || on_weekday };
        matched += u32::from(on && months >> month & 1 == 1);
        weekday = (weekday + 1) % 7;
        day += 1;
        if day > days_of(year, month) {
            (day, month) = (1, month + 1);
        }
        if month > 12 {
            (month, year) = (1, year + 1);
        }
    }
    f64::from(matched) / f64::from(CYCLE_DAYS)
}

fn days_of(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn runs(text: &str, expected: f64) {
        let found = runs_per_day(text).unwrap();
        assert!((found - expected).abs() < 1e-9, "{text}: {found} is not {expected}");
    }

    #[test]
    fn cron_fields_multiply() {
        runs("15 * * * *", 24.0);
        runs("*/15 * * * *", 96.0);
        runs("0,30 6-8 * * *", 6.0);
        runs("5 4 * * *", 1.0);
        runs("0 9-17/4 * * mon-fri", 3.0 * 5.0 / 7.0);
        runs("0 0 * * 7", 1.0 / 7.0);
        runs("0 0 * * 0,7", 1.0 / 7.0);
    }

    #[test]
    fn months_and_dates_are_averaged_over_the_calendar() {
        runs("0 0 1 * *", 12.0 * 400.0 / 146_097.0);
        runs("0 0 1 1 *", 400.0 / 146_097.0);
        // 97 leap days in 400 years.
        runs("0 0 29 2 *", 97.0 / 146_097.0);
        // Friday or the 13th, as cron has it: 20871 Fridays, 4800 thirteenths, 688 of them Fridays.
        runs("0 0 13 * 5", (20_871.0 + 4_800.0 - 688.0) / 146_097.0);
    }

    #[test]
    fn names_and_intervals_are_understood() {
        runs("@hourly", 24.0);
        runs("@weekly", 1.0 / 7.0);
        runs("every: 15m", 96.0);
        runs("every 1h30m", 16.0);
        runs("@every 2h", 12.0);
        runs("@once", 0.0);
    }

    #[test]
    fn what_is_no_schedule_is_none() {
        for text in ["", "soon", "* * * *", "61 * * * *", "5-1 * * * *", "*/0 * * * *", "@noon", "every", "every 0m"] {
            assert_eq!(runs_per_day(text), None, "{text}");
        }
    }
}
