use super::ConnectorError;
use crate::service::{FormatError, decode_part};
use crate::vocab::{PartFormat, Row, Schema};

/// A published part on its way into a staging table: its bytes as they lie in the bucket, known to be whole.
#[derive(Clone, Debug)]
pub struct LoadPart {
    /// Its name in the ledger: the object's key.
    pub name: String,
    /// How many rows it holds.
    pub rows: u64,
    /// How it is written.
    pub format: PartFormat,
    /// All of it.
    pub bytes: Vec<u8>,
}

impl LoadPart {
    /// The rows it holds, in the canonical form of `schema`.
    pub(super) fn decoded(&self, schema: &Schema) -> Result<Vec<Row>, ConnectorError> {
        let rows = decode_part(self.format, schema, &self.bytes).map_err(|error| self.undecodable(error))?;
        self.counted(rows.len())?;
        Ok(rows)
    }

    /// The error that its bytes are no part.
    pub(super) fn undecodable(&self, error: FormatError) -> ConnectorError {
        ConnectorError::Refused { doing: format!("decode part `{}`", self.name), source: error.into() }
    }

    /// Whether it holds as many rows as was said.
    pub(super) fn counted(&self, rows: usize) -> Result<(), ConnectorError> {
        match rows as u64 == self.rows {
            true => Ok(()),
            false => {
                let why = format!("it holds {rows} rows instead of {}", self.rows);
                Err(ConnectorError::Refused { doing: format!("load part `{}`", self.name), source: why.into() })
            }
        }
    }
}
