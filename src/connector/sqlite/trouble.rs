//! SQLite's own errors, with words for the ones a person can do something about.
use rusqlite::{Error, ErrorCode};

use crate::connector::ConnectorError;

/// What SQLite said, and what to do about it where that is known.
#[derive(Debug, thiserror::Error)]
#[error("{advice}")]
struct Trouble {
    advice: &'static str,
    #[source]
    source: Error,
}

/// The error that `doing` failed.
pub(super) fn engine(doing: impl Into<String>, error: Error) -> ConnectorError {
    let (busy, passing) = (is_busy(&error), may_pass(&error));
    let source: Box<dyn std::error::Error + Send + Sync> = match advice(&error) {
        Some(advice) => Box::new(Trouble { advice, source: error }),
        None => Box::new(error),
    };
    match (busy, passing) {
        (true, _) => ConnectorError::Busy { doing: doing.into(), source },
        (_, true) => ConnectorError::Engine { doing: doing.into(), source },
        (_, false) => ConnectorError::Refused { doing: doing.into(), source },
    }
}

/// Whether the same call may succeed later: SQLite was busy, full, short of something.
fn may_pass(error: &Error) -> bool {
    let Some(code) = error.sqlite_error_code() else { return false };
    matches!(
        code,
        ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::OperationInterrupted
            | ErrorCode::OperationAborted
            | ErrorCode::OutOfMemory
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::SchemaChanged
    )
}

/// The error that `doing` is not allowed, and why.
pub(super) fn refused(doing: impl Into<String>, why: impl Into<String>) -> ConnectorError {
    ConnectorError::Refused { doing: doing.into(), source: why.into().into() }
}

/// Whether another program held the file.
pub(super) fn is_busy(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// SQLITE_READONLY_ROLLBACK: someone else has to roll back first.
const LEFT_HALF_DONE: i32 = 776;

fn advice(error: &Error) -> Option<&'static str> {
    if error.sqlite_error().is_some_and(|error| error.extended_code == LEFT_HALF_DONE) {
        return Some("a program died while it wrote to the file: start that program once, so that it tidies up");
    }
    Some(match error.sqlite_error_code()? {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            "the file is locked by another program: let it finish or close it, then run carve again \
             (`?busy_timeout_ms=60000` after the path waits longer)"
        }
        ErrorCode::SystemIoFailure => {
            "the system could not read or write the file: see that the disk has room and is sound, then run carve again"
        }
        ErrorCode::ConstraintViolation => "the rows break a constraint of the table: mend them where they come from",
        ErrorCode::DiskFull => "the disk is full: free some space, then run carve again",
        ErrorCode::ReadOnly => "the file or its folder may not be written by this user",
        ErrorCode::NotADatabase => "the file is no SQLite database, or it is encrypted",
        ErrorCode::DatabaseCorrupt => "the file is damaged: `PRAGMA integrity_check` in the sqlite3 shell tells more",
        ErrorCode::CannotOpen => "the file is not there, or this user may not open it",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn what_somebody_must_change_first_is_told_from_what_passes() {
        for (code, passing) in [
            (ffi::SQLITE_BUSY, true),
            (ffi::SQLITE_LOCKED, true),
            (ffi::SQLITE_FULL, true),
            (ffi::SQLITE_IOERR, true),
            (ffi::SQLITE_NOMEM, true),
            (ffi::SQLITE_INTERRUPT, true),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, false),
            (ffi::SQLITE_READONLY, false),
            (LEFT_HALF_DONE, false),
            (ffi::SQLITE_NOTADB, false),
            (ffi::SQLITE_CORRUPT, false),
            (ffi::SQLITE_CANTOPEN, false),
            (ffi::SQLITE_PERM, false),
            (ffi::SQLITE_ERROR, false),
        ] {
            let error = engine("write", Error::SqliteFailure(ffi::Error::new(code), None));
            assert_eq!(error.may_pass(), passing, "SQLite code {code}");
            assert_eq!(error.is_busy(), [ffi::SQLITE_BUSY, ffi::SQLITE_LOCKED].contains(&code), "SQLite code {code}");
        }
        assert!(!refused("write", "no").may_pass());
    }
}
