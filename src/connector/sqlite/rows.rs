//! All rows of a table in an order that their values alone decide.
use rusqlite::Connection;

use super::affinity::{Affinity, affinity};
use super::place::{qualified, quoted};
use super::tables::{Found, RawColumn, columns, find, key, nullable};
use super::trouble::engine;
use super::values::read;
use crate::connector::{ConnectorError, batches::Batches};
use crate::vocab::{DatasetId, Row, Schema};

/// A query for all rows of one table.
pub(super) struct Reading {
    id: DatasetId,
    sql: String,
    schema: Schema,
}

impl Reading {
    /// The query for the columns of `schema` of the table `id`, known to SQLite as `schema_name.table`.
    pub(super) fn of(
        connection: &Connection,
        id: &DatasetId,
        (schema_name, table): (&str, &str),
        schema: &Schema,
    ) -> Result<Reading, ConnectorError> {
        let found = find(connection, schema_name, table)?.ok_or_else(|| ConnectorError::NoSuchTable(id.clone()))?;
        let raw = columns(connection, &found)?;
        let mut names = Vec::with_capacity(schema.columns.len());
        for column in &schema.columns {
            names.push(real_name(&raw, &column.name).ok_or_else(|| missing_column(id, &column.name))?);
        }
        let list: Vec<String> = names.iter().map(|name| quoted(name)).collect();
        let table = qualified(&found.schema, &found.name);
        let sql = format!("SELECT {} FROM {table}{}", list.join(", "), order_by(&found, &raw, &names));
        Ok(Reading { id: id.clone(), sql, schema: schema.clone() })
    }

    /// Sends every row; stops early, without an error, when nobody reads any more.
    pub(super) fn send(&self, connection: &Connection, batches: &mut Batches) -> Result<(), ConnectorError> {
        let doing = |e| engine(format!("read `{}`", self.id), e);
        let mut statement = connection.prepare(&self.sql).map_err(doing)?;
        let mut rows = statement.query([]).map_err(doing)?;
        let mut at = 0;
        while let Some(row) = rows.next().map_err(doing)? {
            at += 1;
            if batches.push(convert(&self.id, row, at, &self.schema)?).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// One row of SQLite's as carve's, or the first value in it that does not fit.
pub(super) fn convert(
    id: &DatasetId,
    row: &rusqlite::Row<'_>,
    at: u64,
    schema: &Schema,
) -> Result<Row, ConnectorError> {
    let mut values = Vec::with_capacity(schema.columns.len());
    for (index, column) in schema.columns.iter().enumerate() {
        let found = row.get_ref(index).map_err(|e| engine(format!("read row {at} of `{id}`"), e))?;
        values.push(read(found, column.logical).map_err(|reason| ConnectorError::Inexact {
            table: id.clone(),
            column: column.name.clone(),
            row: at,
            reason,
        })?);
    }
    Ok(values)
}

/// The order that makes equal rows give equal parts: the key; where NULL makes that no order, or there
/// is none, all the `selected` columns. Always by bytes, whatever collation a column has.
pub(super) fn order_by(table: &Found, raw: &[RawColumn], selected: &[&str]) -> String {
    let key = key(raw);
    let total = !key.is_empty() && key.iter().all(|column| !nullable(table, raw, column));
    let mut terms: Vec<String> = key.iter().map(|column| format!("{} COLLATE BINARY", quoted(&column.name))).collect();
    if !total {
        let rest = raw.iter().filter(|c| selected.contains(&c.name.as_str()) && c.key_place == 0);
        for column in rest {
            terms.push(format!("{} COLLATE BINARY", quoted(&column.name)));
            // 1 and 1.0 are equal to SQLite; the kind of value tells them apart.
            if affinity(&column.declared) == Affinity::None {
                terms.push(format!("typeof({})", quoted(&column.name)));
            }
        }
    }
    match terms.is_empty() {
        true => String::new(),
        false => format!(" ORDER BY {}", terms.join(", ")),
    }
}

fn real_name<'c>(raw: &'c [RawColumn], name: &str) -> Option<&'c str> {
    let same = raw.iter().find(|column| column.name == name);
    same.or_else(|| raw.iter().find(|column| column.name.eq_ignore_ascii_case(name))).map(|c| c.name.as_str())
}

fn missing_column(id: &DatasetId, column: &str) -> ConnectorError {
    let why = "the table has no such column: its schema changed since it was described";
    super::trouble::refused(format!("read the column `{column}` of `{id}`"), why)
}
