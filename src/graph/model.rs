//! The graph's facts in carve's own words.
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    graph::SystemSet,
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
    pub systems: SystemSet,
    /// The one source system it belongs to; `None` where several feed it or none is known.
    pub system: Option<String>,
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

/// What lies up or down from one dataset, each with its distance: the fewest jobs on the way, from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Neighbourhood {
    /// Datasets.
    pub datasets: BTreeMap<DatasetId, u32>,
    /// Jobs; a job at distance 1 reads or writes the dataset itself.
    pub jobs: BTreeMap<JobId, u32>,
    /// Exposures by id, downstream only; at distance 1 they read the dataset itself.
    pub exposures: BTreeMap<String, u32>,
}

/// How much one domain leans on another: one cell of the coupling matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coupling {
    /// The domain whose datasets are read.
    pub from: String,
    /// The domain of the jobs that read them; empty where the job's domain is unknown.
    pub to: String,
    /// How many (job, dataset) reads cross.
    pub reads: u64,
    /// How many jobs read datasets of both domains.
    pub joins: u64,
}
