//! Parts into COPY's text form, which every type of PostgreSQL reads.
use std::fmt::Write;

use bytes::Bytes;

use crate::connector::civil::text_of;
use crate::connector::{ConnectorError, LoadPart};
use crate::service::{Field, FormatError, each_record, from_text};
use crate::vocab::{Column, DatasetId, LogicalType, PartFormat, Row, Schema, Value};

/// All rows of `part` as COPY reads them into the table `id`.
pub(super) fn encode(id: &DatasetId, schema: &Schema, part: &LoadPart) -> Result<Bytes, ConnectorError> {
    let mut copy = Copy { id, schema, out: String::with_capacity(part.bytes.len() + part.bytes.len() / 4) };
    let mut rows = 0;
    match part.format {
        PartFormat::Csv => {
            let each = each_record(schema, &part.bytes, |at, fields| {
                rows += 1;
                copy.record(at, fields)
            });
            each.map_err(|unfit| match unfit {
                Unfit::Part(error) => part.undecodable(error),
                Unfit::Value(error) => error,
            })?;
            part.counted(rows)?;
        }
        PartFormat::Jsonl | PartFormat::Parquet => {
            for (at, row) in part.decoded(schema)?.iter().enumerate() {
                copy.row(at, row)?;
            }
        }
    }
    Ok(copy.out.into())
}

/// Rows as COPY reads them, one after the other.
struct Copy<'c> {
    id: &'c DatasetId,
    schema: &'c Schema,
    out: String,
}

/// Why a record of a CSV part is not copied.
enum Unfit {
    Part(FormatError),
    Value(ConnectorError),
}

impl From<FormatError> for Unfit {
    fn from(error: FormatError) -> Self {
        Unfit::Part(error)
    }
}

impl Copy<'_> {
    /// The row `at`, counted from 0.
    fn row(&mut self, at: usize, row: &Row) -> Result<(), ConnectorError> {
        for (index, (value, column)) in row.iter().zip(&self.schema.columns).enumerate() {
            self.separated(index);
            push(&mut self.out, value, column.logical).map_err(|reason| self.inexact(column, at, reason))?;
        }
        self.out.push('\n');
        Ok(())
    }

    /// The same from a CSV part's fields. Most values are spelled there as COPY reads them: these are not decoded.
    fn record(&mut self, at: usize, fields: &[Field<'_>]) -> Result<(), Unfit> {
        for (index, (field, column)) in fields.iter().zip(&self.schema.columns).enumerate() {
            self.separated(index);
            let pushed = match field.spelled() {
                None => push(&mut self.out, &Value::Null, column.logical),
                Some(text) if column.logical == LogicalType::Text => push_text(&mut self.out, text),
                Some(text) if reads_alike(text, column.logical) => {
                    self.out.push_str(text);
                    Ok(())
                }
                Some(text) => push(&mut self.out, &from_text(column, text)?, column.logical),
            };
            pushed.map_err(|reason| Unfit::Value(self.inexact(column, at, reason)))?;
        }
        self.out.push('\n');
        Ok(())
    }

    fn separated(&mut self, index: usize) {
        if index > 0 {
            self.out.push('\t');
        }
    }

    fn inexact(&self, column: &Column, at: usize, reason: String) -> ConnectorError {
        ConnectorError::Inexact { table: self.id.clone(), column: column.name.clone(), row: at as u64 + 1, reason }
    }
}

/// Whether PostgreSQL reads `text`, which a part spells, as the value of the type `logical` that it spells there. What
/// is no such value at all it refuses itself.
fn reads_alike(text: &str, logical: LogicalType) -> bool {
    let plain = || text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b':'));
    // It knows neither a year 0 nor a sign before a year.
    let of_our_time = || text.as_bytes().get(4) == Some(&b'-') && text > "0001";
    match logical {
        LogicalType::Boolean
        | LogicalType::Integer
        | LogicalType::Decimal
        | LogicalType::Double
        | LogicalType::Time => plain(),
        LogicalType::Date | LogicalType::Timestamp | LogicalType::TimestampTz => of_our_time() && plain(),
        LogicalType::Text | LogicalType::Number | LogicalType::Bytes => false,
    }
}

fn push(out: &mut String, value: &Value, logical: LogicalType) -> Result<(), String> {
    if !value.is_of(logical) {
        return Err(format!("was handed {value:?} for the type {logical:?}"));
    }
    match value {
        Value::Null => out.push_str("\\N"),
        Value::Boolean(truth) => out.push(if *truth { 't' } else { 'f' }),
        Value::Integer(whole) => written(out, format_args!("{whole}")),
        Value::Double(real) if logical == LogicalType::Number && *real == 0.0 && real.is_sign_negative() => {
            return Err("holds -0.0, which PostgreSQL would store as 0: give the column the type `double` under \
                        `wraps.<service>.columns` in carve.yaml"
                .to_owned());
        }
        Value::Double(real) if real.is_infinite() => out.push_str(if *real > 0.0 { "Infinity" } else { "-Infinity" }),
        // The shortest digits that read back as the same double.
        Value::Double(real) => written(out, format_args!("{real:?}")),
        Value::Decimal(digits) => out.push_str(digits),
        Value::Text(text) => push_text(out, text)?,
        Value::Bytes(bytes) => {
            out.push_str("\\\\x");
            bytes.iter().for_each(|byte| written(out, format_args!("{byte:02x}")));
        }
        Value::DateDays(_) | Value::TimeMicros(_) | Value::TimestampMicros(_) | Value::InstantMicros(_) => {
            out.push_str(&dated(&text_of(value).unwrap_or_default()));
        }
    }
    Ok(())
}

fn written(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("a String takes whatever is written to it");
}

fn push_text(out: &mut String, text: &str) -> Result<(), String> {
    // Most texts have nothing to escape, and without a way out early many bytes are looked at at once.
    let special = |b: u8| (b == b'\\') | (b == b'\n') | (b == b'\r') | (b == b'\t') | (b == 0);
    if !text.bytes().fold(false, |found, b| found | special(b)) {
        out.push_str(text);
        return Ok(());
    }
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0' => {
                return Err("holds text with the character U+0000, which PostgreSQL cannot keep: mend the value at \
                            the origin, or leave the column out with `omit`"
                    .to_owned());
            }
            _ => out.push(c),
        }
    }
    Ok(())
}

/// PostgreSQL knows no year 0 and no sign: what is before the year 1 ends in `BC`.
fn dated(text: &str) -> String {
    let (sign, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => return text[1..].to_owned(),
        _ => (1, text),
    };
    let Some((year, rest)) = unsigned.split_once('-') else { return text.to_owned() };
    match year.parse::<i64>().map(|year| year * sign) {
        Ok(year) if year <= 0 => format!("{:04}-{rest} BC", 1 - year),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::encode_part;

    fn one(value: Value, logical: LogicalType) -> Result<String, String> {
        let mut out = String::new();
        push(&mut out, &value, logical).map(|()| out)
    }

    #[test]
    fn what_copy_reads_as_something_else_is_escaped() {
        let text = |text: &str| one(Value::Text(text.to_owned()), LogicalType::Text);
        assert_eq!(text("a\tb\\N\r\n").unwrap(), "a\\tb\\\\N\\r\\n");
        assert_eq!(text("\\.").unwrap(), "\\\\.");
        assert_eq!(text("").unwrap(), "");
        assert_eq!(one(Value::Null, LogicalType::Text).unwrap(), "\\N");
        assert_eq!(one(Value::Bytes(vec![0, 255]), LogicalType::Bytes).unwrap(), "\\\\x00ff");
        assert!(text("a\0b").unwrap_err().contains("U+0000"));
    }

    #[test]
    fn a_year_before_the_first_is_one_before_christ() {
        // 1970-01-01 is day 719,162 of the calendar that begins with 0001-01-01.
        let date = |days| one(Value::DateDays(days), LogicalType::Date).unwrap();
        assert_eq!(date(-719_162), "0001-01-01");
        assert_eq!(date(-719_163), "0001-12-31 BC");
        assert_eq!(date(-719_163 - 366), "0002-12-31 BC");
        assert_eq!(date(2_932_897), "10000-01-01");
        let instant = one(Value::InstantMicros(-719_163 * 86_400_000_000), LogicalType::TimestampTz);
        assert_eq!(instant.unwrap(), "0001-12-31T00:00:00Z BC");
    }

    #[test]
    fn what_a_csv_part_spells_is_copied_as_its_values_are() {
        use LogicalType::{Boolean, Bytes, Date, Decimal, Double, Integer, Number, Text, Time, Timestamp, TimestampTz};
        let day = 86_400_000_000;
        let values = [
            (Boolean, Value::Boolean(true)),
            (Integer, Value::Integer(-7)),
            (Decimal, Value::Decimal("-1.50".to_owned())),
            (Double, Value::Double(-0.0)),
            (Double, Value::Double(f64::NAN)),
            (Double, Value::Double(1e300)),
            (Number, Value::Double(0.5)),
            (Text, Value::Text(String::new())),
            (Text, Value::Text("\\N\t\"x\"\r\n,".to_owned())),
            (Bytes, Value::Bytes(vec![0, 255])),
            (Date, Value::DateDays(20_000)),
            (Date, Value::DateDays(-719_163)),
            (Date, Value::DateDays(2_932_897)),
            (Time, Value::TimeMicros(1)),
            (Timestamp, Value::TimestampMicros(day / 3)),
            (TimestampTz, Value::InstantMicros(-day / 3)),
            (TimestampTz, Value::InstantMicros(-719_163 * day)),
            (TimestampTz, Value::Null),
        ];
        let schema = Schema {
            columns: (0..).zip(&values).map(|(at, (logical, _))| column(at, *logical)).collect(),
            key: Vec::new(),
        };
        let row: Row = values.into_iter().map(|(_, value)| value).collect();
        let copied = |format| {
            let bytes = encode_part(format, &schema, std::slice::from_ref(&row)).unwrap();
            let part = LoadPart { name: "p".to_owned(), rows: 1, format, bytes };
            let copied = String::from_utf8(encode(&"t".parse().unwrap(), &schema, &part).unwrap().to_vec()).unwrap();
            let fields: Vec<String> = copied.trim_end_matches('\n').split('\t').map(str::to_owned).collect();
            fields
        };
        let (spelled, decoded) = (copied(PartFormat::Csv), copied(PartFormat::Jsonl));
        assert_eq!(spelled.len(), decoded.len());
        for ((spelled, decoded), column) in spelled.iter().zip(&decoded).zip(&schema.columns) {
            match column.logical {
                // PostgreSQL reads both.
                Boolean => assert_eq!((spelled.as_str(), decoded.as_str()), ("true", "t")),
                Timestamp => assert_eq!(*spelled, decoded.replace(' ', "T")),
                _ => assert_eq!(spelled, decoded, "{column:?}"),
            }
        }
    }

    #[test]
    fn a_field_that_is_no_value_cannot_become_another_field() {
        let schema = Schema { columns: vec![column(0, LogicalType::Integer)], key: Vec::new() };
        for field in ["1\t2", "1\\n2", "1 2", "-"] {
            let bytes = format!("c0\r\n\"{field}\"\r\n").into_bytes();
            let part = LoadPart { name: "p".to_owned(), rows: 1, format: PartFormat::Csv, bytes };
            match encode(&"t".parse().unwrap(), &schema, &part) {
                // Left for the server to refuse.
                Ok(copied) => assert_eq!(copied, "-\n"),
                Err(error) => assert!(error.to_string().contains("decode part `p`"), "{error}"),
            }
        }
    }

    #[test]
    fn a_part_with_other_rows_than_were_named_is_refused() {
        let schema = Schema { columns: vec![column(0, LogicalType::Integer)], key: Vec::new() };
        for format in [PartFormat::Csv, PartFormat::Jsonl] {
            let bytes = encode_part(format, &schema, &[vec![Value::Integer(1)]]).unwrap();
            let part = LoadPart { name: "p".to_owned(), rows: 2, format, bytes };
            assert!(encode(&"t".parse().unwrap(), &schema, &part).is_err());
        }
    }

    fn column(at: usize, logical: LogicalType) -> Column {
        let (name, physical) = (format!("c{at}"), String::new());
        Column { name, logical, physical, nullable: true, description: None }
    }

    #[test]
    fn a_number_keeps_its_sign_or_is_refused() {
        assert!(one(Value::Double(-0.0), LogicalType::Number).unwrap_err().contains("-0.0"));
        assert_eq!(one(Value::Double(-0.0), LogicalType::Double).unwrap(), "-0.0");
        assert_eq!(one(Value::Double(f64::NEG_INFINITY), LogicalType::Double).unwrap(), "-Infinity");
    }
}
