//! Where a password comes from: never from a file that people share.
use camino::{Utf8Path, Utf8PathBuf};

use crate::connector::{ConnectorError, address::Address, credentials, network::Parts};

/// The password for `parts`: by the option `password=env:NAME` or `password=file:PATH`, from an address that is
/// itself a secret (`env:NAME`), from PGPASSWORD, or from the password file (`~/.pgpass`).
pub(super) fn of(address: &Address, parts: &Parts, base: &Utf8Path) -> Result<Option<String>, ConnectorError> {
    if let Some(password) = credentials::password(address, parts, base, " or ~/.pgpass")? {
        return Ok(Some(password));
    }
    match std::env::var("PGPASSWORD") {
        Ok(password) if !password.is_empty() => Ok(Some(password)),
        _ => from_password_file(address, parts),
    }
}

fn from_password_file(address: &Address, parts: &Parts) -> Result<Option<String>, ConnectorError> {
    let Some(path) = password_file() else { return Ok(None) };
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
    let found = text.lines().find_map(|line| matching(line, parts));
    match found {
        Some(_) if open_to_others(&path) => {
            Err(address.error(&format!("other users may read `{path}`: `chmod 600 {path}`")))
        }
        found => Ok(found),
    }
}

fn password_file() -> Option<Utf8PathBuf> {
    let named = std::env::var("PGPASSFILE").ok().filter(|path| !path.is_empty()).map(Utf8PathBuf::from);
    named.or_else(|| Some(Utf8PathBuf::from(std::env::var("HOME").ok()?).join(".pgpass")))
}

#[cfg(unix)]
fn open_to_others(path: &Utf8Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_: &Utf8Path) -> bool {
    false
}

/// The password of a line `host:port:database:user:password` that fits; `*` fits everything.
fn matching(line: &str, parts: &Parts) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let fields = fields(line);
    let [host, port, database, user, password] = fields.as_slice() else { return None };
    let fits = |field: &str, value: &str| field == "*" || field == value;
    let all = fits(host, &parts.host)
        && fits(port, &parts.port.to_string())
        && fits(database, &parts.database)
        && fits(user, &parts.user);
    all.then(|| password.clone())
}

/// The five fields of a line; a backslash takes the next character as it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (c, fields.len()) {
            (':', 1..=4) => fields.push(String::new()),
            (c, count) => {
                let taken = if c == '\\' { characters.next().unwrap_or('\\') } else { c };
                fields[count - 1].push(taken);
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Parts {
        let [user, host, database] = ["me", "db.example", "sh:op"].map(str::to_owned);
        Parts { user, password: None, host, port: 5432, database }
    }

    #[test]
    fn a_line_of_the_password_file_fits_or_does_not() {
        for (line, password) in [
            (r"db.example:5432:sh\:op:me:se\:cr\\et", Some("se:cr\\et")),
            ("*:*:*:me:with:colon", Some("with:colon")),
            ("*:*:*:you:x", None),
            ("#*:*:*:*:x", None),
            ("*:5433:*:*:x", None),
            ("", None),
        ] {
            assert_eq!(matching(line, &parts()).as_deref(), password, "{line}");
        }
    }

    #[test]
    fn a_password_in_the_address_itself_is_refused_without_showing_it() {
        for url in ["postgres://me:hunter2@host/db", "postgres://me@host/db?password=hunter2"] {
            let address = Address::parse("lake", url).unwrap();
            let error = super::super::target::Target::at(&address, Utf8Path::new("/")).err().unwrap();
            let text = format!("{error:?} {error}");
            assert!(!text.contains("hunter2") && text.contains("env:NAME"), "{text}");
        }
    }
}
