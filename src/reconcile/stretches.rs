//! Beside the ranges of hashes: fingerprints of stretches of a key that is a whole number, so that a side which finds
//! rows by their key need read only those again that differ.
use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

use crate::{
    service::{Fingerprint, RowHash},
    vocab::{LogicalType, Row, Schema, Value},
};

/// Stretches at most; with more they are made twice as long.
const MOST: usize = 8_192;
/// Stretches that are read one by one at most, and the part of all rows that they may have.
const READ: usize = 256;
const SHARE: u64 = 4;

/// Rows whose key lies in one of some ranges.
#[derive(Clone, Debug)]
pub struct Within {
    /// The key's first column, by its place in the compared schema; it holds whole numbers.
    pub column: usize,
    /// In their order, none touching the next.
    pub keys: Arc<[RangeInclusive<i64>]>,
}

impl Within {
    /// Whether `row` is one of them.
    pub(super) fn has(&self, row: &Row) -> bool {
        let Some(Value::Integer(key)) = row.get(self.column) else { return false };
        let after = self.keys.partition_point(|keys| keys.end() < key);
        self.keys.get(after).is_some_and(|keys| keys.contains(key))
    }
}

/// Fingerprints by stretch.
pub(super) struct Stretches {
    /// Where the key's number stands; `None` when there is no such key.
    column: Option<usize>,
    /// A stretch is two to this many numbers long.
    bits: u32,
    each: HashMap<i64, Fingerprint>,
}

impl Stretches {
    /// None yet of rows under `schema`.
    pub(super) fn of(schema: &Schema) -> Self {
        let first = schema.key.first();
        let column = schema.columns.iter().position(|column| Some(&column.name) == first);
        let column = column.filter(|at| schema.columns[*at].logical == LogicalType::Integer);
        Stretches { column, bits: 0, each: HashMap::new() }
    }

    /// Takes a row by its hash.
    pub(super) fn add(&mut self, row: &Row, hash: RowHash) {
        let Some(column) = self.column else { return };
        match row.get(column) {
            Some(Value::Integer(key)) => self.each.entry(key >> self.bits).or_default().add_hash(hash),
            // A row that lies in no stretch would never be read again.
            _ => *self = Stretches { column: None, bits: 0, each: HashMap::new() },
        }
        self.keep_few();
    }

    /// The rows of both.
    pub(super) fn with(mut self, mut other: Stretches) -> Stretches {
        self.column = self.column.and(other.column);
        self.alike(&mut other);
        for (stretch, rows) in other.each {
            self.each.entry(stretch).or_default().merge(&rows);
        }
        self.keep_few();
        self
    }

    /// Where the rows lie that differ, if it is worth saying.
    pub(super) fn different(mut self, mut other: Stretches) -> Option<Within> {
        let column = self.column.and(other.column)?;
        self.alike(&mut other);
        let mut all: Vec<(i64, u64, bool)> = Vec::new();
        for (stretch, mine) in &self.each {
            let its = other.each.remove(stretch).unwrap_or_default();
            all.push((*stretch, mine.rows + its.rows, *mine != its));
        }
        all.extend(other.each.iter().map(|(stretch, its)| (*stretch, its.rows, true)));
        let rows: u64 = all.iter().map(|(_, rows, _)| rows).sum();
        all.retain(|(.., differs)| *differs);
        let differing: u64 = all.iter().map(|(_, rows, _)| rows).sum();
        let few = !all.is_empty() && all.len() <= READ && differing <= rows / SHARE;
        few.then(|| Within { column, keys: joined(all.into_iter().map(|(stretch, ..)| stretch).collect(), self.bits) })
    }

    fn keep_few(&mut self) {
        while self.each.len() > MOST {
            self.widen(self.bits + 1);
        }
    }

    fn alike(&mut self, other: &mut Stretches) {
        let bits = self.bits.max(other.bits);
        self.widen(bits);
        other.widen(bits);
    }

    fn widen(&mut self, bits: u32) {
        let by = bits - self.bits;
        if by == 0 {
            return;
        }
        self.bits = bits;
        for (stretch, rows) in std::mem::take(&mut self.each) {
            self.each.entry(stretch >> by).or_default().merge(&rows);
        }
    }
}

/// The keys of some stretches; those that touch are one range.
fn joined(mut stretches: Vec<i64>, bits: u32) -> Arc<[RangeInclusive<i64>]> {
    stretches.sort_unstable();
    let runs = stretches.chunk_by(|a, b| a + 1 == *b);
    let keys = runs.map(|run| {
        let (first, last) = (run[0] << bits, run[run.len() - 1] << bits);
        first..=last | ((1_i64 << bits).wrapping_sub(1))
    });
    keys.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Column;

    fn stretches(rows: impl IntoIterator<Item = (i64, u128)>) -> Stretches {
        let column = Column {
            name: "id".to_owned(),
            logical: LogicalType::Integer,
            physical: String::new(),
            nullable: false,
            description: None,
        };
        let mut all = Stretches::of(&Schema { columns: vec![column], key: vec!["id".to_owned()] });
        for (key, hash) in rows {
            all.add(&vec![Value::Integer(key)], RowHash { first: hash, second: hash });
        }
        all
    }

    #[test]
    fn rows_that_differ_lie_within_what_is_read_again() {
        let ends = [i64::MIN, -1, 0, i64::MAX];
        for changed in (0..100_000).step_by(9_999).chain(ends) {
            let rows = |hash| (0..100_000).chain(ends).map(move |key| (key, if key == changed { hash } else { 7 }));
            let (left, right) = rows(8).partition::<Vec<_>, _>(|(key, _)| key % 3 == 0);
            let left = stretches(left).with(stretches(right));
            let within = left.different(stretches(rows(9))).unwrap();
            assert!(within.has(&vec![Value::Integer(changed)]), "{changed} {within:?}");
            assert_eq!(within.keys.len(), 1);
        }
    }

    #[test]
    fn a_row_that_only_one_side_has_is_within_and_others_are_not() {
        let rows = || (0..4_000).map(|key| (key * 10, 7));
        let within = stretches(rows()).different(stretches(rows().chain([(55, 1), (56, 1)]))).unwrap();
        assert_eq!(*within.keys, [55..=56]);
        assert!(!within.has(&vec![Value::Integer(54)]) && !within.has(&vec![Value::Null]));
    }

    #[test]
    fn what_is_no_whole_number_or_no_small_part_is_read_as_a_whole() {
        let rows = |hash| (0..1_000).map(move |key| (key * 10, hash));
        assert!(stretches(rows(7)).different(stretches(rows(7))).is_none());
        assert!(stretches(rows(7)).different(stretches(rows(8))).is_none());
        let mut odd = stretches(rows(7));
        odd.add(&vec![Value::Null], RowHash { first: 1, second: 1 });
        assert!(stretches(rows(7)).different(odd).is_none());
    }
}
