//! The swap tried on an empty table, and taken back: what would be refused later is refused before any work.
use std::collections::BTreeMap;

use rusqlite::{Connection, TransactionBehavior};

use super::place::{Access, Place, qualified, quoted};
use super::shortfall::lacks;
use super::staging::create_in;
use super::swap::{Change, one_schema};
use super::trouble::engine;
use crate::connector::{ConnectorError, shortfall::note};
use crate::vocab::{DatasetId, Schema};

/// Makes `staging` for `schema`, puts it in the place of `live`, and takes all of it back.
pub(super) fn rehearse(
    place: &Place,
    staging: &DatasetId,
    live: &DatasetId,
    previous: &DatasetId,
    schema: &Schema,
) -> Result<Vec<String>, ConnectorError> {
    let name = one_schema(place, &[Some(staging), Some(live), Some(previous)])?;
    if !place.has(&name)? {
        return Ok(Vec::new());
    }
    let doing = format!("put an import in the place of `{live}`");
    let mut connection = place.open(&name, Access::Write)?;
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| engine(doing.clone(), e))?;
    let change = Change::of(&transaction, place, &name, doing);
    let (views, children) = (views(&change)?, children(&change)?);
    create_in(&transaction, staging, (&name, &place.names(staging).1), schema)?;
    let gone = match (change.find(live)?, change.find(staging)?) {
        (Some(old), Some(new)) => lacks(change.connection, &old, &new)?,
        _ => Vec::new(),
    };
    change.swap(staging, live, Some(previous))?;
    if let Some(view) = broken(&views, &self::views(&change)?) {
        let why = why_not(change.connection, &qualified(&name, view));
        return Err(change.refused(format!(
            "the view `{view}` would break ({why}): publish the columns it reads, or mend the view"
        )));
    }
    if let Some(child) = broken(&children, &self::children(&change)?) {
        return Err(change.refused(format!(
            "a foreign key of `{child}` leads to it, to columns that the import does not keep unique: drop that \
             foreign key"
        )));
    }
    // Dropping the transaction takes everything back.
    Ok(note(live, &gone))
}

/// The first that worked and is still there, but works no more.
fn broken<'n>(before: &'n BTreeMap<String, bool>, after: &BTreeMap<String, bool>) -> Option<&'n String> {
    before.iter().find(|(name, worked)| **worked && after.get(*name) == Some(&false)).map(|(name, _)| name)
}

/// Every view, and whether it can be read. One that is broken before is nothing of carve's.
fn views(change: &Change<'_>) -> Result<BTreeMap<String, bool>, ConnectorError> {
    let sql = format!("SELECT name FROM {}.sqlite_schema WHERE type = 'view'", quoted(&change.schema));
    let works = |view: &String| {
        let sql = format!("SELECT * FROM {}", qualified(&change.schema, view));
        change.connection.prepare(&sql).is_ok()
    };
    Ok(change.names(&sql, "")?.into_iter().map(|view| (view.clone(), works(&view))).collect())
}

fn why_not(connection: &Connection, view: &str) -> String {
    let tried = connection.prepare(&format!("SELECT * FROM {view}"));
    tried.err().map(|error| error.to_string()).unwrap_or_default()
}

/// Every table, and whether its foreign keys lead to unique columns.
fn children(change: &Change<'_>) -> Result<BTreeMap<String, bool>, ConnectorError> {
    let sql = format!("SELECT name FROM {}.sqlite_schema WHERE type = 'table'", quoted(&change.schema));
    let works = |table: &String| {
        let sql = format!("PRAGMA {}.foreign_key_check({})", quoted(&change.schema), quoted(table));
        // A mismatch is told when the check begins; rows without a parent are no business of ours.
        let tried = change.connection.prepare(&sql).and_then(|mut check| check.query([])?.next().map(|_| ()));
        tried.is_ok()
    };
    Ok(change.names(&sql, "")?.into_iter().map(|table| (table.clone(), works(&table))).collect())
}
