//! DuckDB's own errors, with words for the ones a person can do something about.
use ::duckdb::Error;

use crate::connector::ConnectorError;

/// The error that `doing` failed.
pub(super) fn engine(doing: impl Into<String>, error: Error) -> ConnectorError {
    let text = said(&error);
    let source = match advice(&text) {
        Some(advice) => format!("{advice} ({text})").into(),
        None => text.clone().into(),
    };
    match may_pass(&text) {
        true if text.contains("Could not set lock") => ConnectorError::Busy { doing: doing.into(), source },
        true => ConnectorError::Engine { doing: doing.into(), source },
        false => ConnectorError::Refused { doing: doing.into(), source },
    }
}

/// The error that `doing` is not allowed, and why.
pub(super) fn refused(doing: impl Into<String>, why: impl Into<String>) -> ConnectorError {
    ConnectorError::Refused { doing: doing.into(), source: why.into().into() }
}

/// What DuckDB said, on one line.
pub(super) fn said(error: &Error) -> String {
    let text = match error {
        Error::DuckDBFailure(_, Some(text)) => text.clone(),
        other => other.to_string(),
    };
    // A quotation of the statement with a mark below it may follow: it says nothing on one line.
    let text = text.split("\nLINE ").next().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether another process holds the file.
pub(super) fn is_busy(error: &Error) -> bool {
    said(error).contains("Could not set lock on file")
}

/// Whether rows were refused by a constraint or a unique index.
pub(super) fn is_constraint(error: &Error) -> bool {
    said(error).starts_with("Constraint Error")
}

/// Whether the same call may succeed later: the file was held, the disk full, memory short.
fn may_pass(text: &str) -> bool {
    let lasting = ["Permission denied", "No such file", "not a valid DuckDB database file", "Read-only file system"];
    let kinds = ["IO Error", "Out of Memory Error", "TransactionContext Error: Failed to commit", "INTERRUPT Error"];
    kinds.iter().any(|kind| text.starts_with(kind)) && !lasting.iter().any(|word| text.contains(word)) && !is_log(text)
        || text.contains("Conflict on")
        || text.contains("write-write conflict")
}

/// Whether a killed writer's log stands in the way of reading.
fn is_log(text: &str) -> bool {
    text.contains("replaying WAL file")
}

fn advice(text: &str) -> Option<&'static str> {
    let known = [
        (
            "Could not set lock on file",
            "the file is busy: another program has it open, and DuckDB lets one in at a time. Close that program or let \
             it finish, then run carve again (`?busy_timeout_ms=60000` after the path waits longer)",
        ),
        (
            "replaying WAL file",
            "a program died while it wrote to the file: open the file once with that program or the duckdb shell, so \
             that it tidies up",
        ),
        ("not a valid DuckDB database file", "the file is no DuckDB database, or it is encrypted"),
        ("No space left on device", "the disk is full: free some space, then run carve again"),
        ("Permission denied", "the file or its folder may not be written by this user"),
        ("Could not read enough bytes", "the file is damaged or cut short: put a sound copy in its place"),
        (
            "newer version of DuckDB",
            "the file was written by a newer DuckDB than the one carve is linked with: link that one, or export the \
             file to an older storage version",
        ),
    ];
    known.into_iter().find(|(words, _)| text.contains(words)).map(|(_, advice)| advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_must_change_first_is_told_from_what_passes() {
        for (text, passing) in [
            ("IO Error: Could not set lock on file \"/x\": Conflicting lock is held in y (PID 7)", true),
            ("IO Error: Could not write file \"x\": No space left on device", true),
            ("Out of Memory Error: failed to allocate", true),
            ("TransactionContext Error: Conflict on update!", true),
            ("IO Error: Cannot open file \"x\": Permission denied", false),
            ("IO Error: Failure while replaying WAL file \"x.wal\": Bad file descriptor", false),
            ("Constraint Error: Duplicate key \"id: 1\" violates primary key constraint.", false),
            ("Binder Error: Referenced column \"y\" not found", false),
        ] {
            assert_eq!(may_pass(text), passing, "{text}");
        }
    }

    #[test]
    fn only_the_first_lines_of_what_duckdb_says_are_told() {
        let text = "Catalog Error: Table with name x does not exist!\nDid you mean \"y\"?\n\nLINE 1: SELECT\n        ^";
        let error = Error::DuckDBFailure(::duckdb::ffi::Error::new(1), Some(text.to_owned()));
        assert_eq!(said(&error), "Catalog Error: Table with name x does not exist! Did you mean \"y\"?");
    }
}
