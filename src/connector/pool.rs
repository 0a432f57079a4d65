//! Connections that all see the same state, lent to one reader each.
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::connector::ConnectorError;

/// Streams of one snapshot that can be open at a time: each needs a connection of its own, and new ones
/// could see a later state.
pub(super) const STREAMS: usize = 4;
/// How long a further stream waits for one of the others to be read to its end.
const STREAM_WAIT: Duration = Duration::from_secs(30);

/// The connections of one snapshot of one file.
pub(super) struct Pool<C> {
    idle: Mutex<Vec<C>>,
    returned: Condvar,
}

impl<C> Pool<C> {
    /// A pool of these.
    pub(super) fn of(connections: Vec<C>) -> Self {
        Pool { idle: Mutex::new(connections), returned: Condvar::new() }
    }

    /// Borrows one for `work`; waits while all are busy.
    pub(super) fn with<T>(&self, work: impl FnOnce(&C) -> Result<T, ConnectorError>) -> Result<T, ConnectorError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.returned.wait_timeout_while(idle, STREAM_WAIT, |idle| idle.is_empty());
        let connection = waited.unwrap_or_else(PoisonError::into_inner).0.pop().ok_or_else(|| {
            let why = format!("{STREAMS} streams of this file are open: read them to their end or drop them first");
            ConnectorError::Refused { doing: "read a further table of this snapshot".to_owned(), source: why.into() }
        })?;
        let outcome = work(&connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        self.returned.notify_one();
        outcome
    }
}
