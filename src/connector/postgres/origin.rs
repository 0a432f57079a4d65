//! PostgreSQL as a place data comes from: the lake is one too.
use async_trait::async_trait;
use camino::Utf8Path;

use super::describe::describe;
use super::names::found;
use super::session::Server;
use super::snapshot::PgSnapshot;
use super::target::Target;
use super::trouble::engine;
use crate::connector::{ConnectorError, Origin, Snapshot, TableDescription, address::Address};
use crate::vocab::DatasetId;

/// A database on a PostgreSQL server. As an origin every transaction on it is declared to read only.
#[derive(Clone)]
pub struct Postgres {
    pub(super) server: Server,
}

impl Postgres {
    /// Other people's data.
    pub(in crate::connector) fn origin(address: &Address, base: &Utf8Path) -> Result<Self, ConnectorError> {
        Ok(Postgres { server: Server::at(Target::at(address, base)?, false) })
    }

    /// The lake that carve writes to.
    pub(in crate::connector) fn lake(address: &Address, base: &Utf8Path) -> Result<Self, ConnectorError> {
        Ok(Postgres { server: Server::at(Target::at(address, base)?, true) })
    }
}

#[async_trait]
impl Origin for Postgres {
    fn kind(&self) -> &'static str {
        "postgres"
    }

    async fn probe(&self) -> Result<(), ConnectorError> {
        let client = self.server.connect().await?;
        let doing = |e| engine(format!("ask `{}` a question", self.server.target.shown), e);
        client.query_one("SELECT 1", &[]).await.map_err(doing)?;
        self.server.give_back(client);
        Ok(())
    }

    async fn describe(&self, table: &DatasetId) -> Result<TableDescription, ConnectorError> {
        let client = self.server.connect().await?;
        let found = found(&client, &self.server.target, table).await?;
        let description = describe(&client, table, &found).await?;
        self.server.give_back(client);
        Ok(description)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, ConnectorError> {
        Ok(Box::new(PgSnapshot::take(&self.server).await?))
    }
}
