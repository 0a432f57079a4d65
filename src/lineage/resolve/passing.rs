//! Tables that a script makes, uses and takes away again: nobody finds them before or after it runs.
//!
//! A table built beside its target and renamed into its place, a stage that is dropped at the end, the old table that a
//! swap leaves to be dropped: rows pass through them as they pass through temp tables.
use std::collections::{BTreeMap, BTreeSet};

use crate::vocab::DatasetId;

/// What happens to one table, in the order of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It is there from now on, with rows of a query, or empty.
    Made,
    /// Its rows are read.
    Read,
    /// Rows are put into it.
    Written,
    /// It is removed.
    Dropped,
    /// It has got its name from the table `.0`, which had it before.
    CameFrom(DatasetId),
    /// It is called `.0` now.
    WentTo(DatasetId),
}

/// Words in scripts whose second half undoes the first: both never run together.
const UNDOING: &[&str] = &["+goose down", "migrate:down", "+migrate down", "@undo", "-- rollback", "--rollback"];

/// Whether one half of `text` undoes the other.
pub(super) fn undoes_itself(text: &str) -> bool {
    let lower = text.to_lowercase();
    UNDOING.iter().any(|word| lower.contains(word))
}

/// The tables that only pass, by what happens in the whole script.
pub(super) fn passing(log: &[(DatasetId, Event)]) -> BTreeSet<DatasetId> {
    let mut lives: BTreeMap<&DatasetId, Life<'_>> = BTreeMap::new();
    for (dataset, event) in log {
        lives.entry(dataset).or_default().then(event);
    }
    lives.into_iter().filter(|(_, life)| life.only_passes()).map(|(dataset, _)| dataset.clone()).collect()
}

/// One table's way through the script so far.
#[derive(Default)]
struct Life<'a> {
    here: bool,
    /// Something was done to it while it was not there: it is older than the script.
    older: bool,
    rows: bool,
    used: bool,
    from: Option<&'a DatasetId>,
}

impl<'a> Life<'a> {
    fn then(&mut self, event: &'a Event) {
        match event {
            Event::Made => self.here = true,
            Event::CameFrom(from) => {
                (self.here, self.rows, self.from) = (true, true, Some(from));
            }
            Event::Dropped => {
                // What only steps aside to be dropped has done its work.
                self.used |= self.here && self.from.is_some();
                self.here = false;
            }
            Event::WentTo(to) => {
                self.older |= !self.here || self.from == Some(to);
                (self.here, self.used) = (false, true);
            }
            Event::Read => {
                self.older |= !self.here;
                self.used |= self.rows;
            }
            Event::Written => {
                self.older |= !self.here;
                self.rows = true;
            }
        }
    }

    fn only_passes(&self) -> bool {
        !self.here && !self.older && self.rows && self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(events: &[Event]) -> bool {
        let table: DatasetId = "m.t".parse().unwrap();
        let log: Vec<(DatasetId, Event)> = events.iter().map(|event| (table.clone(), event.clone())).collect();
        passing(&log).contains(&table)
    }

    #[test]
    fn a_table_passes_that_is_made_used_and_gone() {
        use Event::{CameFrom, Dropped, Made, Read, WentTo, Written};
        let other = || "m.other".parse::<DatasetId>().unwrap();
        assert!(passes(&[Made, Written, Read, Dropped]));
        assert!(passes(&[Dropped, Made, Written, WentTo(other())]), "dropped first, in case it is there");
        assert!(passes(&[CameFrom(other()), Dropped]), "the old table after a swap");
        assert!(!passes(&[Made, Written, Read]), "it stays");
        assert!(!passes(&[Read, Dropped, Made, Written, Read, Dropped]), "it was there before");
        assert!(!passes(&[Made, Read, Dropped]), "no rows ever stood in it");
        assert!(!passes(&[Made, Written, Dropped]), "nobody used it");
        assert!(!passes(&[CameFrom(other()), WentTo(other())]), "there and back");
    }

    #[test]
    fn scripts_of_migrations_undo_themselves() {
        assert!(undoes_itself("-- +goose Up\ncreate table t(a int);\n-- +goose Down\ndrop table t;"));
        assert!(!undoes_itself("create table t as select a from s"));
    }
}
