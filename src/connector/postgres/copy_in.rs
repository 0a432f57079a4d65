//! Rows into COPY's text form, which every type of PostgreSQL reads.
use std::fmt::Write;

use crate::connector::ConnectorError;
use crate::connector::civil::text_of;
use crate::vocab::{DatasetId, LogicalType, Row, Schema, Value};

/// All `rows` as COPY reads them.
pub(super) fn encode(id: &DatasetId, schema: &Schema, rows: &[Row]) -> Result<Vec<u8>, ConnectorError> {
    let mut out = String::with_capacity(rows.len() * 64);
    for (at, row) in (1_u64..).zip(rows) {
        if row.len() != schema.columns.len() {
            let why = format!("it has {} values for {} columns", row.len(), schema.columns.len());
            return Err(super::trouble::refused(format!("insert row {at} into `{id}`"), why));
        }
        for (index, (value, column)) in row.iter().zip(&schema.columns).enumerate() {
            if index > 0 {
                out.push('\t');
            }
            push(&mut out, value, column.logical).map_err(|reason| ConnectorError::Inexact {
                table: id.clone(),
                column: column.name.clone(),
                row: at,
                reason,
            })?;
        }
        out.push('\n');
    }
    Ok(out.into_bytes())
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
    fn a_number_keeps_its_sign_or_is_refused() {
        assert!(one(Value::Double(-0.0), LogicalType::Number).unwrap_err().contains("-0.0"));
        assert_eq!(one(Value::Double(-0.0), LogicalType::Double).unwrap(), "-0.0");
        assert_eq!(one(Value::Double(f64::NEG_INFINITY), LogicalType::Double).unwrap(), "-Infinity");
    }
}
