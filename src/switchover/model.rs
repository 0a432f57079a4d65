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
    /// Charts and dashboards that stand on a BI source that moves, and so move with it.
    pub carried: Vec<CarriedExposure>,
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
    /// Who answers for a chart or dashboard on it, each with what: `team-bi (dashboard Sales)`.
    pub ask: Vec<String>,
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
    /// What of its SQL was filled with a stand-in for the proofs, in words.
    pub stand_ins: Vec<String>,
    /// What the BI tool's interface is sent to move it, and to move it back: JSON. `None` where its file moves it.
    pub bodies: Option<[String; 2]>,
    /// Where a person runs the queries of the proofs, in words.
    pub queries_in: &'static str,
    /// What must hold before.
    pub preconditions: Vec<Task>,
    /// The move.
    pub steps: Vec<Task>,
    /// Queries that compare both sides.
    pub proofs: Vec<Task>,
    /// When to do it.
    pub window: String,
    /// How to undo it, step by step.
    pub way_back: Vec<Task>,
    /// Its page: a path without extension below the service's folder.
    pub page: Utf8PathBuf,
}

/// Something a person does, with what to copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Task {
    /// What it is for.
    pub title: String,
    /// `sh`, `sql`, or empty where `code` is a list to go through.
    pub language: &'static str,
    /// The command or query.
    pub code: String,
    /// What must come of it.
    pub expect: String,
}

/// One chart or dashboard that moves with the BI sources it stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CarriedExposure {
    /// Id of the exposure.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// `chart`, `dashboard`.
    pub kind: String,
    /// Team or person, where known.
    pub owner: Option<String>,
    /// Titles of the BI sources below it that move.
    pub with: Vec<String>,
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
    /// What a person changes, place by place, where that is known.
    pub changes: Vec<Change>,
}

/// One place that names an old table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `file:line`.
    pub at: String,
    /// Table or SQL today.
    pub before: String,
    /// Table or SQL after; empty where the SQL could not be edited.
    pub after: String,
}

/// One exposure that needs no move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UntouchedExposure {
    /// Id of the exposure.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// `chart`, `dashboard`, `dataset` …
    pub kind: String,
    /// Why.
    pub because: String,
}
