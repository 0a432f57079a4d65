//! The second reading: which rows of some ranges stand on one side only, by hashes; equal rows cancel as they come.
use std::{
    collections::{BTreeMap, HashMap},
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Side, Taker, Within, ranges::range_of};
use crate::{
    service::RowHasher,
    vocab::{Row, Schema, Value},
};

/// A row by the hash of its key and its own.
pub(super) type Name = (u128, u128);

/// Rows of one kind that do not cancel.
struct Surplus {
    /// Left ones less right ones.
    count: i64,
    /// A hash a value.
    values: Box<[u64]>,
    /// The row itself, where there was room for it.
    row: Option<Row>,
}

/// What is left of some ranges once equal rows have cancelled.
#[derive(Default)]
pub(super) struct Balance {
    rows: HashMap<Name, Surplus>,
    /// Bytes of whole rows that may still be kept.
    room: usize,
}

/// One row that stands on one side only, or two rows of one key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Odd {
    Left(Name, u64),
    Right(Name, u64),
    /// The columns by place.
    Changed(Name, Name, Vec<usize>),
}

impl Odd {
    /// The rows it is about, the left one's name and the right one's.
    pub(super) fn names(&self) -> [Option<Name>; 2] {
        match self {
            Odd::Left(name, _) => [Some(*name), None],
            Odd::Right(name, _) => [None, Some(*name)],
            Odd::Changed(left, right, _) => [Some(*left), Some(*right)],
        }
    }
}

impl Balance {
    /// Reads the ranges of `group` on both sides, at the same time, and of them only what is `within`, where that is
    /// known; keeps whole rows of so many bytes in all.
    pub(super) async fn of<S: Side>(
        left: &S,
        right: &S,
        schema: &Arc<Schema>,
        group: &Arc<[bool]>,
        within: Option<&Within>,
        room: usize,
    ) -> Result<Self, S::Error> {
        let balance = Arc::new(Mutex::new(Balance { rows: HashMap::new(), room }));
        let weighing = |sign| {
            let (schema, group, balance) = (schema.clone(), group.clone(), balance.clone());
            let within = within.cloned();
            move || Weighing {
                hasher: RowHasher::new(schema.clone()),
                group: group.clone(),
                within: within.clone(),
                sign,
                balance: balance.clone(),
            }
        };
        let (plus, minus) = (weighing(1), weighing(-1));
        let (left, right) = tokio::join!(left.each(within, &plus), right.each(within, &minus));
        left.and(right)?;
        let mut balance = balance.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut *balance))
    }

    /// Takes one row, and perhaps its values.
    fn add(&mut self, name: Name, sign: i64, row: &mut Row, values: impl FnOnce(&Row) -> Box<[u64]>) {
        let surplus = self.rows.entry(name).or_insert_with(|| {
            let (values, bytes) = (values(row), bytes_of(row));
            let fits = bytes <= self.room;
            self.room -= if fits { bytes } else { 0 };
            Surplus { count: 0, values, row: fits.then(|| std::mem::take(row)) }
        });
        surplus.count += sign;
        if surplus.count == 0 {
            self.room += surplus.row.as_ref().map_or(0, bytes_of);
            self.rows.remove(&name);
        }
    }

    /// The rows that were kept; each only once.
    pub(super) fn kept(&mut self) -> BTreeMap<Name, Row> {
        self.rows.iter_mut().filter_map(|(name, surplus)| Some((*name, surplus.row.take()?))).collect()
    }

    /// What does not cancel, in the order of the hashes. With a key, rows of one key on both sides are one changed row.
    pub(super) fn odd(self, keyed: bool) -> Vec<Odd> {
        let mut rows: Vec<(Name, Surplus)> = self.rows.into_iter().collect();
        rows.sort_by_key(|(name, _)| *name);
        let mut odd = Vec::new();
        for same in rows.chunk_by(|a, b| a.0.0 == b.0.0) {
            one_key(same, keyed, &mut odd);
        }
        odd
    }
}

/// The rows of one key: as many pairs as both sides give, and what is over.
fn one_key(rows: &[(Name, Surplus)], keyed: bool, odd: &mut Vec<Odd>) {
    let side = |sign: i64| -> Vec<(&(Name, Surplus), u64)> {
        let of = rows.iter().filter(|(_, surplus)| surplus.count.signum() == sign);
        of.map(|row| (row, row.1.count.unsigned_abs())).collect()
    };
    let (mut left, mut right) = (side(1), side(-1));
    while keyed && let (Some((l, l_left)), Some((r, r_left))) = (left.last_mut(), right.last_mut()) {
        odd.push(Odd::Changed(l.0, r.0, differing(&l.1.values, &r.1.values)));
        *l_left -= 1;
        *r_left -= 1;
        left.retain(|(_, rows)| *rows > 0);
        right.retain(|(_, rows)| *rows > 0);
    }
    odd.extend(left.into_iter().map(|(row, times)| Odd::Left(row.0, times)));
    odd.extend(right.into_iter().map(|(row, times)| Odd::Right(row.0, times)));
}

fn differing(left: &[u64], right: &[u64]) -> Vec<usize> {
    (0..left.len().max(right.len())).filter(|at| left.get(*at) != right.get(*at)).collect()
}

/// Bytes a row takes, about.
fn bytes_of(row: &Row) -> usize {
    size_of::<Row>() + row.iter().map(|value| size_of::<Value>() + value.heap_bytes()).sum::<usize>()
}

/// One place of one side being read.
struct Weighing {
    hasher: RowHasher,
    group: Arc<[bool]>,
    within: Option<Within>,
    sign: i64,
    balance: Arc<Mutex<Balance>>,
}

impl Taker for Weighing {
    fn take(&mut self, row: &mut Row) -> ControlFlow<()> {
        // What one side leaves out the other must not take.
        if self.within.as_ref().is_some_and(|within| !within.has(row)) {
            return ControlFlow::Continue(());
        }
        let key = self.hasher.key(row);
        if self.group[range_of(key)] {
            let name = (key, self.hasher.row(row).first);
            let mut balance = self.balance.lock().unwrap_or_else(PoisonError::into_inner);
            balance.add(name, self.sign, row, |row| self.hasher.values(row));
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balance(rows: &[(u128, u128, i64)]) -> Balance {
        // Room for two rows.
        let mut balance = Balance { room: 2 * bytes_of(&vec![Value::Null]), ..Balance::default() };
        for (key, row, sign) in rows {
            let values = [*key as u64, *row as u64].into();
            balance.add((*key, *row), *sign, &mut vec![Value::Integer(*row as i64)], |_| values);
        }
        balance
    }

    #[test]
    fn rows_are_kept_while_there_is_room_and_cancelled_ones_leave_theirs() {
        let mut balance = balance(&[(1, 10, 1), (2, 20, 1), (3, 30, 1), (2, 20, -1), (4, 40, -1), (5, 50, -1)]);
        let kept: Vec<_> = balance.kept().into_iter().collect();
        assert_eq!(kept, [((1, 10), vec![Value::Integer(10)]), ((4, 40), vec![Value::Integer(40)])]);
        assert_eq!(balance.odd(false).len(), 4);
    }

    #[test]
    fn rows_of_one_key_on_both_sides_are_one_changed_row() {
        let odd = balance(&[(1, 10, 1), (1, 11, -1), (2, 20, 1), (2, 20, -1)]).odd(true);
        assert_eq!(odd, [Odd::Changed((1, 10), (1, 11), vec![1])]);
    }

    #[test]
    fn a_row_twice_on_one_side_is_one_row_over() {
        let rows = [(1, 10, 1), (1, 10, 1), (1, 10, -1)];
        assert_eq!(balance(&rows).odd(true), [Odd::Left((1, 10), 1)]);
        assert_eq!(balance(&rows).odd(false), [Odd::Left((1, 10), 1)]);
    }

    #[test]
    fn without_a_key_nothing_is_paired() {
        let odd = balance(&[(7, 7, 1), (8, 8, -1), (8, 8, -1)]).odd(false);
        assert_eq!(odd, [Odd::Left((7, 7), 1), Odd::Right((8, 8), 2)]);
    }
}
