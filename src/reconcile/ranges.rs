//! The first reading: one fingerprint a range of key hashes.
use std::ops::ControlFlow;

use super::Side;
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
}

impl Ranges {
    /// Reads `side` once.
    pub(super) async fn of<S: Side>(side: &S, schema: &Schema) -> Result<Self, S::Error> {
        let mut ranges = Ranges { all: Fingerprint::default(), each: vec![Fingerprint::default(); RANGES] };
        let mut hasher = RowHasher::new(schema);
        let mut take = |rows: Vec<Row>| {
            for row in &rows {
                let hash = hasher.row(row);
                let key = if schema.key.is_empty() { hash.first } else { hasher.key(row) };
                ranges.all.add_hash(hash);
                ranges.each[range_of(key)].add_hash(hash);
            }
            ControlFlow::Continue(())
        };
        side.each(&mut take).await?;
        Ok(ranges)
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
