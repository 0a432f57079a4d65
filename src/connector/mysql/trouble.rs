//! What a server or the way to it says, with words for what a person can do something about.
use mysql_async::{DriverError, Error, IoError, ServerError};

use crate::connector::{ConnectorError, trust};

/// The error that `doing` failed.
pub(super) fn engine(doing: impl Into<String>, error: Error) -> ConnectorError {
    let passing = may_pass(&error);
    let source = said(&error).into();
    match passing {
        true => ConnectorError::Engine { doing: doing.into(), source },
        false => ConnectorError::Refused { doing: doing.into(), source },
    }
}

/// The error that `doing` is not allowed, and why.
pub(super) fn refused(doing: impl Into<String>, why: impl Into<String>) -> ConnectorError {
    ConnectorError::Refused { doing: doing.into(), source: why.into().into() }
}

fn said(error: &Error) -> String {
    match error {
        Error::Server(told) => match advice(told) {
            Some(advice) => format!("{advice} ({}, error {})", told.message, told.code),
            None => format!("{} (error {})", told.message, told.code),
        },
        Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            "the server offers no encryption: set it up there, or \
            let everything cross readably with `?sslmode=disable`"
                .to_owned()
        }
        Error::Driver(DriverError::ConnectionClosed) => "the connection was lost: run carve again".to_owned(),
        Error::Driver(error) => error.to_string(),
        Error::Io(IoError::Io(error)) => trust::advised(error.to_string()),
        Error::Io(IoError::Tls(error)) => trust::advised(error.to_string()),
        Error::Other(error) => error.to_string(),
        Error::Url(error) => error.to_string(),
    }
}

/// Whether the same call may succeed later: the connection was lost, the server busy, full, starting or stopping.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::Server(told) => passes(told.code, &told.state),
        Error::Io(IoError::Io(error)) => error.kind() != std::io::ErrorKind::InvalidData,
        Error::Io(IoError::Tls(_)) | Error::Url(_) => false,
        Error::Driver(error) => !matches!(
            error,
            DriverError::NoClientSslFlagFromServer
                | DriverError::CleartextPluginDisabled
                | DriverError::MysqlOldPasswordDisabled
                | DriverError::UnknownAuthPlugin { .. }
                | DriverError::PacketTooLarge
        ),
        Error::Other(_) => true,
    }
}

fn passes(code: u16, state: &str) -> bool {
    const PASSING: [u16; 19] = [
        1021, // disk full
        1037, // out of memory
        1040, // too many connections
        1041, // out of resources
        1053, // shutting down
        1077, 1078, // shutting down
        1114, // a table for a sort is full
        1158, 1159, 1160, 1161, // the line broke
        1203, 1226, // this user's connections and queries are used up
        1205, // a lock was held too long
        1213, // deadlock
        1317, // interrupted
        1412, // the table changed since the snapshot
        1927, // the connection was killed
    ];
    const MORE: [u16; 3] = [1969, 3024, 4031]; // the statement or the connection took longer than somebody allowed
    PASSING.contains(&code) || MORE.contains(&code) || matches!(state, "08S01" | "40001" | "70100")
}

fn advice(error: &ServerError) -> Option<&'static str> {
    Some(match error.code {
        1044 | 1142 | 1143 | 1227 | 1370 => "this user lacks a right that the work needs: have it granted",
        1045 | 1698 => {
            "the password is wrong, or the server lets this user not in from here: docs/CONNECTIONS.md says \
            where a password is looked for"
        }
        1049 => "correct the database's name in the address",
        1021 | 1114 => "the server's disk is full: free some space, then run carve again",
        1038 => {
            "the server sorts in less memory than the rows need: raise its `sort_buffer_size`, or give the table a \
            primary key"
        }
        1040 | 1203 | 1226 => "the server has no connection free for this user: run carve again later",
        1205 => {
            "somebody changes the table's definition: let it end, then run carve again \
            (`?lock_timeout_ms=60000` waits longer)"
        }
        1412 => "the table was changed or emptied after the snapshot was taken: run carve again",
        1053 | 1317 | 1927 => "the server ended the work: run carve again",
        1792 => "only statements that read are run here",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: u16, state: &str) -> Error {
        Error::Server(ServerError { code, message: "its words".to_owned(), state: state.to_owned() })
    }

    #[test]
    fn what_somebody_must_change_first_is_told_from_what_passes() {
        let io = |kind| Error::Io(IoError::Io(std::io::Error::new(kind, "x")));
        for (error, passing) in [
            (server(1040, "08004"), true),
            (server(1053, "08S01"), true),
            (server(1205, "HY000"), true),
            (server(1213, "40001"), true),
            (server(1412, "HY000"), true),
            (server(1927, "70100"), true),
            (server(1045, "28000"), false),
            (server(1049, "42000"), false),
            (server(1146, "42S02"), false),
            (server(1142, "42000"), false),
            (io(std::io::ErrorKind::ConnectionReset), true),
            (io(std::io::ErrorKind::ConnectionRefused), true),
            (io(std::io::ErrorKind::InvalidData), false),
            (Error::Driver(DriverError::ConnectionClosed), true),
            (Error::Driver(DriverError::NoClientSslFlagFromServer), false),
        ] {
            let text = format!("{error}");
            assert_eq!(engine("read", error).may_pass(), passing, "{text}");
        }
    }
}
