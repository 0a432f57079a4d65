//! Who feeds whom, compact, for the panel that opens on a click.
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    ReportInputs,
    overview::{Clustering, layer_of},
};
use crate::{
    lineage::Access,
    vocab::{DatasetId, JobId},
};

/// Datasets, jobs and exposures by number, and the lines between them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LinkData {
    /// Name, layer, number of the cluster in the overview.
    pub datasets: Vec<(String, &'static str, Option<usize>)>,
    /// Job names.
    pub jobs: Vec<String>,
    /// Titles of BI objects.
    pub exposures: Vec<String>,
    /// Job, dataset it reads.
    pub reads: Vec<(usize, usize)>,
    /// Job, dataset it writes.
    pub writes: Vec<(usize, usize)>,
    /// Exposure, dataset it reads.
    pub shows: Vec<(usize, usize)>,
}

/// The lines of `inputs`, with the clusters of `clustering`.
pub(super) fn links(inputs: &ReportInputs, clustering: &Clustering) -> LinkData {
    let number: BTreeMap<&DatasetId, usize> = inputs.datasets.keys().enumerate().map(|(at, id)| (id, at)).collect();
    let names: BTreeSet<&JobId> = inputs.edges.iter().map(|edge| &edge.job).collect();
    let job_number: BTreeMap<&JobId, usize> = names.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let pairs = |access: Access| {
        let pair = |edge: &crate::graph::Edge| Some((*job_number.get(&edge.job)?, *number.get(&edge.dataset)?));
        let pairs: BTreeSet<_> = inputs.edges.iter().filter(|e| e.access == access).filter_map(pair).collect();
        pairs.into_iter().collect()
    };
    let exposure_number: BTreeMap<&str, usize> =
        inputs.exposures.iter().enumerate().map(|(at, exposure)| (exposure.id.as_str(), at)).collect();
    let shows = inputs.datasets.iter().flat_map(|(id, facts)| {
        let at = number.get(id).copied().unwrap_or_default();
        facts
            .exposed_by
            .iter()
            .filter_map(|name| exposure_number.get(name.as_str()))
            .map(move |e| (*e, at))
            .collect::<Vec<_>>()
    });
    LinkData {
        datasets: inputs
            .datasets
            .iter()
            .map(|(id, facts)| (id.to_string(), layer_of(facts.layer), clustering.of_dataset.get(id).copied()))
            .collect(),
        jobs: names.iter().map(ToString::to_string).collect(),
        exposures: inputs.exposures.iter().map(|exposure| exposure.title.clone()).collect(),
        reads: pairs(Access::Read),
        writes: pairs(Access::Write),
        shows: shows.collect(),
    }
}
