//! CSV as RFC 4180 has it, a record at a time: what stands in quotes is text, an empty field without
//! quotes is NULL. No crate for CSV tells those two apart, so the fields are read here.
use std::io::{BufRead, BufReader};

use super::pin::{Pin, malformed};
use crate::connector::{ConnectorError, batches::Batches, system::failed};
use crate::service::{from_text, not_spelled};
use crate::vocab::{Column, DatasetId, LogicalType, Row, Schema, Value};

/// The columns that the header names: all text, as nothing in a CSV file says otherwise. A plan may declare more.
pub(super) fn schema(pin: &Pin) -> Result<Schema, ConnectorError> {
    let mut records = Records::of(pin)?;
    let header = records.header()?;
    let columns = header.into_iter().map(|name| Column {
        name,
        logical: LogicalType::Text,
        physical: "text".to_owned(),
        nullable: true,
        description: None,
    });
    Ok(Schema { columns: columns.collect(), key: Vec::new() })
}

/// How many records follow the header.
pub(super) fn count(pin: &Pin) -> Result<u64, ConnectorError> {
    let mut records = Records::of(pin)?;
    let width = records.header()?.len();
    let mut count = 0;
    while records.next(width)?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// Sends the columns of `schema` of every record, in the file's order.
pub(super) fn send(pin: &Pin, id: &DatasetId, schema: &Schema, batches: &mut Batches) -> Result<(), ConnectorError> {
    let mut records = Records::of(pin)?;
    let header = records.header()?;
    let places = super::origin::places(id, &header, schema)?;
    let mut at = 0;
    while let Some(mut record) = records.next(header.len())? {
        at += 1;
        let mut row: Row = Vec::with_capacity(places.len());
        for (&place, column) in places.iter().zip(&schema.columns) {
            let inexact = |reason: String| ConnectorError::Inexact {
                table: id.clone(),
                column: column.name.clone(),
                row: at,
                reason,
            };
            row.push(match std::mem::take(&mut record[place]) {
                Field::Null => Value::Null,
                Field::Bytes(bytes) => value(bytes, column).map_err(inexact)?,
            });
        }
        if batches.push(row).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// What a field is in a column of that type: one that is declared otherwise than text must be written as the format
/// writes its own.
fn value(bytes: Vec<u8>, column: &Column) -> Result<Value, String> {
    let text = String::from_utf8(bytes)
        .map_err(|_| "holds text that is not UTF-8: save the file as UTF-8, or mend the value".to_owned())?;
    if column.logical == LogicalType::Text {
        return Ok(Value::Text(text));
    }
    from_text(column, &text).map_err(|_| {
        let not = not_spelled(column.logical, &text);
        format!("{not}: mend the value in the file, or declare another type, or none, for a column of text")
    })
}

/// What some programs write before the first byte of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One field of a record.
#[derive(Debug, Default, PartialEq, Eq)]
enum Field {
    /// Empty and without quotes.
    #[default]
    Null,
    /// Anything else.
    Bytes(Vec<u8>),
}

/// The records of one file.
struct Records<R> {
    reader: R,
    file: String,
    /// The line that is read next, from 1.
    line: u64,
    buffer: Vec<u8>,
}

impl Records<BufReader<std::fs::File>> {
    fn of(pin: &Pin) -> Result<Self, ConnectorError> {
        Ok(Records::new(BufReader::with_capacity(1 << 16, pin.reader()?), pin.name()))
    }
}

impl<R: BufRead> Records<R> {
    fn new(reader: R, file: &str) -> Self {
        Records { reader, file: file.to_owned(), line: 1, buffer: Vec::new() }
    }

    /// The names in the first record.
    fn header(&mut self) -> Result<Vec<String>, ConnectorError> {
        let file = self.file.clone();
        let bad = |why: String| malformed(&file, 1, why);
        let missing = || bad("the file is empty: its first line must name the columns".to_owned());
        let fields = self.fields()?.ok_or_else(missing)?;
        let mut names: Vec<String> = Vec::with_capacity(fields.len());
        for (at, field) in fields.into_iter().enumerate() {
            let bytes = match field {
                Field::Null => Vec::new(),
                Field::Bytes(bytes) => bytes,
            };
            let name =
                String::from_utf8(bytes).map_err(|_| bad(format!("the name of column {} is not UTF-8", at + 1)))?;
            if name.is_empty() {
                return Err(bad(format!("column {} has no name: the first line must name the columns", at + 1)));
            }
            if names.contains(&name) {
                return Err(bad(format!("two columns are named `{name}`")));
            }
            names.push(name);
        }
        Ok(names)
    }

    /// The next record, which must have `width` fields.
    fn next(&mut self, width: usize) -> Result<Option<Vec<Field>>, ConnectorError> {
        let line = self.line;
        match self.fields()? {
            Some(fields) if fields.len() != width => {
                let why = format!("{} fields where the first line names {width} columns", fields.len());
                Err(malformed(&self.file, line, why))
            }
            other => Ok(other),
        }
    }

    /// The fields of the next record; `None` at the end.
    fn fields(&mut self) -> Result<Option<Vec<Field>>, ConnectorError> {
        let begins = self.line;
        if !self.read_line()? {
            return Ok(None);
        }
        let mut fields = Vec::new();
        let mut at = 0;
        loop {
            let field = match self.buffer.get(at) {
                Some(b'"') => {
                    let (bytes, after) = self.quoted(at + 1, begins)?;
                    at = after;
                    Field::Bytes(bytes)
                }
                _ => {
                    let rest = &self.buffer[at..];
                    let end = rest.iter().position(|b| *b == b',').unwrap_or(content(rest).len());
                    at += end;
                    match end {
                        0 => Field::Null,
                        end => Field::Bytes(rest[..end].to_vec()),
                    }
                }
            };
            fields.push(field);
            match self.buffer.get(at) {
                Some(b',') => at += 1,
                _ if content(&self.buffer[at..]).is_empty() => return Ok(Some(fields)),
                _ => {
                    let why = "text follows a closing quote: double the quotes within a quoted field".to_owned();
                    return Err(malformed(&self.file, self.line - 1, why));
                }
            }
        }
    }

    /// The quoted field whose text begins at `from`, and the place behind its closing quote.
    fn quoted(&mut self, from: usize, begins: u64) -> Result<(Vec<u8>, usize), ConnectorError> {
        let mut bytes = Vec::new();
        let mut at = from;
        loop {
            match self.buffer[at..].iter().position(|b| *b == b'"') {
                Some(length) if self.buffer.get(at + length + 1) == Some(&b'"') => {
                    bytes.extend_from_slice(&self.buffer[at..=at + length]);
                    at += length + 2;
                }
                Some(length) => {
                    bytes.extend_from_slice(&self.buffer[at..at + length]);
                    return Ok((bytes, at + length + 1));
                }
                None => {
                    bytes.extend_from_slice(&self.buffer[at..]);
                    at = 0;
                    if !self.read_line()? {
                        let why = "a quote opens a field of this record and none closes it".to_owned();
                        return Err(malformed(&self.file, begins, why));
                    }
                }
            }
        }
    }

    /// Reads one line with its end into the buffer; false at the end of the file.
    fn read_line(&mut self) -> Result<bool, ConnectorError> {
        self.buffer.clear();
        let read = self.reader.read_until(b'\n', &mut self.buffer);
        let bytes = read.map_err(|e| failed(format!("read the file `{}`", self.file), e))?;
        if self.line == 1 && self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.buffer.drain(..BYTE_ORDER_MARK.len());
        }
        self.line += 1;
        Ok(bytes > 0)
    }
}

/// `rest` of a line without the line's end.
fn content(rest: &[u8]) -> &[u8] {
    rest.strip_suffix(b"\r\n").or_else(|| rest.strip_suffix(b"\n")).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &[u8]) -> Result<Vec<Vec<Field>>, String> {
        let mut records = Records::new(text, "t.csv");
        let mut all = Vec::new();
        while let Some(fields) = records.fields().map_err(|e| format!("{}", std::error::Error::source(&e).unwrap()))? {
            all.push(fields);
        }
        Ok(all)
    }

    fn text(text: &str) -> Field {
        Field::Bytes(text.into())
    }

    #[test]
    fn an_empty_field_is_null_and_an_empty_quoted_one_is_text() {
        let records = read(b"a,b\r\n,\"\"\n\"x\"\"\n,\r\ny\", z").unwrap();
        assert_eq!(records[1], [Field::Null, text("")]);
        assert_eq!(records[2], [text("x\"\n,\r\ny"), text(" z")]);
    }

    #[test]
    fn a_declared_type_takes_what_the_format_writes_for_it_and_nothing_else() {
        use LogicalType as L;
        let typed = |logical, text: &str| {
            let (name, physical) = ("c".to_owned(), "text".to_owned());
            let column = Column { name, logical, physical, nullable: true, description: None };
            value(text.as_bytes().to_vec(), &column)
        };
        for (logical, text, expected) in [
            (L::Integer, "-7", Value::Integer(-7)),
            (L::Decimal, "1.50", Value::Decimal("1.50".to_owned())),
            (L::Double, "1e3", Value::Double(1000.0)),
            (L::Number, "2.5", Value::Double(2.5)),
            (L::Boolean, "true", Value::Boolean(true)),
            (L::Date, "1970-01-02", Value::DateDays(1)),
            (L::Text, "7", Value::Text("7".to_owned())),
        ] {
            assert_eq!(typed(logical, text), Ok(expected), "{text}");
        }
        for (logical, text) in
            [(L::Integer, ""), (L::Integer, "1.0"), (L::Integer, " 7"), (L::Integer, "+7"), (L::Boolean, "yes")]
        {
            let told = typed(logical, text).unwrap_err();
            assert!(told.starts_with(&format!("holds `{text}`, which is no ")) && told.contains("mend"), "{told}");
        }
    }

    #[test]
    fn broken_quotes_are_told_with_their_line() {
        assert_eq!(
            read(b"a\n\"x\ny\n").unwrap_err(),
            "line 2: a quote opens a field of this record and none closes it"
        );
        assert!(read(b"a\n\n\"x\"y\n").unwrap_err().starts_with("line 3: text follows"));
    }

    #[test]
    fn a_record_of_another_width_is_refused() {
        let mut records = Records::new(&b"a,b\n1,2\n3\n"[..], "t.csv");
        let width = records.header().unwrap().len();
        assert!(records.next(width).unwrap().is_some());
        let error = records.next(width).unwrap_err();
        assert_eq!(
            std::error::Error::source(&error).unwrap().to_string(),
            "line 3: 1 fields where the first line names 2 columns"
        );
    }

    proptest! {
        #[test]
        fn quoted_records_come_back(records in prop::collection::vec(prop::collection::vec("(?s).{0,8}", 2..4), 1..5)) {
            let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
            let lines: Vec<String> = records.iter().map(|r| r.iter().map(quoted).collect::<Vec<_>>().join(",")).collect();
            let expected: Vec<Vec<Field>> = records.iter().map(|r| r.iter().map(|f| text(f)).collect()).collect();
            prop_assert_eq!(read(lines.join("\r\n").as_bytes()).unwrap(), expected);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(prop::sample::select(b"a,\"\n\r".to_vec()), 0..40)) {
            let _ = read(&bytes);
        }
    }
}
