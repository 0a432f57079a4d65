//! One state of all databases of a server: a transaction on one connection, read one table at a time. Neither
//! MariaDB nor MySQL lets a second connection into it without a lock that stops every writer.
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::names::found;
use super::reading::{Ended, Reading};
use super::session::{Server, ask, number};
use super::trouble::engine;
use crate::connector::{ConnectorError, RowStream, Snapshot, batches::Batches};
use crate::vocab::{DatasetId, Schema};

/// How long a stream that is still read is waited for.
const WAIT: Duration = Duration::from_secs(30);

/// A snapshot over every InnoDB table of a server.
pub(super) struct MySnapshot {
    server: Server,
    /// Holds the transaction.
    reader: Arc<Mutex<Conn>>,
}

impl MySnapshot {
    /// Takes it.
    pub(super) async fn take(server: &Server) -> Result<Self, ConnectorError> {
        let mut reader = server.connect().await?;
        let begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
        let begun = async { reader.query_drop(begin).await.map_err(|e| engine("take a snapshot", e)) };
        server.while_reached(begun).await?;
        Ok(MySnapshot { server: server.clone(), reader: Arc::new(Mutex::new(reader)) })
    }

    async fn reader(&self, table: &DatasetId) -> Result<OwnedMutexGuard<Conn>, ConnectorError> {
        let free = tokio::time::timeout(WAIT, self.reader.clone().lock_owned()).await;
        free.map_err(|_| ConnectorError::Engine {
            doing: format!("read `{table}`"),
            source: "another table of the same snapshot is still being read, and one snapshot has one connection"
                .into(),
        })
    }
}

#[async_trait]
impl Snapshot for MySnapshot {
    async fn count(&mut self, table: &DatasetId) -> Result<u64, ConnectorError> {
        let mut reader = self.reader(table).await?;
        let counted = async {
            let found = found(&mut reader, &self.server.target, table).await?;
            let sql = format!("SELECT COUNT(*) FROM {}", found.sql());
            ask(&mut reader, &sql, Vec::new(), || format!("count the rows of `{table}`")).await
        };
        let rows = self.server.while_reached(counted).await?;
        Ok(rows.first().map_or(0, |row| number(row, 0)))
    }

    async fn rows(&mut self, table: &DatasetId, schema: &Schema) -> Result<RowStream, ConnectorError> {
        let mut reader = self.reader(table).await?;
        let prepared = async {
            let found = found(&mut reader, &self.server.target, table).await?;
            Reading::of(&mut reader, table, &found, schema).await
        };
        let reading = self.server.while_reached(prepared).await?;
        Ok(stream(self.server.clone(), reader, reading))
    }
}

/// Sends every row from a task of its own; the connection is the snapshot's again when that ends.
fn stream(server: Server, mut reader: OwnedMutexGuard<Conn>, reading: Reading) -> RowStream {
    let (mut batches, stream) = Batches::stream();
    tokio::spawn(async move {
        let outcome = reading.send(&server, &mut reader, &mut batches).await;
        // The server still sends what nobody waits for.
        if matches!(outcome, Ok(Ended::Left) | Err(ConnectorError::Inexact { .. })) {
            server.interrupt(reader.id()).await;
            // What came before the end is thrown away, and with it the word that it was interrupted.
            let _ = server.while_reached(async { reader.ping().await.map_err(|e| engine("read on", e)) }).await;
        }
        drop(reader);
        batches.end(outcome.map(|_| ())).await;
    });
    stream
}
