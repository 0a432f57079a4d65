//! The files a plan was made from, each with the hash of its bytes and of its meaning.
use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use super::{Action, Plan, PlanInput};
use crate::{
    lineage,
    vocab::{Digest, JobId},
};

/// Both hashes of every file in `files` that can be read.
pub(super) fn inputs(
    files: BTreeSet<Utf8PathBuf>,
    read: &(dyn Fn(&Utf8Path) -> Option<String> + Sync),
    jobs: &BTreeSet<&JobId>,
) -> Vec<PlanInput> {
    let of = |file: Utf8PathBuf| {
        let text = read(&file)?;
        Some(PlanInput { bytes: Digest::of(&text), meaning: meaning(&file, &text, jobs), file })
    };
    files.into_par_iter().filter_map(of).collect()
}

/// What a file says, without its comments and spacing; of a job file, what it says of `jobs`.
pub(super) fn meaning(file: &Utf8Path, text: &str, jobs: &BTreeSet<&JobId>) -> Digest {
    match file.extension() {
        Some("yaml" | "yml") => lineage::config_meaning(text, &|name| jobs.contains(&JobId::new(name))),
        _ => lineage::meaning(text, None),
    }
}

impl Plan {
    /// What `text` means as the content of `file`, as far as this plan is concerned: without comments and spacing,
    /// and of a job file only what it says of the jobs that import, read or are edited.
    pub fn meaning_of(&self, file: &Utf8Path, text: &str) -> Digest {
        meaning(file, text, &self.jobs())
    }

    pub(super) fn jobs(&self) -> BTreeSet<&JobId> {
        let edited = self.steps.iter().filter_map(|step| match &step.action {
            Action::Repoint(repoint) => Some(&repoint.job),
            _ => None,
        });
        self.boundary.import_jobs.iter().chain(&self.boundary.dependents).chain(edited).collect()
    }
}
