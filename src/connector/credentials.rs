//! Where a password comes from: never from a file that people share.
use camino::Utf8Path;

#[cfg(any(feature = "mysql", feature = "postgres"))]
use crate::connector::network::Parts;
use crate::connector::{ConnectorError, address::Address};

/// The password that `address` leads to: by the option `password=env:NAME` or `password=file:PATH`, or within an
/// address that is itself a secret (`env:NAME`). `elsewhere` names where this engine's own clients look, for messages.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(super) fn password(
    address: &Address,
    parts: &Parts,
    base: &Utf8Path,
    elsewhere: &str,
) -> Result<Option<String>, ConnectorError> {
    let from_variable = address.shown.starts_with("env:");
    match &parts.password {
        Some(password) if from_variable => Ok(Some(password.clone())),
        Some(_) => Err(address.error(&format!(
            "a password stands in it: put the whole address into a variable (`env:NAME`), or name the password's place \
             with `?password=env:NAME`, `?password=file:PATH`{elsewhere}"
        ))),
        None => referenced(address, "password", base),
    }
}

/// The secret in the place that the option `option` names, `env:NAME` or `file:PATH`; `None` without that option.
pub(super) fn referenced(address: &Address, option: &str, base: &Utf8Path) -> Result<Option<String>, ConnectorError> {
    let Some(reference) = address.options.get(option) else { return Ok(None) };
    if let Some(name) = reference.strip_prefix("env:") {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty());
        return match value {
            Some(value) => Ok(Some(value)),
            None => Err(address.error(&format!("the environment variable {name} holds no {option}"))),
        };
    }
    // What does not look like a reference may be the secret itself: it is not shown.
    let unusable = || format!("option `{option}` takes `env:NAME` or `file:PATH`, never the {option} itself");
    let path = reference.strip_prefix("file:").ok_or_else(|| address.error(&unusable()))?;
    let text = std::fs::read_to_string(base.join(path))
        .map_err(|error| address.error(&format!("cannot read its {option} from `{path}`: {error}")))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}
