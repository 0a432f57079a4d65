//! Where the files are, and how they are opened.
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, OpenFlags};

use super::trouble::{engine, refused};
use crate::connector::{ConnectorError, address::Address, system::failed};
use crate::vocab::DatasetId;

/// How long a locked file is waited for when the address says nothing else.
const BUSY_MS: u64 = 10_000;
/// Files SQLite attaches to one connection at most, as it is built by default.
const MOST_ATTACHED: usize = 10;
/// Names by which one file is known from a folder that is not there yet.
const FILE_ENDINGS: [&str; 4] = ["db", "sqlite", "sqlite3", "db3"];

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Read files that exist.
    Read,
    /// Write files that exist.
    Write,
    /// Write files, made where they are missing.
    Create,
}

/// One SQLite file (schema `main`), or a folder with the file `<schema>.db` for every schema.
#[derive(Clone, Debug)]
pub(super) struct Place {
    path: Utf8PathBuf,
    /// The address without secrets, for messages.
    shown: String,
    one_file: bool,
    /// Whether what a killed writer left is rolled back: in carve's own lake, not in other people's files.
    mends: bool,
    /// How long a locked file is waited for.
    pub(super) busy: Duration,
}

impl Place {
    /// The place that `address` names; nothing is opened.
    pub(super) fn at(address: &Address, base: &Utf8Path, mends: bool) -> Result<Self, ConnectorError> {
        address.only(&["busy_timeout_ms"])?;
        let path = address.path(base);
        let named_like_a_file = path.extension().is_some_and(|e| FILE_ENDINGS.contains(&e.to_lowercase().as_str()));
        let one_file = path.is_file() || (named_like_a_file && !path.is_dir());
        let busy = Duration::from_millis(address.number("busy_timeout_ms")?.unwrap_or(BUSY_MS).min(86_400_000));
        Ok(Place { path, shown: address.shown.clone(), one_file, mends, busy })
    }

    /// Schema and table that `table` names here; `main` where it names no schema.
    pub(super) fn names(&self, table: &DatasetId) -> (String, String) {
        match table.bare_schema() {
            // In one file a dot can only be part of the table's own name.
            Some(_) if self.one_file && table.schema() != Some("main") => ("main".to_owned(), table.name().to_owned()),
            Some(schema) => (schema.to_owned(), table.table().to_owned()),
            None => ("main".to_owned(), table.table().to_owned()),
        }
    }

    /// Every schema there is, with its file.
    pub(super) fn schemas(&self) -> Result<BTreeMap<String, Utf8PathBuf>, ConnectorError> {
        let doing = || format!("read the folder of `{}`", self.shown);
        if self.one_file {
            let found = self.path.is_file().then(|| ("main".to_owned(), self.path.clone()));
            return Ok(found.into_iter().collect());
        }
        let entries = self.path.read_dir_utf8().map_err(|e| failed(doing(), e))?;
        let mut schemas = BTreeMap::new();
        for entry in entries {
            let path = entry.map_err(|e| failed(doing(), e))?.into_path();
            let hidden = path.file_name().is_none_or(|name| name.starts_with('.'));
            if let (false, Some("db"), Some(stem)) = (hidden, path.extension(), path.file_stem()) {
                schemas.insert(stem.to_lowercase(), path);
            }
        }
        Ok(schemas)
    }

    /// The file of `schema`, whether it is there or not.
    pub(super) fn file_of(&self, schema: &str) -> Result<Utf8PathBuf, ConnectorError> {
        if self.one_file {
            return Ok(self.path.clone());
        }
        let plain = !schema.is_empty() && schema.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        if !plain || matches!(schema, "temp" | "sqlite") {
            let why = "a schema is a file of its own here: letters, digits, `_` and `-` only, and not `temp`";
            return Err(refused(format!("use the schema `{}`", schema.escape_debug()), why));
        }
        Ok(self.schemas()?.remove(schema).unwrap_or_else(|| self.path.join(format!("{schema}.db"))))
    }

    /// Whether the place and at least the named schema's file are there.
    pub(super) fn has(&self, schema: &str) -> Result<bool, ConnectorError> {
        Ok(self.file_of(schema)?.is_file())
    }

    /// Says that the place is not there, if it is not.
    pub(super) fn must_exist(&self) -> Result<(), ConnectorError> {
        let (there, what) = match self.one_file {
            true => (self.path.is_file(), "file"),
            false => (self.path.is_dir(), "folder"),
        };
        match there {
            true => Ok(()),
            false => Err(refused(format!("open `{}`", self.shown), format!("there is no such {what}"))),
        }
    }

    /// The folder that holds the files.
    pub(super) fn folder(&self) -> &Utf8Path {
        match self.one_file {
            true => self.path.parent().filter(|p| !p.as_str().is_empty()).unwrap_or(Utf8Path::new(".")),
            false => &self.path,
        }
    }

    /// A connection in which `schema` goes by its name.
    ///
    /// Even alone, a file is attached under its own schema's name: a view in it may say `raw.orders`,
    /// and SQLite calls the whole file malformed when it is opened under another name.
    pub(super) fn open(&self, schema: &str, access: Access) -> Result<Connection, ConnectorError> {
        let file = self.file_of(schema)?;
        if schema == "main" {
            return self.connect(&file, access);
        }
        let connection = self.memory()?;
        self.attach(&connection, schema, &file, access)?;
        Ok(connection)
    }

    /// A connection in which every schema goes by its name, those in `new` too. Where there are more
    /// files than SQLite attaches, those whose names occur in `text` are taken.
    ///
    /// With [`Access::Create`] `main.db` is the connection's own file: only then does SQLite commit a
    /// transaction over several files as one, even through a crash.
    pub(super) fn open_all(
        &self,
        text: &str,
        access: Access,
        new: &BTreeSet<String>,
    ) -> Result<Connection, ConnectorError> {
        let mut schemas = self.schemas()?;
        for schema in new {
            schemas.insert(schema.clone(), self.file_of(schema)?);
        }
        let main = schemas.remove("main");
        let connection = match (main, access) {
            (Some(file), _) => self.connect(&file, access)?,
            (None, Access::Create) => self.connect(&self.file_of("main")?, access)?,
            (None, _) => self.memory()?,
        };
        if schemas.len() > MOST_ATTACHED {
            let text = text.to_lowercase();
            schemas.retain(|schema, _| text.contains(schema.as_str()));
        }
        for (schema, file) in &schemas {
            self.attach(&connection, schema, file, access)?;
        }
        Ok(connection)
    }

    fn connect(&self, file: &Utf8Path, access: Access) -> Result<Connection, ConnectorError> {
        let flags = match access {
            Access::Read if self.mends => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Access::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        };
        let flags = flags | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let doing = || format!("open the SQLite file `{}`", file.file_name().unwrap_or_default());
        let connection = Connection::open_with_flags(self.uri(file, access), flags).map_err(|e| engine(doing(), e))?;
        self.settle(&connection).map_err(|e| engine(doing(), e))?;
        Ok(connection)
    }

    fn memory(&self) -> Result<Connection, ConnectorError> {
        let connection = Connection::open_in_memory().map_err(|e| engine("open SQLite", e))?;
        self.settle(&connection).map_err(|e| engine("open SQLite", e))?;
        Ok(connection)
    }

    /// Attaches `file` to `connection` as `schema`.
    fn attach(
        &self,
        connection: &Connection,
        schema: &str,
        file: &Utf8Path,
        access: Access,
    ) -> Result<(), ConnectorError> {
        let sql = format!("ATTACH ?1 AS {}", quoted(schema));
        let attached = connection.execute(&sql, [self.uri(file, access)]);
        attached.map_err(|e| engine(format!("open the SQLite file `{schema}.db`"), e))?;
        Ok(())
    }

    fn uri(&self, file: &Utf8Path, access: Access) -> String {
        let mode = match access {
            Access::Read if self.mends => "rw",
            Access::Read => "ro",
            Access::Write => "rw",
            Access::Create => "rwc",
        };
        let mut path = String::new();
        for c in file.as_str().chars() {
            match c {
                '%' | '?' | '#' => path.push_str(&format!("%{:02X}", u32::from(c))),
                c => path.push(c),
            }
        }
        format!("file:{path}?mode={mode}")
    }

    /// What holds for every connection: patience, SQLite's own default of unchecked foreign keys, and
    /// renames that leave views and triggers alone, so that they keep reading a name, not a table.
    fn settle(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.busy_timeout(self.busy)?;
        connection.execute_batch("PRAGMA foreign_keys=OFF; PRAGMA legacy_alter_table=ON;")
    }
}

/// `name` as SQL writes an identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `schema.table` as SQL writes it.
pub(super) fn qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", quoted(schema), quoted(table))
}
