use super::{
    Fingerprint, FormatError,
    check::{canonical, check_schema, is_canonical},
    csv, extension,
    fingerprint::RowEncoding,
    jsonl, parquet,
    parquet::ParquetPart,
};
use crate::vocab::{Column, PartFormat, Row, Schema, Value};

/// Bytes from which a value is long.
const LONG: usize = 1 << 20;

/// Writes one part row by row, and takes the fingerprint of its rows on the way: the same rows, the same bytes. Rows
/// are brought into canonical form.
#[derive(Debug)]
pub struct PartWriter<'s> {
    schema: &'s Schema,
    body: Body,
    encoding: RowEncoding,
    fingerprint: Fingerprint,
}

impl<'s> PartWriter<'s> {
    /// A part of no rows yet.
    ///
    /// # Errors
    /// A schema nothing can be published under.
    pub fn new(format: PartFormat, schema: &'s Schema) -> Result<Self, FormatError> {
        PartWriter::of_about(format, schema, 0)
    }

    /// The same, of rows that take about so many bytes.
    ///
    /// # Errors
    /// As [`PartWriter::new`].
    pub fn of_about(format: PartFormat, schema: &'s Schema, bytes: usize) -> Result<Self, FormatError> {
        check_schema(schema)?;
        let (body, encoding) = (Body::new(format, schema, bytes)?, RowEncoding::default());
        Ok(PartWriter { schema, body, encoding, fingerprint: Fingerprint::default() })
    }

    /// Writes one row; long values are taken away, so that they are not held twice.
    ///
    /// # Errors
    /// A row that the format cannot keep exactly; the part is then good for nothing.
    pub fn push(&mut self, row: &mut Row) -> Result<(), FormatError> {
        let at = usize::try_from(self.fingerprint.rows).unwrap_or(usize::MAX);
        self.push_values(row).map_err(|e| e.in_row(extension(self.body.format()), at))?;
        self.fingerprint.add_hash(self.encoding.hash());
        Ok(())
    }

    /// The fingerprint of the rows, and the bytes of the part.
    ///
    /// # Errors
    /// A part that the format cannot keep.
    pub fn finish(self) -> Result<(Fingerprint, Vec<u8>), FormatError> {
        let bytes = match self.body {
            Body::Csv(out) | Body::Jsonl(out) => out,
            Body::Parquet(part) => part.finish()?,
        };
        Ok((self.fingerprint, bytes))
    }

    fn push_values(&mut self, row: &mut Row) -> Result<(), FormatError> {
        let columns = &self.schema.columns;
        if row.len() != columns.len() {
            return Err(FormatError::Width { expected: columns.len(), found: row.len() });
        }
        for (at, (column, value)) in columns.iter().zip(row).enumerate() {
            match is_canonical(column, value) {
                true => self.write(at, column, value)?,
                false => self.write(at, column, &*canonical(column, value)?)?,
            }
            if value.heap_bytes() >= LONG {
                *value = Value::Null;
            }
        }
        self.body.end_row()
    }

    /// Writes the canonical value of a row's column `at`.
    fn write(&mut self, at: usize, column: &Column, value: &Value) -> Result<(), FormatError> {
        self.encoding.push(value);
        self.body.push(at, column, value)
    }
}

/// A part as far as it is written.
#[derive(Debug)]
enum Body {
    Csv(Vec<u8>),
    Jsonl(Vec<u8>),
    Parquet(Box<ParquetPart>),
}

impl Body {
    fn new(format: PartFormat, schema: &Schema, bytes: usize) -> Result<Body, FormatError> {
        // Separators and digits are mostly no longer than what they stand for; an eighth more is for those that are.
        let out = || Vec::with_capacity(bytes + bytes / 8);
        Ok(match format {
            PartFormat::Csv => {
                let mut out = out();
                csv::push_header(&mut out, schema);
                Body::Csv(out)
            }
            PartFormat::Jsonl => Body::Jsonl(out()),
            PartFormat::Parquet => Body::Parquet(Box::new(ParquetPart::new(schema)?)),
        })
    }

    fn format(&self) -> PartFormat {
        match self {
            Body::Csv(_) => PartFormat::Csv,
            Body::Jsonl(_) => PartFormat::Jsonl,
            Body::Parquet(_) => PartFormat::Parquet,
        }
    }

    /// Appends the canonical value of a row's column `at`.
    fn push(&mut self, at: usize, column: &Column, value: &Value) -> Result<(), FormatError> {
        match self {
            Body::Csv(out) => csv::push_field(out, at, value),
            Body::Jsonl(out) => jsonl::push_member(out, at, &column.name, value),
            Body::Parquet(part) => part.push(at, column, value)?,
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), FormatError> {
        match self {
            Body::Csv(out) => out.extend(csv::ROW_END),
            Body::Jsonl(out) => out.extend(jsonl::ROW_END),
            Body::Parquet(part) => part.end_row()?,
        }
        Ok(())
    }
}

/// The bytes of one part, as [`PartWriter`] writes them.
///
/// # Errors
/// A schema nothing can be published under, or a row that the format cannot keep exactly.
pub fn encode_part(format: PartFormat, schema: &Schema, rows: &[Row]) -> Result<Vec<u8>, FormatError> {
    let mut writer = PartWriter::new(format, schema)?;
    rows.iter().try_for_each(|row| writer.push(&mut row.clone()))?;
    Ok(writer.finish()?.1)
}

/// The rows of one part, in canonical form. Check the part's digest first: damaged bytes that still
/// decode give other values.
///
/// # Errors
/// Bytes that are no part of that format under that schema; what and where.
pub fn decode_part(format: PartFormat, schema: &Schema, bytes: &[u8]) -> Result<Vec<Row>, FormatError> {
    check_schema(schema)?;
    match format {
        PartFormat::Csv => {
            let mut rows = Vec::new();
            csv::each_record(schema, bytes, |number, fields| {
                rows.push(csv::read_row(schema, number, fields)?);
                Ok::<(), FormatError>(())
            })?;
            Ok(rows)
        }
        PartFormat::Parquet => parquet::decode(schema, bytes),
        PartFormat::Jsonl => jsonl::decode(schema, bytes),
    }
}
