//! One value as text: what CSV fields and JSON strings hold.
use std::borrow::Cow;

use super::{FormatError, base64, calendar, check, decimal};
use crate::vocab::{Column, LogicalType, Value};

/// A canonical value as text; `None` for NULL.
pub fn to_text(value: &Value) -> Option<Cow<'_, str>> {
    let text = match value {
        Value::Null => return None,
        Value::Text(text) | Value::Decimal(text) => return Some(Cow::Borrowed(text)),
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Double(number) => double_text(*number),
        Value::Bytes(bytes) => base64::encode(bytes),
        Value::DateDays(days) => calendar::date_text(*days),
        Value::TimeMicros(micros) => calendar::time_text(*micros),
        Value::TimestampMicros(micros) => calendar::timestamp_text(*micros),
        Value::InstantMicros(micros) => calendar::instant_text(*micros),
    };
    Some(Cow::Owned(text))
}

/// The value of `column` that `text` spells, in canonical form. Never NULL: text is always a value.
///
/// # Errors
/// Text that docs/FORMAT.md does not write for a value of that type.
pub fn from_text(column: &Column, text: &str) -> Result<Value, FormatError> {
    let read = match column.logical {
        LogicalType::Text => Some(Value::Text(text.to_owned())),
        LogicalType::Boolean => boolean(text).map(Value::Boolean),
        LogicalType::Integer => integer(text).map(Value::Integer),
        LogicalType::Decimal => decimal::is_plain(text).then(|| Value::Decimal(text.to_owned())),
        LogicalType::Double => double(text).map(Value::Double),
        LogicalType::Number => number(text),
        LogicalType::Bytes => base64::decode(text).map(Value::Bytes),
        LogicalType::Date => calendar::parse_date(text).map(Value::DateDays),
        LogicalType::Time => calendar::parse_time(text).map(Value::TimeMicros),
        LogicalType::Timestamp => calendar::parse_timestamp(text).map(Value::TimestampMicros),
        LogicalType::TimestampTz => calendar::parse_instant(text).map(Value::InstantMicros),
    };
    let value = read.ok_or_else(|| unreadable(column, text))?;
    Ok(check::canonical(column, &value)?.into_owned())
}

/// The failure to read `text` as a value of `column`.
pub(super) fn unreadable(column: &Column, text: &str) -> FormatError {
    let (shown, wanted) = (check::start_of(text), check::word(column.logical));
    let reason = format!("holds `{shown}`, which is no {wanted} as docs/FORMAT.md writes it: mend the part's writer");
    FormatError::value(&column.name, reason)
}

/// The shortest digits that read back as the same double.
pub(super) fn double_text(number: f64) -> String {
    match number {
        _ if number.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        _ => format!("{number:?}"),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn integer(text: &str) -> Option<i64> {
    (decimal::is_plain(text) && text != "-0").then(|| text.parse().ok())?
}

fn double(text: &str) -> Option<f64> {
    match text {
        "NaN" => return Some(f64::NAN),
        "Infinity" => return Some(f64::INFINITY),
        "-Infinity" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    let mantissa = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            let whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            whole.then_some(mantissa)?
        }
        None => text,
    };
    if !decimal::is_plain(mantissa) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    // A number that doubles cannot reach would silently become infinite or nought.
    let lost = number == 0.0 && mantissa.bytes().any(|b| matches!(b, b'1'..=b'9'));
    (number.is_finite() && !lost).then_some(number)
}

/// Digits alone are a whole number, whatever else is a double.
fn number(text: &str) -> Option<Value> {
    match text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        true => integer(text).map(Value::Integer),
        false => double(text).map(Value::Double),
    }
}
