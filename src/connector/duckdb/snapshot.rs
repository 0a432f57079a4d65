//! One state of the file.
//!
//! A connection sees the state in which its transaction first looked. Several see the same one when all begin
//! while this process's writers wait, since no other process can write meanwhile.
use std::sync::Arc;

use async_trait::async_trait;

use super::catalog::find;
use super::instance::Session;
use super::place::Place;
use super::reading::Reading;
use super::trouble::engine;
use crate::connector::pool::{Pool, STREAMS};
use crate::connector::{ConnectorError, RowStream, Snapshot, batches::Batches, batches::blocking};
use crate::vocab::{DatasetId, Schema};

/// A snapshot of the file of a place.
pub(super) struct DuckDbSnapshot {
    place: Place,
    pool: Arc<Pool<Session>>,
}

impl DuckDbSnapshot {
    /// Takes it.
    pub(super) fn take(place: &Place) -> Result<Self, ConnectorError> {
        let sessions: Result<Vec<Session>, ConnectorError> = (0..STREAMS).map(|_| place.open()).collect();
        let sessions = sessions?;
        if let Some(any) = sessions.first() {
            let _turn = any.turn();
            // The look at the tables is what fixes the state.
            let pin = "BEGIN TRANSACTION READ ONLY; SELECT count(*) FROM duckdb_tables()";
            let pinned: ::duckdb::Result<()> = sessions.iter().try_for_each(|session| session.run(pin));
            pinned.map_err(|e| engine("take a snapshot", e))?;
        }
        Ok(DuckDbSnapshot { place: place.clone(), pool: Arc::new(Pool::of(sessions)) })
    }
}

#[async_trait]
impl Snapshot for DuckDbSnapshot {
    async fn count(&mut self, table: &DatasetId) -> Result<u64, ConnectorError> {
        let (pool, id, (schema, name)) = (self.pool.clone(), table.clone(), self.place.names(table));
        let work = move |session: &Session| {
            let found = find(session, &schema, &name)?.ok_or_else(|| ConnectorError::NoSuchTable(id.clone()))?;
            let sql = format!("SELECT count(*) FROM {}", found.sql());
            let count = session.connection.query_row(&sql, [], |row| row.get::<_, i64>(0));
            Ok(count.map_err(|e| engine(format!("count the rows of `{id}`"), e))?.unsigned_abs())
        };
        blocking(move || pool.with(work)).await
    }

    async fn rows(&mut self, table: &DatasetId, schema: &Schema) -> Result<RowStream, ConnectorError> {
        let (pool, planning, names) = (self.pool.clone(), self.pool.clone(), self.place.names(table));
        let (id, schema) = (table.clone(), schema.clone());
        let plan = move || planning.with(|session| Reading::of_table(session, &id, (&names.0, &names.1), &schema));
        let reading = blocking(plan).await?;
        let (mut batches, stream) = Batches::stream();
        tokio::task::spawn_blocking(move || {
            let outcome = pool.with(|session| reading.send(session, &mut batches));
            // Whoever sees the end of the rows may let go of the file.
            drop(pool);
            batches.finish(outcome);
        });
        Ok(stream)
    }
}
