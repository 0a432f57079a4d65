//! A plan as a value. `plan_file` gives it its canonical bytes.
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::vocab::{DatasetId, Digest, Endpoint, JobId, LogicalType, PartFormat, Schema, ServiceName};

/// The wrap of one service: complete in itself, reviewable, the same bytes for the same inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// `carve-plan/1`.
    pub format: String,
    /// SHA-256 of the canonical form without this line.
    pub id: Digest,
    /// What will exist.
    pub service: ServiceName,
    /// Where its data comes from at first, in words people use.
    pub summary: String,
    /// Why this one, in numbers.
    pub scores: PlanScores,
    /// What belongs to it, and what stays.
    pub boundary: Boundary,
    /// Who answers for it.
    pub ownership: Ownership,
    /// Files the plan was made from.
    pub inputs: Vec<PlanInput>,
    /// What was seen that a reviewer should know: each a sentence with its place.
    pub facts: Vec<String>,
    /// What was not understood and touches this plan.
    pub not_understood: Vec<String>,
    /// What will be done, in an order that respects `needs`.
    pub steps: Vec<Step>,
}

/// Numbers copied from the scorecard; decimals are text so that the bytes are the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanScores {
    /// Place, from 1, and how many were ranked.
    pub rank: u32,
    /// How many were ranked.
    pub of: u32,
    /// Person-days: low, likely, high; one decimal each.
    pub effort_days: [String; 3],
    /// F, three decimals.
    pub change_frequency: String,
    /// I, three decimals.
    pub importance: String,
    /// ρ, four decimals.
    pub priority: String,
    /// `robust`, `sensitive`, `toss-up`.
    pub robustness: String,
    /// `high`, `medium`, `low`.
    pub confidence: String,
}

/// What belongs to the service, and what stays in the lake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boundary {
    /// The source system.
    pub system: String,
    /// The domain.
    pub domain: String,
    /// Raw datasets: one endpoint each.
    pub raw: Vec<DatasetId>,
    /// Source-aligned datasets that belong with it.
    pub aligned: Vec<DatasetId>,
    /// Modelled datasets that read it and stay.
    pub modelled: Vec<DatasetId>,
    /// Jobs that import it today.
    pub import_jobs: Vec<JobId>,
    /// Jobs that read its raw datasets.
    pub dependents: Vec<JobId>,
    /// Exposures that depend on it.
    pub exposures: Vec<String>,
}

/// Who answers for the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ownership {
    /// Team today, where known.
    pub now: Option<String>,
    /// Team after hand-over, where decided.
    pub then: Option<String>,
}

/// One file the plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanInput {
    /// Path from the estate's root.
    pub file: Utf8PathBuf,
    /// SHA-256 of its bytes.
    pub bytes: Digest,
    /// SHA-256 of its meaning: the normalised syntax tree, so that a comment does not make it stale.
    pub meaning: Digest,
}

/// One step: what it needs, does, promises, and how it is undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// `orders.publish`, unique in the plan.
    pub id: String,
    /// What it does, in one line for people.
    pub title: String,
    /// Ids of steps that must be done before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Input files whose meaning it relies on: stale when they changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relies_on: Vec<Utf8PathBuf>,
    /// What must hold before, in words; checked by the step's kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preconditions: Vec<String>,
    /// What it does.
    #[serde(rename = "do", with = "serde_yaml::with::singleton_map")]
    pub action: Action,
    /// What holds after, in words; checked by the step's kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postconditions: Vec<String>,
    /// How it is undone.
    pub undo: Undo,
    /// Whether a person must approve it first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approval: bool,
}

/// How a step is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// The state before is put back exactly.
    Restore,
    /// Something new makes up for it (a publication is never deleted, only superseded or marked withdrawn).
    Compensate,
    /// Nothing to undo.
    None,
}

/// What a step does. Connections are named by role (`lake`, `bucket`, `source:NAME`), never by address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Reads all endpoints in one snapshot and publishes them: parts, manifest, then the contract.
    Publish(Publish),
    /// Loads one endpoint's publication into a staging table and proves it equal to the parts.
    Import(Import),
    /// Compares today's raw table with the staged import, before anything reads it.
    ProveContinuity(ProveContinuity),
    /// Puts the staged table in its place in one transaction.
    Swap(Swap),
    /// Edits files by span so that dependents read the import.
    Repoint(Repoint),
    /// Runs the repointed SQL in scratch and compares it with the old result.
    ProveDownstream(ProveDownstream),
    /// Writes the refresh job into the estate.
    Schedule(WriteFile),
}

/// Publishes a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// Address below the bucket: `data-services/orders`.
    pub into: String,
    /// Its endpoints; `default` is the first.
    pub endpoints: Vec<PublishEndpoint>,
}

/// One endpoint and its origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishEndpoint {
    /// Its name.
    pub endpoint: Endpoint,
    /// Connection: `lake` or `source:NAME`.
    pub from: String,
    /// Table there.
    pub table: DatasetId,
    /// `csv`, `parquet`, `jsonl`.
    pub format: PartFormat,
    /// Rows a part holds at most.
    pub rows_per_part: u32,
    /// Columns where the plan could know them; checked against the origin in preflight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Schema>,
    /// Columns typed otherwise than found, by name.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub types: std::collections::BTreeMap<String, LogicalType>,
    /// Columns left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omit: Vec<String>,
}

/// Imports one endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// Table that is filled.
    pub staging: DatasetId,
}

/// Compares old and new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProveContinuity {
    /// The raw table dependents read today.
    pub old: DatasetId,
    /// The staged import.
    pub new: DatasetId,
    /// What counts as proven.
    pub policy: ContinuityPolicy,
    /// Column by which drift is explained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<String>,
}

/// What counts as continuous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContinuityPolicy {
    /// The same rows.
    #[default]
    Exact,
    /// Every old row, and newer ones by the watermark.
    Superset,
    /// Whatever it is, it is reported.
    Report,
}

/// Puts a staged table in place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swap {
    /// The table that was filled.
    pub staging: DatasetId,
    /// The name dependents read.
    pub live: DatasetId,
    /// Where the table that had that name is kept; `None` when the name is new (beside).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<DatasetId>,
}

/// Edits the files of one job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repoint {
    /// Whose files.
    pub job: JobId,
    /// The edits, a file each.
    pub files: Vec<FileEdit>,
}

/// Edits in one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEdit {
    /// Path from the estate's root.
    pub file: Utf8PathBuf,
    /// SHA-256 of the file before.
    pub before: Digest,
    /// SHA-256 of the file after.
    pub after: Digest,
    /// In order, not overlapping.
    pub edits: Vec<SpanEdit>,
    /// Which mention of its old text each edit is, counted from 1 outside comments; 0 where it is none. By this an
    /// edit is found again when a comment has moved it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<u32>,
    /// What the file means before and after, as [`PlanInput::meaning`] says it; without it an edit fits only the bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<[Digest; 2]>,
    /// The change as a unified diff; a line that holds a secret is masked.
    pub diff: String,
}

/// Edits as they were made in the bytes that were found, which comments or other edits may have moved since the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeEdits {
    /// SHA-256 of the file before.
    pub before: Digest,
    /// SHA-256 of the file after.
    pub after: Digest,
    /// In order, not overlapping; places are those of the file before.
    pub edits: Vec<SpanEdit>,
    /// Which mention of its new text each edit became, counted from 1 outside comments; 0 where it is none.
    pub mentions: Vec<u32>,
}

/// Replaces some bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpanEdit {
    /// First byte in the file before.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// What stands there.
    pub old: String,
    /// What will stand there.
    pub new: String,
}

/// Runs repointed SQL beside the old.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProveDownstream {
    /// The queries, one per statement that can be compared.
    pub queries: Vec<ComparedQuery>,
    /// Statements that cannot be run in scratch, each with its reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// One query before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedQuery {
    /// Whose.
    pub job: JobId,
    /// What it fills.
    pub target: Option<DatasetId>,
    /// SELECT over the old table.
    pub before: String,
    /// SELECT over the import.
    pub after: String,
}

/// Writes one new file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteFile {
    /// Path from the estate's root; must not exist.
    pub file: Utf8PathBuf,
    /// Its content.
    pub content: String,
}
