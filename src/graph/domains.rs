//! Whose business a dataset or job is: configuration first, then what is declared, then the system.
use std::collections::{BTreeSet, HashMap};

use crate::{
    estate::{Estate, Job},
    graph::name_glob::name_matches,
    vocab::{DatasetId, JobId},
};

/// Answers for one estate.
pub(super) struct Domains<'a> {
    estate: &'a Estate,
    jobs: HashMap<&'a JobId, &'a Job>,
}

impl<'a> Domains<'a> {
    pub(super) fn of(estate: &'a Estate) -> Self {
        Domains { estate, jobs: estate.jobs.iter().map(|job| (&job.id, job)).collect() }
    }

    /// The domain of a job: a glob of the settings, else what it declares.
    pub(super) fn of_job(&self, job: &JobId) -> Option<&'a str> {
        self.by_glob(job.as_str()).or_else(|| self.jobs.get(job)?.domain.as_deref())
    }

    /// The domain of a dataset: a glob of the settings, else declared for it, for the jobs that write
    /// it (where they agree), for its one source system, else that system's name.
    pub(super) fn of_dataset(
        &self,
        dataset: &DatasetId,
        writers: &BTreeSet<JobId>,
        system: Option<&str>,
    ) -> Option<String> {
        let declared = || self.estate.declared.get(dataset)?.domain.as_deref();
        let by_writers = || agreed(writers.iter().filter_map(|job| self.of_job(job)));
        let by_system = || self.estate.sources.get(system?)?.domain.as_deref();
        let by_glob = || self.by_glob(&dataset.to_string());
        let has_globs = !self.estate.settings.domains.is_empty();
        has_globs
            .then(by_glob)
            .flatten()
            .or_else(declared)
            .or_else(by_writers)
            .or_else(by_system)
            .or(system)
            .map(str::to_owned)
    }

    /// The team of a dataset: declared for it, else of the jobs that write it (where they agree), else of
    /// its source system where it lies in one.
    pub(super) fn owner_of(&self, dataset: &DatasetId, writers: &BTreeSet<JobId>) -> Option<String> {
        let declared = || self.estate.declared.get(dataset)?.owner.as_deref();
        let by_writers = || agreed(writers.iter().filter_map(|job| self.jobs.get(job)?.owner.as_deref()));
        let by_system = || self.estate.sources.get(dataset.system()?)?.owner.as_deref();
        declared().or_else(by_writers).or_else(by_system).map(str::to_owned)
    }

    fn by_glob(&self, name: &str) -> Option<&'a str> {
        let mut rules = self.estate.settings.domains.iter();
        rules.find(|(_, globs)| globs.iter().any(|glob| name_matches(glob, name))).map(|(domain, _)| domain.as_str())
    }
}

/// The one name that all say; `None` where they differ or say nothing.
fn agreed<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let names: BTreeSet<&str> = names.collect();
    match names.len() {
        1 => names.first().copied(),
        _ => None,
    }
}
