//! What reading SQL yields: per job, which tables and columns feed which, and how each is known.
use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    estate::{FileFormat, SameNames, UsedThing},
    vocab::{Column, DatasetId, JobId, Span},
};

/// How an edge is known, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The grammar accepted the statement as it stands.
    Parsed,
    /// The grammar accepted the statement after a rewrite that keeps positions.
    Helped,
    /// A config or schema file says so.
    Declared,
    /// Somebody saw it run: an event of OpenLineage.
    Observed,
    /// A token scan of a statement the grammar rejects, or of a masked template.
    Inferred,
}

/// Which steps of scripts are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Steps {
    /// What is there before and after a script: temp tables, and tables that it makes and takes away, are passed through.
    #[default]
    Collapsed,
    /// Every one: temp tables are datasets of the system `temp`, and each rename and swap is a step.
    Raw,
}

/// The SQL of the whole estate, read.
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    /// Per job, in the order of names.
    pub jobs: BTreeMap<JobId, JobLineage>,
    /// Per exposure id: what it reads, its SQL and its parts' included only where it has SQL of its own.
    pub exposures: BTreeMap<String, Vec<TableUse>>,
    /// Reads out of the usage log: index into `Estate::usage` → datasets.
    pub usage: BTreeMap<usize, Vec<DatasetId>>,
    /// Columns of datasets: declared, from DDL, or derived from the query that makes the dataset.
    pub catalog: BTreeMap<DatasetId, Vec<Column>>,
    /// What was read, per dialect.
    pub coverage: BTreeMap<String, Coverage>,
    /// The same, per format of the files it stands in and dialect.
    pub formats: BTreeMap<(FileFormat, String), FormatSql>,
    /// Every statement that no grammar took: as many as [`Coverage::scanned`] and [`Coverage::not_understood`] count.
    pub refused: Vec<Refused>,
    /// Names that mean one dataset: [`crate::estate::Estate::settle`] takes them.
    pub names: SameNames,
    /// Bare queries whose targets a reader's name tells, not their files' places.
    pub targets: BTreeMap<JobId, DatasetId>,
}

/// A statement that no grammar took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where it stands, or what makes it: several may come of one macro.
    pub at: Span,
    /// How it begins once templates are filled.
    pub begins: String,
    /// What stopped the grammar.
    pub why: String,
}

/// The SQL in the files of one format and dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FormatSql {
    /// Files that hold it.
    pub files: u64,
    /// How much of it was understood.
    #[serde(flatten)]
    pub coverage: Coverage,
}

impl Lineage {
    /// What the line of a log at `at` of `Estate::usage` reads.
    pub fn reads_of<'a>(&'a self, at: usize, what: &'a UsedThing) -> &'a [DatasetId] {
        match (self.usage.get(&at), what) {
            (Some(read), _) => read,
            (None, UsedThing::Table(dataset)) => std::slice::from_ref(dataset),
            (None, UsedThing::Sql(_) | UsedThing::Exposure { .. }) => &[],
        }
    }
}

/// How much SQL of one dialect was understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Scripts.
    pub scripts: u64,
    /// Statements in all.
    pub statements: u64,
    /// Accepted by the grammar as they stand.
    pub parsed: u64,
    /// Accepted after a rewrite that keeps positions.
    pub helped: u64,
    /// Rejected; tables taken from a token scan.
    pub scanned: u64,
    /// Rejected, and nothing found in them.
    pub not_understood: u64,
}

/// What one job reads and writes.
#[derive(Clone, Debug, Default)]
pub struct JobLineage {
    /// Every mention of a table, in reading order. CTEs are collapsed away, and tables of the session with them
    /// where [`Steps::Collapsed`] is asked for.
    pub uses: Vec<TableUse>,
    /// Statement by statement, for whoever runs or compares them.
    pub statements: Vec<StatementLineage>,
    /// Statements that could not be parsed.
    pub unparsed: u32,
    /// Statements built at run time.
    pub dynamic: u32,
}

/// One mention of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableUse {
    /// The dataset, normalised.
    pub dataset: DatasetId,
    /// Read or written.
    pub access: Access,
    /// How it is known.
    pub evidence: Evidence,
    /// Where it stands. Exact bytes of the name where `exact`, else the nearest place known.
    pub at: Span,
    /// Whether `at` is exactly the written name, so that it may be edited there.
    pub exact: bool,
}

/// What a mention does to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Rows or columns are read.
    Read,
    /// Rows are added, changed or replaced.
    Write,
    /// The table is made without rows, altered or emptied.
    Define,
    /// The table is removed.
    Drop,
}

/// One statement that moves data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StatementLineage {
    /// `select`, `insert`, `create_table_as`, `create_view`, `merge`, `update`, `delete`, `copy` …
    pub kind: String,
    /// Where it stands.
    pub at: Option<Span>,
    /// The dataset written; `None` for a bare query without a target.
    pub target: Option<DatasetId>,
    /// Columns of the target in order, where known.
    pub output: Vec<String>,
    /// Datasets read.
    pub sources: Vec<DatasetId>,
    /// Column edges into the target.
    pub columns: Vec<ColumnEdge>,
}

/// One column that feeds another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ColumnEdge {
    /// Where the value comes from.
    pub from: DatasetId,
    /// Its column; `*` where the table's columns are unknown.
    pub from_column: String,
    /// The target's column; `*` when the whole row is meant (indirect edges).
    pub to_column: String,
    /// Value, or influence only.
    pub kind: EdgeKind,
    /// Whether this is one of several columns that may be meant: nobody can say which.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ambiguous: bool,
}

/// What a column edge carries, after OpenLineage's column lineage facet 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// The value as it is.
    Identity,
    /// A function of the value.
    Transformation,
    /// An aggregate over values.
    Aggregation,
    /// Rows are kept or dropped by it.
    Filter,
    /// Rows are matched by it.
    Join,
    /// Rows are grouped by it.
    GroupBy,
    /// Rows are ordered by it.
    Sort,
    /// Rows are windowed by it.
    Window,
    /// It decides a CASE, COALESCE or IF.
    Conditional,
}

impl EdgeKind {
    /// Whether the value itself flows.
    pub fn is_direct(self) -> bool {
        matches!(self, EdgeKind::Identity | EdgeKind::Transformation | EdgeKind::Aggregation)
    }
}
