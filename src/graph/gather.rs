//! Everything an estate and its lineage say about who reads and writes what, merged and numbered.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use crate::{
    estate::{Estate, Job},
    graph::{Edge, pairing::flows_of},
    lineage::{Access, Evidence, JobLineage, Lineage},
    vocab::{DatasetId, JobId, Span},
};

/// The graph's raw material. Numbers are places in the sorted lists, so that input order never shows.
pub(super) struct Gathered {
    /// Every dataset anything mentions, sorted.
    pub(super) datasets: Vec<DatasetId>,
    /// Every job, sorted.
    pub(super) jobs: Vec<JobId>,
    /// Every exposure's id, sorted.
    pub(super) exposures: Vec<String>,
    /// Merged mentions, by job, dataset, access.
    pub(super) edges: Vec<Edge>,
    /// Job and dataset of each of `edges`.
    pub(super) ends: Vec<(usize, usize)>,
    /// What moves what within each job, by job.
    pub(super) flows: Vec<Flow>,
    /// (exposure, dataset, where it says so), sorted.
    pub(super) exposure_reads: Vec<(usize, usize, Span)>,
    /// (part, whole), sorted.
    pub(super) exposure_parts: Vec<(usize, usize)>,
    /// (dataset, index into `Estate::usage`), sorted.
    pub(super) usage: Vec<(usize, usize)>,
}

/// Rows of some datasets move into others, in one job.
///
/// A job of several statements has several flows, so that a script that loads two tables from two
/// systems does not mix their origins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    /// Which job.
    pub(super) job: usize,
    /// Datasets read, sorted.
    pub(super) sources: Vec<usize>,
    /// Datasets written, sorted.
    pub(super) targets: Vec<usize>,
}

/// One mention of a dataset by a job.
pub(super) struct Mention<'a> {
    pub(super) dataset: &'a DatasetId,
    pub(super) access: Access,
    evidence: Evidence,
    pub(super) at: &'a Span,
}

/// Reads everything once.
pub(super) fn gather(estate: &Estate, lineage: &Lineage) -> Gathered {
    let jobs: BTreeMap<&JobId, &Job> = estate.jobs.iter().map(|job| (&job.id, job)).collect();
    let in_order: Vec<&Job> = jobs.values().copied().collect();
    let mentions: Vec<(&JobId, Vec<Mention<'_>>)> =
        in_order.par_iter().map(|job| (&job.id, mentions_of(job, lineage.jobs.get(&job.id)))).collect();
    let datasets = all_datasets(estate, lineage, &mentions);
    let number: HashMap<&DatasetId, usize> = datasets.iter().enumerate().map(|(at, id)| (id, at)).collect();

    let numbered = |ids: BTreeSet<&DatasetId>| ids.iter().map(|id| number[*id]).collect();
    let flows = mentions.par_iter().zip(&in_order).enumerate().flat_map_iter(|(at, ((id, mentions), job))| {
        let flow = move |(sources, targets)| Flow { job: at, sources: numbered(sources), targets: numbered(targets) };
        flows_of(job, lineage.jobs.get(*id), mentions).into_iter().map(flow)
    });
    let flows = flows.collect();
    let (exposures, exposure_reads, exposure_parts) = gather_exposures(estate, lineage, &number);
    let usage = gather_usage(estate, lineage, &number);
    let job_ids = jobs.keys().map(|id| (*id).clone()).collect();
    let number = &number;
    let merged = mentions.into_par_iter().enumerate().flat_map_iter(|(at, (job, mentions))| {
        merge(job, mentions).into_iter().map(move |edge| {
            let ends = (at, number[&edge.dataset]);
            (edge, ends)
        })
    });
    let (edges, ends) = merged.collect::<Vec<_>>().into_iter().unzip();
    Gathered { datasets, jobs: job_ids, exposures, edges, ends, flows, exposure_reads, exposure_parts, usage }
}

/// Everything `job` says it reads and writes.
pub(super) fn mentions_of<'a>(job: &'a Job, lineage: Option<&'a JobLineage>) -> Vec<Mention<'a>> {
    let declared = |(dataset, at): (&'a DatasetId, &'a Span), access| Mention {
        dataset,
        access,
        evidence: Evidence::Declared,
        at,
    };
    let mut all = Vec::new();
    for import in &job.imports {
        all.push(declared((&import.from, &import.from_at), Access::Read));
        all.push(declared((&import.into, &import.into_at), Access::Write));
    }
    all.extend(job.reads.iter().map(|(dataset, at)| declared((dataset, at), Access::Read)));
    all.extend(job.writes.iter().map(|(dataset, at)| declared((dataset, at), Access::Write)));
    let uses = lineage.map_or(&[][..], |lineage| &lineage.uses);
    all.extend(uses.iter().map(|one| Mention {
        dataset: &one.dataset,
        access: one.access,
        evidence: one.evidence,
        at: &one.at,
    }));
    all
}

fn merge(job: &JobId, mut mentions: Vec<Mention<'_>>) -> Vec<Edge> {
    mentions.sort_unstable_by(|a, b| (a.dataset, a.access, a.at).cmp(&(b.dataset, b.access, b.at)));
    let edge = |same: &[Mention<'_>]| {
        let first = same.first()?;
        let mut places: Vec<Span> = same.iter().map(|mention| mention.at.clone()).collect();
        places.dedup();
        let evidence = same.iter().map(|mention| mention.evidence).min()?;
        Some(Edge { job: job.clone(), dataset: first.dataset.clone(), access: first.access, evidence, places })
    };
    mentions.chunk_by(|a, b| (a.dataset, a.access) == (b.dataset, b.access)).filter_map(edge).collect()
}

fn all_datasets(estate: &Estate, lineage: &Lineage, mentions: &[(&JobId, Vec<Mention<'_>>)]) -> Vec<DatasetId> {
    let mut all: Vec<&DatasetId> = mentions.iter().flat_map(|(_, m)| m).map(|m| m.dataset).collect();
    all.extend(estate.declared.keys());
    all.extend(estate.exposures.iter().flat_map(|exposure| &exposure.reads).map(|(dataset, _)| dataset));
    all.extend(lineage.exposures.values().flatten().map(|one| &one.dataset));
    all.extend(estate.usage.iter().enumerate().flat_map(|(at, usage)| lineage.reads_of(at, &usage.what)));
    all.par_sort_unstable();
    all.dedup();
    all.into_iter().cloned().collect()
}

type Exposures = (Vec<String>, Vec<(usize, usize, Span)>, Vec<(usize, usize)>);

fn gather_exposures(estate: &Estate, lineage: &Lineage, number: &HashMap<&DatasetId, usize>) -> Exposures {
    let ids: BTreeSet<&String> = estate.exposures.iter().map(|exposure| &exposure.id).collect();
    let ids: Vec<String> = ids.into_iter().cloned().collect();
    let place: HashMap<&str, usize> = ids.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    let mut reads = BTreeSet::new();
    let mut parts = BTreeSet::new();
    for exposure in &estate.exposures {
        let whole = place[exposure.id.as_str()];
        reads.extend(exposure.reads.iter().map(|(dataset, at)| (whole, number[dataset], at.clone())));
        parts.extend(exposure.parts.iter().filter_map(|part| place.get(part.as_str())).map(|part| (*part, whole)));
    }
    for (id, uses) in &lineage.exposures {
        let Some(whole) = place.get(id.as_str()) else { continue };
        let read = uses.iter().filter(|one| one.access == Access::Read);
        reads.extend(read.map(|one| (*whole, number[&one.dataset], one.at.clone())));
    }
    parts.retain(|(part, whole)| part != whole);
    (ids, reads.into_iter().collect(), parts.into_iter().collect())
}

fn gather_usage(estate: &Estate, lineage: &Lineage, number: &HashMap<&DatasetId, usize>) -> Vec<(usize, usize)> {
    let mut all = BTreeSet::new();
    for (at, usage) in estate.usage.iter().enumerate() {
        all.extend(lineage.reads_of(at, &usage.what).iter().map(|dataset| (number[dataset], at)));
    }
    all.into_iter().collect()
}
