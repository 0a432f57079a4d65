//! One column of rows as an Arrow array, and back.
use arrow_array::{
    Array, ArrayRef,
    builder::{
        ArrayBuilder, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder,
        StringBuilder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
    },
    cast::AsArray,
    types::{Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType},
};

use super::{
    FormatError,
    check::{canonical, exact_double},
    decimal,
    parquet_types::{arrow_type, fixed_point},
};
use crate::vocab::{Column, LogicalType, Value};

/// The values of one column as they come.
#[derive(Debug)]
pub(super) enum Cells {
    Boolean(BooleanBuilder),
    Whole(Int64Builder),
    Double(Float64Builder),
    /// Fixed point of that precision and scale.
    Fixed(Decimal128Builder, u8, u8),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
}

impl Cells {
    /// No values yet.
    pub(super) fn of(column: &Column) -> Cells {
        match column.logical {
            LogicalType::Boolean => Cells::Boolean(BooleanBuilder::new()),
            LogicalType::Integer => Cells::Whole(Int64Builder::new()),
            LogicalType::Double | LogicalType::Number => Cells::Double(Float64Builder::new()),
            LogicalType::Decimal => match fixed_point(column) {
                Some((precision, scale)) => {
                    let typed = Decimal128Builder::new().with_data_type(arrow_type(column));
                    Cells::Fixed(typed, precision, scale)
                }
                None => Cells::Text(StringBuilder::new()),
            },
            LogicalType::Text => Cells::Text(StringBuilder::new()),
            LogicalType::Bytes => Cells::Bytes(BinaryBuilder::new()),
            LogicalType::Date => Cells::Date(Date32Builder::new()),
            LogicalType::Time => Cells::Time(Time64MicrosecondBuilder::new()),
            LogicalType::Timestamp | LogicalType::TimestampTz => {
                Cells::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(arrow_type(column)))
            }
        }
    }

    /// Appends a canonical value of `column`. One that its Arrow type cannot hold would have to change.
    pub(super) fn push(&mut self, column: &Column, value: &Value) -> Result<(), FormatError> {
        match (self, value) {
            (cells, Value::Null) => cells.push_null(),
            (Cells::Boolean(cells), Value::Boolean(truth)) => cells.append_value(*truth),
            (Cells::Whole(cells), Value::Integer(number)) => cells.append_value(*number),
            (Cells::Double(cells), Value::Double(number)) => cells.append_value(*number),
            (Cells::Double(cells), Value::Integer(number)) => {
                cells.append_value(exact_double(*number).ok_or_else(|| inexact(column, value))?);
            }
            (Cells::Fixed(cells, precision, scale), Value::Decimal(digits)) => {
                let units = decimal::unscaled(digits, *precision, *scale);
                cells.append_value(units.ok_or_else(|| inexact(column, value))?);
            }
            (Cells::Text(cells), Value::Text(text) | Value::Decimal(text)) => cells.append_value(text),
            (Cells::Bytes(cells), Value::Bytes(bytes)) => cells.append_value(bytes),
            (Cells::Date(cells), Value::DateDays(days)) => cells.append_value(*days),
            (Cells::Time(cells), Value::TimeMicros(micros)) => cells.append_value(*micros),
            (Cells::Timestamp(cells), Value::TimestampMicros(micros) | Value::InstantMicros(micros)) => {
                cells.append_value(*micros);
            }
            _ => return Err(inexact(column, value)),
        }
        Ok(())
    }

    fn push_null(&mut self) {
        match self {
            Cells::Boolean(cells) => cells.append_null(),
            Cells::Whole(cells) => cells.append_null(),
            Cells::Double(cells) => cells.append_null(),
            Cells::Fixed(cells, ..) => cells.append_null(),
            Cells::Text(cells) => cells.append_null(),
            Cells::Bytes(cells) => cells.append_null(),
            Cells::Date(cells) => cells.append_null(),
            Cells::Time(cells) => cells.append_null(),
            Cells::Timestamp(cells) => cells.append_null(),
        }
    }

    /// All values appended since the last time.
    pub(super) fn taken(&mut self) -> ArrayRef {
        let cells: &mut dyn ArrayBuilder = match self {
            Cells::Boolean(cells) => cells,
            Cells::Whole(cells) => cells,
            Cells::Double(cells) => cells,
            Cells::Fixed(cells, ..) => cells,
            Cells::Text(cells) => cells,
            Cells::Bytes(cells) => cells,
            Cells::Date(cells) => cells,
            Cells::Time(cells) => cells,
            Cells::Timestamp(cells) => cells,
        };
        cells.finish()
    }
}

fn inexact(column: &Column, value: &Value) -> FormatError {
    let why = match (column.logical, value) {
        (LogicalType::Decimal, Value::Decimal(digits)) => {
            let (digits, declared) = (super::check::start_of(digits), &column.physical);
            format!("holds `{digits}`, which a parquet column of `{declared}` would change")
        }
        (_, Value::Integer(number)) => format!("holds {number}, which a parquet column of doubles would round"),
        _ => "holds a value that its parquet column would change".to_owned(),
    };
    FormatError::value(&column.name, format!("{why}: write csv or jsonl parts, or declare another type"))
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
