//! DuckDB as the central lake.
use std::io::Write;

use async_trait::async_trait;

use super::catalog::{find, qualified};
use super::origin::DuckDb;
use super::place::Place;
use super::trouble::engine;
use super::{books, query, rehearsal, script, staging, swap};
use crate::connector::{ConnectorError, Lake, LoadPart, RowStream, batches::blocking, system::failed};
use crate::vocab::{DatasetId, Schema};

/// Bytes that must fit beside the file before work begins.
const PROBE_BYTES: usize = 1 << 20;

#[async_trait]
impl Lake for DuckDb {
    async fn exists(&self, table: &DatasetId) -> Result<bool, ConnectorError> {
        let (place, (schema, name)) = (self.place.clone(), self.place.names(table));
        blocking(move || Ok(find(&place.open()?, &schema, &name)?.is_some())).await
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
        blocking(move || books::note(&place.open()?, &key).map_err(|e| engine(format!("read the note `{key}`"), e)))
            .await
    }

    async fn set_note(&self, key: &str, value: &str) -> Result<(), ConnectorError> {
        let (place, key, value) = (self.place.clone(), key.to_owned(), value.to_owned());
        blocking(move || {
            let session = place.open()?;
            let _turn = session.turn();
            let keep = || {
                session.run("BEGIN TRANSACTION")?;
                match value.is_empty() {
                    true => books::forget_note(&session, &key)?,
                    false => books::set_note(&session, &key, &value)?,
                }
                session.run("COMMIT")
            };
            keep().map_err(|e| engine(format!("keep the note `{key}`"), e))?;
            if value.is_empty() {
                books::close(&session);
            }
            Ok(())
        })
        .await
    }
}

/// Writes to the file and takes it back; then sees whether a little space is left beside it.
fn probe_write(place: &Place) -> Result<(), ConnectorError> {
    let session = place.open()?;
    let _turn = session.turn();
    let table = qualified(session.catalog(), "main", "carve_probe");
    let tried = session.run(&format!("BEGIN TRANSACTION; CREATE TABLE {table} (a INTEGER); ROLLBACK"));
    tried.map_err(|e| engine(format!("write to `{}`", place.shown), e))?;
    let folder = place.path.parent().filter(|folder| !folder.as_str().is_empty());
    let file = folder.unwrap_or(camino::Utf8Path::new(".")).join(format!(".carve-probe-{}", std::process::id()));
    let tried = (|| -> std::io::Result<()> {
        let mut probe = std::fs::File::create(&file)?;
        probe.write_all(&vec![0; PROBE_BYTES])?;
        probe.sync_all()
    })();
    // Whether or not it was written, it shall not stay.
    let _ = std::fs::remove_file(&file);
    tried.map_err(|e| failed("write to the lake's folder".to_owned(), e))
}
