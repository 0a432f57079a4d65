//! Where a password comes from: never from a file that people share.
use camino::Utf8Path;

use crate::connector::{ConnectorError, address::Address, network::Parts};

/// The password that `address` leads to: by the option `password=env:NAME` or `password=file:PATH`, or within an
/// address that is itself a secret (`env:NAME`). `elsewhere` names where this engine's own clients look, for messages.
pub(super) fn password(
    address: &Address,
    parts: &Parts,
    base: &Utf8Path,
    elsewhere: &str,
) -> Result<Option<String>, ConnectorError> {
    let from_variable = address.shown.starts_with("env:");
    match (&parts.password, address.options.get("password")) {
        (Some(password), _) if from_variable => Ok(Some(password.clone())),
        (Some(_), _) => Err(address.error(&format!(
            "a password stands in it: put the whole address into a variable (`env:NAME`), or name the password's place \
             with `?password=env:NAME`, `?password=file:PATH`{elsewhere}"
        ))),
        (None, Some(reference)) => referenced(address, reference, base).map(Some),
        (None, None) => Ok(None),
    }
}

fn referenced(address: &Address, reference: &str, base: &Utf8Path) -> Result<String, ConnectorError> {
    // What does not look like a reference may be the secret itself: it is not shown.
    let unusable = "option `password` takes `env:NAME` or `file:PATH`, never the password itself";
    if let Some(name) = reference.strip_prefix("env:") {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty());
        return value.ok_or_else(|| address.error(&format!("the environment variable {name} holds no password")));
    }
    let path = reference.strip_prefix("file:").ok_or_else(|| address.error(unusable))?;
    let text = std::fs::read_to_string(base.join(path))
        .map_err(|error| address.error(&format!("cannot read its password from `{path}`: {error}")))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
