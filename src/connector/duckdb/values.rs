//! One value on its way out of DuckDB, and into it: exactly, or not at all.
use ::duckdb::types::{TimeUnit, ToSqlOutput, ValueRef};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType};
use arrow_schema::{DataType, TimeUnit as ArrowUnit};

use crate::connector::civil::value_of;
use crate::vocab::{LogicalType, Value};

/// What every refusal of a value ends with.
const CURE: &str = "give the column the type `text` under `wraps.<service>.columns` in carve.yaml, so that it arrives \
    as DuckDB writes it, or leave it out with `omit`";
const DAY_MICROS: i64 = 86_400_000_000;
/// The first microsecond DuckDB's calendar has: 290309-12-22 BC.
const FIRST_MICRO: i64 = -9_223_372_022_400_000_000;
/// 2^53: up to it every whole number is a double.
const WHOLE: u64 = 1 << 53;
/// 2^63.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// The value at `at` of `array`, asked for as a `wanted`; or why it is nothing such.
pub(super) fn read(array: &dyn Array, at: usize, wanted: LogicalType) -> Result<Value, String> {
    if array.is_null(at) {
        return Ok(Value::Null);
    }
    match array.data_type() {
        DataType::Boolean => Ok(Value::Boolean(array.as_boolean().value(at))),
        DataType::Int64 => Ok(Value::Integer(array.as_primitive::<Int64Type>().value(at))),
        DataType::Float64 => Ok(double(array.as_primitive::<Float64Type>().value(at), wanted)),
        DataType::Binary => Ok(Value::Bytes(array.as_binary::<i32>().value(at).to_vec())),
        DataType::LargeBinary => Ok(Value::Bytes(array.as_binary::<i64>().value(at).to_vec())),
        DataType::Utf8 => text(array.as_string::<i32>().value(at), wanted),
        DataType::LargeUtf8 => text(array.as_string::<i64>().value(at), wanted),
        DataType::Date32 => date(array.as_primitive::<Date32Type>().value(at)),
        DataType::Time64(ArrowUnit::Microsecond) => time(array.as_primitive::<Time64MicrosecondType>().value(at)),
        DataType::Timestamp(ArrowUnit::Microsecond, zone) => {
            let micros = micros(array.as_primitive::<TimestampMicrosecondType>().value(at))?;
            Ok(if zone.is_some() { Value::InstantMicros(micros) } else { Value::TimestampMicros(micros) })
        }
        other => Err(format!("came as the Arrow type {other}, which carve does not read here")),
    }
}

/// A number that is whole is told as one where the column's type leaves that open.
fn double(real: f64, wanted: LogicalType) -> Value {
    let whole = wanted == LogicalType::Number && real.fract() == 0.0 && real.abs() < TWO_63;
    // Below 2^63 the conversion is exact.
    if whole { Value::Integer(real as i64) } else { Value::Double(real) }
}

fn date(days: i32) -> Result<Value, String> {
    match days {
        i32::MAX => Err(format!("holds the date `infinity`, which no calendar has: {CURE}")),
        _ if days == -i32::MAX => Err(format!("holds the date `-infinity`, which no calendar has: {CURE}")),
        _ => Ok(Value::DateDays(days)),
    }
}

fn time(micros: i64) -> Result<Value, String> {
    match micros {
        DAY_MICROS => Err(format!("holds the time `24:00:00`, which is no time of a day elsewhere: {CURE}")),
        _ => Ok(Value::TimeMicros(micros)),
    }
}

fn micros(micros: i64) -> Result<i64, String> {
    match micros {
        i64::MAX => Err(format!("holds the time `infinity`, which no calendar has: {CURE}")),
        _ if micros == -i64::MAX => Err(format!("holds the time `-infinity`, which no calendar has: {CURE}")),
        _ => Ok(micros),
    }
}

/// The value of type `wanted` that DuckDB writes as `text`.
fn text(text: &str, wanted: LogicalType) -> Result<Value, String> {
    let read = match wanted {
        LogicalType::Text => Some(Value::Text(text.to_owned())),
        LogicalType::Decimal => is_decimal(text).then(|| Value::Decimal(text.to_owned())),
        LogicalType::Integer => text.parse().ok().map(Value::Integer),
        LogicalType::Double => text.parse().ok().map(Value::Double),
        LogicalType::Number => match text.parse() {
            Ok(whole) => Some(Value::Integer(whole)),
            Err(_) => text.parse().ok().map(|real| double(real, wanted)),
        },
        LogicalType::Date | LogicalType::Time | LogicalType::Timestamp | LogicalType::TimestampTz => {
            value_of(text, wanted)
        }
        _ => None,
    };
    read.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        format!("holds {shown:?}, which is no exact {wanted:?} (times have microseconds at most): {CURE}")
    })
}

/// An optional minus, digits, and perhaps a point with digits after it.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

/// How `value` is handed over for a column of the type `logical`, or why it would change.
pub(super) fn stored(value: &Value, logical: LogicalType) -> Result<ToSqlOutput<'_>, String> {
    if !value.is_of(logical) {
        return Err(format!("was handed {value:?} for the type {logical:?}"));
    }
    let micros = |micros: i64| match (FIRST_MICRO..i64::MAX).contains(&micros) {
        true => Ok(ValueRef::Timestamp(TimeUnit::Microsecond, micros)),
        false => Err("holds a time that DuckDB's calendar does not reach".to_owned()),
    };
    Ok(ToSqlOutput::Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Boolean(truth) => ValueRef::Boolean(*truth),
        Value::Integer(whole) if logical == LogicalType::Number => ValueRef::Double(number_of(*whole)?),
        Value::Integer(whole) => ValueRef::BigInt(*whole),
        Value::Double(real) if logical == LogicalType::Number && is_whole(*real) => {
            return Err(format!("holds the double {real:?}, which would come back from DuckDB as a whole number"));
        }
        Value::Double(real) => ValueRef::Double(*real),
        Value::Decimal(text) | Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Bytes(bytes) => ValueRef::Blob(bytes),
        // The ends of the range mean `infinity` to DuckDB.
        Value::DateDays(days) if days.unsigned_abs() < i32::MAX.unsigned_abs() => ValueRef::Date32(*days),
        Value::DateDays(_) => return Err("holds a date that DuckDB's calendar does not reach".to_owned()),
        Value::TimeMicros(micros) => ValueRef::Time64(TimeUnit::Microsecond, *micros),
        Value::TimestampMicros(at) | Value::InstantMicros(at) => micros(*at)?,
    }))
}

fn is_whole(real: f64) -> bool {
    real.fract() == 0.0 && real.abs() < TWO_63
}

fn number_of(whole: i64) -> Result<f64, String> {
    match whole.unsigned_abs() <= WHOLE {
        true => Ok(whole as f64),
        false => Err(format!(
            "holds {whole}, which no double is exactly, and DuckDB has no column for whole numbers and doubles mixed: give \
             the column the type `integer`, `decimal` or `text` under `wraps.<service>.columns` in carve.yaml"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_come_back_otherwise_is_refused() {
        use LogicalType as L;
        for (value, logical) in [
            (Value::Integer((1 << 53) + 1), L::Number),
            (Value::Double(12.0), L::Number),
            (Value::Double(-0.0), L::Number),
            (Value::DateDays(i32::MAX), L::Date),
            (Value::DateDays(-i32::MAX), L::Date),
            (Value::TimestampMicros(i64::MAX), L::Timestamp),
            (Value::InstantMicros(i64::MIN), L::TimestampTz),
            (Value::Text("1".into()), L::Integer),
        ] {
            assert!(stored(&value, logical).is_err(), "{value:?}");
        }
        assert!(stored(&Value::Double(f64::NAN), L::Double).is_ok() && stored(&Value::Integer(7), L::Number).is_ok());
    }

    #[test]
    fn a_decimal_is_digits_with_a_point_between_them_at_most() {
        for (text, is) in [("-12.50", true), ("0", true), ("-", false), ("1.", false), ("--1", false), ("1e3", false)] {
            assert_eq!(is_decimal(text), is, "{text}");
        }
    }
}
