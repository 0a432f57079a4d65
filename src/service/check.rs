use std::{borrow::Cow, collections::BTreeSet};

use super::{FormatError, decimal};
use crate::vocab::{Column, LogicalType, Row, Schema, Value};

/// One past the last microsecond of a day.
const DAY_MICROS: i64 = 86_400_000_000;
/// 2^63: doubles from -2^63 to below it are within 64 bits.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// Whether anything can be published under `schema`.
///
/// # Errors
/// No columns, two columns of one name, a nameless column, or a key that names no column.
pub fn check_schema(schema: &Schema) -> Result<(), FormatError> {
    let bad = |reason: String| Err(FormatError::Schema { reason });
    if schema.columns.is_empty() {
        return bad("has no columns: there is nothing to publish".to_owned());
    }
    let mut names = BTreeSet::new();
    for column in &schema.columns {
        if column.name.is_empty() {
            return bad("has a column without a name: name it at the origin, or leave it out with `omit`".to_owned());
        }
        if !names.insert(&column.name) {
            return bad(format!("has two columns named `{}`: rename one at the origin", column.name));
        }
    }
    match schema.key.iter().find(|key| !names.contains(key)) {
        Some(key) => bad(format!("has the key column `{key}`, which is not among its columns")),
        None => Ok(()),
    }
}

/// Brings a row into the canonical form of its schema: each value in the one variant that its
/// column's logical type has, when that keeps it exactly.
///
/// # Errors
/// A row of another width, or a value that would have to change: the column, what it holds, and what to do.
pub fn conform(schema: &Schema, row: Row) -> Result<Row, FormatError> {
    if row.len() != schema.columns.len() {
        return Err(FormatError::Width { expected: schema.columns.len(), found: row.len() });
    }
    let mut row = row;
    for (column, value) in schema.columns.iter().zip(&mut row) {
        if let Cow::Owned(changed) = canonical(column, value)? {
            *value = changed;
        }
    }
    Ok(row)
}

/// Whether `value` certainly is in its column's canonical form. Nearly every value is, and each is asked.
#[inline]
pub(super) fn is_canonical(column: &Column, value: &Value) -> bool {
    match (column.logical, value) {
        (_, Value::Null) => column.nullable,
        (LogicalType::Double, Value::Double(number)) => !number.is_nan(),
        (LogicalType::Decimal, Value::Decimal(digits)) => decimal::is_plain(digits),
        (LogicalType::Boolean, Value::Boolean(_))
        | (LogicalType::Integer | LogicalType::Number, Value::Integer(_))
        | (LogicalType::Text, Value::Text(_))
        | (LogicalType::Bytes, Value::Bytes(_))
        | (LogicalType::Date, Value::DateDays(_))
        | (LogicalType::Time, Value::TimeMicros(0..DAY_MICROS))
        | (LogicalType::Timestamp, Value::TimestampMicros(_))
        | (LogicalType::TimestampTz, Value::InstantMicros(_)) => true,
        _ => false,
    }
}

/// One value in its column's canonical form; borrowed where it already is.
pub(super) fn canonical<'v>(column: &Column, value: &'v Value) -> Result<Cow<'v, Value>, FormatError> {
    if is_canonical(column, value) {
        return Ok(Cow::Borrowed(value));
    }
    match (column.logical, value) {
        (_, Value::Null) => Err(refused(column, "holds NULL though it is declared NOT NULL: declare it nullable")),
        (LogicalType::Boolean, Value::Integer(0 | 1)) => Ok(Cow::Owned(Value::Boolean(*value == Value::Integer(1)))),
        (LogicalType::Integer, Value::Double(number)) => match whole(*number) {
            Some(whole) => Ok(Cow::Owned(Value::Integer(whole))),
            None => Err(misfit(column, value)),
        },
        (LogicalType::Number, Value::Double(number)) => Ok(match whole(*number) {
            Some(whole) => Cow::Owned(Value::Integer(whole)),
            None => one_nan(value, *number),
        }),
        (LogicalType::Double, Value::Double(number)) => Ok(one_nan(value, *number)),
        (LogicalType::Double, Value::Integer(number)) => match exact_double(*number) {
            Some(double) => Ok(Cow::Owned(Value::Double(double))),
            None => Err(misfit(column, value)),
        },
        (LogicalType::Decimal, Value::Integer(number)) => Ok(Cow::Owned(Value::Decimal(number.to_string()))),
        _ => Err(misfit(column, value)),
    }
}

/// The integer that `number` is, exactly; `None` for fractions, -0.0, NaN, infinities and what 64 bits cannot hold.
pub(super) fn whole(number: f64) -> Option<i64> {
    let fits = number.fract() == 0.0 && (-TWO_63..TWO_63).contains(&number);
    let negative_zero = number == 0.0 && number.is_sign_negative();
    (fits && !negative_zero).then_some(number as i64)
}

/// The double that is exactly `number`; `None` where rounding would be needed.
pub(super) fn exact_double(number: i64) -> Option<f64> {
    let double = number as f64;
    (whole(double) == Some(number)).then_some(double)
}

/// NaN has one form: no engine lets people tell its payloads apart, and text cannot carry them.
fn one_nan(value: &Value, number: f64) -> Cow<'_, Value> {
    match number.is_nan() {
        true => Cow::Owned(Value::Double(f64::NAN)),
        false => Cow::Borrowed(value),
    }
}

fn refused(column: &Column, reason: impl Into<String>) -> FormatError {
    FormatError::value(&column.name, reason)
}

fn misfit(column: &Column, value: &Value) -> FormatError {
    let wanted = word(column.logical);
    let fits = suggestion(value);
    refused(
        column,
        format!("holds {}, which is no {wanted}: declare its type as `{fits}` or mend the value", shown(value)),
    )
}

/// The type's name as plans and contracts spell it.
pub(super) fn word(logical: LogicalType) -> &'static str {
    match logical {
        LogicalType::Boolean => "boolean",
        LogicalType::Integer => "integer",
        LogicalType::Decimal => "decimal",
        LogicalType::Double => "double",
        LogicalType::Number => "number",
        LogicalType::Text => "text",
        LogicalType::Bytes => "bytes",
        LogicalType::Date => "date",
        LogicalType::Time => "time",
        LogicalType::Timestamp => "timestamp",
        LogicalType::TimestampTz => "timestamp_tz",
    }
}

fn suggestion(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::Text(_) | Value::Decimal(_) | Value::TimeMicros(_) => "text",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) => "integer",
        Value::Double(_) => "double",
        Value::Bytes(_) => "bytes",
        Value::DateDays(_) => "date",
        Value::TimestampMicros(_) => "timestamp",
        Value::InstantMicros(_) => "timestamp_tz",
    }
}

/// A value for messages: its kind and its first characters.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(truth) => format!("the boolean {truth}"),
        Value::Integer(number) => format!("the integer {number}"),
        Value::Double(number) => format!("the double {number:?}"),
        Value::Decimal(digits) => format!("the decimal `{}`", start_of(digits)),
        Value::Text(text) => format!("the text `{}`", start_of(text)),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Value::DateDays(days) => format!("a date ({days} days from 1970-01-01)"),
        Value::TimeMicros(micros) => format!("a time ({micros} microseconds from midnight)"),
        Value::TimestampMicros(_) => "a timestamp without a zone".to_owned(),
        Value::InstantMicros(_) => "an instant".to_owned(),
    }
}

pub(super) fn start_of(text: &str) -> String {
    let mut start: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        start.push('…');
    }
    start
}

/// The type that [`word`] calls `name`.
pub(super) fn type_named(name: &str) -> Option<LogicalType> {
    use LogicalType::{Boolean, Bytes, Date, Decimal, Double, Integer, Number, Text, Time, Timestamp, TimestampTz};
    let all = [Boolean, Integer, Decimal, Double, Number, Text, Bytes, Date, Time, Timestamp, TimestampTz];
    all.into_iter().find(|logical| word(*logical) == name)
}
