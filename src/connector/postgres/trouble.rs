//! PostgreSQL's own errors, with words for the ones a person can do something about.
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::connector::{ConnectorError, system::with_causes, trust};

/// The error that `doing` failed.
pub(super) fn engine(doing: impl Into<String>, error: Error) -> ConnectorError {
    let busy = error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE);
    let (passing, source) = (may_pass(&error), said(&error).into());
    match (busy, passing) {
        (true, _) => ConnectorError::Busy { doing: doing.into(), source },
        (_, true) => ConnectorError::Engine { doing: doing.into(), source },
        (_, false) => ConnectorError::Refused { doing: doing.into(), source },
    }
}

/// The error that a query failed which runs where nothing can be written.
pub(super) fn asked(error: Error) -> ConnectorError {
    match error.code() {
        Some(code) if *code == SqlState::READ_ONLY_SQL_TRANSACTION => {
            let told = error.as_db_error().map(DbError::message).unwrap_or_default();
            refused("run a query", format!("only statements that read are run here ({told})"))
        }
        _ => engine("run a query", error),
    }
}

/// The error that `doing` is not allowed, and why.
pub(super) fn refused(doing: impl Into<String>, why: impl Into<String>) -> ConnectorError {
    ConnectorError::Refused { doing: doing.into(), source: why.into().into() }
}

/// The server's words, what stands behind them, and what to do where that is known.
pub(super) fn said(error: &Error) -> String {
    let Some(told) = error.as_db_error() else { return trust::advised(with_causes(error)) };
    let mut text = told.message().to_owned();
    for more in [told.detail(), told.hint()].into_iter().flatten() {
        text = format!("{text}; {more}");
    }
    match advice(told.code()) {
        Some(advice) => format!("{advice} ({text})"),
        None => text,
    }
}

/// Whether the same call may succeed later: the connection was lost, the server busy, full, starting or stopping.
fn may_pass(error: &Error) -> bool {
    match error.code() {
        Some(code) => passes(code),
        // Not the server's word: the connection failed or was lost, unless its certificate was not taken.
        None => trust::cure(&with_causes(error)).is_none(),
    }
}

fn passes(code: &SqlState) -> bool {
    let class = code.code().get(..2).unwrap_or_default();
    matches!(class, "08" | "40" | "53" | "57" | "58") || *code == SqlState::LOCK_NOT_AVAILABLE
}

fn advice(code: &SqlState) -> Option<&'static str> {
    let known = [
        (SqlState::INVALID_PASSWORD, "the password is wrong: docs/CONNECTIONS.md says where it is looked for"),
        (SqlState::INVALID_AUTHORIZATION_SPECIFICATION, "the server lets this user not in from here"),
        (SqlState::INVALID_CATALOG_NAME, "correct the database's name in the address"),
        (SqlState::INSUFFICIENT_PRIVILEGE, "this user lacks a right that the work needs: have it granted"),
        (SqlState::DISK_FULL, "the server's disk is full: free some space, then run carve again"),
        (
            SqlState::LOCK_NOT_AVAILABLE,
            "a transaction holds the table: let it end, then run carve again (`?lock_timeout_ms=60000` waits longer)",
        ),
        (SqlState::READ_ONLY_SQL_TRANSACTION, "the server only reads (it is a standby, or set so): name the primary"),
    ];
    known.into_iter().find(|(its, _)| its == code).map(|(_, advice)| advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_is_told_from_a_query_that_would_write() {
        let advice = advice(&SqlState::READ_ONLY_SQL_TRANSACTION).unwrap();
        assert!(advice.contains("standby") && advice.contains("name the primary"), "{advice}");
    }

    #[test]
    fn what_somebody_must_change_first_is_told_from_what_passes() {
        for (code, passing) in [
            (SqlState::CONNECTION_FAILURE, true),
            (SqlState::T_R_SERIALIZATION_FAILURE, true),
            (SqlState::T_R_DEADLOCK_DETECTED, true),
            (SqlState::DISK_FULL, true),
            (SqlState::ADMIN_SHUTDOWN, true),
            (SqlState::LOCK_NOT_AVAILABLE, true),
            (SqlState::UNIQUE_VIOLATION, false),
            (SqlState::INSUFFICIENT_PRIVILEGE, false),
            (SqlState::INVALID_PASSWORD, false),
            (SqlState::UNDEFINED_TABLE, false),
        ] {
            assert_eq!(passes(&code), passing, "{code:?}");
        }
    }
}
