//! What carve keeps beside its tables, in the same file, so that one transaction covers both: which tables it
//! made, which parts they hold, and small notes. They have no keys: within one transaction DuckDB's keys still
//! hold what was deleted before, and this process's writers take turns anyway.
use ::duckdb::Result;

use super::catalog::quoted;
use super::instance::Session;

/// The schema they are in.
const SCHEMA: &str = "carve";

/// A table's name in the books: `raw.orders`, lower case.
pub(super) fn entry(schema: &str, table: &str) -> String {
    format!("{}.{}", schema.to_lowercase(), table.to_lowercase())
}

fn book(session: &Session, name: &str) -> String {
    super::catalog::qualified(session.catalog(), SCHEMA, name)
}

/// Makes the books where they are missing.
pub(super) fn open(session: &Session) -> Result<()> {
    let schema = format!("{}.{}", quoted(session.catalog()), quoted(SCHEMA));
    let [tables, ledger, notes] = ["tables", "ledger", "notes"].map(|name| book(session, name));
    session.run(&format!(
        "CREATE SCHEMA IF NOT EXISTS {schema};
         CREATE TABLE IF NOT EXISTS {tables} (name VARCHAR NOT NULL, made_as VARCHAR NOT NULL);
         CREATE TABLE IF NOT EXISTS {ledger} (table_name VARCHAR NOT NULL, part VARCHAR NOT NULL, row_count VARCHAR NOT NULL);
         CREATE TABLE IF NOT EXISTS {notes} (key VARCHAR NOT NULL, value VARCHAR NOT NULL);"
    ))
}

/// Whether there are books yet.
fn there(session: &Session) -> Result<bool> {
    let sql =
        "SELECT table_name FROM duckdb_tables() WHERE database_name = $1 AND schema_name = $2 AND table_name = 'notes'";
    Ok(!session.column(sql, &[session.catalog(), SCHEMA])?.is_empty())
}

/// The first column of what one of the books has for `argument`.
fn look(session: &Session, name: &str, rest: &str, argument: &str) -> Result<Vec<String>> {
    if !there(session)? {
        return Ok(Vec::new());
    }
    session.column(&rest.replace("%BOOK%", &book(session, name)), &[argument])
}

/// The name under which carve made `table`; `None` when it did not make it.
pub(super) fn made_as(session: &Session, table: &str) -> Result<Option<String>> {
    Ok(look(session, "tables", "SELECT made_as FROM %BOOK% WHERE name = $1", table)?.pop())
}

/// Notes that carve made `table`.
pub(super) fn made(session: &Session, table: &str) -> Result<()> {
    session.run_with(&format!("INSERT INTO {} VALUES ($1, $2)", book(session, "tables")), &[table, table])
}

/// Forgets `table` and its parts.
pub(super) fn forget(session: &Session, table: &str) -> Result<()> {
    if !there(session)? {
        return Ok(());
    }
    session.run_with(&format!("DELETE FROM {} WHERE name = $1", book(session, "tables")), &[table])?;
    session.run_with(&format!("DELETE FROM {} WHERE table_name = $1", book(session, "ledger")), &[table])
}

/// Follows the renaming of a table.
pub(super) fn renamed(session: &Session, from: &str, to: &str) -> Result<()> {
    if !there(session)? {
        return Ok(());
    }
    forget(session, to)?;
    session.run_with(&format!("UPDATE {} SET name = $2 WHERE name = $1", book(session, "tables")), &[from, to])?;
    let sql = format!("UPDATE {} SET table_name = $2 WHERE table_name = $1", book(session, "ledger"));
    session.run_with(&sql, &[from, to])
}

/// Parts that `table` holds, sorted.
pub(super) fn parts(session: &Session, table: &str) -> Result<Vec<String>> {
    look(session, "ledger", "SELECT part FROM %BOOK% WHERE table_name = $1 ORDER BY part COLLATE \"C\"", table)
}

/// Enters `part` with its rows; false when it is there already.
pub(super) fn enter(session: &Session, table: &str, part: &str, rows: u64) -> Result<bool> {
    let ledger = book(session, "ledger");
    let there = format!("SELECT part FROM {ledger} WHERE table_name = $1 AND part = $2");
    if !session.column(&there, &[table, part])?.is_empty() {
        return Ok(false);
    }
    let sql = format!("INSERT INTO {ledger} VALUES ($1, $2, $3)");
    session.run_with(&sql, &[table, part, &rows.to_string()])?;
    Ok(true)
}

/// Forgets the note `key`.
pub(super) fn forget_note(session: &Session, key: &str) -> Result<()> {
    match there(session)? {
        true => session.run_with(&format!("DELETE FROM {} WHERE key = $1", book(session, "notes")), &[key]),
        false => Ok(()),
    }
}

/// Takes the books away where nothing is written in them and nothing else lies in their schema, in a transaction of its
/// own. What keeps them from being taken away is no fault: they stay, empty.
pub(super) fn close(session: &Session) {
    let [tables, ledger, notes] = ["tables", "ledger", "notes"].map(|name| book(session, name));
    let schema = format!("{}.{}", quoted(session.catalog()), quoted(SCHEMA));
    let closed = || -> Result<()> {
        let filled =
            format!("SELECT name FROM {tables} UNION ALL SELECT part FROM {ledger} UNION ALL SELECT key FROM {notes}");
        if !there(session)? || !session.column(&filled, &[])?.is_empty() {
            return Ok(());
        }
        // DROP SCHEMA takes nothing with it that somebody else keeps there.
        session.run(&format!(
            "BEGIN TRANSACTION; DROP TABLE {tables}; DROP TABLE {ledger}; DROP TABLE {notes}; DROP SCHEMA {schema}; COMMIT"
        ))
    };
    if closed().is_err() {
        // Where none is open there is nothing to take back.
        let _ = session.run("ROLLBACK");
    }
}

/// The note `key`.
pub(super) fn note(session: &Session, key: &str) -> Result<Option<String>> {
    Ok(look(session, "notes", "SELECT value FROM %BOOK% WHERE key = $1", key)?.pop())
}

/// Keeps the note `key`.
pub(super) fn set_note(session: &Session, key: &str, value: &str) -> Result<()> {
    open(session)?;
    session.run_with(&format!("DELETE FROM {} WHERE key = $1", book(session, "notes")), &[key])?;
    session.run_with(&format!("INSERT INTO {} VALUES ($1, $2)", book(session, "notes")), &[key, value])
}
