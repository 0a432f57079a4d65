//! What carve itself has edited in the estate, by all journals: such a change makes no other plan stale.
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    apply::journal::{self, JournalError, Phase, RunState},
    plan::{MadeEdits, without_edits},
    vocab::ServiceName,
};

/// Edits of the estate's files that carve made, or may have made, and has not undone.
#[derive(Clone, Debug, Default)]
pub struct KnownEdits {
    by_file: BTreeMap<Utf8PathBuf, BTreeMap<(ServiceName, String), MadeEdits>>,
}

impl KnownEdits {
    /// Those of every journal below carve's folder.
    ///
    /// # Errors
    /// A journal that cannot be read.
    pub fn read(state: &Utf8Path) -> Result<Self, JournalError> {
        let mut known = KnownEdits::default();
        for service in journal::services(state) {
            let read = journal::read(&state.join(service.as_str()))?.state;
            known.of_journal(&service, &read);
        }
        Ok(known)
    }

    /// `text` of `file` as it would be without them.
    pub fn without(&self, file: &Utf8Path, text: &str) -> String {
        let made: Vec<&MadeEdits> = self.by_file.get(file).into_iter().flatten().map(|(_, made)| made).collect();
        without_edits(text, &made)
    }

    /// Those in `file` but for the ones of one step.
    pub(super) fn others(&self, file: &Utf8Path, service: &ServiceName, step: &str) -> Vec<&MadeEdits> {
        let all = self.by_file.get(file).into_iter().flatten();
        all.filter(|((of, by), _)| of != service || by != step).map(|(_, made)| made).collect()
    }

    pub(super) fn add(&mut self, file: &Utf8Path, service: &ServiceName, step: &str, made: MadeEdits) {
        let of_file = self.by_file.entry(file.to_owned()).or_default();
        of_file.insert((service.clone(), step.to_owned()), made);
    }

    /// A step in doubt counts: where its edits do not stand, nothing is found to think away.
    fn of_journal(&mut self, service: &ServiceName, state: &RunState) {
        let stands = |phase| !matches!(phase, Phase::Waiting | Phase::Undone);
        for (step, its) in state.steps.iter().filter(|(_, its)| stands(its.phase)) {
            for (file, made) in &its.facts.edited {
                self.add(file, service, step, made.clone());
            }
        }
    }
}
