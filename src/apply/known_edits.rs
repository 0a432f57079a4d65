//! What carve itself has edited in the estate, by all journals: such a change makes no other plan stale.
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    apply::journal::{self, JournalError, Phase, RunState},
    plan::{MadeEdits, Plan, StandingEdits},
    vocab::{Digest, ServiceName},
};

/// Edits of the estate's files that carve made, or may have made, and has not undone.
#[derive(Clone, Debug, Default)]
pub struct KnownEdits {
    by_file: BTreeMap<Utf8PathBuf, BTreeMap<(ServiceName, String), Known>>,
}

#[derive(Clone, Debug)]
struct Known {
    plan: Digest,
    made: MadeEdits,
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

    /// Those in `file` as `plan` sees them, but for the ones of its step `own`.
    pub fn standing(&self, file: &Utf8Path, plan: &Plan, own: Option<&str>) -> StandingEdits<'_> {
        let (mut same_plan, mut others) = (Vec::new(), BTreeMap::<&ServiceName, Vec<&MadeEdits>>::new());
        for ((service, step), known) in self.by_file.get(file).into_iter().flatten() {
            match *service == plan.service && known.plan == plan.id {
                true if own == Some(step) => {}
                true => same_plan.push(&known.made),
                false => others.entry(service).or_default().push(&known.made),
            }
        }
        StandingEdits { same_plan, of_others: others.into_values().collect() }
    }

    /// One more, of a step of `plan`.
    pub(super) fn add(&mut self, file: &Utf8Path, plan: &Plan, step: &str, made: MadeEdits) {
        self.put(file, (plan.service.clone(), step.to_owned()), Known { plan: plan.id, made });
    }

    fn put(&mut self, file: &Utf8Path, of: (ServiceName, String), known: Known) {
        self.by_file.entry(file.to_owned()).or_default().insert(of, known);
    }

    /// A step in doubt counts: where its edits do not stand, nothing is found to think away.
    fn of_journal(&mut self, service: &ServiceName, state: &RunState) {
        let Some(plan) = state.plan else { return };
        let stands = |phase| !matches!(phase, Phase::Waiting | Phase::Undone);
        for (step, its) in state.steps.iter().filter(|(_, its)| stands(its.phase)) {
            for (file, made) in &its.facts.edited {
                self.put(file, (service.clone(), step.clone()), Known { plan, made: made.clone() });
            }
        }
    }
}
