//! The first reading of every job, read again where the estate as a whole says more about its names.
use std::{borrow::Cow, collections::BTreeMap};

use rayon::prelude::*;

use crate::{
    estate::{Estate, Job, SameNames, Script},
    lineage::{
        Access, Evidence, TableUse,
        analysis::Prepared,
        naming::{Mentions, same_names, targets},
        read::{JobRead, read_job},
        resolve::Catalog,
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
) -> (Vec<JobRead>, Settled) {
    let mut settled = Settled::default();
    let mentions = |read: &[JobRead], settled: &Settled| {
        let shown = shown.iter().map(|dataset| settled.own(dataset));
        Mentions::of(estate, read.par_iter().map(|one| &one.lineage), shown, &settled.names)
    };
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
