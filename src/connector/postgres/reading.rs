//! All rows of a table or an answer, streamed by COPY in an order that their values alone decide.
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt;
use tokio::sync::OwnedMutexGuard;
use tokio_postgres::{Client, GenericClient};

use super::describe::{RawColumn, columns, key};
use super::names::{Found, quoted};
use super::session::Server;
use super::trouble::{engine, refused};
use super::types::Wire;
use super::values::read_into;
use super::wire::{Pack, Packer};
use crate::connector::batches::{BATCH_BYTES, BATCH_ROWS, Batches};
use crate::connector::row_batch::Sent;
use crate::connector::{ConnectorError, RowBatch, RowStream};
use crate::vocab::{DatasetId, LogicalType, Row, Schema, Value};

/// Bytes of a message up to which the connection that it came on is used again: the driver keeps room for the longest.
const KEPT: usize = 16 << 20;

/// How a copy ended.
pub(super) enum Ended {
    /// All of it was read.
    Whole,
    /// The same, and the connection holds much memory now.
    Heavy,
    /// Nobody wanted the rest.
    Unread,
}

/// A COPY, and what its rows are.
#[derive(Clone)]
pub(super) struct Reading {
    pub(super) id: DatasetId,
    /// The query within the COPY.
    pub(super) sql: String,
    pub(super) columns: Arc<[Asked]>,
}

/// The reading of a table, before it is said which of its rows are read and in what order.
pub(super) struct Selection {
    id: DatasetId,
    /// The table's name for SQL.
    table: String,
    /// `SELECT … FROM …`.
    sql: String,
    /// ` ORDER BY …`, or nothing.
    order: String,
    columns: Arc<[Asked]>,
    /// The key's first column.
    pub(super) leading: Option<RawColumn>,
}

/// One column that was asked for.
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) wire: Wire,
    pub(super) logical: LogicalType,
}

impl Selection {
    /// The columns of `schema` of `table`.
    pub(super) async fn of(
        client: &impl GenericClient,
        id: &DatasetId,
        table: &Found,
        schema: &Schema,
    ) -> Result<Selection, ConnectorError> {
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
        let sql = format!("SELECT {} FROM {}", list.join(", "), table.sql());
        let leading = key.first().and_then(|name| named(&raw, name)).cloned();
        Ok(Selection { id: id.clone(), table: table.sql(), sql, order, columns: asked.into(), leading })
    }

    /// All rows in the order that their values alone decide.
    pub(super) fn ordered(&self) -> Reading {
        self.reading(format!("{}{}", self.sql, self.order))
    }

    /// In that order too, those alone that fulfil `condition`.
    pub(super) fn ordered_where(&self, condition: &str) -> Reading {
        self.reading(format!("{} WHERE {condition}{}", self.sql, self.order))
    }

    /// Those rows that fulfil `condition`, in any order; without one all rows.
    pub(super) fn any_order(&self, condition: Option<&str>) -> Reading {
        let only = condition.map(|condition| format!(" WHERE {condition}"));
        self.reading(format!("{}{}", self.sql, only.unwrap_or_default()))
    }

    /// The query that counts the rows which fulfil `condition`.
    pub(super) fn count_where(&self, condition: &str) -> String {
        format!("SELECT pg_catalog.count(*) FROM {} WHERE {condition}", self.table)
    }

    fn reading(&self, sql: String) -> Reading {
        Reading { id: self.id.clone(), sql, columns: self.columns.clone() }
    }
}

impl Reading {
    /// Sends every row. When nobody reads any more the copy is left half read, without an error.
    pub(super) async fn send(&self, client: &Client, batches: &mut Batches) -> Result<Ended, ConnectorError> {
        let doing = |e| engine(format!("read `{}`", self.id), e);
        let copy = format!("COPY ({}\n) TO STDOUT (FORMAT binary)", self.sql);
        let stream = client.copy_out(copy.as_str()).await.map_err(doing)?;
        let mut stream = pin!(stream);
        let mut packer = Packer::of(self.columns.len());
        let broken = |e| ConnectorError::Engine { doing: format!("read `{}`", self.id), source: Box::new(e) };
        let (mut before, mut longest) = (0, 0);
        while let Some(message) = stream.next().await {
            let message = message.map_err(doing)?;
            longest = longest.max(message.len());
            let alone = packer.alone(&message).map_err(broken)?;
            if alone.is_none() {
                packer.take(&message).map_err(broken)?;
            }
            drop(message);
            let (rows, bytes) = packer.waiting();
            let full = rows >= BATCH_ROWS || bytes >= BATCH_BYTES || alone.is_some();
            if full && !self.give(packer.pack(), &mut before, batches).await {
                return Ok(Ended::Unread);
            }
            if alone.is_some() && !self.give(alone, &mut before, batches).await {
                return Ok(Ended::Unread);
            }
        }
        packer.end().map_err(broken)?;
        Ok(match self.give(packer.pack(), &mut before, batches).await {
            false => Ended::Unread,
            true if longest > KEPT => Ended::Heavy,
            true => Ended::Whole,
        })
    }

    /// Hands on rows as they are; `before` counts those handed on. False when nobody reads any more.
    async fn give(&self, pack: Option<Pack>, before: &mut u64, batches: &Batches) -> bool {
        let Some(pack) = pack else { return true };
        let rows = pack.rows();
        let sent = Packed { id: self.id.clone(), columns: self.columns.clone(), before: *before, pack };
        *before += rows as u64;
        batches.give_batch(RowBatch::sent(Arc::new(sent), rows)).await.is_ok()
    }

    /// Sends every row from a task of its own, within the transaction that is open on `client`.
    pub(super) fn stream(self, server: Server, client: Client) -> RowStream {
        let (mut batches, stream) = Batches::stream();
        tokio::spawn(async move {
            let outcome = self.send(&client, &mut batches).await;
            match outcome {
                Ok(Ended::Whole) if client.batch_execute("COMMIT").await.is_ok() => server.give_back(client),
                Ok(Ended::Whole | Ended::Heavy) => {}
                // What is in the middle of a copy is not used again.
                Ok(Ended::Unread) | Err(_) => server.abandon(client).await,
            }
            batches.end(outcome.map(|_| ())).await;
        });
        stream
    }

    /// The same on a connection that others wait for; their transaction goes on.
    pub(super) fn stream_held(self, client: OwnedMutexGuard<Client>) -> RowStream {
        let (mut batches, stream) = Batches::stream();
        tokio::spawn(async move {
            let outcome = self.send(&client, &mut batches).await;
            drop(client);
            batches.end(outcome.map(|_| ())).await;
        });
        stream
    }
}

/// Rows as COPY sent them.
struct Packed {
    id: DatasetId,
    columns: Arc<[Asked]>,
    /// Rows of the same copy that came before these.
    before: u64,
    pack: Pack,
}

impl Sent for Packed {
    fn bytes(&self, range: &Range<usize>) -> usize {
        self.pack.size(range)
    }

    fn decode(&self, at: usize, row: &mut Row) -> Result<(), ConnectorError> {
        row.resize(self.columns.len(), Value::Null);
        for ((field, column), value) in self.pack.fields(at).zip(&*self.columns).zip(row) {
            let Some(bytes) = field else {
                *value = Value::Null;
                continue;
            };
            read_into(value, bytes, column.wire, column.logical).map_err(|reason| ConnectorError::Inexact {
                table: self.id.clone(),
                column: column.name.clone(),
                row: self.before + at as u64 + 1,
                reason,
            })?;
        }
        Ok(())
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
