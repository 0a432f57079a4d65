//! Which server an address means, and how it is reached.
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use mysql_async::{Opts, OptsBuilder, SslOpts};

use crate::connector::{ConnectorError, address::Address, credentials, network::Parts, network::encrypted, trust};

/// The options an address may have.
const OPTIONS: [&str; 6] = ["password", "sslmode", "sslrootcert", "lock_timeout_ms", "timeout_ms", "engines"];
/// How long a table's definition is waited for when the address says nothing else.
const LOCK_MS: u64 = 10_000;
/// How long a server may be out of reach before its connection counts as lost, when the address says nothing else.
const SILENCE_MS: u64 = 60_000;
/// The largest row the protocol knows; the server's own limit is lower or the same.
const LARGEST_ROW: usize = 1 << 30;

/// A server, a database on it, and who asks.
#[derive(Clone)]
pub(super) struct Target {
    plain: Opts,
    encrypted: bool,
    root_certificates: Option<Utf8PathBuf>,
    /// The address without secrets, for messages.
    pub(super) shown: String,
    /// The database of a table that is named without one.
    pub(super) database: String,
    /// How long a lock is waited for, in whole seconds: the server knows no finer ones.
    pub(super) lock_seconds: u64,
    /// How long the other side may be out of reach before the connection counts as lost.
    pub(super) silence: Duration,
    /// Whether tables are read too that no snapshot covers.
    pub(super) any_engine: bool,
}

impl Target {
    /// The server that `address` names; nothing is connected yet, but its password is looked up.
    pub(super) fn at(address: &Address, base: &Utf8Path) -> Result<Self, ConnectorError> {
        address.only(&OPTIONS)?;
        let parts = Parts::of(address, 3306, "mysql://USER@HOST/DATABASE")?;
        let any_engine = match address.options.get("engines").map(String::as_str) {
            None | Some("innodb") => false,
            Some("any") => true,
            Some(_) => return Err(address.error("option `engines` takes `innodb` or `any`")),
        };
        let silence = address.number("timeout_ms")?.unwrap_or(SILENCE_MS).clamp(1_000, 86_400_000);
        let silence = Duration::from_millis(silence);
        let lock_ms = address.number("lock_timeout_ms")?.unwrap_or(LOCK_MS);
        Ok(Target {
            encrypted: encrypted(address, &parts.host)?,
            plain: plain(&parts, password(address, &parts, base)?, silence),
            silence,
            root_certificates: address.options.get("sslrootcert").map(|path| base.join(path)),
            shown: address.shown.clone(),
            database: parts.database,
            lock_seconds: lock_ms.div_ceil(1_000).clamp(1, 86_400),
            any_engine,
        })
    }

    /// What the client needs to connect; certificates are read anew each time.
    pub(super) fn options(&self) -> Result<Opts, ConnectorError> {
        if !self.encrypted {
            return Ok(self.plain.clone());
        }
        // The client asks rustls for the process's provider; one that is set already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let trusted = trust::certificates(&self.shown, self.root_certificates.as_deref())?;
        let roots = trusted.iter().map(|certificate| certificate.to_vec().into()).collect();
        let tls = SslOpts::default().with_disable_built_in_roots(true).with_root_certs(roots);
        Ok(OptsBuilder::from_opts(self.plain.clone()).ssl_opts(tls).into())
    }
}

fn plain(parts: &Parts, password: Option<String>, silence: Duration) -> Opts {
    let options = OptsBuilder::default()
        .user(Some(&parts.user))
        .pass(password)
        .db_name(Some(&parts.database))
        .max_allowed_packet(Some(LARGEST_ROW))
        .tcp_keepalive(Some(silence))
        .prefer_socket(false);
    match parts.host.starts_with('/') {
        true => options.socket(Some(&parts.host)).into(),
        false => options.ip_or_hostname(&parts.host).tcp_port(parts.port).into(),
    }
}

/// The password for `parts`: where the address says, else from MYSQL_PWD, as the server's own clients do.
fn password(address: &Address, parts: &Parts, base: &Utf8Path) -> Result<Option<String>, ConnectorError> {
    if let Some(password) = credentials::password(address, parts, base, "")? {
        return Ok(Some(password));
    }
    Ok(std::env::var("MYSQL_PWD").ok().filter(|password| !password.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, ConnectorError> {
        Target::at(&Address::parse("source:x", url).unwrap(), Utf8Path::new("/estate"))
    }

    #[test]
    fn another_machine_is_reached_encrypted_and_this_one_need_not_be() {
        for (url, encrypted) in [
            ("mysql://me@db.example/shop", true),
            ("mariadb://me@10.0.0.7:3307/shop?sslmode=require", true),
            ("mysql://me@db.example/shop?sslmode=disable", false),
            ("mysql://me@localhost/shop", false),
            ("mysql://me@[::1]:3307/shop", false),
            ("mysql://me@%2Frun%2Fmysqld%2Fmysqld.sock/shop", false),
            ("mysql://me@127.0.0.1/shop?sslrootcert=ca.pem", true),
        ] {
            assert_eq!(target(url).unwrap().encrypted, encrypted, "{url}");
        }
    }

    #[test]
    fn what_an_address_says_becomes_the_server_and_the_database() {
        let found = target("mysql://me@db.example/sh%2Fop?sslmode=disable&lock_timeout_ms=1500").unwrap();
        let options = found.options().unwrap();
        assert_eq!((options.ip_or_hostname(), options.tcp_port(), options.user()), ("db.example", 3306, Some("me")));
        assert_eq!((found.database.as_str(), found.lock_seconds), ("sh/op", 2), "seconds are rounded up");
        let socket = target("mysql://me@%2Frun%2Fmysqld.sock/shop").unwrap().options().unwrap();
        assert_eq!(socket.socket(), Some("/run/mysqld.sock"));
    }

    #[test]
    fn a_password_in_the_address_itself_is_refused_without_showing_it() {
        for url in ["mysql://me:hunter2@host/db", "mysql://me@host/db?password=hunter2"] {
            let text = target(url).err().unwrap().to_string();
            assert!(!text.contains("hunter2") && text.contains("env:NAME"), "{text}");
        }
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        for (url, named) in [
            ("mysql://host/db", "mysql://USER@HOST/DATABASE"),
            ("mysql://me@host", "no database"),
            ("mysql://me@host/db?sslmode=preferred", "verify-full"),
            ("mysql://me@host/db?engines=myisam", "`engines`"),
            ("mysql://me@host/db?schema=x", "lock_timeout_ms"),
            ("mysql://me@host/db?password=env:CARVE_TEST_NEVER_SET", "CARVE_TEST_NEVER_SET"),
        ] {
            let error = target(url).err().unwrap().to_string();
            assert!(error.contains(named), "{url}: {error}");
        }
    }
}
