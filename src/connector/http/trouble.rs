//! What goes wrong with an API, and whether asking again may help.
use crate::connector::ConnectorError;
use crate::vocab::{masked, shortened};

/// Characters of an answer that a message shows.
const SHOWN: usize = 160;

/// What reading a page or an endpoint came to, when it did not come to its end.
#[derive(Debug)]
pub(super) enum Trouble {
    /// What was read fits no single state of the API: it changed meanwhile.
    Drift(String),
    /// Nothing to try again here.
    Final(ConnectorError),
}

impl From<ConnectorError> for Trouble {
    fn from(error: ConnectorError) -> Self {
        Trouble::Final(error)
    }
}

/// The error that somebody must change something first.
pub(super) fn refused(doing: impl Into<String>, why: impl Into<String>) -> ConnectorError {
    ConnectorError::Refused { doing: doing.into(), source: why.into().into() }
}

/// The error that may pass by itself.
pub(super) fn passing(doing: impl Into<String>, why: impl Into<String>) -> ConnectorError {
    ConnectorError::Engine { doing: doing.into(), source: why.into().into() }
}

/// What to do about a status that asking again does not mend.
pub(super) fn cure(status: u16) -> &'static str {
    match status {
        401 => {
            "; give credentials that the API takes: `token=env:NAME`, `header=…`, or `user=…` and `password=env:NAME`"
        }
        403 => "; have the right to read this granted to these credentials",
        404 | 410 => "; say where the table is with `path=/…` or `path.TABLE=/…` in the address",
        400 | 422 => "; look at the options `query`, `param`, `size_param` and `start` of the address",
        405 | 406 | 415 => "; carve reads endpoints that answer GET with JSON",
        _ => "",
    }
}

/// The first words of an answer, without secrets, blanks and what a terminal would obey.
pub(super) fn first_words(body: &str, secrets: &[String]) -> String {
    let mut text: String = body.chars().take(4_000).collect();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret.as_str(), "***");
    }
    let text = masked(&text);
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    shortened(&words.join(" "), SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_hold_no_secret_and_no_control_character() {
        let body = format!("<b>\u{1b}[31m no \r\n hunter2 password=swordfish {}", "x".repeat(300));
        let words = first_words(&body, &["hunter2".to_owned(), String::new()]);
        assert!(words.starts_with("<b> [31m no *** password=") && words.ends_with("x…"), "{words}");
        assert!(!words.contains("hunter2") && !words.contains("swordfish"), "{words}");
    }
}
