//! Staging tables: made empty, filled part by part, each part with its entry in the ledger.
use rusqlite::{Connection, TransactionBehavior};

use super::affinity::{Affinity, affinity, staging_type};
use super::books::Books;
use super::place::{Access, Place, qualified, quoted};
use super::tables::{Kind, columns, find};
use super::trouble::{engine, refused};
use super::values::stored;
use crate::connector::{ConnectorError, LoadPart};
use crate::vocab::{DatasetId, Row, Schema};

/// Makes the empty table `id`; replaces one that carve made.
pub(super) fn create(place: &Place, id: &DatasetId, schema: &Schema) -> Result<(), ConnectorError> {
    place.must_exist()?;
    let doing = || format!("create the staging table `{id}`");
    let (schema_name, table) = place.names(id);
    let mut connection = place.open(&schema_name, Access::Create)?;
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| engine(doing(), e))?;
    create_in(&transaction, id, (&schema_name, &table), schema)?;
    transaction.commit().map_err(|e| engine(doing(), e))
}

/// The same within a transaction that is open already.
pub(super) fn create_in(
    transaction: &Connection,
    id: &DatasetId,
    (schema_name, table): (&str, &str),
    schema: &Schema,
) -> Result<(), ConnectorError> {
    let doing = || format!("create the staging table `{id}`");
    let books = Books::of(transaction, schema_name);
    if let Some(found) = find(transaction, schema_name, table)? {
        let ours = books.made_as(table).map_err(|e| engine(doing(), e))?.is_some();
        if !ours || found.kind == Kind::View {
            return Err(refused(doing(), "there is a table of that name that carve did not make: rename or drop it"));
        }
        let drop = format!("DROP TABLE {}", qualified(schema_name, &found.name));
        transaction.execute_batch(&drop).map_err(|e| engine(doing(), e))?;
    }
    let make = || -> rusqlite::Result<()> {
        books.open()?;
        books.forget(table)?;
        transaction.execute_batch(&create_sql(schema_name, table, schema))?;
        books.made(table)
    };
    make().map_err(|e| engine(doing(), e))
}

fn create_sql(schema_name: &str, table: &str, schema: &Schema) -> String {
    let mut parts: Vec<String> = Vec::with_capacity(schema.columns.len() + 1);
    for column in &schema.columns {
        let not_null = if column.nullable { "" } else { " NOT NULL" };
        parts.push(format!("{} {}{not_null}", quoted(&column.name), staging_type(column)));
    }
    if !schema.key.is_empty() {
        let key: Vec<String> = schema.key.iter().map(|name| quoted(name)).collect();
        parts.push(format!("PRIMARY KEY ({})", key.join(", ")));
    }
    format!("CREATE TABLE {} ({})", qualified(schema_name, table), parts.join(", "))
}

/// The parts that the staging table `id` holds.
pub(super) fn loaded_parts(place: &Place, id: &DatasetId) -> Result<Vec<String>, ConnectorError> {
    place.must_exist()?;
    let (schema_name, table) = place.names(id);
    if !place.has(&schema_name)? {
        return Ok(Vec::new());
    }
    let connection = place.open(&schema_name, Access::Read)?;
    Books::of(&connection, &schema_name).parts(&table).map_err(|e| engine(format!("read the ledger of `{id}`"), e))
}

/// Loads those of `parts` into the staging table `id` that it does not hold already; how many these were.
pub(super) fn load_parts(
    place: &Place,
    id: &DatasetId,
    schema: &Schema,
    parts: &[LoadPart],
) -> Result<usize, ConnectorError> {
    place.must_exist()?;
    let doing = |e| engine(format!("load parts into `{id}`"), e);
    let (schema_name, table) = place.names(id);
    let mut connection = place.open(&schema_name, Access::Write)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(doing)?;
    let books = Books::of(&transaction, &schema_name);
    if books.made_as(&table).map_err(doing)?.is_none() {
        let why = "it is no staging table that carve made: parts are loaded nowhere else";
        return Err(refused(format!("load parts into `{id}`"), why));
    }
    let mut loaded = 0;
    for part in parts {
        if books.enter(&table, &part.name, part.rows).map_err(doing)? {
            insert(&transaction, id, (&schema_name, &table), schema, &part.decoded(schema)?)?;
            loaded += 1;
        }
    }
    transaction.commit().map_err(doing)?;
    Ok(loaded)
}

fn insert(
    connection: &Connection,
    id: &DatasetId,
    (schema_name, table): (&str, &str),
    schema: &Schema,
    rows: &[Row],
) -> Result<(), ConnectorError> {
    let doing = |e| engine(format!("insert rows into `{id}`"), e);
    let affinities = affinities(connection, id, (schema_name, table), schema)?;
    let names: Vec<String> = schema.columns.iter().map(|column| quoted(&column.name)).collect();
    let marks = vec!["?"; names.len()].join(", ");
    let target = qualified(schema_name, table);
    let sql = format!("INSERT INTO {target} ({}) VALUES ({marks})", names.join(", "));
    let mut statement = connection.prepare(&sql).map_err(doing)?;
    for (at, row) in (1_u64..).zip(rows) {
        if row.len() != schema.columns.len() {
            let why = format!("it has {} values for {} columns", row.len(), schema.columns.len());
            return Err(refused(format!("insert row {at} into `{id}`"), why));
        }
        for (index, (value, column)) in row.iter().zip(&schema.columns).enumerate() {
            let output = stored(value, column.logical, affinities[index]).map_err(|reason| {
                ConnectorError::Inexact { table: id.clone(), column: column.name.clone(), row: at, reason }
            })?;
            statement.raw_bind_parameter(index + 1, output).map_err(doing)?;
        }
        statement.raw_execute().map_err(doing)?;
    }
    Ok(())
}

fn affinities(
    connection: &Connection,
    id: &DatasetId,
    (schema_name, table): (&str, &str),
    schema: &Schema,
) -> Result<Vec<Affinity>, ConnectorError> {
    let found = find(connection, schema_name, table)?.ok_or_else(|| ConnectorError::NoSuchTable(id.clone()))?;
    let raw = columns(connection, &found)?;
    let of = |name: &str| raw.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    let each = schema.columns.iter().map(|column| match of(&column.name) {
        Some(raw) => Ok(affinity(&raw.declared)),
        None => Err(refused(
            format!("load rows into `{id}`"),
            format!("the table has no column `{}`: it was made for another schema", column.name),
        )),
    });
    each.collect()
}
