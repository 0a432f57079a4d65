use camino::Utf8PathBuf;
use serde::Serialize;

use super::Replaced;
use crate::{plan::FileEdit, vocab::ServiceName};

/// How the readers of one service move.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Switchover {
    /// Whose readers.
    pub service: ServiceName,
    /// BI sources that read a replaced table, in the order of their ids.
    pub moves: Vec<ExposureMove>,
    /// BI sources that read one and cannot be moved by editing a file.
    pub blocked: Vec<BlockedExposure>,
    /// Exposures that depend on the service only through other tables, or by a name that stays.
    pub untouched: Vec<UntouchedExposure>,
}

/// What a BI source reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A table by its name.
    Physical,
    /// SQL of its own.
    Virtual,
}

/// One BI source that moves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExposureMove {
    /// Id of the exposure: `superset/dataset/orders`.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// The tool.
    pub tool: String,
    /// Team or person, where known.
    pub owner: Option<String>,
    /// By name, or inside SQL.
    pub kind: SourceKind,
    /// Old and new table of each read that moves.
    pub replaces: Vec<Replaced>,
    /// Table name or SQL today.
    pub before: String,
    /// Table name or SQL after.
    pub after: String,
    /// The edit of its file.
    pub edit: FileEdit,
    /// The file's content after.
    pub content: String,
    /// Titles of the charts on it.
    pub charts: Vec<String>,
    /// Titles of the dashboards these stand on.
    pub dashboards: Vec<String>,
    /// What must hold before.
    pub preconditions: Vec<String>,
    /// Queries to run on both sides.
    pub proofs: Vec<ProofQuery>,
    /// When to do it.
    pub window: String,
    /// How to undo it, step by step.
    pub way_back: Vec<String>,
    /// Its page: a path without extension below the service's folder.
    pub page: Utf8PathBuf,
}

/// One query on both sides; their answers must be equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProofQuery {
    /// What it shows.
    pub title: String,
    /// Over the old source.
    pub old: String,
    /// Over the new source; empty where `old` compares both by itself.
    pub new: String,
    /// What must come out.
    pub expect: String,
}

/// One BI source that cannot be moved by editing a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlockedExposure {
    /// Id of the exposure.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// The tool.
    pub tool: String,
    /// Where it is: `file:line`.
    pub at: String,
    /// Why not, and what to do instead.
    pub because: String,
}

/// One exposure that needs no move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UntouchedExposure {
    /// Id of the exposure.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Why.
    pub because: String,
}
