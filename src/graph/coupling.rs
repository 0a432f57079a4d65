//! How domains lean on each other.
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    estate::Estate,
    graph::{Coupling, DatasetIndex, Edge, domains::Domains, gather::Gathered},
    lineage::Access,
    vocab::JobId,
};

/// One cell a pair of different domains with any crossing.
pub(super) fn count(estate: &Estate, gathered: &Gathered, index: &DatasetIndex) -> Vec<Coupling> {
    let domains = Domains::of(estate);
    let mut reads: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut joins: BTreeMap<(String, String), u64> = BTreeMap::new();
    for edges in gathered.edges.chunk_by(|a, b| a.job == b.job) {
        let to = domain_of_job(&domains, &edges[0].job, edges, index).unwrap_or_default();
        let mut met = BTreeSet::new();
        for edge in edges.iter().filter(|edge| edge.access == Access::Read) {
            let Some(from) = index.get(&edge.dataset).and_then(|facts| facts.domain.clone()) else { continue };
            if from != to {
                *reads.entry((from.clone(), to.clone())).or_default() += 1;
            }
            met.insert(from);
        }
        for from in &met {
            for to in met.iter().filter(|to| *to != from) {
                *joins.entry((from.clone(), to.clone())).or_default() += 1;
            }
        }
    }
    let pairs: BTreeSet<(String, String)> = reads.keys().chain(joins.keys()).cloned().collect();
    let cell = |pair: (String, String)| Coupling {
        reads: reads.get(&pair).copied().unwrap_or(0),
        joins: joins.get(&pair).copied().unwrap_or(0),
        from: pair.0,
        to: pair.1,
    };
    pairs.into_iter().map(cell).collect()
}

/// The job's own domain, else the one all its targets share.
fn domain_of_job(domains: &Domains<'_>, job: &JobId, edges: &[Edge], index: &DatasetIndex) -> Option<String> {
    if let Some(domain) = domains.of_job(job) {
        return Some(domain.to_owned());
    }
    let targets = edges.iter().filter(|edge| edge.access == Access::Write);
    let found: BTreeSet<&String> = targets.filter_map(|edge| index.get(&edge.dataset)?.domain.as_ref()).collect();
    match found.len() {
        1 => found.first().map(|domain| (*domain).clone()),
        _ => None,
    }
}
