//! All rows of a table or an answer, streamed by COPY in an order that their values alone decide.
use std::pin::pin;

use futures_util::StreamExt;
use tokio_postgres::{Client, GenericClient};

use super::describe::{RawColumn, columns, key};
use super::names::{Found, quoted};
use super::session::Server;
use super::trouble::{engine, refused};
use super::types::Wire;
use super::values::read;
use super::wire::{RawRow, Rows};
use crate::connector::{ConnectorError, RowStream, batches::Batches};
use crate::vocab::{DatasetId, LogicalType, Row, Schema, Value};

/// A COPY, and what its rows are.
pub(super) struct Reading {
    pub(super) id: DatasetId,
    /// The query within the COPY.
    pub(super) sql: String,
    pub(super) columns: Vec<Asked>,
}

/// One column that was asked for.
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) wire: Wire,
    pub(super) logical: LogicalType,
}

impl Reading {
    /// The reading of the columns of `schema` of `table`.
    pub(super) async fn of(
        client: &impl GenericClient,
        id: &DatasetId,
        table: &Found,
        schema: &Schema,
    ) -> Result<Reading, ConnectorError> {
        let raw = columns(client, table).await?;
        let mut asked = Vec::with_capacity(schema.columns.len());
        let mut selected = Vec::with_capacity(schema.columns.len());
        let mut list = Vec::with_capacity(schema.columns.len());
        for column in &schema.columns {
            let found = named(&raw, &column.name).ok_or_else(|| missing(id, &column.name))?;
            let (wire, sql) = found.of.ask(&quoted(&found.name), column.logical);
            list.push(sql);
            asked.push(Asked { name: column.name.clone(), wire, logical: column.logical });
            selected.push(found);
        }
        let key = key(client, table).await?;
        let terms = order_by(&raw, &key, &selected);
        let order = if terms.is_empty() { String::new() } else { format!(" ORDER BY {}", terms.join(", ")) };
        let sql = format!("SELECT {} FROM {}{order}", list.join(", "), table.sql());
        Ok(Reading { id: id.clone(), sql, columns: asked })
    }

    /// Sends every row. False when nobody reads any more: then the copy is left half read, without an error.
    pub(super) async fn send(&self, client: &Client, batches: &mut Batches) -> Result<bool, ConnectorError> {
        let doing = |e| engine(format!("read `{}`", self.id), e);
        let copy = format!("COPY ({}\n) TO STDOUT (FORMAT binary)", self.sql);
        let stream = client.copy_out(copy.as_str()).await.map_err(doing)?;
        let mut stream = pin!(stream);
        let mut rows = Rows::of(self.columns.len());
        let broken = |e| ConnectorError::Engine { doing: format!("read `{}`", self.id), source: Box::new(e) };
        let mut at = 0;
        while let Some(message) = stream.next().await {
            rows.take(&message.map_err(doing)?);
            while let Some(row) = rows.next().map_err(broken)? {
                at += 1;
                if batches.give(self.row(&row, at)?).await.is_err() {
                    return Ok(false);
                }
            }
        }
        rows.end().map_err(broken)?;
        Ok(true)
    }

    /// Sends every row from a task of its own, within the transaction that is open on `client`.
    pub(super) fn stream(self, server: Server, client: Client) -> RowStream {
        let (mut batches, stream) = Batches::stream();
        tokio::spawn(async move {
            let outcome = self.send(&client, &mut batches).await;
            // What is in the middle of a copy is not used again.
            if matches!(outcome, Ok(true)) && client.batch_execute("COMMIT").await.is_ok() {
                server.give_back(client);
            }
            batches.end(outcome.map(|_| ())).await;
        });
        stream
    }

    fn row(&self, raw: &RawRow, at: u64) -> Result<Row, ConnectorError> {
        let mut row = Vec::with_capacity(self.columns.len());
        for (index, column) in self.columns.iter().enumerate() {
            row.push(match raw.field(index) {
                None => Value::Null,
                Some(bytes) => read(bytes, column.wire, column.logical).map_err(|reason| ConnectorError::Inexact {
                    table: self.id.clone(),
                    column: column.name.clone(),
                    row: at,
                    reason,
                })?,
            });
        }
        Ok(row)
    }
}

/// The key where there is one, else all the `selected` columns in the table's own order.
fn order_by(raw: &[RawColumn], key: &[String], selected: &[&RawColumn]) -> Vec<String> {
    if !key.is_empty() {
        let terms = key.iter().filter_map(|name| named(raw, name)).map(|its| its.of.key_order(&quoted(&its.name)));
        return terms.collect();
    }
    let read = raw.iter().filter(|column| selected.iter().any(|its| its.name == column.name));
    read.flat_map(|column| column.of.order(&quoted(&column.name))).collect()
}

fn named<'c>(raw: &'c [RawColumn], name: &str) -> Option<&'c RawColumn> {
    let same = raw.iter().find(|column| column.name == name);
    same.or_else(|| raw.iter().find(|column| column.name.eq_ignore_ascii_case(name)))
}

fn missing(id: &DatasetId, column: &str) -> ConnectorError {
    let why = "the table has no such column: its schema changed since it was described";
    refused(format!("read the column `{column}` of `{id}`"), why)
}
