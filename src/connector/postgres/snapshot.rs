//! One state of a whole database: a transaction that exports its snapshot, and a connection a stream that takes it.
use async_trait::async_trait;
use tokio_postgres::Client;

use super::names::found;
use super::reading::Reading;
use super::session::Server;
use super::trouble::engine;
use crate::connector::{ConnectorError, RowStream, Snapshot};
use crate::vocab::{DatasetId, Schema};

/// A snapshot over every table of a database.
pub(super) struct PgSnapshot {
    server: Server,
    /// Holds the transaction whose state all streams see.
    holder: Client,
    /// The name under which other connections take it.
    name: String,
}

impl PgSnapshot {
    /// Takes it.
    pub(super) async fn take(server: &Server) -> Result<Self, ConnectorError> {
        let doing = |e| engine("take a snapshot", e);
        let holder = server.connect().await?;
        holder.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(doing)?;
        let row = holder.query_one("SELECT pg_catalog.pg_export_snapshot()", &[]).await.map_err(doing)?;
        Ok(PgSnapshot { server: server.clone(), name: row.get(0), holder })
    }

    /// A connection that sees the same state.
    async fn another(&self) -> Result<Client, ConnectorError> {
        let client = self.server.connect().await?;
        let name = &self.name;
        let sql = format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '{name}'");
        client.batch_execute(&sql).await.map_err(|e| engine("read in the snapshot", e))?;
        Ok(client)
    }
}

#[async_trait]
impl Snapshot for PgSnapshot {
    async fn count(&mut self, table: &DatasetId) -> Result<u64, ConnectorError> {
        let found = found(&self.holder, &self.server.target, table).await?;
        let sql = format!("SELECT pg_catalog.count(*) FROM {}", found.sql());
        let row =
            self.holder.query_one(&sql, &[]).await.map_err(|e| engine(format!("count the rows of `{table}`"), e))?;
        Ok(row.get::<_, i64>(0).unsigned_abs())
    }

    async fn rows(&mut self, table: &DatasetId, schema: &Schema) -> Result<RowStream, ConnectorError> {
        let client = self.another().await?;
        let found = found(&client, &self.server.target, table).await?;
        let reading = Reading::of(&client, table, &found, schema).await?;
        Ok(reading.stream(self.server.clone(), client))
    }
}
