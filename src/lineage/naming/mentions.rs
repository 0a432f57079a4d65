//! Every name in the estate, with who reads and who writes it.
use std::collections::{BTreeMap, BTreeSet, HashSet};

use camino::Utf8Path;
use rayon::prelude::*;

use crate::{
    estate::{Estate, Job, SameNames},
    lineage::{Access, Evidence, JobLineage},
    vocab::DatasetId,
};

/// Who names what.
#[derive(Debug, Default)]
pub(in crate::lineage) struct Mentions {
    /// Datasets that jobs (by number) read.
    pub(super) reads: Vec<BTreeSet<DatasetId>>,
    /// Datasets that jobs write, make or empty, whatever says so.
    pub(super) writes: Vec<BTreeSet<DatasetId>>,
    /// The target that the place of a job's file alone suggests, and nothing in its text.
    pub(super) placed: BTreeMap<usize, DatasetId>,
    /// Datasets that dashboards and the like read.
    pub(super) shown: BTreeSet<DatasetId>,
    /// Datasets that configs and schema files declare.
    pub(super) declared: BTreeSet<DatasetId>,
    /// Full names that the folders of files give their targets, by the catalogs that others name.
    pub(super) in_folders: BTreeSet<DatasetId>,
    /// Pairs of which a statement copies the one into the other.
    pub(super) copied: HashSet<(DatasetId, DatasetId)>,
}

/// What one job names.
#[derive(Default)]
struct OfJob {
    reads: BTreeSet<DatasetId>,
    writes: BTreeSet<DatasetId>,
    placed: Option<DatasetId>,
    in_folders: Vec<DatasetId>,
    copied: Vec<(DatasetId, DatasetId)>,
}

impl Mentions {
    /// What `jobs` (those of `estate`, read) and exposures, which read `shown`, name; each by its name in `names`.
    pub(in crate::lineage) fn of<'a>(
        estate: &Estate,
        jobs: impl IndexedParallelIterator<Item = &'a JobLineage>,
        shown: impl Iterator<Item = DatasetId>,
        names: &SameNames,
    ) -> Self {
        let mut all = Mentions::default();
        let found: Vec<OfJob> =
            estate.jobs.par_iter().zip(jobs).map(|(job, lineage)| OfJob::of(estate, job, lineage, names)).collect();
        for (number, one) in found.into_iter().enumerate() {
            all.reads.push(one.reads);
            all.writes.push(one.writes);
            all.placed.extend(one.placed.map(|placed| (number, placed)));
            all.in_folders.extend(one.in_folders);
            all.copied.extend(one.copied);
        }
        let of_bi = estate.exposures.iter().flat_map(|exposure| &exposure.reads);
        all.shown = of_bi.map(|(dataset, at)| names.own(dataset, &at.file)).chain(shown).collect();
        let nowhere = Utf8Path::new("");
        all.declared = estate.declared.keys().map(|dataset| names.own(dataset, nowhere)).collect();
        all
    }

    /// Every name that something says, as often as it is said.
    pub(super) fn each(&self) -> impl Iterator<Item = &DatasetId> {
        let of_jobs = self.reads.iter().chain(&self.writes).flatten();
        of_jobs.chain(&self.shown).chain(&self.declared)
    }
}

impl OfJob {
    fn of(estate: &Estate, job: &Job, lineage: &JobLineage, names: &SameNames) -> Self {
        let of = |access: Access| lineage.uses.iter().filter(move |one| one.access == access);
        let own = |(dataset, at): &(DatasetId, crate::vocab::Span)| names.own(dataset, &at.file);
        let mut all = OfJob { reads: of(Access::Read).map(|one| one.dataset.clone()).collect(), ..OfJob::default() };
        all.reads.extend(job.reads.iter().map(own));
        all.reads.extend(job.imports.iter().map(|import| names.own(&import.from, &import.from_at.file)));
        all.writes = of(Access::Write).chain(of(Access::Define)).map(|one| one.dataset.clone()).collect();
        all.writes.extend(job.writes.iter().map(own));
        all.writes.extend(job.imports.iter().map(|import| names.own(&import.into, &import.into_at.file)));
        all.placed = placed_target(estate, job, lineage, names)
            .filter(|target| all.writes.len() == 1 && all.writes.contains(target));
        all.in_folders = all.placed.as_ref().map(|target| in_folder(job, target)).unwrap_or_default();
        for one in &lineage.statements {
            if let (Some(target), [only]) = (&one.target, one.sources.as_slice())
                && all.placed.as_ref() != Some(target)
            {
                all.copied.push((only.clone(), target.clone()));
            }
        }
        all
    }
}

/// What the file of a bare query fills by its place, where its query was read as filling that.
fn placed_target(estate: &Estate, job: &Job, lineage: &JobLineage, names: &SameNames) -> Option<DatasetId> {
    let [script] = job.scripts.as_slice() else { return None };
    let target = names.own(script.target.as_ref()?, &script.at.file);
    let fills = |one: &crate::lineage::TableUse| {
        one.access == Access::Write && one.dataset == target && one.evidence >= Evidence::Declared
    };
    (estate.suggested.contains(&job.id) && lineage.uses.iter().any(fills)).then_some(target)
}

/// `catalog.schema.table` for `catalog/…/schema/…` around a file that fills `schema.table`, for each folder above the
/// schema's: only those that others name as catalogs will count.
fn in_folder(job: &Job, target: &DatasetId) -> Vec<DatasetId> {
    let Some(schema) = target.schema().filter(|schema| !schema.contains('.')) else { return Vec::new() };
    let folders: Vec<String> = job.at.file.components().map(|part| part.as_str().to_lowercase()).collect();
    let Some(at) = folders.iter().rposition(|folder| folder == schema) else { return Vec::new() };
    folders[..at].iter().map(|folder| DatasetId::from_parts(&[folder.as_str(), target.name()])).collect()
}
