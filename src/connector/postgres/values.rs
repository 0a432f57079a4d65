//! One value out of PostgreSQL: exactly, or not at all.
use super::numeric;
use super::types::Wire;
use super::wire::number;
use crate::connector::civil::value_of;
use crate::vocab::{LogicalType, Value};

/// From 1970-01-01, where carve counts from, to 2000-01-01, where PostgreSQL does.
const DAYS: i32 = 10_957;
const MICROS: i64 = 946_684_800_000_000;
const DAY_MICROS: i64 = 86_400_000_000;

/// What every refusal of a value ends with.
const CURE: &str = "give the column the type `text` under `wraps.<service>.columns` in carve.yaml, so that it arrives \
    as PostgreSQL writes it, or leave it out with `omit`";

/// Makes `value` the one that `bytes` are, in a column of the type `logical`; or tells why they are nothing such. A text
/// that `value` held lends its room: every row has some.
pub(super) fn read_into(value: &mut Value, bytes: &[u8], wire: Wire, logical: LogicalType) -> Result<(), String> {
    match (wire, logical, &mut *value) {
        (Wire::Text, LogicalType::Text, Value::Text(room)) => {
            room.clear();
            room.push_str(utf8(bytes)?);
        }
        (Wire::Int4, _, Value::Integer(room)) => {
            *room = i32::from_be_bytes(number(bytes, 0).ok_or_else(broken)?).into()
        }
        (Wire::Int8, _, Value::Integer(room)) => *room = i64::from_be_bytes(number(bytes, 0).ok_or_else(broken)?),
        (Wire::Float8, _, Value::Double(room)) => *room = f64::from_be_bytes(number(bytes, 0).ok_or_else(broken)?),
        (Wire::Timestamp, _, Value::TimestampMicros(room)) | (Wire::Instant, _, Value::InstantMicros(room)) => {
            *room = micros(i64::from_be_bytes(number(bytes, 0).ok_or_else(broken)?))?;
        }
        (Wire::Numeric, LogicalType::Decimal, Value::Decimal(room)) => {
            *value = decimal(numeric::text(bytes, std::mem::take(room)).ok_or_else(broken)?)?;
        }
        _ => *value = read(bytes, wire, logical)?,
    }
    Ok(())
}

fn broken() -> String {
    "came in a form that carve does not read".to_owned()
}

/// The value that `bytes` are, in a column of the type `logical`; or why they are nothing such.
fn read(bytes: &[u8], wire: Wire, logical: LogicalType) -> Result<Value, String> {
    match wire {
        Wire::Boolean => bytes.first().map(|byte| Value::Boolean(*byte != 0)).ok_or_else(broken),
        Wire::Int2 => number(bytes, 0).map(|n| Value::Integer(i16::from_be_bytes(n).into())).ok_or_else(broken),
        Wire::Int4 => number(bytes, 0).map(|n| Value::Integer(i32::from_be_bytes(n).into())).ok_or_else(broken),
        Wire::Int8 => number(bytes, 0).map(|n| Value::Integer(i64::from_be_bytes(n))).ok_or_else(broken),
        Wire::Float4 => number(bytes, 0).map(|n| Value::Double(f32::from_be_bytes(n).into())).ok_or_else(broken),
        Wire::Float8 => number(bytes, 0).map(|n| Value::Double(f64::from_be_bytes(n))).ok_or_else(broken),
        Wire::Bytes => Ok(Value::Bytes(bytes.to_vec())),
        Wire::Date => date(i32::from_be_bytes(number(bytes, 0).ok_or_else(broken)?)),
        Wire::Time => time(i64::from_be_bytes(number(bytes, 0).ok_or_else(broken)?)),
        Wire::Timestamp => micros(i64::from_be_bytes(number(bytes, 0).ok_or_else(broken)?)).map(Value::TimestampMicros),
        Wire::Instant => micros(i64::from_be_bytes(number(bytes, 0).ok_or_else(broken)?)).map(Value::InstantMicros),
        Wire::Numeric => decimal(numeric::text(bytes, String::new()).ok_or_else(broken)?),
        Wire::Text => text(utf8(bytes)?, logical),
    }
}

fn decimal(digits: String) -> Result<Value, String> {
    match digits.ends_with(|end: char| end.is_ascii_digit()) {
        true => Ok(Value::Decimal(digits)),
        false => text(&digits, LogicalType::Decimal),
    }
}

fn date(days: i32) -> Result<Value, String> {
    match days {
        i32::MAX => Err(format!("holds the date `infinity`, which no calendar has: {CURE}")),
        i32::MIN => Err(format!("holds the date `-infinity`, which no calendar has: {CURE}")),
        _ => days.checked_add(DAYS).map(Value::DateDays).ok_or_else(|| format!("holds a date too far off: {CURE}")),
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
        i64::MIN => Err(format!("holds the time `-infinity`, which no calendar has: {CURE}")),
        _ => micros
            .checked_add(MICROS)
            .ok_or_else(|| format!("holds a time beyond the year 294246, where 64 bits of microseconds end: {CURE}")),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| {
        format!(
            "holds text that is not UTF-8 from its byte {}: mend the value at the origin, give the column the type \
             `bytes` under `wraps.<service>.columns` in carve.yaml, or leave it out with `omit`",
            error.valid_up_to() + 1
        )
    })
}

/// The value of type `logical` that PostgreSQL writes as `text`.
fn text(text: &str, logical: LogicalType) -> Result<Value, String> {
    let read = match logical {
        LogicalType::Text => return Ok(Value::Text(text.to_owned())),
        LogicalType::Decimal => is_decimal(text).then(|| Value::Decimal(text.to_owned())),
        LogicalType::Integer => text.parse().ok().map(Value::Integer),
        LogicalType::Double => text.parse().ok().map(Value::Double),
        LogicalType::Number => match text.parse() {
            Ok(whole) => Some(Value::Integer(whole)),
            Err(_) => text.parse().ok().map(Value::Double),
        },
        LogicalType::Boolean => match text {
            "1" | "t" | "true" => Some(Value::Boolean(true)),
            "0" | "f" | "false" => Some(Value::Boolean(false)),
            _ => None,
        },
        LogicalType::Bytes => None,
        LogicalType::Date | LogicalType::Time | LogicalType::Timestamp | LogicalType::TimestampTz => {
            value_of(text, logical)
        }
    };
    read.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        format!("holds `{}`, which is no {logical:?} that can be kept exactly: {CURE}", shown.escape_debug())
    })
}

/// An optional minus, digits, and perhaps a point with digits after it: neither NaN nor an infinity.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_place_in_a_calendar_is_refused_with_a_way_out() {
        for (bytes, wire, logical, found) in [
            (i32::MAX.to_be_bytes().to_vec(), Wire::Date, LogicalType::Date, "`infinity`"),
            (i32::MIN.to_be_bytes().to_vec(), Wire::Date, LogicalType::Date, "`-infinity`"),
            (i64::MAX.to_be_bytes().to_vec(), Wire::Instant, LogicalType::TimestampTz, "`infinity`"),
            (i64::MIN.to_be_bytes().to_vec(), Wire::Timestamp, LogicalType::Timestamp, "`-infinity`"),
            ((i64::MAX - 1).to_be_bytes().to_vec(), Wire::Timestamp, LogicalType::Timestamp, "294246"),
            (DAY_MICROS.to_be_bytes().to_vec(), Wire::Time, LogicalType::Time, "24:00:00"),
            (b"NaN".to_vec(), Wire::Text, LogicalType::Decimal, "NaN"),
            (b"-Infinity".to_vec(), Wire::Text, LogicalType::Decimal, "-Infinity"),
        ] {
            let error = read(&bytes, wire, logical).unwrap_err();
            assert!(error.contains(found) && error.contains("`text`"), "{error}");
        }
    }

    #[test]
    fn a_number_stays_what_it_is() {
        let number = |text: &str| read(text.as_bytes(), Wire::Text, LogicalType::Number).unwrap();
        assert_eq!(number("9223372036854775807"), Value::Integer(i64::MAX));
        assert_eq!(number("9223372036854775808"), Value::Double(9_223_372_036_854_775_808.0));
        assert_eq!(number("0.1"), Value::Double(0.1));
    }
}
