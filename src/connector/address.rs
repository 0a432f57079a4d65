//! An address as people type it, without its secrets in anything that is shown.
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::connector::ConnectorError;
use crate::vocab::nearest;

/// A connection's address, taken apart.
#[derive(Clone)]
pub(super) struct Address {
    /// What it is for: `lake`, `bucket`, `source:order_db`.
    pub(super) role: String,
    /// What errors show: `env:NAME` as typed, else the address without user, password and options.
    pub(super) shown: String,
    /// What stands before the first colon.
    pub(super) scheme: String,
    /// What stands between the scheme and the options; `//` gone.
    pub(super) rest: String,
    /// What stands after `?`, by name.
    pub(super) options: BTreeMap<String, String>,
}

impl Address {
    /// Takes `url` apart; `env:NAME` stands for the address in the environment variable `NAME`.
    ///
    /// # Errors
    /// [`ConnectorError::Address`] when the variable is not set or the text is no address.
    pub(super) fn parse(role: &str, url: &str) -> Result<Self, ConnectorError> {
        let (shown, resolved) = match url.trim().strip_prefix("env:") {
            Some(name) => (format!("env:{name}"), from_environment(role, name)?),
            None => (redacted(url.trim()), url.trim().to_owned()),
        };
        let bad = |reason: &str| bad_address(role, &shown, reason, &write_it(role));
        let (scheme, rest) = resolved.split_once(':').ok_or_else(|| {
            bad("expected `sqlite:PATH`, `postgres://USER@HOST/DATABASE`, `mysql://USER@HOST/DATABASE`, `https://HOST/PATH`, `file:FOLDER`, `s3://BUCKET` or `env:NAME`")
        })?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        if rest.is_empty() {
            return Err(bad("nothing stands after the scheme"));
        }
        let options = options(query).map_err(|reason| bad(&reason))?;
        Ok(Address { role: role.to_owned(), shown, scheme: scheme.to_lowercase(), rest: rest.to_owned(), options })
    }

    /// The path it names, counted from `base`.
    pub(super) fn path(&self, base: &Utf8Path) -> Utf8PathBuf {
        base.join(&self.rest)
    }

    /// Refuses options that are not in `known`; a value is never shown, it may be a secret.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ConnectorError> {
        match self.options.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) if known.is_empty() => Err(self.error(&format!("it takes no options, `{name}` was given"))),
            Some(name) => Err(self.error(&format!("unknown option `{name}`: use {}", known.join(", ")))),
        }
    }

    /// The option `name` as a whole number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, ConnectorError> {
        let parsed = self.options.get(name).map(|text| text.parse::<u64>()).transpose();
        parsed.map_err(|_| self.error(&format!("option `{name}` takes a whole number")))
    }

    /// The option `name` as `true` or `false`.
    #[cfg_attr(
        not(any(feature = "http", feature = "s3")),
        expect(dead_code, reason = "only these engines' addresses take switches")
    )]
    pub(super) fn switch(&self, name: &str) -> Result<Option<bool>, ConnectorError> {
        let parsed = self.options.get(name).map(|text| text.parse::<bool>()).transpose();
        parsed.map_err(|_| self.error(&format!("option `{name}` takes `true` or `false`")))
    }

    /// The error that this address cannot be used, and why.
    pub(super) fn error(&self, reason: &str) -> ConnectorError {
        bad_address(&self.role, &self.shown, reason, &write_it(&self.role))
    }

    /// The error that no engine of this role reads this scheme; `known` are those that one reads.
    pub(super) fn unknown_scheme(&self, known: &[&str]) -> ConnectorError {
        let listed: Vec<String> = known.iter().map(|scheme| format!("`{scheme}:`")).collect();
        let what = self.role.split(':').next().unwrap_or_default();
        let reason = format!("carve reads {} for a {what}, not `{}:`", listed.join(" and "), self.scheme);
        let cure = match nearest(&self.scheme, known) {
            Some(near) => format!("did you mean `{near}:`? {}", write_it(&self.role)),
            None => write_it(&self.role),
        };
        bad_address(&self.role, &self.shown, &reason, &cure)
    }
}

fn bad_address(role: &str, shown: &str, reason: &str, cure: &str) -> ConnectorError {
    let [what, shown, reason, cure] = [role, shown, reason, cure].map(str::to_owned);
    ConnectorError::Address { what, shown, reason, cure }
}

/// Where carve.yaml says what `role` is.
fn key_of(role: &str) -> String {
    match role.strip_prefix("source:") {
        Some(name) => format!("`sources.{name}.url`"),
        None => format!("`{role}.url`"),
    }
}

fn write_it(role: &str) -> String {
    format!("correct {} in carve.yaml: docs/CONNECTIONS.md lists the forms of an address", key_of(role))
}

fn from_environment(role: &str, name: &str) -> Result<String, ConnectorError> {
    let shown = format!("env:{name}");
    let bad = |reason: &str| {
        let cure = format!(
            "set {name} where carve runs, `export {name}=…`, or write the address itself \
             at {} in carve.yaml",
            key_of(role)
        );
        bad_address(role, &shown, reason, &cure)
    };
    let value = match std::env::var(name) {
        Ok(value) => value,
        Err(std::env::VarError::NotPresent) => return Err(bad(&format!("the environment variable {name} is not set"))),
        Err(_) => return Err(bad(&format!("the environment variable {name} holds no text"))),
    };
    match value.trim() {
        "" => Err(bad(&format!("the environment variable {name} is empty"))),
        nested if nested.starts_with("env:") => Err(bad("a variable may not point to another one")),
        value => Ok(value.to_owned()),
    }
}

/// `url` without user, password and options.
fn redacted(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    // A password may hold `/` and `@` itself, so everything up to the last `@` goes.
    match (plain.split_once("://"), url.rfind('@')) {
        (Some((scheme, rest)), Some(_)) => {
            let after = rest.rsplit_once('@').map_or("", |(_, host)| host);
            format!("{scheme}://***@{after}")
        }
        _ => plain.to_owned(),
    }
}

fn options(query: &str) -> Result<BTreeMap<String, String>, String> {
    let mut options = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or("an option is written `name=value`")?;
        let value = unescaped(value).ok_or_else(|| format!("option `{name}` is not well escaped"))?;
        if options.insert(name.to_owned(), value).is_some() {
            return Err(format!("option `{name}` is given twice"));
        }
    }
    Ok(options)
}

/// `%2F` and its like as the characters they stand for.
pub(super) fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_apart() {
        let address = Address::parse("bucket", "s3://mesh/a/b?region=eu-west-1&endpoint=http%3A%2F%2Fh:9000").unwrap();
        assert_eq!((address.scheme.as_str(), address.rest.as_str()), ("s3", "mesh/a/b"));
        assert_eq!(address.options["endpoint"], "http://h:9000");
        assert_eq!(address.shown, "s3://mesh/a/b");
    }

    #[test]
    fn absolute_and_relative_paths_count_from_the_base() {
        let path = |url| Address::parse("lake", url).unwrap().path(Utf8Path::new("/estate"));
        assert_eq!(path("sqlite:lake"), "/estate/lake");
        assert_eq!(path("sqlite:///srv/lake"), "/srv/lake");
        assert_eq!(path("file:/srv/lake"), "/srv/lake");
    }

    #[test]
    fn no_error_shows_a_password() {
        for url in ["pg://me:hunter2@host/db?sslkey=hunter2", "pg://me:hun@ter2/x@host/db?x=1", "s3://b?secret=hunter2"]
        {
            let address = Address::parse("lake", url).unwrap();
            let text = format!("{} {}", address.error("no"), address.only(&["region"]).unwrap_err());
            assert!(!text.contains("hun") && !text.contains("ter2"), "{text}");
        }
        let error = Address::parse("lake", "pg:").err().unwrap();
        assert!(error.to_string().contains("cannot use lake"), "{error}");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = Address::parse("source:crm", "env:CARVE_TEST_NEVER_SET").err().unwrap().to_string();
        assert!(error.contains("source:crm") && error.contains("CARVE_TEST_NEVER_SET"), "{error}");
    }
}
