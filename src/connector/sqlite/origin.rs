//! SQLite as a place data comes from: the lake is one too.
use async_trait::async_trait;
use camino::Utf8Path;

use super::describe::describe;
use super::place::{Access, Place};
use super::snapshot::SqliteSnapshot;
use super::trouble::engine;
use crate::connector::{ConnectorError, Origin, Snapshot, TableDescription, address::Address, batches::blocking};
use crate::vocab::DatasetId;

/// A folder of SQLite files, one a schema; or one file. As an origin it is opened to read only.
///
/// Every call opens its own connection and ends its own transaction, so that nothing is held between
/// calls and a crash leaves what SQLite promises: the state before, or the state after.
#[derive(Clone, Debug)]
pub struct Sqlite {
    pub(super) place: Place,
}

impl Sqlite {
    /// Other people's data: what a killed writer left half done is theirs to mend.
    pub(in crate::connector) fn origin(address: &Address, base: &Utf8Path) -> Result<Self, ConnectorError> {
        Ok(Sqlite { place: Place::at(address, base, false)? })
    }

    /// The lake that carve writes to.
    pub(in crate::connector) fn lake(address: &Address, base: &Utf8Path) -> Result<Self, ConnectorError> {
        Ok(Sqlite { place: Place::at(address, base, true)? })
    }
}

#[async_trait]
impl Origin for Sqlite {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    async fn probe(&self) -> Result<(), ConnectorError> {
        let place = self.place.clone();
        blocking(move || probe(&place)).await
    }

    async fn describe(&self, table: &DatasetId) -> Result<TableDescription, ConnectorError> {
        let (place, table) = (self.place.clone(), table.clone());
        blocking(move || describe_at(&place, &table)).await
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, ConnectorError> {
        let place = self.place.clone();
        Ok(Box::new(blocking(move || SqliteSnapshot::take(&place)).await?))
    }
}

/// Opens every file and reads its list of tables.
fn probe(place: &Place) -> Result<(), ConnectorError> {
    place.must_exist()?;
    for schema in place.schemas()?.keys() {
        let connection = place.open(schema, Access::Read)?;
        let sql = format!("SELECT count(*) FROM {}.sqlite_schema", super::place::quoted(schema));
        let read = connection.query_row(&sql, [], |_| Ok(()));
        read.map_err(|e| engine(format!("read the SQLite file of the schema `{schema}`"), e))?;
    }
    Ok(())
}

/// Describes `table` of `place`.
fn describe_at(place: &Place, table: &DatasetId) -> Result<TableDescription, ConnectorError> {
    place.must_exist()?;
    let (schema, name) = place.names(table);
    if !place.has(&schema)? {
        return Err(ConnectorError::NoSuchTable(table.clone()));
    }
    let connection = place.open(&schema, Access::Read)?;
    describe(&connection, table, &schema, &name)
}
