//! What the operating system and the clients of servers say, with words for what a person can do something about.
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

/// An error with its causes, each told once: clients keep what the system or the server said in them.
#[cfg(any(feature = "http", feature = "postgres", feature = "s3", test))]
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_causes_each_once() {
        let root = Error::other("certificate expired");
        let middle = Error::new(ErrorKind::ConnectionRefused, failed("shake hands".to_owned(), root));
        let told = with_causes(&failed("connect".to_owned(), middle));
        assert_eq!(told.matches("certificate expired").count(), 1, "{told}");
        assert!(told.find("connect") < told.find("shake hands"), "{told}");
    }

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
