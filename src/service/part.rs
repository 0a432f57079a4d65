use super::FormatError;
use crate::vocab::{PartFormat, Row, Schema};

/// The bytes of one part: the same rows, the same bytes. Rows are brought into canonical form on the way.
///
/// # Errors
/// A schema nothing can be published under, or a row that the format cannot keep exactly.
pub fn encode_part(format: PartFormat, schema: &Schema, rows: &[Row]) -> Result<Vec<u8>, FormatError> {
    let _ = (schema, rows);
    Err(FormatError::Part { format: super::extension(format), reason: "is not written yet".to_owned() })
}

/// The rows of one part, in canonical form.
///
/// # Errors
/// Bytes that are no part of that format under that schema; what and where.
pub fn decode_part(format: PartFormat, schema: &Schema, bytes: &[u8]) -> Result<Vec<Row>, FormatError> {
    let _ = (schema, bytes);
    Err(FormatError::Part { format: super::extension(format), reason: "is not read yet".to_owned() })
}
