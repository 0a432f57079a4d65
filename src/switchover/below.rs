//! What charts and dashboards stand on.
use std::collections::{BTreeMap, BTreeSet};

use super::{CarriedExposure, Switchover};
use crate::estate::{Estate, Exposure};

/// The parts of every exposure, and which BI sources move or wait for a person.
pub(super) struct Below<'e> {
    parts: BTreeMap<&'e str, &'e [String]>,
    moves: BTreeMap<String, String>,
    blocked: BTreeMap<String, String>,
}

impl<'e> Below<'e> {
    /// What is known once every move of `switchover` is drafted.
    pub(super) fn of(estate: &'e Estate, switchover: &Switchover) -> Self {
        Below {
            parts: estate.exposures.iter().map(|one| (one.id.as_str(), one.parts.as_slice())).collect(),
            moves: switchover.moves.iter().map(|one| (one.id.clone(), one.title.clone())).collect(),
            blocked: switchover.blocked.iter().map(|one| (one.id.clone(), one.title.clone())).collect(),
        }
    }

    /// `exposure` as one that moves with what it stands on; `None` where nothing below it moves.
    pub(super) fn carried(&self, exposure: &Exposure) -> Option<CarriedExposure> {
        let with = self.titles(exposure, &self.moves);
        (!with.is_empty()).then(|| CarriedExposure {
            id: exposure.id.clone(),
            title: exposure.title.clone(),
            kind: exposure.kind.clone(),
            owner: exposure.owner.clone(),
            with,
        })
    }

    /// Titles of what `exposure` stands on and only a person can move.
    pub(super) fn blocked(&self, exposure: &Exposure) -> Vec<String> {
        self.titles(exposure, &self.blocked)
    }

    fn titles(&self, exposure: &Exposure, of: &BTreeMap<String, String>) -> Vec<String> {
        let mut seen: BTreeSet<&str> = exposure.parts.iter().map(String::as_str).collect();
        let mut open: Vec<&str> = seen.iter().copied().collect();
        while let Some(id) = open.pop() {
            let parts = self.parts.get(id).copied().unwrap_or_default();
            open.extend(parts.iter().map(String::as_str).filter(|part| !seen.contains(part)).collect::<Vec<_>>());
            seen.extend(parts.iter().map(String::as_str));
        }
        let titles: BTreeSet<String> = seen.iter().filter_map(|id| of.get(*id).cloned()).collect();
        titles.into_iter().collect()
    }
}
