//! Many events of the same runs and jobs: what is different in them is kept, once.
use std::collections::{BTreeMap, BTreeSet};

use super::event::{ColumnFeed, Event, Named};
use crate::vocab::Span;

/// What one event moves: inputs, and outputs with the columns that feed them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Move {
    pub(super) inputs: BTreeSet<Named>,
    pub(super) outputs: BTreeMap<Named, BTreeSet<ColumnFeed>>,
}

/// The moves of jobs, each with the first event that shows it.
#[derive(Debug, Default)]
pub(crate) struct Events(BTreeMap<Named, BTreeMap<Move, Span>>);

impl Events {
    /// Takes in one event, which stands at `at`.
    pub(super) fn add(&mut self, event: Event, at: Span) {
        let Some(job) = event.job.clone().filter(|_| !event.failed()) else { return };
        let mut one = Move { inputs: event.inputs().collect(), outputs: BTreeMap::new() };
        for (dataset, columns) in event.outputs() {
            one.outputs.entry(dataset).or_default().extend(columns);
        }
        if !one.inputs.is_empty() || !one.outputs.is_empty() {
            self.enter(job, one, at);
        }
    }

    fn enter(&mut self, job: Named, one: Move, at: Span) {
        let known = self.0.entry(job).or_default().entry(one).or_insert_with(|| at.clone());
        if at < *known {
            *known = at;
        }
    }

    /// Takes in what another file shows.
    pub(crate) fn merge(&mut self, other: Events) {
        for (job, moves) in other.0 {
            moves.into_iter().for_each(|(one, at)| self.enter(job.clone(), one, at));
        }
    }

    /// Jobs with their moves, in the order of names.
    pub(super) fn into_jobs(self) -> impl Iterator<Item = (Named, BTreeMap<Move, Span>)> {
        self.0.into_iter()
    }

    /// How many different moves there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }
}
