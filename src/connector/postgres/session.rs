//! Connections, with settings that make every value's text the same whatever the server's own are.
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode, SslNegotiation};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, NoTls, Socket};

use super::stream::Plain;
use super::target::{SIGNS, Target};
use super::tls::Tls;
use super::trouble::engine;
use crate::connector::ConnectorError;

/// Row security is off so that rows it would hide fail the reading, instead of going missing.
const SETTINGS: &str = "SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601'; SET timezone = 'UTC'; \
    SET extra_float_digits = 1; SET bytea_output = 'hex'; SET xmloption = 'content'; SET row_security = off; \
    SET standard_conforming_strings = on; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
    SET client_min_messages = warning; SET default_transaction_isolation = 'read committed';";

/// A database that knows no encoding would find bytes that are no UTF-8 itself, and tell neither column nor row: they
/// are looked at here.
const BYTES_AS_THEY_ARE: &str = "SELECT pg_catalog.set_config('client_encoding', 'SQL_ASCII', false) \
    WHERE pg_catalog.current_setting('server_encoding') = 'SQL_ASCII';";

/// A server, and connections to it that wait for their next use.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) target: Target,
    writes: bool,
    idle: Arc<Mutex<Vec<Client>>>,
}

impl Server {
    /// The server of `target`; `writes` unless everything asked of it only reads.
    pub(super) fn at(target: Target, writes: bool) -> Self {
        Server { target, writes, idle: Arc::default() }
    }

    /// A connection of the caller's own, one that waited or a new one.
    pub(super) async fn connect(&self) -> Result<Client, ConnectorError> {
        let waiting = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match waiting {
            Some(client) if !client.is_closed() => Ok(client),
            _ => self.fresh().await,
        }
    }

    /// Takes back a connection that is in no transaction.
    pub(super) fn give_back(&self, client: Client) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(client);
    }

    /// Stops what runs on a connection whose answer nobody reads on. Without that the server sends all of it, and the
    /// driver reads and drops it: the whole table, where a few rows were wanted.
    pub(super) async fn abandon(&self, client: Client) {
        let token = client.cancel_token();
        drop(client);
        // One that cannot be stopped comes to its end by itself.
        let _ = match (self.target.encrypted(), self.is_socket_file()) {
            (true, _) => match Tls::of(&self.target) {
                Ok(tls) => token.cancel_query(tls).await,
                Err(_) => Ok(()),
            },
            (false, true) => token.cancel_query(NoTls).await,
            (false, false) => token.cancel_query(Plain).await,
        };
    }

    /// Whether the server listens on a file; the driver lets nobody come between itself and such a one.
    fn is_socket_file(&self) -> bool {
        self.target.config.get_hosts().iter().any(|host| !matches!(host, Host::Tcp(_)))
    }

    async fn fresh(&self) -> Result<Client, ConnectorError> {
        let doing = |e| engine(format!("connect to `{}`", self.target.shown), e);
        let config = &self.target.config;
        let client = match self.target.encrypted() {
            true => connected(config, Tls::of(&self.target)?).await,
            false if self.is_socket_file() => connected(config, NoTls).await,
            false => {
                let mut config = config.clone();
                config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
                connected(&config, Plain).await
            }
        };
        let client = client.map_err(doing)?;
        let (lock, silence) = (self.target.lock.as_millis(), self.target.silence);
        let reads = if self.writes { "off" } else { "on" };
        let patience = server_patience(silence);
        let settings = format!(
            "{SETTINGS} {BYTES_AS_THEY_ARE} SET lock_timeout = {lock}; SET default_transaction_read_only = {reads}; {patience}"
        );
        client.batch_execute(&settings).await.map_err(doing)?;
        Ok(client)
    }
}

/// A connection, which works in a task of its own.
async fn connected<T>(config: &Config, tls: T) -> Result<Client, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect(tls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// How long the server keeps what a carve holds that it does not hear of any more: a transaction that nobody ends keeps
/// its locks, and the next run waiting. A server without one of these settings keeps its own.
fn server_patience(silence: Duration) -> String {
    let seconds = |part: Duration| part.as_secs().max(1);
    let (idle, interval) = (seconds(silence / 2), seconds(silence / (2 * SIGNS)));
    let wanted = [
        ("tcp_keepalives_idle", u128::from(idle)),
        ("tcp_keepalives_interval", u128::from(interval)),
        ("tcp_keepalives_count", u128::from(SIGNS)),
        ("tcp_user_timeout", silence.as_millis()),
    ];
    let values: Vec<String> = wanted.iter().map(|(name, value)| format!("('{name}', '{value}')")).collect();
    format!(
        "SELECT pg_catalog.set_config(w.name, w.value, false) FROM (VALUES {}) AS w (name, value) \
         JOIN pg_catalog.pg_settings s ON s.name = w.name",
        values.join(", ")
    )
}
