//! A database on a server and who asks for it, as addresses name them: `user@host:port/database`.
use crate::connector::{ConnectorError, address::Address, address::unescaped};

/// What stands between the scheme and the options.
pub(super) struct Parts {
    pub(super) user: String,
    pub(super) password: Option<String>,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) database: String,
}

impl Parts {
    /// The parts of `address`; `port` where it names none. `form` is how such an address is written.
    pub(super) fn of(address: &Address, port: u16, form: &str) -> Result<Parts, ConnectorError> {
        let bad = |reason: &str| address.error(reason);
        let text = |part: &str, what: &str| {
            unescaped(part).filter(|text| !text.is_empty()).ok_or_else(|| bad(&format!("its {what} cannot be read")))
        };
        let (who, place) = address.rest.rsplit_once('@').ok_or_else(|| bad(&format!("it names no user: {form}")))?;
        let (user, password) = match who.split_once(':') {
            Some((user, password)) => (user, Some(text(password, "password")?)),
            None => (who, None),
        };
        let (server, database) = place.split_once('/').ok_or_else(|| bad(&format!("it names no database: {form}")))?;
        let (host, named) = split_port(server).ok_or_else(|| bad("its port is no number"))?;
        let host = if host.is_empty() { "localhost" } else { host };
        Ok(Parts {
            user: text(user, "user")?,
            password,
            host: text(host, "host")?,
            port: named.unwrap_or(port),
            database: text(database, "database")?,
        })
    }
}

/// Host and port of `host:5432`, `[::1]:5432`, `host`.
fn split_port(server: &str) -> Option<(&str, Option<u16>)> {
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
        Some(port) => Some((host, Some(port.parse().ok()?))),
        None => Some((host, None)),
    }
}

/// Whether the connection is encrypted and the server's name proven: unless the address says otherwise, yes where
/// the server is another machine.
pub(super) fn encrypted(address: &Address, host: &str) -> Result<bool, ConnectorError> {
    match address.options.get("sslmode").map(String::as_str) {
        Some("disable") => Ok(false),
        Some("require" | "verify-ca" | "verify-full") => Ok(true),
        Some(_) => Err(address.error(
            "option `sslmode` takes `verify-full` (the server must prove its name) or `disable` (nothing is encrypted)",
        )),
        None => Ok(!is_this_machine(host) || address.options.contains_key("sslrootcert")),
    }
}

fn is_this_machine(host: &str) -> bool {
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    loopback || host.eq_ignore_ascii_case("localhost") || host.starts_with('/')
}
