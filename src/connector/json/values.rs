//! Scalars of JSON as values, exactly or not at all.
use crate::vocab::{LogicalType, Value};

/// What the digits of a JSON number can be, without a change.
pub(super) enum Number {
    Integer(i64),
    Double(f64),
    Decimal,
}

pub(super) fn number(text: &str) -> Number {
    let whole = !text.contains(['.', 'e', 'E']) && text != "-0";
    match (whole, text.parse::<i64>(), text.parse::<f64>()) {
        (true, Ok(integer), _) => Number::Integer(integer),
        (true, Err(_), _) => Number::Decimal,
        (false, _, Ok(double)) if double.is_finite() && same_number(text, double) => Number::Double(double),
        _ => Number::Decimal,
    }
}

/// Whether the shortest digits of `double` are the digits written, but for zeros at either end. Where two
/// strings of digits are equally short and near, writers differ in which they take: both of them count.
fn same_number(text: &str, double: f64) -> bool {
    let written = digits(text);
    let spellings = [Some(format!("{double:e}")), serde_json::to_string(&double).ok()];
    written.is_some() && spellings.into_iter().flatten().any(|spelling| digits(&spelling) == written)
}

/// Sign, significant digits, and the power of ten of the last of them.
fn digits(text: &str) -> Option<(bool, String, i64)> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut power = exponent.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let mut digits = format!("{whole}{fraction}");
    while digits.ends_with('0') {
        digits.pop();
        power += 1;
    }
    let digits = digits.trim_start_matches('0').to_owned();
    let power = if digits.is_empty() { 0 } else { power };
    Some((negative, digits, power))
}

/// The value that `text` is in a column of the type `logical`; `None` where it is none.
pub(super) fn value(text: &str, logical: LogicalType) -> Option<Value> {
    let first = *text.as_bytes().first()?;
    match (first, logical) {
        (b'n', _) => Some(Value::Null),
        (b't' | b'f', LogicalType::Boolean) => Some(Value::Boolean(first == b't')),
        (b'"', LogicalType::Text) => serde_json::from_str(text).ok().map(Value::Text),
        (b'{' | b'[', LogicalType::Text) => Some(Value::Text(text.to_owned())),
        (b't' | b'f' | b'"' | b'{' | b'[', _) => None,
        (_, LogicalType::Decimal) => plain(text).map(Value::Decimal),
        (_, LogicalType::Integer) => match number(text) {
            Number::Integer(whole) => Some(Value::Integer(whole)),
            _ => None,
        },
        (_, LogicalType::Double | LogicalType::Number) => match number(text) {
            Number::Integer(whole) if whole.unsigned_abs() <= 1 << 53 => Some(Value::Double(whole as f64)),
            Number::Double(double) => Some(Value::Double(double)),
            _ => None,
        },
        _ => None,
    }
}

/// A JSON number without its exponent; `None` where that would be absurdly long.
fn plain(text: &str) -> Option<String> {
    if !text.contains(['e', 'E']) {
        return Some(text.to_owned());
    }
    let (negative, digits, power) = digits(text)?;
    let sign = if negative { "-" } else { "" };
    if digits.is_empty() {
        return Some("0".to_owned());
    }
    if power.unsigned_abs() > 400 {
        return None;
    }
    let places = usize::try_from(power.unsigned_abs()).ok()?;
    Some(match power {
        0.. => format!("{sign}{digits}{}", "0".repeat(places)),
        _ if digits.len() > places => {
            let (whole, fraction) = digits.split_at(digits.len() - places);
            format!("{sign}{whole}.{fraction}")
        }
        _ => format!("{sign}0.{digits:0>places$}"),
    })
}

pub(super) fn misfit(text: &str, logical: LogicalType) -> String {
    let shown: String = text.chars().take(40).collect();
    format!(
        "holds `{shown}`, which is no {logical:?}: it changed since it was described, or the column was given \
         another type under `wraps.<service>.columns` in carve.yaml"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exponents_become_plain_digits() {
        for (text, expected) in
            [("1.5e3", "1500"), ("1.50e-3", "0.0015"), ("-12e-1", "-1.2"), ("1e2", "100"), ("0e9", "0")]
        {
            assert_eq!(plain(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(plain("1e999999999"), None);
    }

    #[test]
    fn either_of_two_equally_short_spellings_is_the_double() {
        // Doubles near 2e15 lie a quarter apart: .2 and .3 are as short as each other and both mean .25.
        let double = 7_909_464_236_545_317_f64 / 4.0;
        for text in ["1977366059136329.2", "1977366059136329.3"] {
            assert_eq!(value(text, LogicalType::Double), Some(Value::Double(double)), "{text}");
        }
        assert_eq!(value("9007199254740993.0", LogicalType::Double), None);
    }

    proptest! {
        #[test]
        fn doubles_come_back(double in any::<f64>().prop_filter("finite", |d| d.is_finite())) {
            let text = serde_json::to_string(&double).unwrap();
            prop_assert_eq!(value(&text, LogicalType::Double), Some(Value::Double(double)));
        }
    }
}
