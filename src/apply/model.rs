//! What applying tells its callers: the state of a service, and the proofs.
use serde::{Deserialize, Serialize};

use crate::vocab::{Endpoint, SchemaVersion, ServiceName};

/// How far one service is, from its journal and the newest publication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Which.
    pub service: ServiceName,
    /// `planned`, `applying`, `wrapped`, `rolled_back`, `failed`.
    pub stage: String,
    /// Steps done, and in all.
    pub steps_done: u32,
    /// Steps in all.
    pub steps: u32,
    /// The step where it stopped, and why.
    pub stopped_at: Option<String>,
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
    /// Exposures moved, and in all.
    pub switched: [u32; 2],
    /// Whether the catalog page exists.
    pub in_catalog: bool,
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
    /// In words, with what differs.
    pub because: String,
}
