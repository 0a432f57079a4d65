//! Parquet files: each column of a type that carve keeps exactly, or refused by name.
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::pin::Pin;
use crate::connector::{ConnectorError, batches::Batches};
use crate::vocab::{Column, DatasetId, LogicalType, Row, Schema, Value};

/// Rows decoded at a time.
const BATCH_ROWS: usize = 1_000;
const DAY_MILLIS: i64 = 86_400_000;

/// The columns of the file.
pub(super) fn schema(pin: &Pin, id: &DatasetId) -> Result<Schema, ConnectorError> {
    let builder = builder(pin)?;
    let mut columns = Vec::with_capacity(builder.schema().fields().len());
    for field in builder.schema().fields() {
        columns.push(column(field).ok_or_else(|| unknown(id, field))?);
    }
    Ok(Schema { columns, key: Vec::new() })
}

/// How many rows the file says it has.
pub(super) fn count(pin: &Pin) -> Result<u64, ConnectorError> {
    Ok(builder(pin)?.metadata().file_metadata().num_rows().unsigned_abs())
}

/// Sends the columns of `schema` of every row, in the file's order.
pub(super) fn send(pin: &Pin, id: &DatasetId, schema: &Schema, batches: &mut Batches) -> Result<(), ConnectorError> {
    let builder = builder(pin)?;
    let names: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let places = super::origin::places(id, &names, schema)?;
    // Columns that nobody asked for are not even decoded.
    let mask = ProjectionMask::roots(builder.parquet_schema(), places.clone());
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
    let reader = reader.map_err(|e| failed(pin, e.into()))?;
    let mut before = 0;
    for batch in reader {
        let batch = batch.map_err(|e| failed(pin, e.into()))?;
        let decoded = rows(&batch, id, schema, before)?;
        before += batch.num_rows() as u64;
        for row in decoded {
            if batches.push(row).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn builder(pin: &Pin) -> Result<ParquetRecordBatchReaderBuilder<std::fs::File>, ConnectorError> {
    ParquetRecordBatchReaderBuilder::try_new(pin.reader()?).map_err(|e| failed(pin, e.into()))
}

fn failed(pin: &Pin, source: Box<dyn std::error::Error + Send + Sync>) -> ConnectorError {
    ConnectorError::Refused { doing: format!("read the Parquet file `{}`", pin.name()), source }
}

fn column(field: &Field) -> Option<Column> {
    Some(Column {
        name: field.name().clone(),
        logical: logical(field.data_type())?,
        // The colon keeps it from being taken for a type of SQL.
        physical: format!("arrow:{}", field.data_type()),
        nullable: field.is_nullable(),
        description: None,
    })
}

fn logical(data_type: &DataType) -> Option<LogicalType> {
    use DataType as T;
    Some(match data_type {
        T::Boolean => LogicalType::Boolean,
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => LogicalType::Integer,
        T::Float16 | T::Float32 | T::Float64 => LogicalType::Double,
        T::Utf8 | T::LargeUtf8 | T::Utf8View => LogicalType::Text,
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => LogicalType::Bytes,
        T::Decimal128(_, scale) if *scale >= 0 => LogicalType::Decimal,
        T::Date32 | T::Date64 => LogicalType::Date,
        T::Time32(_) | T::Time64(_) => LogicalType::Time,
        T::Timestamp(_, None) => LogicalType::Timestamp,
        T::Timestamp(_, Some(_)) => LogicalType::TimestampTz,
        T::Dictionary(_, values) => logical(values)?,
        _ => return None,
    })
}

fn unknown(id: &DatasetId, field: &Field) -> ConnectorError {
    ConnectorError::Inexact {
        table: id.clone(),
        column: field.name().clone(),
        row: 1,
        reason: format!(
            "is of the Arrow type {}, which carve has no exact type for: leave it out with `omit` under \
             `wraps.<service>` in carve.yaml",
            field.data_type()
        ),
    }
}

/// The rows of one batch, its columns in the order of `schema`.
fn rows(batch: &RecordBatch, id: &DatasetId, schema: &Schema, before: u64) -> Result<Vec<Row>, ConnectorError> {
    let mut rows: Vec<Row> = (0..batch.num_rows()).map(|_| Vec::with_capacity(schema.columns.len())).collect();
    for column in &schema.columns {
        let gone = || ConnectorError::Refused {
            doing: format!("read the column `{}` of `{id}`", column.name),
            source: "the file has no such column".into(),
        };
        let array = batch.column_by_name(&column.name).ok_or_else(gone)?;
        let looked_up = Looked::into(array.as_ref());
        for (at, row) in rows.iter_mut().enumerate() {
            let value = looked_up.value(at).and_then(|value| match value.is_of(column.logical) {
                true => Ok(value),
                false => Err(format!("is of the Arrow type {} and not {:?}", array.data_type(), column.logical)),
            });
            row.push(value.map_err(|reason| ConnectorError::Inexact {
                table: id.clone(),
                column: column.name.clone(),
                row: before + at as u64 + 1,
                reason,
            })?);
        }
    }
    Ok(rows)
}

/// An array, and for a dictionary the place of each value in it.
struct Looked<'a> {
    array: &'a dyn Array,
    dictionary: Option<(&'a dyn Array, Vec<usize>)>,
}

impl<'a> Looked<'a> {
    fn into(array: &'a dyn Array) -> Self {
        let dictionary = array.as_any_dictionary_opt().filter(|found| !found.values().is_empty());
        Looked { array, dictionary: dictionary.map(|found| (found.values().as_ref(), found.normalized_keys())) }
    }

    fn value(&self, at: usize) -> Result<Value, String> {
        match &self.dictionary {
            Some((values, keys)) if !self.array.is_null(at) => value(*values, keys[at]),
            _ => value(self.array, at),
        }
    }
}

/// The value at `at`, or why carve cannot keep it.
fn value(array: &dyn Array, at: usize) -> Result<Value, String> {
    use DataType as T;
    if array.is_null(at) {
        return Ok(Value::Null);
    }
    Ok(match array.data_type() {
        T::Boolean => Value::Boolean(array.as_boolean().value(at)),
        T::Int8 => integer::<Int8Type>(array, at),
        T::Int16 => integer::<Int16Type>(array, at),
        T::Int32 => integer::<Int32Type>(array, at),
        T::Int64 => integer::<Int64Type>(array, at),
        T::UInt8 => integer::<UInt8Type>(array, at),
        T::UInt16 => integer::<UInt16Type>(array, at),
        T::UInt32 => integer::<UInt32Type>(array, at),
        T::UInt64 => {
            let number = array.as_primitive::<UInt64Type>().value(at);
            Value::Integer(
                i64::try_from(number).map_err(|_| format!("holds {number}, which is beyond 64 bits signed"))?,
            )
        }
        T::Float16 => Value::Double(array.as_primitive::<Float16Type>().value(at).to_f64()),
        T::Float32 => Value::Double(array.as_primitive::<Float32Type>().value(at).into()),
        T::Float64 => Value::Double(array.as_primitive::<Float64Type>().value(at)),
        T::Utf8 => Value::Text(array.as_string::<i32>().value(at).to_owned()),
        T::LargeUtf8 => Value::Text(array.as_string::<i64>().value(at).to_owned()),
        T::Utf8View => Value::Text(array.as_string_view().value(at).to_owned()),
        T::Binary => Value::Bytes(array.as_binary::<i32>().value(at).to_vec()),
        T::LargeBinary => Value::Bytes(array.as_binary::<i64>().value(at).to_vec()),
        T::BinaryView => Value::Bytes(array.as_binary_view().value(at).to_vec()),
        T::FixedSizeBinary(_) => Value::Bytes(array.as_fixed_size_binary().value(at).to_vec()),
        T::Decimal128(_, scale) => decimal(array.as_primitive::<Decimal128Type>().value(at), *scale),
        T::Date32 => Value::DateDays(array.as_primitive::<Date32Type>().value(at)),
        T::Date64 => date(array.as_primitive::<Date64Type>().value(at))?,
        T::Time32(TimeUnit::Second) => {
            Value::TimeMicros(i64::from(array.as_primitive::<Time32SecondType>().value(at)) * 1_000_000)
        }
        T::Time32(_) => Value::TimeMicros(i64::from(array.as_primitive::<Time32MillisecondType>().value(at)) * 1_000),
        T::Time64(TimeUnit::Nanosecond) => {
            Value::TimeMicros(micros(array.as_primitive::<Time64NanosecondType>().value(at), TimeUnit::Nanosecond)?)
        }
        T::Time64(_) => Value::TimeMicros(array.as_primitive::<Time64MicrosecondType>().value(at)),
        T::Timestamp(unit, zone) => {
            let micros = micros(timestamp(array, at, *unit), *unit)?;
            if zone.is_some() { Value::InstantMicros(micros) } else { Value::TimestampMicros(micros) }
        }
        other => return Err(format!("is of the Arrow type {other}, which carve has no exact type for")),
    })
}

fn integer<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &dyn Array, at: usize) -> Value {
    Value::Integer(array.as_primitive::<T>().value(at).into())
}

fn decimal(unscaled: i128, scale: i8) -> Value {
    let places = usize::from(scale.unsigned_abs());
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>1$}", unscaled.unsigned_abs(), places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    Value::Decimal(match fraction {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    })
}

fn date(millis: i64) -> Result<Value, String> {
    match (millis % DAY_MILLIS, i32::try_from(millis / DAY_MILLIS)) {
        (0, Ok(days)) => Ok(Value::DateDays(days)),
        _ => Err(format!("holds a date of {millis} milliseconds, which is no whole day")),
    }
}

fn timestamp(array: &dyn Array, at: usize, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(at),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(at),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(at),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(at),
    }
}

fn micros(count: i64, unit: TimeUnit) -> Result<i64, String> {
    let beyond = || format!("holds a time of {count} {unit:?}s, which is beyond the microseconds of 64 bits");
    match unit {
        TimeUnit::Second => count.checked_mul(1_000_000).ok_or_else(beyond),
        TimeUnit::Millisecond => count.checked_mul(1_000).ok_or_else(beyond),
        TimeUnit::Microsecond => Ok(count),
        TimeUnit::Nanosecond if count % 1_000 == 0 => Ok(count / 1_000),
        TimeUnit::Nanosecond => Err(format!(
            "holds a time with {} nanoseconds, and carve keeps microseconds: round it at the origin, or leave the column \
             out with `omit`",
            count.rem_euclid(1_000)
        )),
    }
}
