//! Which of several plans may run beside which: those that touch no table and no file in common.
use std::collections::BTreeSet;

use camino::Utf8Path;

use crate::{
    plan::{Action, Plan},
    vocab::DatasetId,
};

/// What one plan reads and writes of what others may touch.
#[derive(Default)]
struct Touched<'p> {
    tables_read: BTreeSet<&'p DatasetId>,
    tables_written: BTreeSet<&'p DatasetId>,
    files: BTreeSet<&'p Utf8Path>,
    queries: Vec<&'p str>,
}

impl<'p> Touched<'p> {
    fn of(plan: &'p Plan) -> Self {
        let mut its = Touched::default();
        for step in &plan.steps {
            match &step.action {
                Action::Publish(publish) => {
                    let lake = publish.endpoints.iter().filter(|endpoint| endpoint.from == "lake");
                    its.tables_read.extend(lake.map(|endpoint| &endpoint.table));
                }
                Action::Import(import) => its.tables_written.extend([&import.staging]),
                Action::ProveContinuity(proof) => its.tables_read.extend([&proof.old, &proof.new]),
                Action::Swap(swap) => {
                    its.tables_written.extend([&swap.staging, &swap.live]);
                    its.tables_written.extend(&swap.previous);
                }
                Action::Repoint(repoint) => its.files.extend(repoint.files.iter().map(|edit| edit.file.as_path())),
                Action::Schedule(file) => its.files.extend([file.file.as_path()]),
                Action::ProveDownstream(proof) => {
                    its.queries.extend(proof.queries.iter().flat_map(|query| [&*query.before, &*query.after]));
                }
            }
        }
        its
    }

    /// Whether one of the two changes what the other reads or changes.
    fn meets(&self, other: &Touched<'_>) -> bool {
        !self.files.is_disjoint(&other.files) || self.disturbs(other) || other.disturbs(self)
    }

    fn disturbs(&self, other: &Touched<'_>) -> bool {
        self.tables_written.iter().any(|table| {
            // A query's text names the tables it reads: a word too many only costs time.
            let queried = other.queries.iter().any(|sql| sql.to_lowercase().contains(table.table()));
            queried || other.tables_read.contains(table) || other.tables_written.contains(table)
        })
    }
}

/// Plans waiting for their turn, in their order.
pub(super) struct Turns {
    /// For each plan the earlier ones it waits for.
    after: Vec<BTreeSet<usize>>,
    waiting: BTreeSet<usize>,
    ended: BTreeSet<usize>,
}

impl Turns {
    /// One after the other where `in_turn`, else beside each other where nothing is in the way.
    pub(super) fn of(plans: &[Plan], in_turn: bool) -> Self {
        let touched: Vec<Touched<'_>> = plans.iter().map(Touched::of).collect();
        let waits = |at: usize| (0..at).filter(|before| in_turn || touched[at].meets(&touched[*before])).collect();
        Turns {
            after: (0..plans.len()).map(waits).collect(),
            waiting: (0..plans.len()).collect(),
            ended: BTreeSet::new(),
        }
    }

    /// The next plan that may begin now.
    pub(super) fn next(&mut self) -> Option<usize> {
        let next = self.waiting.iter().copied().find(|at| self.after[*at].is_subset(&self.ended))?;
        self.waiting.remove(&next);
        Some(next)
    }

    /// A plan has ended, well or not.
    pub(super) fn ended(&mut self, plan: usize) {
        self.ended.insert(plan);
    }

    /// Those that never began.
    pub(super) fn waiting(&self) -> impl Iterator<Item = usize> {
        self.waiting.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(after: &[&[usize]]) -> Turns {
        Turns {
            after: after.iter().map(|before| before.iter().copied().collect()).collect(),
            waiting: (0..after.len()).collect(),
            ended: BTreeSet::new(),
        }
    }

    #[test]
    fn a_plan_waits_for_the_earlier_ones_it_meets_and_no_others() {
        let mut turns = turns(&[&[], &[0], &[]]);
        assert_eq!((turns.next(), turns.next(), turns.next()), (Some(0), Some(2), None));
        turns.ended(2);
        assert_eq!(turns.next(), None);
        turns.ended(0);
        assert_eq!((turns.next(), turns.waiting().count()), (Some(1), 0));
    }

    #[test]
    fn plans_meet_where_one_changes_what_the_other_uses() {
        let [raw, own, other]: [DatasetId; 3] =
            ["raw.orders", "raw.own", "raw.other"].map(|name| name.parse().unwrap());
        let reads = Touched { tables_read: [&raw].into(), tables_written: [&own].into(), ..Touched::default() };
        let reads_too = Touched { tables_read: [&raw].into(), tables_written: [&other].into(), ..Touched::default() };
        let writes = Touched { tables_written: [&raw].into(), ..Touched::default() };
        let asks = Touched { queries: vec!["SELECT * FROM RAW.Own"], ..Touched::default() };
        assert!(!reads.meets(&reads_too), "two readers disturb nobody");
        assert!(reads.meets(&writes) && writes.meets(&reads));
        assert!(reads.meets(&asks) && !reads_too.meets(&asks));
        let edits = |file: &'static str| Touched { files: [Utf8Path::new(file)].into(), ..Touched::default() };
        assert!(edits("a.sql").meets(&edits("a.sql")) && !edits("a.sql").meets(&edits("b.sql")));
    }
}
