//! DuckDB as a place data comes from: the lake is one too.
use async_trait::async_trait;
use camino::Utf8Path;

use super::describe::describe;
use super::instance::Access;
use super::place::Place;
use super::snapshot::DuckDbSnapshot;
use super::trouble::engine;
use crate::connector::{ConnectorError, Origin, Snapshot, TableDescription, address::Address, batches::blocking};
use crate::vocab::DatasetId;

/// A DuckDB file. It is opened by the first call and held until this value goes: DuckDB lets no other process write
/// meanwhile, and where carve writes, none read.
#[derive(Clone, Debug)]
pub struct DuckDb {
    pub(super) place: Place,
}

impl DuckDb {
    /// Other people's data, opened to read only.
    pub(in crate::connector) fn origin(address: &Address, base: &Utf8Path) -> Result<Self, ConnectorError> {
        Ok(DuckDb { place: Place::at(address, base, Access::Read)? })
    }

    /// The lake that carve writes to.
    pub(in crate::connector) fn lake(address: &Address, base: &Utf8Path) -> Result<Self, ConnectorError> {
        Ok(DuckDb { place: Place::at(address, base, Access::Write)? })
    }
}

#[async_trait]
impl Origin for DuckDb {
    fn kind(&self) -> &'static str {
        "duckdb"
    }

    async fn probe(&self) -> Result<(), ConnectorError> {
        let place = self.place.clone();
        let look = move || {
            place
                .open()?
                .texts("SELECT table_name FROM duckdb_tables() LIMIT 1", &[])
                .map(|_| ())
                .map_err(|e| engine("list the tables", e))
        };
        blocking(look).await
    }

    async fn describe(&self, table: &DatasetId) -> Result<TableDescription, ConnectorError> {
        let (place, table) = (self.place.clone(), table.clone());
        blocking(move || describe(&place, &table)).await
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, ConnectorError> {
        let place = self.place.clone();
        Ok(Box::new(blocking(move || DuckDbSnapshot::take(&place)).await?))
    }
}
