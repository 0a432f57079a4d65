//! What carve keeps beside its tables, in the same file, so that one transaction covers both: which
//! tables it made, which parts they hold, and small notes.
use rusqlite::{Connection, OptionalExtension, params};

use super::place::quoted;

/// The books of one schema.
pub(super) struct Books<'c> {
    connection: &'c Connection,
    schema: String,
}

impl<'c> Books<'c> {
    /// The books of `schema`, which are made by [`Books::open`].
    pub(super) fn of(connection: &'c Connection, schema: &str) -> Self {
        Books { connection, schema: quoted(schema) }
    }

    /// Makes the books where they are missing.
    pub(super) fn open(&self) -> rusqlite::Result<()> {
        let schema = &self.schema;
        self.connection.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS {schema}.carve_tables (name TEXT PRIMARY KEY, made_as TEXT NOT NULL) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS {schema}.carve_ledger (
               table_name TEXT, part TEXT, row_count INTEGER NOT NULL, PRIMARY KEY (table_name, part)) WITHOUT ROWID;"
        ))
    }

    /// Whether there are books yet.
    pub(super) fn there(&self) -> rusqlite::Result<bool> {
        let sql = format!("SELECT count(*) FROM {}.sqlite_schema WHERE name = 'carve_ledger'", self.schema);
        self.connection.query_row(&sql, [], |row| row.get(0))
    }

    /// The name under which carve made `table`; `None` when it did not make it.
    pub(super) fn made_as(&self, table: &str) -> rusqlite::Result<Option<String>> {
        if !self.there()? {
            return Ok(None);
        }
        let sql = format!("SELECT made_as FROM {}.carve_tables WHERE name = ?1", self.schema);
        self.connection.query_row(&sql, [table], |row| row.get(0)).optional()
    }

    /// Notes that carve made `table`.
    pub(super) fn made(&self, table: &str) -> rusqlite::Result<()> {
        let sql = format!("INSERT OR REPLACE INTO {}.carve_tables VALUES (?1, ?1)", self.schema);
        self.connection.execute(&sql, [table]).map(|_| ())
    }

    /// Forgets `table` and its parts.
    pub(super) fn forget(&self, table: &str) -> rusqlite::Result<()> {
        if !self.there()? {
            return Ok(());
        }
        let schema = &self.schema;
        self.connection.execute(&format!("DELETE FROM {schema}.carve_tables WHERE name = ?1"), [table])?;
        self.connection.execute(&format!("DELETE FROM {schema}.carve_ledger WHERE table_name = ?1"), [table])?;
        Ok(())
    }

    /// Takes the books away where nothing is written in them any more.
    pub(super) fn close(&self) -> rusqlite::Result<()> {
        if !self.there()? {
            return Ok(());
        }
        let schema = &self.schema;
        let filled = format!(
            "SELECT EXISTS (SELECT 1 FROM {schema}.carve_tables) OR EXISTS (SELECT 1 FROM {schema}.carve_ledger)"
        );
        match self.connection.query_row(&filled, [], |row| row.get(0))? {
            true => Ok(()),
            false => self
                .connection
                .execute_batch(&format!("DROP TABLE {schema}.carve_tables; DROP TABLE {schema}.carve_ledger;")),
        }
    }

    /// Follows the renaming of a table.
    pub(super) fn renamed(&self, from: &str, to: &str) -> rusqlite::Result<()> {
        if !self.there()? {
            return Ok(());
        }
        self.forget(to)?;
        let schema = &self.schema;
        self.connection.execute(&format!("UPDATE {schema}.carve_tables SET name = ?2 WHERE name = ?1"), [from, to])?;
        let sql = format!("UPDATE {schema}.carve_ledger SET table_name = ?2 WHERE table_name = ?1");
        self.connection.execute(&sql, [from, to])?;
        Ok(())
    }

    /// Parts that `table` holds, sorted.
    pub(super) fn parts(&self, table: &str) -> rusqlite::Result<Vec<String>> {
        if !self.there()? {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT part FROM {}.carve_ledger WHERE table_name = ?1 ORDER BY part", self.schema);
        self.connection.prepare(&sql)?.query_map([table], |row| row.get(0))?.collect()
    }

    /// Enters `part` with its rows; false when it is there already.
    pub(super) fn enter(&self, table: &str, part: &str, rows: u64) -> rusqlite::Result<bool> {
        let sql = format!("INSERT OR IGNORE INTO {}.carve_ledger VALUES (?1, ?2, ?3)", self.schema);
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        self.connection.execute(&sql, params![table, part, rows]).map(|entered| entered == 1)
    }
}

/// Whether there is a note yet.
fn notes_there(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM main.sqlite_schema WHERE name = 'carve_notes'";
    connection.query_row(sql, [], |row| row.get(0))
}

/// The note `key`.
pub(super) fn note(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    if !notes_there(connection)? {
        return Ok(None);
    }
    connection.query_row("SELECT value FROM main.carve_notes WHERE key = ?1", [key], |row| row.get(0)).optional()
}

/// Keeps the note `key`.
pub(super) fn set_note(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    let table = "CREATE TABLE IF NOT EXISTS main.carve_notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";
    connection.execute_batch(table)?;
    connection.execute("INSERT OR REPLACE INTO main.carve_notes VALUES (?1, ?2)", [key, value]).map(|_| ())
}

/// Forgets the note `key`, and takes the notes away with the last of them.
pub(super) fn forget_note(connection: &Connection, key: &str) -> rusqlite::Result<()> {
    if !notes_there(connection)? {
        return Ok(());
    }
    connection.execute("DELETE FROM main.carve_notes WHERE key = ?1", [key])?;
    match connection.query_row("SELECT EXISTS (SELECT 1 FROM main.carve_notes)", [], |row| row.get(0))? {
        true => Ok(()),
        false => connection.execute_batch("DROP TABLE main.carve_notes"),
    }
}
