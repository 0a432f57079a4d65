//! One value on its way out of SQLite, and into it: exactly, or not at all.
use rusqlite::types::{ToSqlOutput, ValueRef};

use super::affinity::Affinity;
use crate::connector::civil::{text_of, value_of};
use crate::vocab::{LogicalType, Value, shortened};

/// Characters of a value that a complaint shows.
const SHOWN: usize = 40;

/// What `found` is in a column of the type `logical`, or why it is nothing such.
pub(super) fn read(found: ValueRef<'_>, logical: LogicalType) -> Result<Value, String> {
    use LogicalType as L;
    match (found, logical) {
        (ValueRef::Null, _) => Ok(Value::Null),
        (ValueRef::Integer(whole), L::Integer | L::Number) => Ok(Value::Integer(whole)),
        (ValueRef::Integer(whole @ (0 | 1)), L::Boolean) => Ok(Value::Boolean(whole == 1)),
        (ValueRef::Integer(whole), L::Decimal) => Ok(Value::Decimal(whole.to_string())),
        // 2^53: below it every whole number is a double.
        (ValueRef::Integer(whole), L::Double) if whole.unsigned_abs() <= 1 << 53 => Ok(Value::Double(whole as f64)),
        (ValueRef::Real(real), L::Double | L::Number) => Ok(Value::Double(real)),
        (ValueRef::Text(bytes), L::Text) => Ok(Value::Text(text(bytes)?.to_owned())),
        (ValueRef::Text(bytes), L::Decimal) if is_decimal(text(bytes)?) => Ok(Value::Decimal(text(bytes)?.to_owned())),
        (ValueRef::Text(bytes), L::Date | L::Time | L::Timestamp | L::TimestampTz) => {
            value_of(text(bytes)?, logical).ok_or_else(|| misfit(found, logical))
        }
        (ValueRef::Blob(bytes), L::Bytes) => Ok(Value::Bytes(bytes.to_vec())),
        _ => Err(misfit(found, logical)),
    }
}

/// How `value` is stored in a column of the type `logical` and the given affinity, or why it would change.
pub(super) fn stored<'v>(
    value: &'v Value,
    logical: LogicalType,
    affinity: Affinity,
) -> Result<ToSqlOutput<'v>, String> {
    let output = match value {
        Value::Null => borrowed(ValueRef::Null),
        Value::Boolean(truth) => borrowed(ValueRef::Integer(i64::from(*truth))),
        Value::Integer(whole) => borrowed(ValueRef::Integer(*whole)),
        Value::Double(real) if real.is_nan() => return Err("holds NaN, which SQLite would store as NULL".to_owned()),
        Value::Double(real) => borrowed(ValueRef::Real(*real)),
        Value::Decimal(text) | Value::Text(text) => borrowed(ValueRef::Text(text.as_bytes())),
        Value::Bytes(bytes) => borrowed(ValueRef::Blob(bytes)),
        Value::DateDays(_) | Value::TimeMicros(_) | Value::TimestampMicros(_) | Value::InstantMicros(_) => {
            ToSqlOutput::from(text_of(value).unwrap_or_default())
        }
    };
    if !value.is_of(logical) {
        return Err(format!("was handed {value:?} for the type {logical:?}"));
    }
    match survives(value, affinity) {
        true => Ok(output),
        false => Err(format!("holds {}, which SQLite would change in a column of this table", shown(value))),
    }
}

fn borrowed(value: ValueRef<'_>) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(value)
}

/// Whether a column of that affinity leaves `value` as it is.
fn survives(value: &Value, affinity: Affinity) -> bool {
    match (affinity, value) {
        (_, Value::Null | Value::Bytes(_)) | (Affinity::None, _) => true,
        (Affinity::Text, Value::Boolean(_) | Value::Integer(_) | Value::Double(_)) => false,
        (Affinity::Text, _) => true,
        (Affinity::Real, Value::Boolean(_) | Value::Integer(_)) => false,
        (Affinity::Real, Value::Double(real)) => !(*real == 0.0 && real.is_sign_negative()),
        (Affinity::Integer | Affinity::Numeric, Value::Boolean(_) | Value::Integer(_)) => true,
        // A double that is a whole number of 64 bits would become an integer; -0.0 would become 0.
        (Affinity::Integer | Affinity::Numeric, Value::Double(real)) => real.fract() != 0.0 || real.abs() >= TWO_63,
        (_, Value::Text(text) | Value::Decimal(text)) => !looks_like_a_number(text),
        (_, Value::DateDays(_) | Value::TimeMicros(_) | Value::TimestampMicros(_) | Value::InstantMicros(_)) => true,
    }
}

/// 2^63.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

fn looks_like_a_number(text: &str) -> bool {
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    trimmed.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) && trimmed.parse::<f64>().is_ok()
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

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| {
        format!(
            "holds text that is not UTF-8 from its byte {}: mend the value at the origin, or leave the column out with \
             `omit`",
            error.valid_up_to() + 1
        )
    })
}

fn misfit(found: ValueRef<'_>, logical: LogicalType) -> String {
    let (what, types) = match found {
        ValueRef::Null => ("NULL".to_owned(), "any type"),
        ValueRef::Integer(whole) => (format!("the integer {whole}"), "`integer` or `number`"),
        ValueRef::Real(real) => (format!("the real number {real:?}"), "`double` or `number`"),
        ValueRef::Text(bytes) => {
            (format!("the text {:?}", shortened(&String::from_utf8_lossy(bytes), SHOWN)), "`text`")
        }
        ValueRef::Blob(bytes) => (format!("a blob of {} bytes", bytes.len()), "`bytes`"),
    };
    let wanted = name_of(logical);
    format!(
        "holds {what} where its type `{wanted}` is expected: mend the value at the origin, give the column the type \
         {types} under `wraps.<service>.columns` in carve.yaml if all its values are such, or leave it out with `omit`"
    )
}

/// The type's name as carve.yaml spells it.
pub(super) fn name_of(logical: LogicalType) -> String {
    let mut name = String::new();
    for (at, c) in format!("{logical:?}").char_indices() {
        if c.is_ascii_uppercase() && at > 0 {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("the text {:?}", shortened(text, SHOWN)),
        Value::Double(real) => format!("the double {real:?}"),
        other => format!("{other:?}"),
    }
}
