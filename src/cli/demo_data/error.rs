use std::io;

use camino::Utf8PathBuf;

/// Why the shop could not be built.
#[derive(Debug, thiserror::Error)]
pub enum DemoDataError {
    /// A file could not be written or read.
    #[error("cannot {doing} `{path}`")]
    File {
        /// `write`, `read`, `create folder`.
        doing: &'static str,
        /// Which file.
        path: Utf8PathBuf,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// SQLite said no.
    #[error("cannot {doing}")]
    Sqlite {
        /// What was tried, with its object.
        doing: String,
        /// SQLite's words.
        #[source]
        source: rusqlite::Error,
    },
    /// The git command could not be started.
    #[error("cannot run `git {command}`: is git installed?")]
    NoGit {
        /// The subcommand.
        command: &'static str,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// The git command failed.
    #[error("`git {command}` failed: {said}")]
    Git {
        /// The subcommand.
        command: &'static str,
        /// What it wrote to stderr.
        said: String,
    },
    /// A line of a file drop is not what the shop writes.
    #[error("line {line} of `{path}` is no JSON object")]
    Drop {
        /// The file.
        path: Utf8PathBuf,
        /// From 1.
        line: u64,
    },
}

impl DemoDataError {
    /// Wraps what SQLite says while `doing`.
    pub(super) fn sqlite(doing: impl Into<String>) -> impl FnOnce(rusqlite::Error) -> Self {
        let doing = doing.into();
        move |source| DemoDataError::Sqlite { doing, source }
    }

    /// Wraps what the system says of one file.
    pub(super) fn file(doing: &'static str, path: impl Into<Utf8PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| DemoDataError::File { doing, path, source }
    }
}
