//! Loads rows as one part, for tests that care for the rows and not for how many parts come together.
use carve::connector::{ConnectorError, Lake, LoadPart};
use carve::service::encode_part;
use carve::vocab::{DatasetId, PartFormat, Row, Schema};

/// `rows` as the CSV part `name`.
pub(crate) fn part(name: &str, schema: &Schema, rows: &[Row]) -> LoadPart {
    let (format, name) = (PartFormat::Csv, name.to_owned());
    LoadPart { name, rows: rows.len() as u64, format, bytes: encode_part(format, schema, rows).unwrap() }
}

/// What is asked of every lake.
#[async_trait::async_trait]
pub(crate) trait OnePart {
    /// Loads one part; false when it was there.
    async fn load_part(
        &self,
        staging: &DatasetId,
        name: &str,
        schema: &Schema,
        rows: Vec<Row>,
    ) -> Result<bool, ConnectorError>;
}

#[async_trait::async_trait]
impl<L: Lake + ?Sized> OnePart for L {
    async fn load_part(
        &self,
        staging: &DatasetId,
        name: &str,
        schema: &Schema,
        rows: Vec<Row>,
    ) -> Result<bool, ConnectorError> {
        Ok(self.load_parts(staging, schema, vec![part(name, schema, &rows)]).await? == 1)
    }
}
