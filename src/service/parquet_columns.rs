//! One column of rows as an Arrow array, and back.
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
    cast::AsArray,
    types::{Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType},
};

use super::{
    FormatError,
    check::{canonical, exact_double},
    decimal,
    parquet::FORMAT,
    parquet_types::fixed_point,
};
use crate::vocab::{Column, LogicalType, Row, Value};

/// The values of `column`, which stand at `index` of each row.
pub(super) fn to_array(column: &Column, index: usize, rows: &[Row]) -> Result<ArrayRef, FormatError> {
    let cells = Cells { column, index, rows };
    Ok(match column.logical {
        LogicalType::Boolean => Arc::new(BooleanArray::from(cells.pick(|v| match v {
            Value::Boolean(truth) => Some(*truth),
            _ => None,
        })?)),
        LogicalType::Integer => Arc::new(Int64Array::from(cells.counts()?)),
        LogicalType::Double | LogicalType::Number => Arc::new(Float64Array::from(cells.pick(|v| match v {
            Value::Integer(number) => exact_double(*number),
            Value::Double(number) => Some(*number),
            _ => None,
        })?)),
        LogicalType::Decimal => match fixed_point(column) {
            Some((precision, scale)) => Arc::new(cells.fixed_point(precision, scale)?),
            None => Arc::new(cells.texts()?),
        },
        LogicalType::Text => Arc::new(cells.texts()?),
        LogicalType::Bytes => Arc::new(BinaryArray::from_iter(cells.pick(|v| match v {
            Value::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        })?)),
        LogicalType::Date => Arc::new(Date32Array::from(cells.pick(|v| match v {
            Value::DateDays(days) => Some(*days),
            _ => None,
        })?)),
        LogicalType::Time => Arc::new(Time64MicrosecondArray::from(cells.counts()?)),
        LogicalType::Timestamp => Arc::new(TimestampMicrosecondArray::from(cells.counts()?)),
        LogicalType::TimestampTz => Arc::new(TimestampMicrosecondArray::from(cells.counts()?).with_timezone("UTC")),
    })
}

/// One column of the rows.
struct Cells<'a> {
    column: &'a Column,
    index: usize,
    rows: &'a [Row],
}

impl Cells<'_> {
    /// What `take` makes of each canonical value; `None` for NULL. A value it cannot take would have to change.
    fn pick<T>(&self, take: impl Fn(&Value) -> Option<T>) -> Result<Vec<Option<T>>, FormatError> {
        let one = |row: &Row| {
            let value = row.get(self.index).unwrap_or(&Value::Null);
            match canonical(self.column, value)?.as_ref() {
                Value::Null => Ok(None),
                value => take(value).map(Some).ok_or_else(|| self.inexact(value)),
            }
        };
        self.rows.iter().enumerate().map(|(at, row)| one(row).map_err(|e| e.in_row(FORMAT, at))).collect()
    }

    fn counts(&self) -> Result<Vec<Option<i64>>, FormatError> {
        self.pick(|value| match value {
            Value::Integer(count)
            | Value::TimeMicros(count)
            | Value::TimestampMicros(count)
            | Value::InstantMicros(count) => Some(*count),
            _ => None,
        })
    }

    fn texts(&self) -> Result<StringArray, FormatError> {
        let texts = self.pick(|value| match value {
            Value::Text(text) | Value::Decimal(text) => Some(text.clone()),
            _ => None,
        })?;
        Ok(StringArray::from_iter(texts))
    }

    fn fixed_point(&self, precision: u8, scale: u8) -> Result<Decimal128Array, FormatError> {
        let units = self.pick(|value| match value {
            Value::Decimal(digits) => decimal::unscaled(digits, precision, scale),
            _ => None,
        })?;
        let array = Decimal128Array::from(units);
        array.with_precision_and_scale(precision, scale as i8).map_err(|e| super::parquet::failed("write", e))
    }

    fn inexact(&self, value: &Value) -> FormatError {
        let why = match (self.column.logical, value) {
            (LogicalType::Decimal, Value::Decimal(digits)) => {
                let (digits, declared) = (super::check::start_of(digits), &self.column.physical);
                format!("holds `{digits}`, which a parquet column of `{declared}` would change")
            }
            (_, Value::Integer(number)) => format!("holds {number}, which a parquet column of doubles would round"),
            _ => "holds a value that its parquet column would change".to_owned(),
        };
        FormatError::value(&self.column.name, format!("{why}: write csv or jsonl parts, or declare another type"))
    }
}

/// The values of `column` in an array of its Arrow type, in canonical form.
pub(super) fn from_array(column: &Column, array: &dyn Array) -> Result<Vec<Value>, FormatError> {
    let values = match column.logical {
        LogicalType::Boolean => array.as_boolean_opt().map(|a| each(a, Value::Boolean)),
        LogicalType::Integer => array.as_primitive_opt::<Int64Type>().map(|a| each(a, Value::Integer)),
        LogicalType::Double | LogicalType::Number => {
            array.as_primitive_opt::<Float64Type>().map(|a| each(a, Value::Double))
        }
        LogicalType::Decimal => match fixed_point(column) {
            Some((_, scale)) => array
                .as_primitive_opt::<Decimal128Type>()
                .map(|a| each(a, |units| Value::Decimal(decimal::scaled(units, scale)))),
            None => array.as_string_opt::<i32>().map(|a| each(a, |digits| Value::Decimal(digits.to_owned()))),
        },
        LogicalType::Text => array.as_string_opt::<i32>().map(|a| each(a, |text| Value::Text(text.to_owned()))),
        LogicalType::Bytes => array.as_binary_opt::<i32>().map(|a| each(a, |bytes| Value::Bytes(bytes.to_vec()))),
        LogicalType::Date => array.as_primitive_opt::<Date32Type>().map(|a| each(a, Value::DateDays)),
        LogicalType::Time => array.as_primitive_opt::<Time64MicrosecondType>().map(|a| each(a, Value::TimeMicros)),
        LogicalType::Timestamp => {
            array.as_primitive_opt::<TimestampMicrosecondType>().map(|a| each(a, Value::TimestampMicros))
        }
        LogicalType::TimestampTz => {
            array.as_primitive_opt::<TimestampMicrosecondType>().map(|a| each(a, Value::InstantMicros))
        }
    };
    let values = values.ok_or_else(|| FormatError::value(&column.name, "is stored as another type"))?;
    values.iter().map(|value| Ok(canonical(column, value)?.into_owned())).collect()
}

fn each<T>(array: impl IntoIterator<Item = Option<T>>, make: impl Fn(T) -> Value) -> Vec<Value> {
    array.into_iter().map(|cell| cell.map_or(Value::Null, &make)).collect()
}
