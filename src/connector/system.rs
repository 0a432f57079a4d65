//! What the operating system says, with words for what a person can do something about.
use std::io::{Error, ErrorKind};

use crate::connector::ConnectorError;

/// The error that `doing` failed.
pub(super) fn failed(doing: String, error: Error) -> ConnectorError {
    let source: Box<dyn std::error::Error + Send + Sync> = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!("the disk is full: free some space, then run carve again ({error})").into()
        }
        _ => error.into(),
    };
    ConnectorError::Engine { doing, source }
}
