//! Which server an address means, and how it is reached.
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::password;
use crate::connector::{ConnectorError, address::Address, network::Parts, network::encrypted};

/// The options an address may have.
const OPTIONS: [&str; 7] = ["password", "sslmode", "sslrootcert", "schema", "lock_timeout_ms", "timeout_ms", "streams"];
/// How long one attempt to reach the server may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may be out of reach before its connection counts as lost, when the address says nothing else.
const SILENCE_MS: u64 = 60_000;
/// How often it is asked for a sign of life in that time, after half of it has passed.
pub(super) const SIGNS: u32 = 3;
/// How long a lock on a table is waited for when the address says nothing else.
const LOCK_MS: u64 = 10_000;
/// Connections that read one table side by side when the address says nothing else, and at most.
const STREAMS: u64 = 4;
const MOST_STREAMS: u64 = 64;

/// A server, a database on it, and who asks.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    /// The address without secrets, for messages.
    pub(super) shown: String,
    /// The schema of a table that is named without one.
    pub(super) schema: String,
    /// Certificates that vouch for the server instead of the system's own.
    pub(super) root_certificates: Option<Utf8PathBuf>,
    /// How long a lock is waited for.
    pub(super) lock: Duration,
    /// How long the other side may be out of reach before the connection counts as lost.
    pub(super) silence: Duration,
    /// Connections that read one table side by side.
    pub(super) streams: usize,
}

impl Target {
    /// The server that `address` names; nothing is connected yet, but its password is looked up.
    pub(super) fn at(address: &Address, base: &Utf8Path) -> Result<Self, ConnectorError> {
        address.only(&OPTIONS)?;
        let parts = Parts::of(address, 5432, "postgres://USER@HOST/DATABASE")?;
        let mode = if encrypted(address, &parts.host)? { SslMode::Require } else { SslMode::Disable };
        let mut config = Config::new();
        config.host(&parts.host).port(parts.port).dbname(&parts.database).user(&parts.user);
        config.application_name("carve").ssl_mode(mode);
        let silence = address.number("timeout_ms")?.unwrap_or(SILENCE_MS).clamp(1_000, 86_400_000);
        let silence = Duration::from_millis(silence);
        patience(&mut config, silence);
        if let Some(password) = password::of(address, &parts, base)? {
            config.password(password);
        }
        Ok(Target {
            config,
            shown: address.shown.clone(),
            schema: address.options.get("schema").map_or_else(|| "public".to_owned(), |name| name.to_lowercase()),
            root_certificates: address.options.get("sslrootcert").map(|path| base.join(path)),
            lock: Duration::from_millis(address.number("lock_timeout_ms")?.unwrap_or(LOCK_MS).clamp(1, 86_400_000)),
            silence,
            streams: address.number("streams")?.unwrap_or(STREAMS).clamp(1, MOST_STREAMS) as usize,
        })
    }

    /// Whether the connection is encrypted.
    pub(super) fn encrypted(&self) -> bool {
        self.config.get_ssl_mode() != SslMode::Disable
    }
}

/// Without these a connection that was cut, and not closed, would be waited for two hours. A server that works for
/// long, or waits for a lock, still answers for its machine.
fn patience(config: &mut Config, silence: Duration) {
    let whole = |part: Duration| part.max(Duration::from_secs(1));
    config.connect_timeout(CONNECT.min(silence)).tcp_user_timeout(silence);
    config.keepalives_idle(whole(silence / 2)).keepalives_interval(whole(silence / (2 * SIGNS)));
    config.keepalives_retries(SIGNS);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, ConnectorError> {
        Target::at(&Address::parse("lake", url).unwrap(), Utf8Path::new("/estate"))
    }

    #[test]
    fn another_machine_is_reached_encrypted_and_this_one_need_not_be() {
        for (url, encrypted) in [
            ("postgres://me@db.example/shop", true),
            ("postgres://me@10.0.0.7:6432/shop?sslmode=require", true),
            ("postgres://me@db.example/shop?sslmode=disable", false),
            ("postgres://me@localhost/shop", false),
            ("postgres://me@[::1]:5433/shop", false),
            ("postgres://me@%2Frun%2Fpostgresql/shop", false),
            ("postgres://me@127.0.0.1/shop?sslrootcert=ca.pem", true),
        ] {
            assert_eq!(target(url).unwrap().encrypted(), encrypted, "{url}");
        }
    }

    #[test]
    fn a_mode_that_may_fall_back_to_plain_text_is_refused() {
        let error = target("postgres://me@db.example/shop?sslmode=prefer").err().unwrap();
        assert!(error.to_string().contains("verify-full"), "{error}");
    }

    #[test]
    fn four_connections_read_a_table_unless_the_address_says_how_many() {
        for (option, streams) in [("", 4), ("?streams=1", 1), ("?streams=0", 1), ("?streams=1000", 64)] {
            assert_eq!(target(&format!("postgres://me@localhost/shop{option}")).unwrap().streams, streams, "{option}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (url, missing) in [
            ("postgres://host/db", "no user"),
            ("postgres://me@host", "no database"),
            ("postgres://me@host/", "database cannot be read"),
            ("postgres://me@host:x/db", "port is no number"),
        ] {
            let error = target(url).err().unwrap().to_string();
            assert!(error.contains(missing), "{url}: {error}");
        }
    }
}
