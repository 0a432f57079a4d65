//! One state of all files.
//!
//! A reader in SQLite's rollback-journal mode holds a shared lock from its first read to the end of
//! its transaction, and no writer commits to a file while anyone holds one. So once every file is
//! locked nothing can change, and no file changed after its own lock: the state is that of the moment
//! the last lock was taken. A transaction over several files needs all of them at its commit, so it is
//! seen whole or not at all. In WAL mode writers go on while readers keep the state they first saw;
//! there `data_version`, asked before the first and after the last file, tells whether anyone
//! committed in between, and then all is done again.
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rusqlite::Connection;

use super::place::{Access, Place, qualified, quoted};
use super::rows::Reading;
use super::tables::find;
use super::trouble::{engine, is_busy, refused};
use crate::connector::{ConnectorError, RowStream, Snapshot, batches::Batches, batches::blocking};
use crate::vocab::{DatasetId, Schema};

/// Streams of one file that can be open at a time: each needs a connection of its own, and new ones
/// could see a later state.
const STREAMS: usize = 4;
/// How long a further stream waits for one of the others to be read to its end.
const STREAM_WAIT: Duration = Duration::from_secs(30);
/// How long one attempt waits for one file before it lets the writer through.
const ATTEMPT: Duration = Duration::from_millis(250);

/// A snapshot over all files of a place.
pub(super) struct SqliteSnapshot {
    place: Place,
    pools: BTreeMap<String, Arc<Pool>>,
}

impl SqliteSnapshot {
    /// Takes it; blocks up to the place's patience.
    pub(super) fn take(place: &Place) -> Result<Self, ConnectorError> {
        place.must_exist()?;
        let schemas: Vec<String> = place.schemas()?.into_keys().collect();
        let begun = Instant::now();
        loop {
            match attempt(place, &schemas)? {
                Ok(pools) => return Ok(SqliteSnapshot { place: place.clone(), pools }),
                Err(Disturbed(last)) if begun.elapsed() > place.busy => {
                    return Err(match last {
                        Some(error) => engine("take a snapshot", error),
                        None => refused("take a snapshot", "writers commit too often: run carve when it is quieter"),
                    });
                }
                Err(Disturbed(_)) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn pool(&self, table: &DatasetId) -> Result<(Arc<Pool>, String, String), ConnectorError> {
        let (schema, name) = self.place.names(table);
        let pool = self.pools.get(&schema).ok_or_else(|| ConnectorError::NoSuchTable(table.clone()))?;
        Ok((pool.clone(), schema, name))
    }
}

/// A writer came in between.
struct Disturbed(Option<rusqlite::Error>);

type Pools = BTreeMap<String, Arc<Pool>>;

/// One try to fix the state of all files; the inner error says to try again.
fn attempt(place: &Place, schemas: &[String]) -> Result<Result<Pools, Disturbed>, ConnectorError> {
    let mut watchers = Vec::new();
    let mut opened = BTreeMap::new();
    for schema in schemas {
        let connections: Result<Vec<Connection>, ConnectorError> =
            (0..STREAMS).map(|_| place.open(schema, Access::Read)).collect();
        opened.insert(schema.clone(), connections?);
    }
    let tried = (|| -> rusqlite::Result<bool> {
        for (schema, connections) in &opened {
            connections.iter().try_for_each(|connection| connection.busy_timeout(ATTEMPT))?;
            let mode: String =
                connections[0].query_row(&format!("PRAGMA {}.journal_mode", quoted(schema)), [], |row| row.get(0))?;
            if mode == "wal" {
                watchers.push(Watcher::over(place, schema)?);
            }
        }
        for (schema, connections) in &opened {
            connections.iter().try_for_each(|connection| pin(connection, schema))?;
        }
        watchers.iter().try_fold(true, |quiet, watcher| Ok(quiet && watcher.is_quiet()?))
    })();
    match tried {
        Ok(true) => {
            let pools = opened.into_iter().map(|(schema, connections)| (schema, Arc::new(Pool::of(connections))));
            Ok(Ok(pools.collect()))
        }
        Ok(false) => Ok(Err(Disturbed(None))),
        Err(error) if is_busy(&error) => Ok(Err(Disturbed(Some(error)))),
        Err(error) => Err(engine("take a snapshot", error)),
    }
}

/// Begins a transaction and reads, so that the file's state is fixed for this connection.
fn pin(connection: &Connection, schema: &str) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN")?;
    connection.query_row(&format!("SELECT count(*) FROM {}.sqlite_schema", quoted(schema)), [], |_| Ok(()))
}

/// Sees whether anyone committed to a file in WAL mode.
struct Watcher {
    connection: Connection,
    schema: String,
    version: i64,
}

impl Watcher {
    fn over(place: &Place, schema: &str) -> rusqlite::Result<Self> {
        let open = place.open(schema, Access::Read);
        let connection = open.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let version = data_version(&connection, schema)?;
        Ok(Watcher { connection, schema: schema.to_owned(), version })
    }

    fn is_quiet(&self) -> rusqlite::Result<bool> {
        Ok(data_version(&self.connection, &self.schema)? == self.version)
    }
}

fn data_version(connection: &Connection, schema: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA {}.data_version", quoted(schema)), [], |row| row.get(0))
}

/// Connections to one file that all see the same state.
struct Pool {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl Pool {
    fn of(connections: Vec<Connection>) -> Self {
        Pool { idle: Mutex::new(connections), returned: Condvar::new() }
    }

    /// Borrows one for `work`; waits while all are busy.
    fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T, ConnectorError>) -> Result<T, ConnectorError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.returned.wait_timeout_while(idle, STREAM_WAIT, |idle| idle.is_empty());
        let connection = waited.unwrap_or_else(PoisonError::into_inner).0.pop().ok_or_else(|| {
            let why = format!("{STREAMS} streams of this file are open: read them to their end or drop them first");
            refused("read a further table of this snapshot", why)
        })?;
        let outcome = work(&connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        self.returned.notify_one();
        outcome
    }
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
