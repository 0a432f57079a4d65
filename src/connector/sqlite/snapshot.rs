//! One state of all files.
//!
//! A reader in SQLite's rollback-journal mode holds a shared lock from its first read to the end of
//! its transaction, and no writer commits to a file while anyone holds one. So once every file is
//! locked nothing can change, and no file changed after its own lock: the state is that of the moment
//! the last lock was taken. A transaction over several files needs all of them at its commit, so it is
//! seen whole or not at all. In WAL mode nothing of that holds: a reader keeps the state it first saw
//! while others commit, and a transaction over several files reaches one after the other. There every
//! file's write lock is held while all are being read for the first time, and let go at once; a single
//! file needs no such care.
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rusqlite::Connection;

use super::place::{Access, Place, qualified, quoted};
use super::rows::Reading;
use super::tables::find;
use super::trouble::{engine, is_busy};
use crate::connector::pool::{Pool, STREAMS};
use crate::connector::{ConnectorError, RowStream, Snapshot, batches::Batches, batches::blocking};
use crate::vocab::{DatasetId, Schema};

/// How long the first attempt waits for one file before it lets the writer through; each further one
/// waits twice as long, up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(320);

/// A snapshot over all files of a place.
pub(super) struct SqliteSnapshot {
    place: Place,
    pools: BTreeMap<String, Arc<Pool<Connection>>>,
}

impl SqliteSnapshot {
    /// Takes it; blocks up to the place's patience.
    pub(super) fn take(place: &Place) -> Result<Self, ConnectorError> {
        place.must_exist()?;
        let schemas: Vec<String> = place.schemas()?.into_keys().collect();
        let (begun, mut wait) = (Instant::now(), FIRST_WAIT);
        loop {
            match attempt(place, &schemas, wait)? {
                Ok(pools) => return Ok(SqliteSnapshot { place: place.clone(), pools }),
                Err(Disturbed(last)) if begun.elapsed() > place.busy => return Err(engine("take a snapshot", last)),
                Err(Disturbed(_)) => {
                    std::thread::sleep(FIRST_WAIT);
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }

    fn pool(&self, table: &DatasetId) -> Result<(Arc<Pool<Connection>>, String, String), ConnectorError> {
        let (schema, name) = self.place.names(table);
        let pool = self.pools.get(&schema).ok_or_else(|| ConnectorError::NoSuchTable(table.clone()))?;
        Ok((pool.clone(), schema, name))
    }
}

/// A writer came in between.
struct Disturbed(rusqlite::Error);

type Pools = BTreeMap<String, Arc<Pool<Connection>>>;

/// One try to fix the state of all files; the inner error says to try again.
fn attempt(place: &Place, schemas: &[String], wait: Duration) -> Result<Result<Pools, Disturbed>, ConnectorError> {
    let mut opened = BTreeMap::new();
    for schema in schemas {
        let connections: Result<Vec<Connection>, ConnectorError> =
            (0..STREAMS).map(|_| place.open(schema, Access::Read)).collect();
        opened.insert(schema.clone(), connections?);
    }
    let guards = guards(place, &opened)?;
    let tried = (|| -> rusqlite::Result<()> {
        for guard in &guards {
            guard.busy_timeout(wait)?;
            guard.execute_batch("BEGIN IMMEDIATE")?;
        }
        // One lock a file first: with it, further ones of this process are SQLite's to give at once.
        for turn in 0..STREAMS {
            for (schema, connections) in &opened {
                connections.get(turn).map_or(Ok(()), |connection| pin(connection, schema, wait))?;
            }
        }
        Ok(())
    })();
    match tried {
        Ok(()) => {
            let pools = opened.into_iter().map(|(schema, connections)| (schema, Arc::new(Pool::of(connections))));
            Ok(Ok(pools.collect()))
        }
        Err(error) if is_busy(&error) => Ok(Err(Disturbed(error))),
        Err(error) => Err(engine("take a snapshot", error)),
    }
}

/// A connection for the write lock of every file in WAL mode, where there is more than one file.
fn guards(place: &Place, opened: &BTreeMap<String, Vec<Connection>>) -> Result<Vec<Connection>, ConnectorError> {
    let mut guards = Vec::new();
    for (schema, connections) in opened.iter().filter(|_| opened.len() > 1) {
        let Some(first) = connections.first() else { continue };
        let sql = format!("PRAGMA {}.journal_mode", quoted(schema));
        let mode: String = first.query_row(&sql, [], |row| row.get(0)).map_err(|e| engine("take a snapshot", e))?;
        if mode == "wal" {
            guards.push(place.open(schema, Access::Write)?);
        }
    }
    Ok(guards)
}

/// Begins a transaction and reads, so that the file's state is fixed for this connection.
fn pin(connection: &Connection, schema: &str, wait: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(wait)?;
    connection.execute_batch("BEGIN")?;
    connection.query_row(&format!("SELECT count(*) FROM {}.sqlite_schema", quoted(schema)), [], |_| Ok(()))
}

#[async_trait]
impl Snapshot for SqliteSnapshot {
    async fn count(&mut self, table: &DatasetId) -> Result<u64, ConnectorError> {
        let (pool, schema, name) = self.pool(table)?;
        let id = table.clone();
        let work = move |connection: &Connection| {
            let found = find(connection, &schema, &name)?.ok_or_else(|| ConnectorError::NoSuchTable(id.clone()))?;
            let sql = format!("SELECT count(*) FROM {}", qualified(&found.schema, &found.name));
            let count = connection.query_row(&sql, [], |row| row.get::<_, i64>(0));
            Ok(count.map_err(|e| engine(format!("count the rows of `{id}`"), e))?.unsigned_abs())
        };
        blocking(move || pool.with(work)).await
    }

    async fn rows(&mut self, table: &DatasetId, schema: &Schema) -> Result<RowStream, ConnectorError> {
        let (pool, schema_name, name) = self.pool(table)?;
        let (id, schema, planning) = (table.clone(), schema.clone(), pool.clone());
        let reading =
            blocking(move || planning.with(|connection| Reading::of(connection, &id, (&schema_name, &name), &schema)));
        let reading = reading.await?;
        let (mut batches, stream) = Batches::stream();
        tokio::task::spawn_blocking(move || {
            let outcome = pool.with(|connection| reading.send(connection, &mut batches));
            batches.finish(outcome);
        });
        Ok(stream)
    }
}
