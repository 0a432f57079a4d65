use super::{
    FormatError,
    check::canonical,
    csv_records::{Field, Records},
    text,
};
use crate::vocab::{Column, Row, Schema, Value};

const FORMAT: &str = "csv";

/// What ends every row.
pub(super) const ROW_END: &[u8] = b"\r\n";

/// Hands the fields of each record of a CSV part to `take`, with the record's number, from 0. The header names the
/// schema's columns in their order, and each record has as many fields; whether they spell values is not looked at.
///
/// # Errors
/// What and where the part is otherwise; the first error of `take`.
pub fn each_record<E: From<FormatError>>(
    schema: &Schema,
    bytes: &[u8],
    mut take: impl FnMut(usize, &[Field<'_>]) -> Result<(), E>,
) -> Result<(), E> {
    let malformed = |reason: String| FormatError::Part { format: FORMAT, reason };
    let text = std::str::from_utf8(bytes).map_err(|e| malformed(format!("byte {} is no UTF-8", e.valid_up_to())))?;
    let (mut records, mut fields, mut number) = (Records::new(text), Vec::new(), 0);
    records.read(&mut fields).map_err(malformed)?;
    check_header(schema, &fields)?;
    while records.read(&mut fields).map_err(malformed)? {
        if fields.len() != schema.columns.len() {
            let width = FormatError::Width { expected: schema.columns.len(), found: fields.len() };
            return Err(width.in_row(FORMAT, number).into());
        }
        take(number, &fields)?;
        number += 1;
    }
    Ok(())
}

/// Appends the canonical value of a row's column `at`. RFC 4180, UTF-8, CRLF; NULL is an unquoted empty field, the empty
/// text a quoted one. An own writer and reader, because CSV libraries take the two for one.
pub(super) fn push_field(out: &mut Vec<u8>, at: usize, value: &Value) {
    if at > 0 {
        out.push(b',');
    }
    match value {
        Value::Null => {}
        Value::Text(text) => push_text(out, text),
        // Unquoted, no bytes would be NULL.
        Value::Bytes(bytes) if bytes.is_empty() => push_text(out, ""),
        // No other value has a character that needs quotes.
        value => text::push(out, value),
    }
}

/// Appends the names of the columns, which a part begins with.
pub(super) fn push_header(out: &mut Vec<u8>, schema: &Schema) {
    for (at, column) in schema.columns.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_text(out, &column.name);
    }
    out.extend(ROW_END);
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    if !needs_quotes(text) {
        return out.extend(text.as_bytes());
    }
    // A long text that is copied again and again while it grows takes twice its room, and more.
    out.reserve(text.len() + 2);
    out.push(b'"');
    for (at, piece) in text.split('"').enumerate() {
        if at > 0 {
            out.extend(b"\"\"");
        }
        out.extend(piece.as_bytes());
    }
    out.push(b'"');
}

/// Empty text, or what a reader could take for structure: separators, quotes, control characters,
/// spaces that some readers trim, a byte order mark, PostgreSQL's end-of-data mark.
fn needs_quotes(text: &str) -> bool {
    text.is_empty()
        || text == "\\."
        || text.starts_with([' ', '\u{feff}'])
        || text.ends_with(' ')
        // Without a way out early the compiler looks at many bytes at once.
        || text.bytes().fold(false, |found, b| found | (b < 32) | (b == b',') | (b == b'"') | (b == 127))
}

fn check_header(schema: &Schema, header: &[Field<'_>]) -> Result<(), FormatError> {
    let (found, wanted) = (header.iter().map(|f| f.text.as_ref()), schema.columns.iter().map(|c| c.name.as_str()));
    if found.clone().eq(wanted.clone()) {
        return Ok(());
    }
    let (found, wanted) = (found.collect::<Vec<_>>().join(","), wanted.collect::<Vec<_>>().join(","));
    let reason = format!("its header is `{}` where `{wanted}` belongs", super::check::start_of(&found));
    Err(FormatError::Part { format: FORMAT, reason })
}

/// The row of the record `number`.
pub(super) fn read_row(schema: &Schema, number: usize, fields: &[Field<'_>]) -> Result<Row, FormatError> {
    let read = schema.columns.iter().zip(fields).map(|(column, field)| read_field(column, field));
    read.collect::<Result<Row, FormatError>>().map_err(|e| e.in_row(FORMAT, number))
}

/// The value of `column` that `field` spells.
fn read_field(column: &Column, field: &Field<'_>) -> Result<Value, FormatError> {
    match field.spelled() {
        None => Ok(canonical(column, &Value::Null)?.into_owned()),
        Some(spelled) => text::from_text(column, spelled),
    }
}
