//! All rows of a table, streamed in an order that their values alone decide.
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params};

use super::describe::{RawColumn, columns, key};
use super::names::Found;
use super::session::Server;
use super::trouble::{engine, refused};
use super::types::Wire;
use super::values::read;
use crate::connector::{ConnectorError, batches::Batches};
use crate::vocab::{DatasetId, LogicalType, Row, Schema};

/// A query, and what its rows are.
pub(super) struct Reading {
    id: DatasetId,
    sql: String,
    columns: Vec<Asked>,
}

/// One column that was asked for.
struct Asked {
    name: String,
    wire: Wire,
    logical: LogicalType,
}

/// How a reading ended when nothing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Every row was sent.
    Whole,
    /// Nobody reads any more: rows are still on their way.
    Left,
}

impl Reading {
    /// The reading of the columns of `schema` of `table`.
    pub(super) async fn of(
        connection: &mut Conn,
        id: &DatasetId,
        table: &Found,
        schema: &Schema,
    ) -> Result<Reading, ConnectorError> {
        let raw = columns(connection, table).await?;
        let mut asked = Vec::with_capacity(schema.columns.len());
        let mut selected = Vec::with_capacity(schema.columns.len());
        let mut list = Vec::with_capacity(schema.columns.len());
        for column in &schema.columns {
            let found = named(&raw, &column.name).ok_or_else(|| missing(id, &column.name))?;
            let (wire, sql) = found.of.ask(&found.name, column.logical);
            list.push(sql);
            asked.push(Asked { name: column.name.clone(), wire, logical: column.logical });
            selected.push(found);
        }
        let key = key(connection, table).await?;
        let terms = order_by(&raw, &key, &selected);
        let order = if terms.is_empty() { String::new() } else { format!(" ORDER BY {}", terms.join(", ")) };
        let sql = format!("SELECT {} FROM {}{order}", list.join(", "), table.sql());
        Ok(Reading { id: id.clone(), sql, columns: asked })
    }

    /// Sends every row as it comes.
    pub(super) async fn send(
        &self,
        server: &Server,
        connection: &mut Conn,
        batches: &mut Batches,
    ) -> Result<Ended, ConnectorError> {
        let doing = |e| engine(format!("read `{}`", self.id), e);
        let asked = async { connection.exec_iter(self.sql.as_str(), Params::Empty).await.map_err(doing) };
        let mut answer = server.while_reached(asked).await?;
        let mut at = 0;
        while let Some(row) = server.while_reached(async { answer.next().await.map_err(doing) }).await? {
            at += 1;
            if batches.give(self.row(row, at)?).await.is_err() {
                return Ok(Ended::Left);
            }
        }
        Ok(Ended::Whole)
    }

    fn row(&self, raw: mysql_async::Row, at: u64) -> Result<Row, ConnectorError> {
        let mut row = Vec::with_capacity(self.columns.len());
        for (column, value) in self.columns.iter().zip(raw.unwrap()) {
            row.push(read(value, column.wire, column.logical).map_err(|reason| ConnectorError::Inexact {
                table: self.id.clone(),
                column: column.name.clone(),
                row: at,
                reason,
            })?);
        }
        Ok(row)
    }
}

/// The key where there is one, else all the `selected` columns in the table's own order.
fn order_by(raw: &[RawColumn], key: &[String], selected: &[&RawColumn]) -> Vec<String> {
    if !key.is_empty() {
        return key.iter().filter_map(|name| named(raw, name)).map(|its| its.of.key_order(&its.name)).collect();
    }
    let read = raw.iter().filter(|column| selected.iter().any(|its| its.name == column.name));
    read.flat_map(|column| column.of.order(&column.name)).collect()
}

fn named<'c>(raw: &'c [RawColumn], name: &str) -> Option<&'c RawColumn> {
    let same = raw.iter().find(|column| column.name == name);
    same.or_else(|| raw.iter().find(|column| column.name.eq_ignore_ascii_case(name)))
}

fn missing(id: &DatasetId, column: &str) -> ConnectorError {
    let why = "the table has no such column: its schema changed since it was described";
    refused(format!("read the column `{column}` of `{id}`"), why)
}
