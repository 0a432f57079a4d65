use super::{
    Fingerprint, FormatError,
    check::{canonical, check_schema, is_canonical},
    csv, extension, fingerprint, jsonl, parquet,
};
use crate::vocab::{PartFormat, Row, Schema};

/// Writes one part row by row, and takes the fingerprint of its rows on the way: the same rows, the same bytes. Rows
/// are brought into canonical form.
#[derive(Debug)]
pub struct PartWriter<'s> {
    format: PartFormat,
    schema: &'s Schema,
    /// The part as far as it is written, where the format has one row after the other.
    out: Vec<u8>,
    /// The rows, where the format has one column after the other.
    rows: Vec<Row>,
    /// The canonical encoding of the row at hand.
    canonical: Vec<u8>,
    fingerprint: Fingerprint,
}

impl<'s> PartWriter<'s> {
    /// A part of no rows yet.
    ///
    /// # Errors
    /// A schema nothing can be published under.
    pub fn new(format: PartFormat, schema: &'s Schema) -> Result<Self, FormatError> {
        check_schema(schema)?;
        let mut out = Vec::new();
        if format == PartFormat::Csv {
            csv::push_header(&mut out, schema);
        }
        let (rows, canonical, fingerprint) = (Vec::new(), Vec::new(), Fingerprint::default());
        Ok(PartWriter { format, schema, out, rows, canonical, fingerprint })
    }

    /// Writes one row; its values may be taken away.
    ///
    /// # Errors
    /// A row that the format cannot keep exactly; the part is then good for nothing.
    pub fn push(&mut self, row: &mut Row) -> Result<(), FormatError> {
        let at = usize::try_from(self.fingerprint.rows).unwrap_or(usize::MAX);
        self.push_values(row).map_err(|e| e.in_row(extension(self.format), at))?;
        self.fingerprint.add_hash(fingerprint::hash(&self.canonical));
        if self.format == PartFormat::Parquet {
            self.rows.push(std::mem::take(row));
        }
        Ok(())
    }

    /// The fingerprint of the rows, and the bytes of the part.
    ///
    /// # Errors
    /// As [`PartWriter::push`].
    pub fn finish(self) -> Result<(Fingerprint, Vec<u8>), FormatError> {
        let bytes = match self.format {
            PartFormat::Csv | PartFormat::Jsonl => self.out,
            PartFormat::Parquet => parquet::encode(self.schema, &self.rows)?,
        };
        Ok((self.fingerprint, bytes))
    }

    fn push_values(&mut self, row: &Row) -> Result<(), FormatError> {
        let columns = &self.schema.columns;
        if row.len() != columns.len() {
            return Err(FormatError::Width { expected: columns.len(), found: row.len() });
        }
        self.canonical.clear();
        for (at, (column, value)) in columns.iter().zip(row).enumerate() {
            let changed;
            let value = match is_canonical(column, value) {
                true => value,
                false => {
                    changed = canonical(column, value)?;
                    &*changed
                }
            };
            fingerprint::push_value(&mut self.canonical, value);
            match self.format {
                PartFormat::Csv => csv::push_field(&mut self.out, at, value),
                PartFormat::Jsonl => jsonl::push_member(&mut self.out, at, &column.name, value),
                PartFormat::Parquet => {}
            }
        }
        match self.format {
            PartFormat::Csv => self.out.extend(csv::ROW_END),
            PartFormat::Jsonl => self.out.extend(jsonl::ROW_END),
            PartFormat::Parquet => {}
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
