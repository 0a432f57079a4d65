use super::{FormatError, check_schema, csv, jsonl, parquet};
use crate::vocab::{PartFormat, Row, Schema};

/// The bytes of one part: the same rows, the same bytes. Rows are brought into canonical form on the way.
///
/// # Errors
/// A schema nothing can be published under, or a row that the format cannot keep exactly.
pub fn encode_part(format: PartFormat, schema: &Schema, rows: &[Row]) -> Result<Vec<u8>, FormatError> {
    check_schema(schema)?;
    let columns = schema.columns.len();
    if let Some((at, row)) = rows.iter().enumerate().find(|(_, row)| row.len() != columns) {
        let width = FormatError::Width { expected: columns, found: row.len() };
        return Err(width.in_row(super::extension(format), at));
    }
    match format {
        PartFormat::Csv => csv::encode(schema, rows),
        PartFormat::Parquet => parquet::encode(schema, rows),
        PartFormat::Jsonl => jsonl::encode(schema, rows),
    }
}

/// The rows of one part, in canonical form. Check the part's digest first: damaged bytes that still
/// decode give other values.
///
/// # Errors
/// Bytes that are no part of that format under that schema; what and where.
pub fn decode_part(format: PartFormat, schema: &Schema, bytes: &[u8]) -> Result<Vec<Row>, FormatError> {
    check_schema(schema)?;
    match format {
        PartFormat::Csv => csv::decode(schema, bytes),
        PartFormat::Parquet => parquet::decode(schema, bytes),
        PartFormat::Jsonl => jsonl::decode(schema, bytes),
    }
}
