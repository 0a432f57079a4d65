//! Numbers as people read them. Every page gets its text from here, so that one number looks the same everywhere.
use crate::vocab::Span;

/// A whole number with commas: `1,204`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun: `1 table`, `1,204 tables`; `many` is the plural.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number as u64), if number == 1 { one } else { many })
}

/// One decimal: `6.2`; a dash for what is no number.
pub(super) fn one_decimal(number: f64) -> String {
    decimal(number, 1)
}

/// Two decimals, for points between 0 and 1: `0.78`.
pub(super) fn points(number: f64) -> String {
    decimal(number, 2)
}

/// `number` with `digits` decimals; a dash for what is no number; never `-0`.
pub(super) fn decimal(number: f64, digits: usize) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{number:.digits$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| matches!(b, b'0' | b'.')) => rest.to_owned(),
        _ => text,
    }
}

/// A share as a percentage: `97.4 %`; a dash where there is nothing to share.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    // Cut, not rounded: 99.96 % must not read as all of it.
    let tenths = u128::from(part) * 1000 / u128::from(whole);
    match tenths % 10 {
        0 => format!("{} %", tenths / 10),
        tenth => format!("{}.{tenth} %", tenths / 10),
    }
}

/// A range of person-days: `4.5–9.0`.
pub(super) fn range(low: f64, high: f64) -> String {
    format!("{}–{}", one_decimal(low), one_decimal(high))
}

/// A place as people look it up: `jobs/orders.yaml:4`.
pub(super) fn place(span: &Span) -> String {
    format!("{}:{}", span.file, span.line)
}

/// Items as prose: `a`, `a and b`, `a, b and c`.
pub(super) fn prose<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [head @ .., last] => {
            let head: Vec<&str> = head.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", head.join(", "), last.as_ref())
        }
    }
}

/// The first `limit` items as prose, and how many more there are.
pub(super) fn prose_up_to<S: AsRef<str>>(items: &[S], limit: usize) -> String {
    if items.len() <= limit {
        return prose(items);
    }
    let head: Vec<&str> = items[..limit].iter().map(AsRef::as_ref).collect();
    format!("{} and {} more", head.join(", "), thousands((items.len() - limit) as u64))
}

/// `text` cut to `limit` characters, with an ellipsis where something was cut.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let head: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

/// A name as an HTML anchor: letters, digits and hyphens only.
pub(super) fn anchor(prefix: &str, name: &str) -> String {
    let slug: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    format!("{prefix}-{slug}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(count(1, "query", "queries"), "1 query");
    }

    #[test]
    fn all_but_one_is_never_shown_as_all() {
        assert_eq!(percent(99_999, 100_000), "99.9 %");
        assert_eq!((percent(3, 3), percent(0, 0)), ("100 %".into(), "–".into()));
    }

    #[test]
    fn what_is_no_number_is_a_dash_and_zero_has_no_sign() {
        assert_eq!((points(f64::NAN), points(-0.001), points(-0.5)), ("–".into(), "0.00".into(), "-0.50".into()));
    }

    #[test]
    fn lists_end_in_and() {
        assert_eq!(prose(&["a", "b", "c"]), "a, b and c");
        assert_eq!(prose_up_to(&["a", "b", "c", "d"], 2), "a, b and 2 more");
        assert_eq!(cut("abcdef", 4), "abc…");
    }
}
