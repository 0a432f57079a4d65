//! Which server an address means, and how it is reached.
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::password;
use crate::connector::{ConnectorError, address::Address, address::unescaped};

/// The options an address may have.
const OPTIONS: [&str; 5] = ["password", "sslmode", "sslrootcert", "schema", "lock_timeout_ms"];
/// How long one attempt to reach the server may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a lock on a table is waited for when the address says nothing else.
const LOCK_MS: u64 = 10_000;

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
}

impl Target {
    /// The server that `address` names; nothing is connected yet, but its password is looked up.
    pub(super) fn at(address: &Address, base: &Utf8Path) -> Result<Self, ConnectorError> {
        address.only(&OPTIONS)?;
        let parts = Parts::of(address)?;
        let mut config = Config::new();
        config.host(&parts.host).port(parts.port).dbname(&parts.database).user(&parts.user);
        config.application_name("carve").connect_timeout(CONNECT).ssl_mode(ssl_mode(address, &parts.host)?);
        if let Some(password) = password::of(address, &parts, base)? {
            config.password(password);
        }
        Ok(Target {
            config,
            shown: address.shown.clone(),
            schema: address.options.get("schema").cloned().unwrap_or_else(|| "public".to_owned()),
            root_certificates: address.options.get("sslrootcert").map(|path| base.join(path)),
            lock: Duration::from_millis(address.number("lock_timeout_ms")?.unwrap_or(LOCK_MS).clamp(1, 86_400_000)),
        })
    }

    /// Whether the connection is encrypted.
    pub(super) fn encrypted(&self) -> bool {
        self.config.get_ssl_mode() != SslMode::Disable
    }
}

/// What stands between the scheme and the options: `user:password@host:port/database`.
pub(super) struct Parts {
    pub(super) user: String,
    pub(super) password: Option<String>,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) database: String,
}

impl Parts {
    fn of(address: &Address) -> Result<Parts, ConnectorError> {
        let bad = |reason: &str| address.error(reason);
        let text = |part: &str, what: &str| {
            unescaped(part).filter(|text| !text.is_empty()).ok_or_else(|| bad(&format!("its {what} cannot be read")))
        };
        let (who, place) =
            address.rest.rsplit_once('@').ok_or_else(|| bad("it names no user: postgres://USER@HOST/DATABASE"))?;
        let (user, password) = match who.split_once(':') {
            Some((user, password)) => (user, Some(text(password, "password")?)),
            None => (who, None),
        };
        let (server, database) =
            place.split_once('/').ok_or_else(|| bad("it names no database: postgres://USER@HOST/DATABASE"))?;
        let (host, port) = split_port(server).ok_or_else(|| bad("its port is no number"))?;
        let host = if host.is_empty() { "localhost" } else { host };
        Ok(Parts {
            user: text(user, "user")?,
            password,
            host: text(host, "host")?,
            port,
            database: text(database, "database")?,
        })
    }
}

/// Host and port of `host:5432`, `[::1]:5432`, `host`.
fn split_port(server: &str) -> Option<(&str, u16)> {
    let (host, port) = match server.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match server.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    match port {
        Some(port) => Some((host, port.parse().ok()?)),
        None => Some((host, 5432)),
    }
}

/// Encrypted and the server's name proven, unless the server is this machine.
fn ssl_mode(address: &Address, host: &str) -> Result<SslMode, ConnectorError> {
    match address.options.get("sslmode").map(String::as_str) {
        Some("disable") => Ok(SslMode::Disable),
        Some("require" | "verify-ca" | "verify-full") => Ok(SslMode::Require),
        Some(_) => Err(address.error(
            "option `sslmode` takes `verify-full` (the server must prove its name) or `disable` (nothing is encrypted)",
        )),
        None if is_this_machine(host) && !address.options.contains_key("sslrootcert") => Ok(SslMode::Disable),
        None => Ok(SslMode::Require),
    }
}

fn is_this_machine(host: &str) -> bool {
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    loopback || host.eq_ignore_ascii_case("localhost") || host.starts_with('/')
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
