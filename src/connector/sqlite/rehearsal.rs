//! The swap tried on an empty table, and taken back: what would be refused later is refused before any work.
use std::collections::BTreeSet;

use rusqlite::{Connection, TransactionBehavior};

use super::place::{Access, Place, qualified, quoted};
use super::staging::create_in;
use super::swap::{Change, one_schema};
use super::tables::{Found, Kind};
use super::trouble::engine;
use crate::connector::ConnectorError;
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
    let before = change.find(live)?;
    let lacks = before.as_ref().map_or(Ok(None), |old| lacks(&change, old, live))?;
    let (views, children) = (working_views(&change)?, working_children(&change)?);
    create_in(&transaction, staging, (&name, &place.names(staging).1), schema)?;
    change.swap(staging, live, Some(previous))?;
    let still = working_views(&change)?;
    if let Some(view) = views.iter().find(|view| !still.contains(*view)) {
        let why = why_not(change.connection, &qualified(&name, view));
        return Err(change.refused(format!(
            "the view `{view}` would break ({why}): publish the columns it reads, or mend the view"
        )));
    }
    let still = working_children(&change)?;
    if let Some(child) = children.iter().find(|child| !still.contains(*child)) {
        return Err(change.refused(format!(
            "a foreign key of `{child}` leads to it, to columns that the import does not keep unique: drop that \
             foreign key, or wrap beside (`mode: beside`)"
        )));
    }
    // Dropping the transaction takes everything back.
    Ok(lacks.into_iter().collect())
}

/// Views that can be read now. One that is broken already is nothing of carve's.
fn working_views(change: &Change<'_>) -> Result<BTreeSet<String>, ConnectorError> {
    let sql = format!("SELECT name FROM {}.sqlite_schema WHERE type = 'view' ORDER BY name", quoted(&change.schema));
    let views = change.names(&sql, "")?;
    let works = |view: &String| {
        let sql = format!("SELECT * FROM {}", qualified(&change.schema, view));
        change.connection.prepare(&sql).is_ok()
    };
    Ok(views.into_iter().filter(works).collect())
}

fn why_not(connection: &Connection, view: &str) -> String {
    let tried = connection.prepare(&format!("SELECT * FROM {view}"));
    tried.err().map(|error| error.to_string()).unwrap_or_default()
}

/// Tables whose foreign keys all lead to unique columns.
fn working_children(change: &Change<'_>) -> Result<BTreeSet<String>, ConnectorError> {
    let sql = format!("SELECT name FROM {}.sqlite_schema WHERE type = 'table' ORDER BY name", quoted(&change.schema));
    let tables = change.names(&sql, "")?;
    let works = |table: &String| {
        let sql = format!("PRAGMA {}.foreign_key_check({})", quoted(&change.schema), quoted(table));
        // A mismatch is told when the check begins; rows without a parent are no business of ours.
        let tried = change.connection.prepare(&sql).and_then(|mut check| check.query([])?.next().map(|_| ()));
        tried.is_ok()
    };
    Ok(tables.into_iter().filter(works).collect())
}

/// What belongs to the table itself and stays with it.
fn lacks(change: &Change<'_>, old: &Found, live: &DatasetId) -> Result<Option<String>, ConnectorError> {
    if matches!(old.kind, Kind::View | Kind::Virtual) {
        return Ok(None);
    }
    let facts = [
        ("its UNIQUE constraints", "SELECT 1 FROM pragma_index_list(?1, ?2) WHERE origin = 'u'"),
        ("its foreign keys", "SELECT 1 FROM pragma_foreign_key_list(?1, ?2)"),
        ("its defaults", "SELECT 1 FROM pragma_table_xinfo(?1, ?2) WHERE hidden = 0 AND dflt_value IS NOT NULL"),
        ("its generated columns' formulas", "SELECT 1 FROM pragma_table_xinfo(?1, ?2) WHERE hidden IN (2, 3)"),
    ];
    let mut gone = Vec::new();
    for (what, sql) in facts {
        let there = change.connection.prepare(sql).and_then(|mut found| found.exists([&old.name, &change.schema]));
        if there.map_err(|e| engine(change.doing.clone(), e))? {
            gone.push(what);
        }
    }
    Ok((!gone.is_empty()).then(|| {
        format!(
            "the import that takes the place of `{live}` holds its rows, key and indexes, but not {}",
            gone.join(", ")
        )
    }))
}
