//! Scripts of the estate's own jobs: all statements in one transaction.
use std::collections::BTreeSet;

use camino::Utf8Path;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, Connection, Error, Statement};

use super::place::{Access, Place};
use super::trouble::{engine, refused};
use crate::connector::ConnectorError;
use crate::connector::words::skip_blank;

/// Schemas a script may bring into being; each costs one more try.
const MOST_NEW_SCHEMAS: usize = 20;

/// Runs `script`, all of it or nothing. A schema that it creates a table in becomes a file.
pub(super) fn execute(place: &Place, script: &str) -> Result<(), ConnectorError> {
    place.must_exist()?;
    let before = place.schemas()?;
    let mut new = BTreeSet::new();
    let outcome = tries(place, script, &mut new);
    if outcome.is_err() {
        // Files that SQLite made for a script that then failed are empty: they would be schemas.
        for schema in new.iter().filter(|schema| !before.contains_key(*schema)) {
            remove_empty(&place.file_of(schema)?);
        }
    }
    outcome
}

fn remove_empty(file: &Utf8Path) {
    if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
        // An empty file that stays is an empty schema, which does no harm.
        let _ = std::fs::remove_file(file);
    }
}

/// Runs the script until no schema is missing any more; SQLite tells of one at a time.
fn tries(place: &Place, script: &str, new: &mut BTreeSet<String>) -> Result<(), ConnectorError> {
    for _ in 0..=MOST_NEW_SCHEMAS {
        let connection = place.open_all(script, Access::Create, new)?;
        // Dropping the connection takes back whatever was done before it failed.
        let Err(failed) = run(&connection, script) else { return Ok(()) };
        match failed.missing_schema() {
            Some(schema) if new.insert(schema.clone()) => place.file_of(&schema).map(|_| ())?,
            _ => return Err(failed.into_error(script)),
        }
    }
    Err(refused("run a script", format!("it creates tables in more than {MOST_NEW_SCHEMAS} new schemas")))
}

/// Where a script failed, and why.
struct Failed {
    statement: usize,
    begins_at: usize,
    cause: Cause,
}

enum Cause {
    Sqlite(Error),
    Refused(&'static str),
}

impl Failed {
    /// The schema that has no file yet, when that is the cause.
    fn missing_schema(&self) -> Option<String> {
        let Cause::Sqlite(error) = &self.cause else { return None };
        let text = match error {
            Error::SqlInputError { msg, .. } => msg,
            Error::SqliteFailure(_, Some(msg)) => msg,
            _ => return None,
        };
        Some(text.strip_prefix("unknown database ")?.trim_matches('"').to_lowercase())
    }

    fn into_error(self, script: &str) -> ConnectorError {
        let rest = skip_blank(script.get(self.begins_at..).unwrap_or_default());
        let line = script[..script.len() - rest.len()].matches('\n').count() + 1;
        let doing = format!("run statement {} of the script (line {line})", self.statement);
        match self.cause {
            Cause::Sqlite(error) => engine(doing, error),
            Cause::Refused(why) => refused(doing, why),
        }
    }
}

fn run(connection: &Connection, script: &str) -> Result<(), Failed> {
    let (mut statement, mut begins_at) = (0, 0);
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    begun.map_err(|error| Failed { statement, begins_at, cause: Cause::Sqlite(error) })?;
    let mut batch = Batch::new(connection, script);
    loop {
        let failed = |cause| Failed { statement: statement + 1, begins_at, cause };
        let Some(mut next) = batch.next().map_err(|e| failed(Cause::Sqlite(e)))? else { break };
        let sql = next.expanded_sql().unwrap_or_default();
        match control(&sql) {
            Control::None => step_through(&mut next).map_err(|e| failed(Cause::Sqlite(e)))?,
            Control::Bracket => {}
            Control::Rollback => return Err(failed(Cause::Refused(NO_ROLLBACK))),
        }
        statement += 1;
        // Where the next one begins: just behind this one's text.
        begins_at = script[begins_at..].find(sql.as_str()).map_or(begins_at, |at| begins_at + at + sql.len());
    }
    let committed = connection.execute_batch("COMMIT");
    committed.map_err(|error| Failed { statement, begins_at, cause: Cause::Sqlite(error) })
}

const NO_ROLLBACK: &str =
    "a script runs in one transaction, so it cannot roll back a part of itself: take ROLLBACK out";

/// What a statement does to the transaction.
enum Control {
    None,
    /// BEGIN, COMMIT, END: the whole script is one transaction already.
    Bracket,
    Rollback,
}

fn control(sql: &str) -> Control {
    let mut words = skip_blank(sql).split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
        "BEGIN" | "COMMIT" | "END" => Control::Bracket,
        "ROLLBACK" if !words.any(|word| word.eq_ignore_ascii_case("to")) => Control::Rollback,
        _ => Control::None,
    }
}

fn step_through(statement: &mut Statement<'_>) -> rusqlite::Result<()> {
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}
