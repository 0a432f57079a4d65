//! One file is opened once a process: DuckDB's connections to it share what was opened.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use ::duckdb::{AccessMode, Config, Connection, params_from_iter};
use camino::Utf8PathBuf;

use super::place::Place;
use super::trouble::{engine, is_busy, refused};
use crate::connector::ConnectorError;

/// How long after a failed attempt to open the file the next one is made.
const RETRY: Duration = Duration::from_millis(100);

/// What is done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// It is only read, beside other readers.
    Read,
    /// It is written, by this process alone.
    Write,
}

/// The files that this process has open.
static OPEN: Mutex<BTreeMap<Utf8PathBuf, Weak<Instance>>> = Mutex::new(BTreeMap::new());

/// A file that is open in this process.
#[derive(Debug)]
pub(super) struct Instance {
    first: Mutex<Connection>,
    access: Access,
    /// The name of the file's database within DuckDB.
    catalog: String,
    /// Writers take turns: DuckDB would let them go on and fail one of them at its commit.
    turn: Mutex<()>,
}

impl Instance {
    /// The file at `place`; shared where this process has it open already.
    pub(super) fn of(place: &Place) -> Result<Arc<Instance>, ConnectorError> {
        let doing = || format!("open `{}`", place.shown);
        let path = place.path.canonicalize_utf8().map_err(|e| crate::connector::system::failed(doing(), e))?;
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(instance) = open.get(&path).and_then(Weak::upgrade) {
            if instance.access == Access::Read && place.access == Access::Write {
                let why = "this run reads the same file as a source: name the lake as the origin instead";
                return Err(refused(doing(), why));
            }
            return Ok(instance);
        }
        let first = patient(&path, place).map_err(|e| engine(doing(), e))?;
        let catalog = first.query_row("SELECT current_database()", [], |row| row.get(0));
        let catalog = catalog.map_err(|e| engine(doing(), e))?;
        let instance =
            Arc::new(Instance { first: Mutex::new(first), access: place.access, catalog, turn: Mutex::new(()) });
        open.retain(|_, other| other.strong_count() > 0);
        open.insert(path, Arc::downgrade(&instance));
        Ok(instance)
    }

    /// A further connection, with its own transactions.
    pub(super) fn session(self: &Arc<Self>) -> Result<Session, ConnectorError> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = first.try_clone().map_err(|e| engine("open a further connection", e))?;
        drop(first);
        // Without its calendar extension DuckDB refuses the setting, and knows no other zone either.
        let _ = connection.execute_batch("SET TimeZone = 'UTC'");
        Ok(Session { connection, instance: self.clone() })
    }
}

/// Opens the file; tries again while another process holds it, as long as the place has patience.
fn patient(path: &Utf8PathBuf, place: &Place) -> ::duckdb::Result<Connection> {
    let begun = Instant::now();
    loop {
        let mode = match place.access {
            Access::Read => AccessMode::ReadOnly,
            Access::Write => AccessMode::ReadWrite,
        };
        // Nothing is fetched from the network unasked.
        let config = Config::default().access_mode(mode)?.with("autoinstall_known_extensions", "false")?;
        match Connection::open_with_flags(path, config) {
            Err(error) if is_busy(&error) && begun.elapsed() < place.busy => std::thread::sleep(RETRY),
            outcome => return outcome,
        }
    }
}

/// A connection of its own; what it has not committed is taken back when it goes.
#[derive(Debug)]
pub(super) struct Session {
    // Before the instance, so that it goes first.
    pub(super) connection: Connection,
    instance: Arc<Instance>,
}

impl Session {
    /// Waits for the other writers of this process.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.instance.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of the file's database within DuckDB.
    pub(super) fn catalog(&self) -> &str {
        &self.instance.catalog
    }

    /// Runs statements that answer nothing.
    pub(super) fn run(&self, sql: &str) -> ::duckdb::Result<()> {
        self.connection.execute_batch(sql)
    }

    /// Runs one statement with `arguments` in the places of its question marks.
    pub(super) fn run_with(&self, sql: &str, arguments: &[&str]) -> ::duckdb::Result<()> {
        self.connection.execute(sql, params_from_iter(arguments)).map(|_| ())
    }

    /// The rows of a query whose columns are all text.
    pub(super) fn texts(&self, sql: &str, arguments: &[&str]) -> ::duckdb::Result<Vec<Vec<Option<String>>>> {
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query(params_from_iter(arguments))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let columns = row.as_ref().column_count();
            found.push((0..columns).map(|at| row.get(at)).collect::<::duckdb::Result<_>>()?);
        }
        Ok(found)
    }

    /// The first column of such a query, NULLs left out.
    pub(super) fn column(&self, sql: &str, arguments: &[&str]) -> ::duckdb::Result<Vec<String>> {
        Ok(self.texts(sql, arguments)?.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }
}
