//! Staging tables: made empty, filled part by part, each part with its entry in the ledger.
use ::duckdb::appender_params_from_iter;
use ::duckdb::types::ToSqlOutput;

use super::books;
use super::catalog::{Found, columns, find, literal, qualified, quoted};
use super::instance::Session;
use super::place::Place;
use super::trouble::{engine, refused};
use super::types::{handed, staged};
use super::values::stored;
use crate::connector::{ConnectorError, LoadPart};
use crate::vocab::{DatasetId, Row, Schema};

/// The temporary table in which a part arrives.
const ARRIVED: &str = "carve_part";

/// Makes the empty table `id`; replaces one that carve made.
pub(super) fn create(place: &Place, id: &DatasetId, schema: &Schema) -> Result<(), ConnectorError> {
    let doing = |e| engine(format!("create the staging table `{id}`"), e);
    let session = place.open()?;
    let _turn = session.turn();
    session.run("BEGIN TRANSACTION").map_err(doing)?;
    create_in(&session, place, id, schema)?;
    session.run("COMMIT").map_err(doing)
}

/// The same within a transaction that is open already.
pub(super) fn create_in(
    session: &Session,
    place: &Place,
    id: &DatasetId,
    schema: &Schema,
) -> Result<(), ConnectorError> {
    let doing = |e| engine(format!("create the staging table `{id}`"), e);
    let (schema_name, table) = place.names(id);
    let entry = books::entry(&schema_name, &table);
    if let Some(found) = find(session, &schema_name, &table)? {
        if found.is_view || books::made_as(session, &entry).map_err(doing)?.is_none() {
            let why = "there is a table of that name that carve did not make: rename or drop it";
            return Err(refused(format!("create the staging table `{id}`"), why));
        }
        session.run(&format!("DROP TABLE {}", found.sql())).map_err(doing)?;
    }
    let make = || -> ::duckdb::Result<()> {
        books::open(session)?;
        books::forget(session, &entry)?;
        session.run(&format!("CREATE SCHEMA IF NOT EXISTS {}.{}", quoted(session.catalog()), quoted(&schema_name)))?;
        session.run(&create_sql(&qualified(session.catalog(), &schema_name, &table), schema))?;
        books::made(session, &entry)
    };
    make().map_err(doing)
}

fn create_sql(table: &str, schema: &Schema) -> String {
    let mut parts: Vec<String> = Vec::with_capacity(schema.columns.len() + 1);
    let mut comments = String::new();
    for column in &schema.columns {
        let not_null = if column.nullable { "" } else { " NOT NULL" };
        parts.push(format!("{} {}{not_null}", quoted(&column.name), staged(column)));
        if let Some(text) = &column.description {
            comments.push_str(&format!("; COMMENT ON COLUMN {table}.{} IS {}", quoted(&column.name), literal(text)));
        }
    }
    if !schema.key.is_empty() {
        let key: Vec<String> = schema.key.iter().map(|name| quoted(name)).collect();
        parts.push(format!("PRIMARY KEY ({})", key.join(", ")));
    }
    format!("CREATE TABLE {table} ({}){comments}", parts.join(", "))
}

/// The parts that the staging table `id` holds.
pub(super) fn loaded_parts(place: &Place, id: &DatasetId) -> Result<Vec<String>, ConnectorError> {
    let (schema, table) = place.names(id);
    let parts = books::parts(&place.open()?, &books::entry(&schema, &table));
    parts.map_err(|e| engine(format!("read the ledger of `{id}`"), e))
}

/// Loads those of `parts` into the staging table `id` that it does not hold already; how many these were.
pub(super) fn load_parts(
    place: &Place,
    id: &DatasetId,
    schema: &Schema,
    parts: &[LoadPart],
) -> Result<usize, ConnectorError> {
    let doing = |e| engine(format!("load parts into `{id}`"), e);
    let (schema_name, table) = place.names(id);
    let entry = books::entry(&schema_name, &table);
    let session = place.open()?;
    let _turn = session.turn();
    session.run("BEGIN TRANSACTION").map_err(doing)?;
    if books::made_as(&session, &entry).map_err(doing)?.is_none() {
        let why = "it is no staging table that carve made: parts are loaded nowhere else";
        return Err(refused(format!("load parts into `{id}`"), why));
    }
    let found = find(&session, &schema_name, &table)?.ok_or_else(|| ConnectorError::NoSuchTable(id.clone()))?;
    let mut loaded = 0;
    for part in parts {
        if books::enter(&session, &entry, &part.name, part.rows).map_err(doing)? {
            arrive(&session, id, schema, &part.decoded(schema)?)?;
            insert(&session, id, &found, schema)?;
            session.run(&format!("DROP TABLE {ARRIVED}")).map_err(doing)?;
            loaded += 1;
        }
    }
    session.run("COMMIT").map_err(doing)?;
    Ok(loaded)
}

/// Puts `rows` into a temporary table whose columns change nothing.
fn arrive(session: &Session, id: &DatasetId, schema: &Schema, rows: &[Row]) -> Result<(), ConnectorError> {
    let doing = |e| engine(format!("insert rows into `{id}`"), e);
    let columns: Vec<String> =
        schema.columns.iter().map(|column| format!("{} {}", quoted(&column.name), handed(column.logical))).collect();
    session.run(&format!("CREATE TEMP TABLE {ARRIVED} ({})", columns.join(", "))).map_err(doing)?;
    let mut appender = session.connection.appender_to_catalog_and_db(ARRIVED, "temp", "main").map_err(doing)?;
    for (at, row) in (1_u64..).zip(rows) {
        appender.append_row(appender_params_from_iter(handed_over(id, schema, row, at)?)).map_err(doing)?;
    }
    appender.flush().map_err(doing)
}

fn handed_over<'r>(
    id: &DatasetId,
    schema: &Schema,
    row: &'r Row,
    at: u64,
) -> Result<Vec<ToSqlOutput<'r>>, ConnectorError> {
    if row.len() != schema.columns.len() {
        let why = format!("it has {} values for {} columns", row.len(), schema.columns.len());
        return Err(refused(format!("insert row {at} into `{id}`"), why));
    }
    let each = row
        .iter()
        .zip(&schema.columns)
        .map(|(value, column)| stored(value, column.logical).map_err(|reason| inexact(id, &column.name, at, reason)));
    each.collect()
}

fn inexact(id: &DatasetId, column: &str, row: u64, reason: String) -> ConnectorError {
    ConnectorError::Inexact { table: id.clone(), column: column.to_owned(), row, reason }
}

/// Takes what arrived into the table `found`, once every value is known to stay what it is there.
fn insert(session: &Session, id: &DatasetId, found: &Found, schema: &Schema) -> Result<(), ConnectorError> {
    let doing = |e| engine(format!("insert rows into `{id}`"), e);
    let raw = columns(session, found)?;
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for column in &schema.columns {
        let own = raw.iter().find(|own| own.name.eq_ignore_ascii_case(&column.name)).ok_or_else(|| {
            let why = format!("the table has no column `{}`: it was made for another schema", column.name);
            refused(format!("load rows into `{id}`"), why)
        })?;
        let (name, plain) = (quoted(&column.name), handed(column.logical));
        if own.of != plain {
            let sql = format!(
                "SELECT CAST(rowid - (SELECT min(rowid) FROM {ARRIVED}) + 1 AS VARCHAR) FROM {ARRIVED} \
                 WHERE {name} IS NOT NULL AND CAST(TRY_CAST({name} AS {}) AS {plain}) IS DISTINCT FROM {name} ORDER BY rowid LIMIT 1",
                own.of
            );
            if let Some(row) = session.column(&sql, &[]).map_err(doing)?.pop() {
                let reason = format!("holds a value that a column of the type {} would change", own.of);
                return Err(inexact(id, &column.name, row.parse().unwrap_or(1), reason));
            }
        }
        let cast = format!("CAST({name} AS {})", own.of);
        // A text that is NULL would become a NULL within a union, which is another value. Elsewhere the cast alone
        // says it, and DuckDB has no CASE of an array of a fixed length.
        values.push(match own.of.starts_with("UNION") {
            true => format!("CASE WHEN {name} IS NOT NULL THEN {cast} END"),
            false => cast,
        });
        names.push(name);
    }
    let sql = format!("INSERT INTO {} ({}) SELECT {} FROM {ARRIVED}", found.sql(), names.join(", "), values.join(", "));
    session.run(&sql).map_err(doing)
}
