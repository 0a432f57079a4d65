//! How the types of two columns meet, so that what is the same value on both engines is equal and nothing else is.
use std::borrow::Cow;

use crate::{
    service::from_text,
    vocab::{Column, LogicalType, Value},
};

/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// The type in which values of both are compared; `None` where they cannot be.
pub(super) fn common(left: LogicalType, right: LogicalType) -> Option<LogicalType> {
    use LogicalType::{Boolean, Date, Decimal, Double, Integer, Number, Text, Timestamp, TimestampTz};
    let either = |a: LogicalType, b: LogicalType| (left, right) == (a, b) || (left, right) == (b, a);
    let numeric = |logical| matches!(logical, Integer | Decimal | Double | Number);
    match (left, right) {
        _ if left == right => Some(left),
        (Text, other) | (other, Text) => Some(other),
        _ if numeric(left) && numeric(right) => {
            Some(if left == Decimal || right == Decimal { Decimal } else { Number })
        }
        _ if either(Boolean, Integer) || either(Boolean, Number) => Some(Boolean),
        _ if either(Date, Timestamp) => Some(Timestamp),
        _ if either(Timestamp, TimestampTz) || either(Date, TimestampTz) => Some(TimestampTz),
        _ => None,
    }
}

/// How one side's values of a column become values of the compared column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meeting {
    /// The compared column.
    pub(super) column: Column,
    /// Decimals are compared by value, because the sides do not declare one scale.
    pub(super) by_value: bool,
}

impl Meeting {
    /// Makes `value` the one that is compared. Most are already, and keep their room.
    pub(super) fn meet(&self, value: &mut Value) {
        let shortened = self.by_value && matches!(value, Value::Decimal(_));
        if shortened || !value.is_of(self.column.logical) {
            *value = self.value(std::mem::replace(value, Value::Null));
        }
    }

    /// The value as it is compared; one that cannot become of that type stays as it is, and differs.
    fn value(&self, value: Value) -> Value {
        let value = match (value, self.column.logical) {
            (Value::Text(text), logical) if logical != LogicalType::Text => self.of_text(text),
            (Value::Integer(number), LogicalType::Decimal) => Value::Decimal(number.to_string()),
            (Value::Double(number), LogicalType::Decimal) if number.is_finite() => Value::Decimal(number.to_string()),
            (Value::DateDays(days), LogicalType::Timestamp) => Value::TimestampMicros(i64::from(days) * DAY_MICROS),
            (Value::DateDays(days), LogicalType::TimestampTz) => Value::InstantMicros(i64::from(days) * DAY_MICROS),
            (Value::TimestampMicros(micros), LogicalType::TimestampTz) => Value::InstantMicros(micros),
            (value, _) => value,
        };
        match value {
            Value::Decimal(digits) if self.by_value => Value::Decimal(plain(&digits).into_owned()),
            value => value,
        }
    }

    /// What text spells: as docs/FORMAT.md writes it, or as databases print it.
    fn of_text(&self, text: String) -> Value {
        let read = |text: &str| from_text(&self.column, text).ok();
        let other = match (self.column.logical, text.as_str()) {
            (LogicalType::Boolean, "t" | "1" | "TRUE" | "True" | "yes") => Some(Value::Boolean(true)),
            (LogicalType::Boolean, "f" | "0" | "FALSE" | "False" | "no") => Some(Value::Boolean(false)),
            _ => None,
        };
        let spaced = || read(&text.replacen(' ', "T", 1)).or_else(|| read(&zoned(&text)));
        read(&text).or(other).or_else(spaced).unwrap_or(Value::Text(text))
    }
}

/// `2024-05-01 10:00:00+02` as `2024-05-01T10:00:00+02:00`; without a zone, in UTC.
fn zoned(text: &str) -> String {
    let text = text.replacen(' ', "T", 1);
    let clock = text.find('T').unwrap_or(0);
    match text[clock..].rfind(['+', '-', 'Z']) {
        None => format!("{text}Z"),
        Some(at) if text.len() - clock - at == 3 => format!("{text}:00"),
        Some(_) => text,
    }
}

/// The digits of a decimal without what does not change its value.
fn plain(digits: &str) -> Cow<'_, str> {
    let short = match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    };
    if short == "-0" { Cow::Borrowed("0") } else { Cow::Borrowed(short) }
}

/// Whether two values are the same when they are compared in the column of `meeting`.
#[cfg(test)]
fn same(meeting: &Meeting, mut left: Value, mut right: Value) -> bool {
    meeting.meet(&mut left);
    meeting.meet(&mut right);
    left == right
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meeting(logical: LogicalType) -> Meeting {
        let column =
            Column { name: "c".to_owned(), logical, physical: String::new(), nullable: true, description: None };
        Meeting { column, by_value: true }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn text_of_a_file_meets_the_type_of_a_database() {
        use LogicalType as L;
        assert!(same(&meeting(L::Integer), text("12"), Value::Integer(12)));
        assert!(same(&meeting(L::Decimal), text("12.50"), Value::Decimal("12.5".to_owned())));
        assert!(same(&meeting(L::Boolean), text("t"), Value::Boolean(true)));
        for spelled in ["1970-01-01T00:00:01Z", "1970-01-01 00:00:01+00", "1970-01-01 01:00:01+01:00"] {
            assert!(same(&meeting(L::TimestampTz), text(spelled), Value::InstantMicros(1_000_000)), "{spelled}");
        }
        assert!(same(&meeting(L::Timestamp), text("1970-01-01 00:00:01"), Value::TimestampMicros(1_000_000)));
        assert!(!same(&meeting(L::Integer), text("12x"), Value::Integer(12)));
        assert!(!same(&meeting(L::Integer), text(""), Value::Null));
    }

    #[test]
    fn numbers_meet_by_value_and_only_by_value() {
        let decimal = meeting(LogicalType::Decimal);
        assert!(same(&decimal, Value::Double(0.5), Value::Decimal("0.50".to_owned())));
        assert!(same(&decimal, Value::Integer(7), Value::Decimal("7.00".to_owned())));
        assert!(!same(&decimal, Value::Double(0.1), Value::Decimal("0.1000000001".to_owned())));
        assert_eq!(plain("-0.00"), "0");
        assert_eq!(plain("100"), "100");
    }

    #[test]
    fn types_without_anything_in_common_do_not_meet() {
        assert_eq!(common(LogicalType::Bytes, LogicalType::Integer), None);
        assert_eq!(common(LogicalType::Date, LogicalType::Boolean), None);
        assert_eq!(common(LogicalType::Integer, LogicalType::Decimal), Some(LogicalType::Decimal));
    }
}
