//! One value out of MariaDB or MySQL: exactly, or not at all.
use mysql_async::Value as Raw;

use super::types::{NOT_CONVERTED, Wire};
use crate::connector::civil::value_of;
use crate::vocab::{LogicalType, Value};

/// What every refusal of a value ends with.
const CURE: &str = "give the column the type `text` under `wraps.<service>.columns` in carve.yaml, so that it arrives \
    as the server writes it, or leave it out with `omit`";

/// The value that `raw` is, in a column of the type `logical`; or why it is nothing such.
pub(super) fn read(raw: Raw, wire: Wire, logical: LogicalType) -> Result<Value, String> {
    match raw {
        Raw::NULL => Ok(Value::Null),
        Raw::Int(number) => whole(number.into(), logical),
        Raw::UInt(number) => whole(number.into(), logical),
        Raw::Float(number) => double(number.into(), number.to_string(), logical),
        Raw::Double(number) => double(number, number.to_string(), logical),
        Raw::Bytes(bytes) if logical == LogicalType::Bytes => Ok(Value::Bytes(bytes)),
        Raw::Bytes(bytes) if wire == Wire::Converted && bytes == NOT_CONVERTED => Err(
            "holds text with bytes that its character set gives no meaning: give the column the type `bytes` under \
             `wraps.<service>.columns` in carve.yaml, so that it arrives as it is stored, or leave it out with `omit`"
                .to_owned(),
        ),
        Raw::Bytes(bytes) => written(utf8(bytes)?, wire, logical),
        Raw::Date(..) | Raw::Time(..) => Err("came in a form that carve does not read".to_owned()),
    }
}

fn whole(number: i128, logical: LogicalType) -> Result<Value, String> {
    match logical {
        LogicalType::Integer | LogicalType::Number => i64::try_from(number).map(Value::Integer).map_err(|_| {
            format!(
                "holds {number}, which is more than 64 bits with a sign can count: give the column the type `decimal` \
                 under `wraps.<service>.columns` in carve.yaml, or leave it out with `omit`"
            )
        }),
        LogicalType::Decimal => Ok(Value::Decimal(number.to_string())),
        _ => text(number.to_string(), logical),
    }
}

fn double(number: f64, written: String, logical: LogicalType) -> Result<Value, String> {
    match logical {
        LogicalType::Double | LogicalType::Number => Ok(Value::Double(number)),
        _ => text(written, logical),
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        format!(
            "holds text that is not UTF-8 from its byte {}: mend the value at the origin, give the column the type \
             `bytes` under `wraps.<service>.columns` in carve.yaml, or leave it out with `omit`",
            error.utf8_error().valid_up_to() + 1
        )
    })
}

fn written(written: String, wire: Wire, logical: LogicalType) -> Result<Value, String> {
    match wire {
        Wire::Utc => text(written + "Z", logical).map_err(|why| why.replacen("Z`", "`", 1)),
        _ => text(written, logical),
    }
}

/// The value of type `logical` that the server writes as `text`.
fn text(text: String, logical: LogicalType) -> Result<Value, String> {
    let read = match logical {
        LogicalType::Text => return Ok(Value::Text(text)),
        LogicalType::Decimal => decimal(&text).map(Value::Decimal),
        LogicalType::Integer => text.parse().ok().map(Value::Integer),
        LogicalType::Double => text.parse().ok().map(Value::Double),
        LogicalType::Number => match text.parse() {
            Ok(whole) => Some(Value::Integer(whole)),
            Err(_) => text.parse().ok().map(Value::Double),
        },
        LogicalType::Boolean => match text.as_str() {
            "1" => Some(Value::Boolean(true)),
            "0" => Some(Value::Boolean(false)),
            _ => None,
        },
        LogicalType::Bytes => None,
        LogicalType::Date | LogicalType::Time | LogicalType::Timestamp | LogicalType::TimestampTz => {
            value_of(&text, logical)
        }
    };
    read.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        let what = match logical {
            LogicalType::Time => "time of a day",
            LogicalType::Date | LogicalType::Timestamp | LogicalType::TimestampTz => "moment that a calendar has",
            LogicalType::Boolean => "truth value",
            _ => "number that can be kept exactly",
        };
        format!("holds `{}`, which is no {what}: {CURE}", shown.escape_debug())
    })
}

/// The digits of a decimal without the noughts that ZEROFILL puts before them; `None` for anything else.
fn decimal(text: &str) -> Option<String> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", text),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) if digits(fraction) => (whole, Some(fraction)),
        Some(_) => return None,
        None => (unsigned, None),
    };
    if !digits(whole) {
        return None;
    }
    let kept = match whole.trim_start_matches('0') {
        "" => "0",
        kept => kept,
    };
    Some(match fraction {
        Some(fraction) => format!("{sign}{kept}.{fraction}"),
        None => format!("{sign}{kept}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Raw {
        Raw::Bytes(text.as_bytes().to_vec())
    }

    #[test]
    fn what_has_no_place_in_a_calendar_is_refused_with_a_way_out() {
        for (text, wire, logical) in [
            ("0000-00-00", Wire::Text, LogicalType::Date),
            ("2024-00-15", Wire::Text, LogicalType::Date),
            ("2024-02-31", Wire::Text, LogicalType::Date),
            ("0000-00-00 00:00:00.000000", Wire::Text, LogicalType::Timestamp),
            ("0000-00-00 00:00:00", Wire::Utc, LogicalType::TimestampTz),
            ("-00:00:01", Wire::Text, LogicalType::Time),
            ("838:59:59", Wire::Text, LogicalType::Time),
            ("24:00:00", Wire::Text, LogicalType::Time),
        ] {
            let error = read(bytes(text), wire, logical).unwrap_err();
            assert!(error.contains(&format!("`{text}`")) && error.contains("`text`"), "{error}");
            assert_eq!(read(bytes(text), Wire::Text, LogicalType::Text), Ok(Value::Text(text.to_owned())));
        }
    }

    #[test]
    fn a_whole_number_beyond_64_bits_with_a_sign_arrives_as_a_decimal_only() {
        let most = Raw::UInt(u64::MAX);
        let error = read(most.clone(), Wire::Own, LogicalType::Integer).unwrap_err();
        assert!(error.contains("18446744073709551615") && error.contains("`decimal`"), "{error}");
        let decimal = Value::Decimal("18446744073709551615".to_owned());
        assert_eq!(read(most, Wire::Own, LogicalType::Decimal), Ok(decimal));
        assert_eq!(read(Raw::Int(2), Wire::Own, LogicalType::Boolean).ok(), None);
    }

    #[test]
    fn a_decimal_keeps_its_digits_and_loses_what_zerofill_put_before_them() {
        for (text, kept) in [
            ("-0.50", Some("-0.50")),
            ("00012.340", Some("12.340")),
            ("000.00", Some("0.00")),
            ("007", Some("7")),
            ("", None),
            ("1.", None),
            (".5", None),
            ("1e5", None),
        ] {
            assert_eq!(decimal(text).as_deref(), kept, "{text}");
        }
    }
}
