//! The API as an origin: endpoints are tables, and what was read of them is kept on disk until it is used.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use camino::Utf8Path;

use super::reading::Reader;
use super::settings::Settings;
use super::spool::Spool;
use super::trouble::{passing, refused};
use crate::connector::{
    ConnectorError, Origin, RowStream, Snapshot, TableDescription, address::Address, batches::Batches,
    batches::blocking, json,
};
use crate::service::Fingerprint;
use crate::vocab::{DatasetId, Schema};

/// An HTTP API that answers JSON; each endpoint is the table of its name.
#[derive(Clone)]
pub struct HttpOrigin {
    reader: Arc<Reader>,
    /// What each table was when it was described last.
    described: Arc<Mutex<BTreeMap<DatasetId, Described>>>,
}

#[derive(Clone)]
struct Described {
    fingerprint: Fingerprint,
    columns: Vec<String>,
}

impl HttpOrigin {
    pub(in crate::connector) fn at(address: &Address, base: &Utf8Path) -> Result<Self, ConnectorError> {
        let reader = Reader::new(Settings::of(address, base)?)?;
        Ok(HttpOrigin { reader: Arc::new(reader), described: Arc::default() })
    }

    fn described(&self, table: &DatasetId) -> Option<Described> {
        self.described.lock().unwrap_or_else(PoisonError::into_inner).get(table).cloned()
    }
}

/// The columns of all items, and the key, whose columns every item has.
fn schema(spool: &Spool) -> Result<Schema, ConnectorError> {
    let mut schema = json::schema(spool)?;
    schema.key.clone_from(&spool.key);
    for column in &mut schema.columns {
        column.nullable = !spool.key.contains(&column.name);
    }
    Ok(schema)
}

#[async_trait]
impl Origin for HttpOrigin {
    fn kind(&self) -> &'static str {
        "http"
    }

    async fn probe(&self) -> Result<(), ConnectorError> {
        self.reader.reach().await
    }

    async fn describe(&self, table: &DatasetId) -> Result<TableDescription, ConnectorError> {
        let spool = self.reader.once(table).await?;
        let fingerprint = spool.fingerprint;
        let schema = blocking(move || schema(&spool)).await?;
        let columns = schema.columns.iter().map(|column| column.name.clone()).collect();
        let described = Described { fingerprint, columns };
        self.described.lock().unwrap_or_else(PoisonError::into_inner).insert(table.clone(), described);
        let doing = || format!("describe `{table}`");
        match (schema.columns.is_empty(), fingerprint.rows) {
            (false, _) => Ok(TableDescription { schema, comment: None }),
            (true, 0) => {
                let why = "it gives no items, and nothing else tells its columns: run carve again when there are some";
                Err(ConnectorError::NoColumns { doing: doing(), why: why.to_owned() })
            }
            (true, _) => Err(refused(doing(), "its items have no members")),
        }
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, ConnectorError> {
        Ok(Box::new(HttpSnapshot { origin: self.clone(), tables: BTreeMap::new() }))
    }
}

/// Each table as it was when it was first asked for; not all of them at one moment.
struct HttpSnapshot {
    origin: HttpOrigin,
    /// Readers of one spool share a position: only one may read at a time.
    tables: BTreeMap<DatasetId, Arc<Mutex<Spool>>>,
}

impl HttpSnapshot {
    async fn table(&mut self, id: &DatasetId) -> Result<Arc<Mutex<Spool>>, ConnectorError> {
        if let Some(spool) = self.tables.get(id) {
            return Ok(spool.clone());
        }
        let described = self.origin.described(id);
        let before = described.as_ref().map(|described| described.fingerprint);
        let spool = self.origin.reader.settled(id, before).await?;
        let id = id.clone();
        let named = id.clone();
        let spool = blocking(move || {
            // A member that came up since would be left out without a word.
            let new = schema(&spool)?.columns.into_iter().map(|column| column.name);
            let known = |name: &String| described.as_ref().is_none_or(|described| described.columns.contains(name));
            match new.into_iter().find(|name| !known(name)) {
                None => Ok(Arc::new(Mutex::new(spool))),
                Some(name) => Err(passing(
                    format!("read `{named}` as it was described"),
                    format!("its items have a member `{name}` since a moment ago: run carve again"),
                )),
            }
        })
        .await?;
        self.tables.insert(id, spool.clone());
        Ok(spool)
    }
}

#[async_trait]
impl Snapshot for HttpSnapshot {
    async fn count(&mut self, table: &DatasetId) -> Result<u64, ConnectorError> {
        let spool = self.table(table).await?;
        let spool = spool.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(spool.fingerprint.rows)
    }

    async fn rows(&mut self, table: &DatasetId, schema: &Schema) -> Result<RowStream, ConnectorError> {
        let spool = self.table(table).await?;
        let (id, schema) = (table.clone(), schema.clone());
        let (mut batches, stream) = Batches::stream();
        tokio::task::spawn_blocking(move || {
            let spool = spool.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = json::send(&*spool, &id, &schema, &mut batches);
            batches.finish(outcome);
        });
        Ok(stream)
    }
}
