//! What applying tells its callers: the state of a service, and the proofs.
use serde::{Deserialize, Serialize};

use crate::{
    service::SchemaChange,
    vocab::{Bump, DatasetId, Digest, Endpoint, SchemaVersion, ServiceName},
};

/// How far one service is, from its journal and the newest publication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Which.
    pub service: ServiceName,
    /// `planned`, `applying`, `wrapped`, `rolling_back`, `rolled_back`, `interrupted`, `failed`.
    pub stage: String,
    /// Steps done, and in all.
    pub steps_done: u32,
    /// Steps in all.
    pub steps: u32,
    /// The step where it stopped, and why.
    pub stopped_at: Option<String>,
    /// Which process works on it now, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<String>,
    /// Why the bucket could not be asked, in words: then version and rows are what the journal knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_problem: Option<String>,
    /// What `carve verify` found last, where nothing has mended it since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verify_problems: Vec<String>,
    /// Newest publication.
    pub version: Option<SchemaVersion>,
    /// When it was published (RFC 3339), from the publication itself.
    pub published_at: Option<String>,
    /// Rows in all endpoints.
    pub rows: Option<u64>,
    /// Parts in all endpoints.
    pub parts: Option<u64>,
    /// What was proven.
    pub proofs: Vec<ProofSummary>,
    /// Repointed jobs that were not compared before and after, or not in whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_compared: Vec<NotCompared>,
    /// Exposures moved, and in all.
    pub switched: [u32; 2],
    /// Whether the catalog page exists.
    pub in_catalog: bool,
}

impl ServiceStatus {
    /// A service of which nothing is known but its plan's `steps`.
    pub fn planned(service: ServiceName, steps: u32) -> Self {
        ServiceStatus {
            service,
            stage: "planned".to_owned(),
            steps_done: 0,
            steps,
            stopped_at: None,
            running: None,
            bucket_problem: None,
            verify_problems: Vec::new(),
            version: None,
            published_at: None,
            rows: None,
            parts: None,
            proofs: Vec::new(),
            not_compared: Vec::new(),
            switched: [0, 0],
            in_catalog: false,
        }
    }
}

/// One proof and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProofSummary {
    /// `transport`, `continuity`, `downstream`.
    pub kind: String,
    /// What was compared: an endpoint, a table, a query's target.
    pub what: Option<String>,
    /// Endpoint, for the first two.
    pub endpoint: Option<Endpoint>,
    /// `equal`, `different`, `explained`, `not_comparable`.
    pub verdict: String,
    /// Rows on the old side.
    pub left_rows: u64,
    /// Rows on the new side.
    pub right_rows: u64,
    /// In words, with how much differs.
    pub because: String,
    /// The first rows that differ, a sentence each, by key and column where there is a key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
}

/// A repointed job of which no comparison before and after proves every statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCompared {
    /// Which.
    pub job: String,
    /// Why, a phrase a statement, with its place where it has one.
    pub reasons: Vec<String>,
}

/// How much a finding of preflight matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concern {
    /// The plan no longer fits what is there.
    Stale,
    /// Nothing can begin before it is put right.
    Blocks,
    /// Something did not answer, or was full: the same command may come further later.
    Passes,
    /// Another program holds what is needed: nothing can begin before that ends.
    Waits,
    /// Worth knowing.
    Warns,
}

/// One thing preflight found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightFinding {
    /// The step it concerns; `None` for all.
    pub step: Option<String>,
    /// How much it matters.
    pub concern: Concern,
    /// What was found, in words.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How one step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done now.
    Done,
    /// Its result was found to be there already.
    Adopted,
    /// An earlier run had done it.
    Kept,
    /// A dry run: it would be done.
    Described,
    /// It was undone now.
    Undone,
    /// There was nothing to do or undo.
    Skipped,
}

/// One step in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    /// The step's id.
    pub step: String,
    /// Its title.
    pub title: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What it did, or would do, a line each.
    pub lines: Vec<String>,
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Which service.
    pub service: ServiceName,
    /// The plan.
    pub plan: Digest,
    /// Whether every step of the plan is done (or undone, for a rollback).
    pub complete: bool,
    /// The publication in use, once there is one.
    pub version: Option<SchemaVersion>,
    /// Step by step.
    pub steps: Vec<StepReport>,
    /// What preflight found and did not stop.
    pub findings: Vec<PreflightFinding>,
    /// What was proven, of all runs of this plan.
    pub proofs: Vec<ProofSummary>,
    /// Repointed jobs that were not compared before and after, or not in whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_compared: Vec<NotCompared>,
}

/// One change of schema, as readers are told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaNews {
    /// Where.
    pub endpoint: Endpoint,
    /// `breaking`, `additive` or `publication`: which number of the version it moves.
    pub kind: String,
    /// What changed.
    pub what: String,
}

impl SchemaNews {
    pub(super) fn of(change: &SchemaChange) -> Self {
        let kind = match change.bump {
            Bump::Breaking => "breaking",
            Bump::Additive => "additive",
            Bump::Publication => "publication",
        };
        SchemaNews { endpoint: change.endpoint.clone(), kind: kind.to_owned(), what: change.text.clone() }
    }
}

/// What a refresh did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefreshReport {
    /// Which service.
    pub service: ServiceName,
    /// The newest publication now.
    pub version: SchemaVersion,
    /// Whether this refresh published it.
    pub published: bool,
    /// Live tables that were replaced.
    pub imported: Vec<DatasetId>,
    /// Rows in all endpoints.
    pub rows: u64,
    /// Parts in all endpoints.
    #[serde(default)]
    pub parts: u64,
    /// Bytes of all parts.
    #[serde(default)]
    pub bytes: u64,
    /// Publications removed by policy.
    pub pruned: Vec<SchemaVersion>,
    /// How the schema changed with this publication.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<SchemaNews>,
    /// Readers that a breaking change concerns, a sentence each: published because a person accepted that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken_readers: Vec<String>,
    /// What was done and found, a sentence each: damage that was mended among it.
    pub notes: Vec<String>,
    /// What was proven.
    pub proofs: Vec<ProofSummary>,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// Which service.
    pub service: ServiceName,
    /// The publication that was verified.
    pub version: Option<SchemaVersion>,
    /// Whether everything that must be equal is.
    pub equal: bool,
    /// Proof by proof.
    pub proofs: Vec<ProofSummary>,
    /// What is damaged or missing, a sentence each.
    pub problems: Vec<String>,
    /// Repointed jobs that no run has compared before and after, or not in whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_compared: Vec<NotCompared>,
}
