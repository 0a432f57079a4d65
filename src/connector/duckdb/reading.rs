//! Queries whose every value arrives exactly, streamed.
use ::duckdb::params_from_iter;
use arrow_array::{Array, StructArray};

use super::catalog::{Found, RawColumn, columns, find, key, quoted};
use super::instance::Session;
use super::trouble::{engine, refused};
use super::types::{ask, order};
use super::values::read;
use crate::connector::{ConnectorError, batches::Batches};
use crate::vocab::{Column, DatasetId, LogicalType, Row, Schema};

/// A query that is ready to run.
pub(super) struct Reading {
    id: DatasetId,
    sql: String,
    columns: Vec<Answered>,
}

/// One column of the answer.
struct Answered {
    name: String,
    logical: LogicalType,
    /// The type its values have in DuckDB.
    of: String,
    /// Where its value comes, and where whether that is exact.
    at: usize,
    exact_at: Option<usize>,
}

impl Reading {
    /// The query for the columns of `schema` of the table `id`, known to DuckDB as `schema_name.table`.
    pub(super) fn of_table(
        session: &Session,
        id: &DatasetId,
        (schema_name, table): (&str, &str),
        schema: &Schema,
    ) -> Result<Reading, ConnectorError> {
        let found = find(session, schema_name, table)?.ok_or_else(|| ConnectorError::NoSuchTable(id.clone()))?;
        let raw = columns(session, &found)?;
        let mut asked = Vec::with_capacity(schema.columns.len());
        for column in &schema.columns {
            let own = real(&raw, &column.name).ok_or_else(|| missing_column(id, &column.name))?;
            asked.push((quoted(&own.name), own.of.as_str(), column));
        }
        let order = order_by(session, &found, &raw, schema)?;
        Ok(Reading::of(id.clone(), &asked, &format!("{}{order}", found.sql())))
    }

    /// The query for `asked`, each with its SQL, type and what it shall be, `from` there.
    pub(super) fn of(id: DatasetId, asked: &[(String, &str, &Column)], from: &str) -> Reading {
        let (mut list, mut columns) = (Vec::new(), Vec::new());
        for (sql, of, column) in asked {
            let terms = ask(of, sql, column.logical);
            let at = list.len();
            list.push(terms.value);
            let exact_at = terms.exact.map(|exact| {
                list.push(exact);
                list.len() - 1
            });
            let (name, of) = (column.name.clone(), (*of).to_owned());
            columns.push(Answered { name, logical: column.logical, of, at, exact_at });
        }
        Reading { id, sql: format!("SELECT {} FROM {from}", list.join(", ")), columns }
    }

    /// Sends every row; stops early, without an error, when nobody reads any more.
    pub(super) fn send(&self, session: &Session, batches: &mut Batches) -> Result<(), ConnectorError> {
        let doing = |e| engine(format!("read `{}`", self.id), e);
        let mut statement = session.connection.prepare(&self.sql).map_err(doing)?;
        // Its own iterator would panic where a step fails, so the steps are taken here.
        let _ = statement.stream_arrow(params_from_iter(NOTHING)).map_err(doing)?;
        let mut before = 0;
        while let Some(chunk) = statement.step().map_err(doing)? {
            for at in 0..chunk.len() {
                if batches.push(self.row(&chunk, at, before)?).is_err() {
                    return Ok(());
                }
            }
            before += chunk.len() as u64;
        }
        Ok(())
    }

    fn row(&self, chunk: &StructArray, at: usize, before: u64) -> Result<Row, ConnectorError> {
        let mut row = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let inexact = |reason| ConnectorError::Inexact {
                table: self.id.clone(),
                column: column.name.clone(),
                row: before + at as u64 + 1,
                reason,
            };
            if column.exact_at.is_some_and(|flag| !is_true(chunk.column(flag), at)) {
                return Err(inexact(format!(
                    "holds a {} whose text DuckDB does not read back as the same value: leave the column out with `omit` \
                     under `wraps.<service>` in carve.yaml",
                    column.of
                )));
            }
            row.push(read(chunk.column(column.at), at, column.logical).map_err(inexact)?);
        }
        Ok(row)
    }
}

const NOTHING: [&str; 0] = [];

fn is_true(array: &dyn Array, at: usize) -> bool {
    use arrow_array::cast::AsArray;
    array.as_boolean_opt().is_some_and(|flags| flags.is_valid(at) && flags.value(at))
}

/// The order that makes equal rows give equal parts: the key, else all the columns of `schema`.
fn order_by(session: &Session, found: &Found, raw: &[RawColumn], schema: &Schema) -> Result<String, ConnectorError> {
    let key = key(session, found)?;
    let named: Vec<&str> = match key.is_empty() {
        true => schema.columns.iter().map(|column| column.name.as_str()).collect(),
        false => key.iter().map(String::as_str).collect(),
    };
    let terms: Vec<String> = named
        .into_iter()
        .filter_map(|name| real(raw, name))
        .flat_map(|column| order(&column.of, &quoted(&column.name)))
        .map(|term| format!("{term} ASC NULLS FIRST"))
        .collect();
    Ok(if terms.is_empty() { String::new() } else { format!(" ORDER BY {}", terms.join(", ")) })
}

fn real<'c>(raw: &'c [RawColumn], name: &str) -> Option<&'c RawColumn> {
    raw.iter().find(|column| column.name.eq_ignore_ascii_case(name))
}

fn missing_column(id: &DatasetId, column: &str) -> ConnectorError {
    let why = "the table has no such column: its schema changed since it was described";
    refused(format!("read the column `{column}` of `{id}`"), why)
}
