//! MariaDB and MySQL as a place data comes from.
use async_trait::async_trait;
use camino::Utf8Path;

use super::describe::describe;
use super::names::found;
use super::session::{Server, ask};
use super::snapshot::MySnapshot;
use super::target::Target;
use crate::connector::{ConnectorError, Origin, Snapshot, TableDescription, address::Address};
use crate::vocab::DatasetId;

/// The databases of a MariaDB or MySQL server. Every transaction on it is declared to read only.
#[derive(Clone)]
pub struct Mysql {
    server: Server,
}

impl Mysql {
    /// Other people's data.
    pub(in crate::connector) fn origin(address: &Address, base: &Utf8Path) -> Result<Self, ConnectorError> {
        Ok(Mysql { server: Server { target: Target::at(address, base)? } })
    }
}

#[async_trait]
impl Origin for Mysql {
    fn kind(&self) -> &'static str {
        "mysql"
    }

    async fn probe(&self) -> Result<(), ConnectorError> {
        let mut connection = self.server.connect().await?;
        let doing = || format!("ask `{}` a question", self.server.target.shown);
        let asked = ask(&mut connection, "SELECT 1", Vec::new(), doing);
        self.server.while_reached(asked).await.map(|_| ())
    }

    async fn describe(&self, table: &DatasetId) -> Result<TableDescription, ConnectorError> {
        let mut connection = self.server.connect().await?;
        let described = async {
            let found = found(&mut connection, &self.server.target, table).await?;
            describe(&mut connection, table, &found).await
        };
        self.server.while_reached(described).await
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, ConnectorError> {
        Ok(Box::new(MySnapshot::take(&self.server).await?))
    }
}
