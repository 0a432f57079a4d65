//! The rows of lineage: one dataset feeds another, one column feeds another.
use camino::Utf8PathBuf;
use serde::Serialize;

use crate::{
    lineage::{EdgeKind, Evidence},
    vocab::{DatasetId, JobId, Span},
};

/// One dataset feeds another dataset, or an exposure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FeedRow {
    /// What is read; `None` where a job writes and reads nothing.
    pub upstream: Option<DatasetId>,
    /// What is filled; `None` where nothing says where the rows go.
    pub downstream: Option<String>,
    /// `dataset` or `exposure`: what `downstream` names.
    pub downstream_kind: &'static str,
    /// The job between them; `None` for an exposure.
    pub job: Option<JobId>,
    /// The file that shows it.
    pub file: Option<Utf8PathBuf>,
    /// Its line, counted from 1.
    pub line: Option<u32>,
    /// How it is known.
    pub known: Evidence,
}

impl FeedRow {
    /// The same row, shown at `at`.
    pub(super) fn at(mut self, at: Option<&Span>) -> Self {
        (self.file, self.line) = (at.map(|at| at.file.clone()), at.map(|at| at.line));
        self
    }
}

/// One column feeds another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ColumnRow {
    /// Where the value comes from.
    pub upstream: DatasetId,
    /// Its column; `*` where the columns are not known.
    pub upstream_column: String,
    /// Where it goes; `None` for a query without a target.
    pub downstream: Option<DatasetId>,
    /// Its column; `*` where the whole row is meant.
    pub downstream_column: String,
    /// What is done with the value.
    pub kind: EdgeKind,
    /// Whether the value itself flows; otherwise it only has influence.
    pub direct: bool,
    /// Whether this is one of several columns that may be meant: nobody can say which.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ambiguous: bool,
    /// The job that does it.
    pub job: JobId,
    /// The file of the statement.
    pub file: Option<Utf8PathBuf>,
    /// Its line, counted from 1.
    pub line: Option<u32>,
    /// How it is known.
    pub known: Evidence,
}
