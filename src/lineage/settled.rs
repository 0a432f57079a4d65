//! The first reading of every job, read again where the estate as a whole says more about its names.
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use rayon::prelude::*;

use crate::{
    estate::{Estate, Job, SameNames, Script},
    lineage::{
        Access, Evidence, TableUse,
        analysis::Prepared,
        naming::{Mentions, same_names, targets},
        read::{JobRead, read_job},
        resolve::Catalog,
        sql::ir::Effect,
    },
    vocab::{DatasetId, JobId},
};

/// What the estate as a whole says about names.
#[derive(Clone, Debug, Default)]
pub(in crate::lineage) struct Settled {
    /// Names that mean one dataset.
    pub(in crate::lineage) names: SameNames,
    /// Targets of bare queries that readers tell.
    pub(in crate::lineage) targets: BTreeMap<JobId, DatasetId>,
    /// Tables that one job makes and takes away, and that others name all the same.
    pub(in crate::lineage) kept: BTreeSet<DatasetId>,
    /// Where the stages lie that the estate makes with an address of their own.
    pub(in crate::lineage) stages: BTreeMap<String, String>,
    /// Whether tables of sessions are shown as datasets.
    pub(in crate::lineage) shown: bool,
}

impl Settled {
    /// `script` of `job` with the target that readers tell.
    pub(in crate::lineage) fn script<'s>(&self, job: &Job, script: &'s Script) -> Cow<'s, Script> {
        match self.targets.get(&job.id).filter(|_| script.target.is_some()) {
            Some(target) => Cow::Owned(Script { target: Some(target.clone()), ..script.clone() }),
            None => Cow::Borrowed(script),
        }
    }

    /// A target that readers tell is known less well than one that a config declares.
    pub(in crate::lineage) fn weaken(&self, job: &Job, uses: &mut [TableUse]) {
        let Some(target) = self.targets.get(&job.id) else { return };
        for one in uses.iter_mut().filter(|one| one.access == Access::Write && one.dataset == *target) {
            one.evidence = one.evidence.max(Evidence::Inferred);
        }
    }

    fn own(&self, dataset: &DatasetId) -> DatasetId {
        self.names.own(dataset, "".into())
    }
}

/// The jobs, each `read` by itself, and again those whose names mean something else in this estate. `catalog` is left
/// under the names that count; `shown` are the datasets that the SQL of exposures reads.
pub(in crate::lineage) fn read_settled(
    estate: &Estate,
    prepared: &[Vec<Prepared>],
    mut read: Vec<JobRead>,
    catalog: &mut Catalog,
    shown: &[DatasetId],
    temps: bool,
) -> (Vec<JobRead>, Settled) {
    let mut settled = Settled { shown: temps, stages: stages(prepared), ..Settled::default() };
    if !settled.stages.is_empty() {
        read_again(estate, prepared, catalog, &settled, &mut read, |_, one| {
            one.lineage.uses.iter().any(|one| one.dataset.is_file_set() && one.dataset.name().starts_with("stage://"))
        });
    }
    let mentions = |read: &[JobRead], settled: &Settled| {
        let shown = shown.iter().map(|dataset| settled.own(dataset));
        Mentions::of(estate, read.par_iter().map(|one| &one.lineage), shown, &settled.names)
    };
    settled.kept = named_by_others(&read, shown);
    if !settled.kept.is_empty() {
        read_again(estate, prepared, catalog, &settled, &mut read, |_, one| !one.passing.is_disjoint(&settled.kept));
    }
    let mut mentioned = mentions(&read, &settled);
    settled.names = same_names(&mentioned);
    if !settled.names.is_empty() {
        *catalog = std::mem::take(catalog).into_iter().rev().map(|(name, all)| (settled.own(&name), all)).collect();
        read_again(estate, prepared, catalog, &settled, &mut read, |_, one| {
            let other = |id: &DatasetId| settled.names.called.contains_key(id) || settled.names.apart.contains_key(id);
            one.lineage.uses.iter().any(|one| other(&one.dataset))
        });
        mentioned = mentions(&read, &settled);
    }
    settled.targets = targets(estate, &mentioned);
    if !settled.targets.is_empty() {
        read_again(estate, prepared, catalog, &settled, &mut read, |job, _| settled.targets.contains_key(&job.id));
    }
    (read, settled)
}

/// Stages by the names they are made under; those of one name that lie in two places are known by neither.
fn stages(prepared: &[Vec<Prepared>]) -> BTreeMap<String, String> {
    let effects = prepared.iter().flatten().flat_map(|one| &one.sql.stmts).flat_map(|stmt| &stmt.effects);
    let mut places: BTreeMap<String, BTreeSet<&String>> = BTreeMap::new();
    for effect in effects {
        if let Effect::Stage(name, place) = effect {
            let last = name.rsplit('.').next().unwrap_or_default();
            for name in [name.as_str(), last] {
                places.entry(name.to_owned()).or_default().insert(place);
            }
        }
    }
    let only = |(name, places): (String, BTreeSet<&String>)| match places.len() {
        1 => Some((name, places.first()?.to_string())),
        _ => None,
    };
    places.into_iter().filter_map(only).collect()
}

/// What only passes through one job, and is named by another or shown by an exposure.
fn named_by_others(read: &[JobRead], shown: &[DatasetId]) -> BTreeSet<DatasetId> {
    let passing: BTreeSet<&DatasetId> = read.iter().flat_map(|one| &one.passing).collect();
    if passing.is_empty() {
        return BTreeSet::new();
    }
    let used = read.iter().flat_map(|one| &one.lineage.uses).map(|one| &one.dataset);
    used.chain(shown).filter(|one| passing.contains(one)).cloned().collect()
}

fn read_again(
    estate: &Estate,
    prepared: &[Vec<Prepared>],
    catalog: &Catalog,
    settled: &Settled,
    read: &mut [JobRead],
    means_more: impl Fn(&Job, &JobRead) -> bool + Sync,
) {
    read.par_iter_mut().zip(&estate.jobs).zip(prepared).for_each(|((one, job), prepared)| {
        if means_more(job, one) {
            *one = read_job(job, prepared, catalog, settled);
        }
    });
}
