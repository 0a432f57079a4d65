use super::{
    FormatError,
    check::{canonical, start_of},
    json_line::{Json, object},
    text,
};
use crate::vocab::{Column, LogicalType, Row, Schema, Value};

const FORMAT: &str = "jsonl";
/// Whole numbers up to here survive a reader that holds every number as a double.
const SAFE_INTEGER: u64 = (1 << 53) - 1;
/// Decimals of so many digits keep their value there, if not their scale.
const SAFE_DIGITS: usize = 15;

/// What ends every row.
pub(super) const ROW_END: &[u8] = b"}\n";

/// The rows of a part whose every line is an object of exactly the schema's columns, in any order.
pub(super) fn decode(schema: &Schema, bytes: &[u8]) -> Result<Vec<Row>, FormatError> {
    let malformed = |reason: String| FormatError::Part { format: FORMAT, reason };
    let text = std::str::from_utf8(bytes).map_err(|e| malformed(format!("byte {} is no UTF-8", e.valid_up_to())))?;
    let mut rows = Vec::new();
    for line in text.split_terminator('\n') {
        let members = object(line).map_err(|reason| malformed(format!("line {}: {reason}", rows.len() + 1)))?;
        rows.push(read_row(schema, members).map_err(|e| e.in_row(FORMAT, rows.len()))?);
    }
    Ok(rows)
}

/// Appends the canonical value of a row's column `at`: one object a line, every column in the schema's order. What a
/// JSON reader would change is a string: long decimals, far integers, NaN and infinities, bytes, dates and times.
pub(super) fn push_member(out: &mut Vec<u8>, at: usize, name: &str, value: &Value) {
    out.push(if at == 0 { b'{' } else { b',' });
    push_string(out, name);
    out.push(b':');
    push_value(out, value);
}

fn push_value(out: &mut Vec<u8>, value: &Value) {
    let bare = match value {
        Value::Boolean(_) => true,
        Value::Integer(number) => number.unsigned_abs() <= SAFE_INTEGER,
        Value::Double(number) => number.is_finite(),
        Value::Decimal(digits) => significant_digits(digits) <= SAFE_DIGITS,
        _ => false,
    };
    match text::to_text(value) {
        None => out.extend(b"null"),
        Some(text) if bare => out.extend(text.as_bytes()),
        Some(text) => push_string(out, &text),
    }
}

fn significant_digits(decimal: &str) -> usize {
    decimal.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count()
}

/// RFC 8259: escapes only what must be.
fn push_string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=31)) {
        out.extend(&rest[..at]);
        push_escaped(out, rest[at]);
        rest = &rest[at + 1..];
    }
    out.extend(rest);
    out.push(b'"');
}

fn push_escaped(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'\n' => out.extend(b"\\n"),
        b'\r' => out.extend(b"\\r"),
        b'\t' => out.extend(b"\\t"),
        b'"' | b'\\' => out.extend([b'\\', byte]),
        _ => out.extend(format!("\\u{byte:04x}").as_bytes()),
    }
}

fn read_row(schema: &Schema, members: Vec<(String, Json<'_>)>) -> Result<Row, FormatError> {
    let mut row: Vec<Option<Value>> = vec![None; schema.columns.len()];
    for (at, (name, json)) in members.into_iter().enumerate() {
        let index = match schema.columns.get(at) {
            Some(column) if column.name == name => Some(at),
            _ => schema.columns.iter().position(|column| column.name == name),
        };
        let Some((column, slot)) = index.and_then(|i| Some((schema.columns.get(i)?, row.get_mut(i)?))) else {
            return Err(FormatError::value(&start_of(&name), "is not in the schema"));
        };
        if slot.replace(read_value(column, json)?).is_some() {
            return Err(FormatError::value(&name, "is given twice"));
        }
    }
    let given = |(column, value): (&Column, Option<Value>)| {
        value.ok_or_else(|| FormatError::value(&column.name, "is missing: NULL is written as `null`"))
    };
    schema.columns.iter().zip(row).map(given).collect()
}

fn read_value(column: &Column, json: Json<'_>) -> Result<Value, FormatError> {
    use LogicalType::{Boolean, Decimal, Double, Integer, Number};
    match (json, column.logical) {
        (Json::Null, _) => Ok(canonical(column, &Value::Null)?.into_owned()),
        (Json::Boolean(truth), Boolean) => Ok(Value::Boolean(truth)),
        (Json::Number(digits), Integer | Decimal | Double | Number) => text::from_text(column, digits),
        (Json::Text(text), logical) if logical != Boolean => text::from_text(column, &text),
        (Json::Boolean(truth), _) => Err(text::unreadable(column, &truth.to_string())),
        (Json::Number(digits), _) => Err(text::unreadable(column, digits)),
        (Json::Text(text), _) => Err(text::unreadable(column, &format!("\"{text}\""))),
    }
}
