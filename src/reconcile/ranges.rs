//! The first reading: one fingerprint a range of key hashes.
use std::{ops::ControlFlow, sync::Arc};

use super::{Side, Taker, stretches::Stretches};
use crate::{
    service::{Fingerprint, RowHasher},
    vocab::{Row, Schema},
};

/// Bits of a key's hash that say its range: 16,384 ranges, a hundred rows each in a table of two million.
const BITS: u32 = 14;

/// How many ranges there are.
pub(super) const RANGES: usize = 1 << BITS;

/// The range of a key's hash.
pub(super) fn range_of(key: u128) -> usize {
    (key >> (u128::BITS - BITS)) as usize
}

/// One side: everything, and range by range.
pub(super) struct Ranges {
    pub(super) all: Fingerprint,
    each: Vec<Fingerprint>,
    /// The same rows by stretches of their keys.
    pub(super) stretches: Stretches,
}

impl Ranges {
    /// Reads `side` once.
    pub(super) async fn of<S: Side>(side: &S, schema: &Arc<Schema>) -> Result<Self, S::Error> {
        let none = || Ranges {
            all: Fingerprint::default(),
            each: vec![Fingerprint::default(); RANGES],
            stretches: Stretches::of(schema),
        };
        let make = || Filling { ranges: none(), keyed: !schema.key.is_empty(), hasher: RowHasher::new(schema.clone()) };
        let places = side.each(None, &make).await?;
        Ok(places.into_iter().map(|filled| filled.ranges).reduce(Ranges::with).unwrap_or_else(none))
    }

    /// The rows of both.
    fn with(mut self, other: Ranges) -> Ranges {
        self.all.merge(&other.all);
        self.stretches = self.stretches.with(other.stretches);
        self.each.iter_mut().zip(&other.each).for_each(|(mine, its)| mine.merge(its));
        self
    }

    /// The ranges that differ, each with the rows of both sides in it.
    pub(super) fn different(&self, other: &Ranges) -> Vec<(usize, u64)> {
        let pairs = self.each.iter().zip(&other.each).enumerate();
        pairs
            .filter(|(_, (left, right))| left != right)
            .map(|(at, (left, right))| (at, left.rows + right.rows))
            .collect()
    }
}

/// The ranges of the rows taken so far.
struct Filling {
    ranges: Ranges,
    keyed: bool,
    hasher: RowHasher,
}

impl Taker for Filling {
    fn take(&mut self, row: &mut Row) -> ControlFlow<()> {
        let hash = self.hasher.row(row);
        let key = if self.keyed { self.hasher.key(row) } else { hash.first };
        self.ranges.all.add_hash(hash);
        self.ranges.stretches.add(row, hash);
        self.ranges.each[range_of(key)].add_hash(hash);
        ControlFlow::Continue(())
    }
}

/// Ranges put together, in their order, so that no group has more than `most` rows; a range alone may.
pub(super) fn groups(ranges: &[(usize, u64)], most: u64) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut held = 0;
    for (range, rows) in ranges {
        match groups.last_mut().filter(|_| held + rows <= most) {
            Some(group) => {
                group.push(*range);
                held += rows;
            }
            None => {
                groups.push(vec![*range]);
                held = *rows;
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_to_the_budget_and_lose_no_range() {
        let ranges = [(1, 40), (2, 60), (5, 1), (6, 100), (7, 300), (9, 1)];
        assert_eq!(groups(&ranges, 100), [vec![1, 2], vec![5], vec![6], vec![7], vec![9]]);
        assert!(groups(&[], 100).is_empty());
    }

    #[test]
    fn every_hash_has_a_range() {
        assert_eq!((range_of(0), range_of(u128::MAX)), (0, RANGES - 1));
    }
}
