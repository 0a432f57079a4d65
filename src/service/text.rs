//! One value as text: what CSV fields and JSON strings hold.
use std::{borrow::Cow, io::Write};

use super::{FormatError, base64, calendar, check, decimal};
use crate::vocab::{Column, LogicalType, Value};

/// A canonical value as text; `None` for NULL.
pub fn to_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::Text(text) | Value::Decimal(text) => Some(Cow::Borrowed(text)),
        _ => {
            let mut bytes = Vec::new();
            push(&mut bytes, value);
            Some(Cow::Owned(String::from_utf8(bytes).expect("numbers, dates and base64 are ASCII")))
        }
    }
}

/// Appends a canonical value as text; nothing for NULL.
pub(super) fn push(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => {}
        Value::Text(text) | Value::Decimal(text) => out.extend(text.as_bytes()),
        Value::Boolean(truth) => out.extend(if *truth { &b"true"[..] } else { b"false" }),
        Value::Integer(number) => push_integer(out, *number),
        Value::Double(number) => push_double(out, *number),
        Value::Bytes(bytes) => out.extend(base64::encode(bytes).as_bytes()),
        Value::DateDays(days) => calendar::push_date(out, *days),
        Value::TimeMicros(micros) => calendar::push_time(out, *micros),
        Value::TimestampMicros(micros) => calendar::push_timestamp(out, *micros),
        Value::InstantMicros(micros) => calendar::push_instant(out, *micros),
    }
}

/// Digits from the last to the first: faster than formatting, and every row has some.
fn push_integer(out: &mut Vec<u8>, number: i64) {
    let (mut digits, mut at, mut rest) = ([0; 20], 20, number.unsigned_abs());
    while at == 20 || rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend(&digits[at..]);
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
    let reason = format!("{}: mend the part's writer", not_spelled(column.logical, text));
    FormatError::value(&column.name, reason)
}

/// What is wrong with `text` where a value of the type `logical` should stand.
pub fn not_spelled(logical: LogicalType, text: &str) -> String {
    format!("holds `{}`, which is no {} as docs/FORMAT.md writes it", check::start_of(text), check::word(logical))
}

/// The shortest digits that read back as the same double.
fn push_double(out: &mut Vec<u8>, number: f64) {
    match number {
        _ if number.is_nan() => out.extend(b"NaN"),
        f64::INFINITY => out.extend(b"Infinity"),
        f64::NEG_INFINITY => out.extend(b"-Infinity"),
        _ => write!(out, "{number:?}").expect("a Vec takes whatever is written to it"),
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
