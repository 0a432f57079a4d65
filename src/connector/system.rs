//! What the operating system says, with words for what a person can do something about.
use std::io::{Error, ErrorKind};

use crate::connector::ConnectorError;

/// The error that `doing` failed.
pub(super) fn failed(doing: String, error: Error) -> ConnectorError {
    let passing = may_pass(&error);
    let source: Box<dyn std::error::Error + Send + Sync> = match advice(&error) {
        Some(advice) => format!("{advice} ({error})").into(),
        None => error.into(),
    };
    match passing {
        true => ConnectorError::Engine { doing, source },
        false => ConnectorError::Refused { doing, source },
    }
}

/// Whether the same call may succeed later without anybody changing what it is about. A full disk counts: room
/// comes and goes, and what is done stays done.
pub fn may_pass(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::NotFound
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::AlreadyExists
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidData
            | ErrorKind::InvalidFilename
            | ErrorKind::Unsupported
    )
}

fn advice(error: &Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Some("the disk is full: free some space, then run carve again")
        }
        ErrorKind::FileTooLarge => {
            Some("no file may grow that large here: raise the limit (`ulimit -f`), then run carve again")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_must_change_first_is_told_from_what_passes() {
        for (kind, passing) in [
            (ErrorKind::StorageFull, true),
            (ErrorKind::QuotaExceeded, true),
            (ErrorKind::FileTooLarge, true),
            (ErrorKind::TimedOut, true),
            (ErrorKind::ConnectionReset, true),
            (ErrorKind::PermissionDenied, false),
            (ErrorKind::ReadOnlyFilesystem, false),
            (ErrorKind::NotFound, false),
        ] {
            let error = failed("write".to_owned(), kind.into());
            assert_eq!(error.may_pass(), passing, "{kind:?}");
        }
    }
}
