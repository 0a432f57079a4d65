//! SQLite as the central lake.
use std::io::Write;

use async_trait::async_trait;
use rusqlite::{Connection, TransactionBehavior};

use super::origin::Sqlite;
use super::place::{Access, Place};
use super::tables::find;
use super::trouble::engine;
use super::{books, query, rehearsal, script, staging, swap};
use crate::connector::{ConnectorError, Lake, LoadPart, RowStream, batches::blocking, system::failed};
use crate::vocab::{DatasetId, Schema};

/// Bytes that must fit beside the files before work begins.
const PROBE_BYTES: usize = 1 << 20;

#[async_trait]
impl Lake for Sqlite {
    async fn exists(&self, table: &DatasetId) -> Result<bool, ConnectorError> {
        let (place, table) = (self.place.clone(), table.clone());
        blocking(move || {
            place.must_exist()?;
            let (schema, name) = place.names(&table);
            Ok(place.has(&schema)? && find(&place.open(&schema, Access::Read)?, &schema, &name)?.is_some())
        })
        .await
    }

    async fn create_staging(&self, table: &DatasetId, schema: &Schema) -> Result<(), ConnectorError> {
        let (place, table, schema) = (self.place.clone(), table.clone(), schema.clone());
        blocking(move || staging::create(&place, &table, &schema)).await
    }

    async fn loaded_parts(&self, staging: &DatasetId) -> Result<Vec<String>, ConnectorError> {
        let (place, table) = (self.place.clone(), staging.clone());
        blocking(move || staging::loaded_parts(&place, &table)).await
    }

    async fn load_parts(
        &self,
        staging: &DatasetId,
        schema: &Schema,
        parts: Vec<LoadPart>,
    ) -> Result<usize, ConnectorError> {
        let (place, table, schema) = (self.place.clone(), staging.clone(), schema.clone());
        blocking(move || staging::load_parts(&place, &table, &schema, &parts)).await
    }

    async fn swap(
        &self,
        staging: &DatasetId,
        live: &DatasetId,
        previous: Option<&DatasetId>,
    ) -> Result<(), ConnectorError> {
        let (place, staging, live, previous) = (self.place.clone(), staging.clone(), live.clone(), previous.cloned());
        blocking(move || swap::swap(&place, &staging, &live, previous.as_ref())).await
    }

    /// The staged table had its key from the start.
    async fn take_indexes(
        &self,
        staging: &DatasetId,
        _: &Schema,
        live: Option<&DatasetId>,
    ) -> Result<(), ConnectorError> {
        let Some(live) = live.cloned() else { return Ok(()) };
        let (place, staging) = (self.place.clone(), staging.clone());
        blocking(move || swap::take_indexes(&place, &staging, &live)).await
    }

    async fn rehearse(
        &self,
        staging: &DatasetId,
        live: &DatasetId,
        previous: &DatasetId,
        schema: &Schema,
    ) -> Result<Vec<String>, ConnectorError> {
        let (place, schema) = (self.place.clone(), schema.clone());
        let (staging, live, previous) = (staging.clone(), live.clone(), previous.clone());
        blocking(move || rehearsal::rehearse(&place, &staging, &live, &previous, &schema)).await
    }

    async fn rename(&self, from: &DatasetId, to: &DatasetId) -> Result<(), ConnectorError> {
        let (place, from, to) = (self.place.clone(), from.clone(), to.clone());
        blocking(move || swap::rename(&place, &from, &to)).await
    }

    async fn drop_table(&self, table: &DatasetId) -> Result<(), ConnectorError> {
        let (place, table) = (self.place.clone(), table.clone());
        blocking(move || swap::drop_table(&place, &table)).await
    }

    async fn execute(&self, script: &str) -> Result<(), ConnectorError> {
        let (place, script) = (self.place.clone(), script.to_owned());
        blocking(move || script::execute(&place, &script)).await
    }

    async fn query(&self, sql: &str) -> Result<(Schema, RowStream), ConnectorError> {
        query::query(self.place.clone(), sql.to_owned()).await
    }

    async fn probe_write(&self) -> Result<(), ConnectorError> {
        let place = self.place.clone();
        blocking(move || probe_write(&place)).await
    }

    async fn note(&self, key: &str) -> Result<Option<String>, ConnectorError> {
        let (place, key) = (self.place.clone(), key.to_owned());
        blocking(move || {
            place.must_exist()?;
            if !place.has("main")? {
                return Ok(None);
            }
            books::note(&place.open("main", Access::Read)?, &key)
                .map_err(|e| engine(format!("read the note `{key}`"), e))
        })
        .await
    }

    async fn set_note(&self, key: &str, value: &str) -> Result<(), ConnectorError> {
        let (place, key, value) = (self.place.clone(), key.to_owned(), value.to_owned());
        blocking(move || {
            place.must_exist()?;
            if value.is_empty() && !place.has("main")? {
                return Ok(());
            }
            let mut connection = place.open("main", Access::Create)?;
            let keep = |connection: &mut Connection| -> rusqlite::Result<()> {
                let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                match value.is_empty() {
                    true => books::forget_note(&transaction, &key)?,
                    false => books::set_note(&transaction, &key, &value)?,
                }
                transaction.commit()
            };
            keep(&mut connection).map_err(|e| engine(format!("keep the note `{key}`"), e))
        })
        .await
    }
}

/// Writes to every file and takes it back; then sees whether a little space is left.
fn probe_write(place: &Place) -> Result<(), ConnectorError> {
    place.must_exist()?;
    for schema in place.schemas()?.keys() {
        let connection = place.open(schema, Access::Write)?;
        let table = super::place::qualified(schema, "carve_probe");
        let tried = connection.execute_batch(&format!("BEGIN IMMEDIATE; CREATE TABLE {table} (a); ROLLBACK;"));
        tried.map_err(|e| engine(format!("write to the schema `{schema}`"), e))?;
    }
    let file = place.folder().join(format!(".carve-probe-{}", std::process::id()));
    let tried = (|| -> std::io::Result<()> {
        let mut probe = std::fs::File::create(&file)?;
        probe.write_all(&vec![0; PROBE_BYTES])?;
        probe.sync_all()
    })();
    // Whether or not it was written, it shall not stay.
    let _ = std::fs::remove_file(&file);
    tried.map_err(|e| failed("write to the lake's folder".to_owned(), e))
}
