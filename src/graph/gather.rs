//! Everything an estate and its lineage say about who reads and writes what, merged and numbered.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    estate::{Estate, Job},
    graph::Edge,
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

struct Mention {
    dataset: DatasetId,
    access: Access,
    evidence: Evidence,
    at: Span,
}

/// Reads everything once.
pub(super) fn gather(estate: &Estate, lineage: &Lineage) -> Gathered {
    let jobs: BTreeMap<&JobId, &Job> = estate.jobs.iter().map(|job| (&job.id, job)).collect();
    let mentions: Vec<(&JobId, Vec<Mention>)> =
        jobs.iter().map(|(id, job)| (*id, mentions_of(job, lineage.jobs.get(*id)))).collect();
    let datasets = all_datasets(estate, lineage, &mentions);
    let number: HashMap<&DatasetId, usize> = datasets.iter().enumerate().map(|(at, id)| (id, at)).collect();

    let mut flows = Vec::new();
    for (at, (id, mentions)) in mentions.iter().enumerate() {
        for (sources, targets) in flows_of(jobs[id], lineage.jobs.get(*id), mentions) {
            let numbered = |ids: BTreeSet<&DatasetId>| ids.iter().map(|id| number[*id]).collect();
            flows.push(Flow { job: at, sources: numbered(sources), targets: numbered(targets) });
        }
    }
    let (exposures, exposure_reads, exposure_parts) = gather_exposures(estate, lineage, &number);
    let usage = gather_usage(estate, lineage, &number);
    let job_ids = jobs.keys().map(|id| (*id).clone()).collect();
    let edges = mentions.into_iter().flat_map(|(job, mentions)| merge(job, mentions)).collect();
    Gathered { datasets, jobs: job_ids, exposures, edges, flows, exposure_reads, exposure_parts, usage }
}

fn mentions_of(job: &Job, lineage: Option<&JobLineage>) -> Vec<Mention> {
    let declared = |(dataset, at): (&DatasetId, &Span), access| Mention {
        dataset: dataset.clone(),
        access,
        evidence: Evidence::Declared,
        at: at.clone(),
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
        dataset: one.dataset.clone(),
        access: one.access,
        evidence: one.evidence,
        at: one.at.clone(),
    }));
    all
}

fn merge(job: &JobId, mentions: Vec<Mention>) -> Vec<Edge> {
    let mut merged: BTreeMap<(DatasetId, Access), (Evidence, BTreeSet<Span>)> = BTreeMap::new();
    for mention in mentions {
        let entry =
            merged.entry((mention.dataset, mention.access)).or_insert_with(|| (mention.evidence, BTreeSet::new()));
        entry.0 = entry.0.min(mention.evidence);
        entry.1.insert(mention.at);
    }
    let edge = |((dataset, access), (evidence, places)): ((DatasetId, Access), (Evidence, BTreeSet<Span>))| Edge {
        job: job.clone(),
        dataset,
        access,
        evidence,
        places: places.into_iter().collect(),
    };
    merged.into_iter().map(edge).collect()
}

type Sets<'a> = (BTreeSet<&'a DatasetId>, BTreeSet<&'a DatasetId>);

/// The flows of one job: one a target whose statements are known. Reads that belong to no such
/// statement may feed everything, and targets without one may be fed by everything: what is not
/// known is never taken for independence.
fn flows_of<'a>(job: &'a Job, lineage: Option<&'a JobLineage>, mentions: &'a [Mention]) -> Vec<Sets<'a>> {
    let with = |access| mentions.iter().filter(move |m| m.access == access).map(|m| &m.dataset);
    let reads: BTreeSet<&DatasetId> = with(Access::Read).collect();
    let writes: BTreeSet<&DatasetId> = with(Access::Write).collect();

    let mut known: BTreeMap<&DatasetId, BTreeSet<&DatasetId>> = BTreeMap::new();
    for import in &job.imports {
        known.entry(&import.into).or_default().insert(&import.from);
    }
    for statement in lineage.map_or(&[][..], |lineage| &lineage.statements) {
        if let Some(target) = statement.target.as_ref().filter(|target| writes.contains(target)) {
            known.entry(target).or_default().extend(statement.sources.iter().filter(|s| reads.contains(s)));
        }
    }
    let covered: BTreeSet<&DatasetId> = known.values().flatten().copied().collect();
    let loose: BTreeSet<&DatasetId> = reads.difference(&covered).copied().collect();
    let open: BTreeSet<&DatasetId> = writes.iter().copied().filter(|write| !known.contains_key(write)).collect();

    let mut flows: Vec<Sets<'a>> = Vec::new();
    for (target, mut sources) in known {
        sources.remove(target);
        flows.push((sources, BTreeSet::from([target])));
    }
    if !loose.is_empty() {
        flows.push((loose, writes));
    }
    if !open.is_empty() {
        flows.push((reads, open));
    }
    flows
}

fn all_datasets(estate: &Estate, lineage: &Lineage, mentions: &[(&JobId, Vec<Mention>)]) -> Vec<DatasetId> {
    let mut all: BTreeSet<&DatasetId> = mentions.iter().flat_map(|(_, m)| m).map(|m| &m.dataset).collect();
    all.extend(estate.declared.keys());
    all.extend(estate.exposures.iter().flat_map(|exposure| &exposure.reads).map(|(dataset, _)| dataset));
    all.extend(lineage.exposures.values().flatten().map(|one| &one.dataset));
    all.extend(estate.usage.iter().enumerate().flat_map(|(at, usage)| lineage.reads_of(at, &usage.what)));
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
