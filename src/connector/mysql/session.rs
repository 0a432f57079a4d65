//! Connections, with settings that make every value the same whatever the server's own are.
use std::pin::pin;
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params, Row};

use super::target::Target;
use super::trouble::engine;
use crate::connector::ConnectorError;
use crate::vocab::counted;

/// How long one attempt to reach the server may take.
const CONNECT: Duration = Duration::from_secs(10);

/// Text crosses as it is stored, instants in UTC, nothing is cut off, and a reader who pauses is not hung up on.
const SETTINGS: [&str; 4] = [
    "SET NAMES utf8mb4",
    "SET character_set_results = NULL, time_zone = '+00:00', sql_mode = '', autocommit = 1",
    "SET sql_select_limit = 18446744073709551615, sql_big_selects = 1, max_sort_length = 4096, \
     net_write_timeout = 28800, net_read_timeout = 28800, wait_timeout = 28800",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
];
const OF_MARIADB: &str =
    "SET max_statement_time = 0, idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0";
const OF_MYSQL: &str = "SET max_execution_time = 0";

/// A server that is asked to read only.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) target: Target,
}

impl Server {
    /// A connection of the caller's own.
    pub(super) async fn connect(&self) -> Result<Conn, ConnectorError> {
        let doing = || format!("connect to `{}`", self.target.shown);
        let reached = async {
            let mut connection = Conn::new(self.target.options()?).await.map_err(|e| engine(doing(), e))?;
            self.set_up(&mut connection).await.map_err(|e| engine(doing(), e))?;
            Ok(connection)
        };
        tokio::time::timeout(self.patience(), reached).await.map_err(|_| self.silent())?
    }

    /// Does `work` for as long as the server is within reach. One that works for long, or waits for a lock, says nothing
    /// either, so it is another connection that finds out.
    pub(super) async fn while_reached<T>(
        &self,
        work: impl Future<Output = Result<T, ConnectorError>>,
    ) -> Result<T, ConnectorError> {
        let mut work = pin!(work);
        loop {
            match tokio::time::timeout(self.target.silence, &mut work).await {
                Ok(done) => return done,
                Err(_) => self.must_be_reached().await?,
            }
        }
    }

    async fn must_be_reached(&self) -> Result<(), ConnectorError> {
        match tokio::time::timeout(self.patience(), Conn::new(self.target.options()?)).await {
            Ok(Ok(other)) => {
                // It has said that it is there.
                let _ = tokio::time::timeout(self.patience(), other.disconnect()).await;
                Ok(())
            }
            // So has one that lets nobody more in.
            Ok(Err(mysql_async::Error::Server(_))) => Ok(()),
            Ok(Err(error)) => Err(engine(format!("reach `{}` any more", self.target.shown), error)),
            Err(_) => Err(self.silent()),
        }
    }

    /// How long one attempt to reach the server may take.
    fn patience(&self) -> Duration {
        CONNECT.min(self.target.silence)
    }

    fn silent(&self) -> ConnectorError {
        ConnectorError::Engine {
            doing: format!("connect to `{}`", self.target.shown),
            source: format!("the server gave no answer for {}", counted(self.patience().as_secs(), "second")).into(),
        }
    }

    async fn set_up(&self, connection: &mut Conn) -> Result<(), mysql_async::Error> {
        let version: Vec<Row> = connection.exec("SELECT @@version", Params::Empty).await?;
        let is_mariadb = version.first().and_then(|row| text(row, 0)).is_some_and(|its| its.contains("MariaDB"));
        let own = if is_mariadb { OF_MARIADB } else { OF_MYSQL };
        for statement in SETTINGS.into_iter().chain([own]) {
            connection.query_drop(statement).await?;
        }
        connection.query_drop(format!("SET lock_wait_timeout = {}", self.target.lock_seconds)).await
    }

    /// Ends what the connection `id` is being sent, from another one: a reader that has gone shall not be sent the
    /// rest of a table. The connection and its transaction stay.
    pub(super) async fn interrupt(&self, id: u32) {
        if let Ok(mut other) = self.connect().await {
            // What ended meanwhile needs no end.
            let _ = other.query_drop(format!("KILL QUERY {id}")).await;
            let _ = other.disconnect().await;
        }
    }
}

/// The rows that `sql` answers with.
pub(super) async fn ask(
    connection: &mut Conn,
    sql: &str,
    parameters: Vec<&str>,
    doing: impl FnOnce() -> String,
) -> Result<Vec<Row>, ConnectorError> {
    let parameters = match parameters.is_empty() {
        true => Params::Empty,
        false => Params::Positional(parameters.into_iter().map(Into::into).collect()),
    };
    connection.exec(sql, parameters).await.map_err(|e| engine(doing(), e))
}

/// The text in the column `at`; `None` for NULL.
pub(super) fn text(row: &Row, at: usize) -> Option<String> {
    match row.as_ref(at)? {
        mysql_async::Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}

/// The whole number in the column `at`; nought for NULL and for what is no whole number.
pub(super) fn number(row: &Row, at: usize) -> u64 {
    match row.as_ref(at) {
        Some(mysql_async::Value::Int(number)) => number.unsigned_abs(),
        Some(mysql_async::Value::UInt(number)) => *number,
        _ => 0,
    }
}
