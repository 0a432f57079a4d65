//! How often a schedule runs: five cron fields, `@daily` and its like, `every 15m`.

/// Days of four hundred Gregorian years, after which weekdays and dates repeat.
const CYCLE_DAYS: u32 = 146_097;
const SECONDS_A_DAY: f64 = 86_400.0;
const MINUTES_A_DAY: u64 = 1_440;

/// What a schedule says.
enum Schedule {
    /// So many runs a day, evenly.
    Every(f64),
    /// It is not meant to run again.
    Never,
    /// Cron's five fields.
    Cron(Cron),
}

/// Mean runs per day of the schedule `text`; `None` where it is not understood.
///
/// Cron's minutes and hours are counted exactly; its days are averaged over the 400 years after
/// which the calendar repeats. `@once` and `@reboot` count as no runs.
pub fn runs_per_day(text: &str) -> Option<f64> {
    Some(match schedule(text)? {
        Schedule::Every(runs) => runs,
        Schedule::Never => 0.0,
        Schedule::Cron(cron) => f64::from(cron.minutes.count_ones() * cron.hours.count_ones()) * cron.day_share(),
    })
}

/// Minutes that pass at most between two runs of the schedule `text`; `None` where it is not understood, or
/// does not run again.
pub fn longest_gap_minutes(text: &str) -> Option<u64> {
    match schedule(text)? {
        Schedule::Every(runs) => Some((MINUTES_A_DAY as f64 / runs).ceil() as u64),
        Schedule::Never => None,
        Schedule::Cron(cron) => cron.longest_gap_minutes(),
    }
}

fn schedule(text: &str) -> Option<Schedule> {
    let text = text.trim();
    if let Some(name) = text.strip_prefix('@') {
        return named(name);
    }
    if let Some(rest) = text.strip_prefix("every") {
        return interval(rest.trim_start_matches([':', ' '])).map(Schedule::Every);
    }
    cron(text).map(Schedule::Cron)
}

fn named(name: &str) -> Option<Schedule> {
    match name.split_whitespace().next()? {
        "hourly" => Some(Schedule::Every(24.0)),
        "daily" | "midnight" => Some(Schedule::Every(1.0)),
        "weekly" => Some(Schedule::Every(1.0 / 7.0)),
        "monthly" => cron("0 0 1 * *").map(Schedule::Cron),
        "yearly" | "annually" => cron("0 0 1 1 *").map(Schedule::Cron),
        "once" | "reboot" | "never" => Some(Schedule::Never),
        "every" => interval(name.strip_prefix("every")?.trim()).map(Schedule::Every),
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

/// Cron's fields, one bit for each value named.
struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    any_day: bool,
    any_weekday: bool,
}

fn cron(text: &str) -> Option<Cron> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else { return None };
    let weekdays = values(weekday, 0, 7, WEEKDAYS)?;
    Some(Cron {
        minutes: values(minute, 0, 59, &[])?,
        hours: values(hour, 0, 23, &[])?,
        days: values(day, 1, 31, &[])?,
        months: values(month, 1, 12, MONTHS)?,
        // Both 0 and 7 are Sunday.
        weekdays: (weekdays | (weekdays >> 7)) & 0x7F,
        any_day: is_any(day),
        any_weekday: is_any(weekday),
    })
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

impl Cron {
    /// The share of all days that match.
    fn day_share(&self) -> f64 {
        if self.any_day && self.days.count_ones() == 31 && self.months.count_ones() == 12 {
            return f64::from(self.weekdays.count_ones()) / 7.0;
        }
        f64::from(self.days_that_match().count() as u32) / f64::from(CYCLE_DAYS)
    }

    /// Within a day, or from a day's last run to the next day's first. `None` where no day ever matches.
    fn longest_gap_minutes(&self) -> Option<u64> {
        let bits = |set: u64| (0..64u64).filter(move |bit| set >> bit & 1 == 1);
        let runs: Vec<u64> = bits(self.hours).flat_map(|hour| bits(self.minutes).map(move |m| hour * 60 + m)).collect();
        let within = runs.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        let (first, last) = (*runs.first()?, *runs.last()?);
        let days: Vec<u32> = self.days_that_match().collect();
        let around = u64::from(CYCLE_DAYS - days.last()? + days.first()?);
        let apart = days.windows(2).map(|pair| u64::from(pair[1] - pair[0])).max().unwrap_or(0).max(around);
        Some(within.max(apart * MINUTES_A_DAY + first - last))
    }

    /// Numbers of the days that match, of all until the calendar repeats. Where date and weekday are both
    /// given, cron takes either.
    fn days_that_match(&self) -> impl Iterator<Item = u32> {
        // 1 January 2001 was a Monday.
        let (mut year, mut month, mut day, mut weekday) = (2001u32, 1u32, 1u32, 1u32);
        (0..CYCLE_DAYS).filter(move |_| {
            let (on_day, on_weekday) = (self.days >> day & 1 == 1, self.weekdays >> weekday & 1 == 1);
            let on = if self.any_day || self.any_weekday { on_day && on_weekday } else { on_day || on_weekday };
            let matches = on && self.months >> month & 1 == 1;
            weekday = (weekday + 1) % 7;
            day += 1;
            if day > days_of(year, month) {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
            matches
        })
    }
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
    fn the_longest_gap_spans_the_night_the_weekend_and_the_longest_month() {
        let gaps = [
            ("*/15 * * * *", 15),
            ("15 * * * *", 60),
            ("0 8-20 * * *", 12 * 60),
            ("0 6 * * mon-fri", 3 * 1_440),
            ("0,30 6-8 * * *", 21 * 60 + 30),
            ("0 0 1 * *", 31 * 1_440),
            ("0 0 29 2 *", (8 * 365 + 1) * 1_440),
            ("@weekly", 7 * 1_440),
            ("every 90m", 90),
            ("every 20s", 1),
        ];
        for (text, minutes) in gaps {
            assert_eq!(longest_gap_minutes(text), Some(minutes), "{text}");
        }
        for text in ["@once", "soon", "0 0 31 2 *"] {
            assert_eq!(longest_gap_minutes(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_none() {
        for text in ["", "soon", "* * * *", "61 * * * *", "5-1 * * * *", "*/0 * * * *", "@noon", "every", "every 0m"] {
            assert_eq!(runs_per_day(text), None, "{text}");
        }
    }
}
