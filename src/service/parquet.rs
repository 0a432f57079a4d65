use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use arrow_array::RecordBatch;
use arrow_schema::Schema as ArrowSchema;
use bytes::Bytes;
use parquet::{
    arrow::{
        ArrowWriter,
        arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    basic::Compression,
    file::properties::WriterProperties,
};

use super::{
    FormatError,
    parquet_columns::{Cells, from_array},
    parquet_types::{arrow_schema, arrow_type},
};
use crate::vocab::{Column, Row, Schema, Value};

const FORMAT: &str = "parquet";
/// Stands in every file instead of the library's version, which would change bytes with every update.
const CREATED_BY: &str = "carve";

/// Rows handed to the encoder at once: as many pages as its own steps of 1,024 rows make, so that files do not depend on it.
const ROWS: usize = 8 * 1024;
/// Bytes of texts and the like after which rows are handed on sooner, because an Arrow column of them ends at two GiB.
const BYTES: usize = 64 << 20;

/// A part being written: one row group a million rows, Snappy; nothing in it depends on time, machine or library version.
#[derive(Debug)]
pub(super) struct ParquetPart {
    writer: ArrowWriter<Vec<u8>>,
    arrow: Arc<ArrowSchema>,
    columns: Vec<Cells>,
    /// Rows in `columns`, and the bytes of their texts and the like.
    rows: usize,
    bytes: usize,
}

impl ParquetPart {
    /// A part of no rows yet.
    pub(super) fn new(schema: &Schema) -> Result<Self, FormatError> {
        let arrow = arrow_schema(schema);
        let properties = WriterProperties::builder()
            .set_created_by(CREATED_BY.to_owned())
            .set_compression(Compression::SNAPPY)
            .build();
        let writer =
            ArrowWriter::try_new(Vec::new(), arrow.clone(), Some(properties)).map_err(|e| failed("write", e))?;
        let columns = schema.columns.iter().map(Cells::of).collect();
        Ok(ParquetPart { writer, arrow, columns, rows: 0, bytes: 0 })
    }

    /// Appends the canonical value of a row's column `at`.
    pub(super) fn push(&mut self, at: usize, column: &Column, value: &Value) -> Result<(), FormatError> {
        self.bytes += value.heap_bytes();
        self.columns[at].push(column, value)
    }

    /// Ends a row.
    pub(super) fn end_row(&mut self) -> Result<(), FormatError> {
        self.rows += 1;
        match self.rows >= ROWS || self.bytes >= BYTES {
            true => self.hand_on(),
            false => Ok(()),
        }
    }

    /// The bytes of the part.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, FormatError> {
        self.hand_on()?;
        self.writer.into_inner().map_err(|e| failed("write", e))
    }

    fn hand_on(&mut self) -> Result<(), FormatError> {
        let columns = self.columns.iter_mut().map(Cells::taken).collect();
        (self.rows, self.bytes) = (0, 0);
        let batch = RecordBatch::try_new(self.arrow.clone(), columns).map_err(|e| failed("write", e))?;
        self.writer.write(&batch).map_err(|e| failed("write", e))
    }
}

/// The rows of a part whose columns have the schema's names and types, in its order.
pub(super) fn decode(schema: &Schema, bytes: &[u8]) -> Result<Vec<Row>, FormatError> {
    // The parquet crate trusts lengths inside the file here and there, and panics where they lie: of
    // 30,000 files with one to three bytes changed, 75 did.
    let read = catch_unwind(AssertUnwindSafe(|| read(schema, bytes)));
    read.unwrap_or_else(|_| Err(malformed("it contradicts itself")))
}

fn read(schema: &Schema, bytes: &[u8]) -> Result<Vec<Row>, FormatError> {
    // Types come from Parquet's own schema: hints that other writers leave for Arrow would vary them.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(Bytes::copy_from_slice(bytes), options)
        .map_err(|e| failed("read", e))?;
    check_columns(schema, builder.schema())?;
    let mut rows = Vec::new();
    for batch in builder.build().map_err(|e| failed("read", e))? {
        push_rows(schema, &batch.map_err(|e| failed("read", e))?, &mut rows)?;
    }
    Ok(rows)
}

fn push_rows(schema: &Schema, batch: &RecordBatch, rows: &mut Vec<Row>) -> Result<(), FormatError> {
    let first = rows.len();
    rows.resize_with(first + batch.num_rows(), || Vec::with_capacity(schema.columns.len()));
    for (column, array) in schema.columns.iter().zip(batch.columns()) {
        let values = from_array(column, array.as_ref())?;
        rows[first..].iter_mut().zip(values).for_each(|(row, value)| row.push(value));
    }
    Ok(())
}

fn check_columns(schema: &Schema, found: &ArrowSchema) -> Result<(), FormatError> {
    let names = || found.fields().iter().map(|field| field.name().as_str());
    let wanted = || schema.columns.iter().map(|column| column.name.as_str());
    if !names().eq(wanted()) {
        let (found, wanted) = (names().collect::<Vec<_>>().join(", "), wanted().collect::<Vec<_>>().join(", "));
        return Err(malformed(format!("its columns are ({found}) where ({wanted}) belong")));
    }
    for (column, field) in schema.columns.iter().zip(found.fields()) {
        let wanted = arrow_type(column);
        if *field.data_type() != wanted {
            let (name, found) = (&column.name, field.data_type());
            return Err(malformed(format!("its column `{name}` is of Arrow type {found} where {wanted} belongs")));
        }
    }
    Ok(())
}

fn malformed(reason: impl Into<String>) -> FormatError {
    FormatError::Part { format: FORMAT, reason: reason.into() }
}

fn failed(doing: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> FormatError {
    FormatError::Parquet { doing, source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::LogicalType;

    /// Rows of some length in a column of numbers and one of texts.
    fn part(rows: usize, length: usize, at_once: bool) -> Vec<u8> {
        let column = |name: &str, logical| Column {
            name: name.to_owned(),
            logical,
            physical: String::new(),
            nullable: true,
            description: None,
        };
        let columns = vec![column("n", LogicalType::Integer), column("t", LogicalType::Text)];
        let schema = Schema { columns, key: Vec::new() };
        let mut part = ParquetPart::new(&schema).unwrap();
        for row in 0..rows {
            let text = format!("{row} {}", "x".repeat(length));
            for (at, value) in [Value::Integer(row as i64), Value::Text(text)].iter().enumerate() {
                let value = if row % 7 == at { &Value::Null } else { value };
                part.push(at, &schema.columns[at], value).unwrap();
            }
            if !at_once {
                part.end_row().unwrap();
            }
        }
        part.finish().unwrap()
    }

    #[test]
    fn a_file_does_not_depend_on_how_many_rows_are_encoded_at_once() {
        for (rows, length) in [(0, 0), (1, 0), (ROWS - 1, 0), (ROWS, 5), (3 * ROWS + 1, 5), (2 * ROWS + 5, 700)] {
            assert!(part(rows, length, true) == part(rows, length, false), "{rows} {length}");
        }
    }
}
