//! The graph's facts in carve's own words.
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    lineage::{Access, Evidence},
    vocab::{DatasetId, JobId, Span},
};

/// Where a dataset stands on the way from source to reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// In a source system.
    Source,
    /// Imported as it is.
    Raw,
    /// Derived from one source system.
    Transformed,
    /// Joins several source systems.
    Modelled,
    /// Nothing is known of where its rows come from.
    Unknown,
}

/// What the graph knows of one dataset.
#[derive(Clone, Debug, Serialize)]
pub struct DatasetFacts {
    /// Its place.
    pub layer: Layer,
    /// Source systems its rows come from.
    pub systems: BTreeSet<String>,
    /// Domain by configuration, else by its owner, else that of its one source system.
    pub domain: Option<String>,
    /// Team.
    pub owner: Option<String>,
    /// Jobs that write it.
    pub written_by: BTreeSet<JobId>,
    /// Jobs that read it.
    pub read_by: BTreeSet<JobId>,
    /// Exposures that read it, by id.
    pub exposed_by: BTreeSet<String>,
    /// Reads in the usage log.
    pub queries: u64,
    /// Users in the usage log.
    pub users: BTreeSet<String>,
}

/// One edge between a job and a dataset, with all the places that show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The job.
    pub job: JobId,
    /// The dataset.
    pub dataset: DatasetId,
    /// Read or written.
    pub access: Access,
    /// The strongest evidence.
    pub evidence: Evidence,
    /// Where it is shown.
    pub places: Vec<Span>,
}

/// Jobs and datasets that feed each other in a circle: they travel together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cycle {
    /// The jobs of the circle.
    pub jobs: BTreeSet<JobId>,
    /// The datasets of the circle.
    pub datasets: BTreeSet<DatasetId>,
}

/// Facts per dataset.
pub type DatasetIndex = BTreeMap<DatasetId, DatasetFacts>;
