//! The second reading: which rows of some ranges stand on one side only, by hashes; equal rows cancel as they come.
use std::{collections::HashMap, ops::ControlFlow, sync::Mutex, sync::PoisonError};

use super::{Side, ranges::range_of};
use crate::{
    service::RowHasher,
    vocab::{Row, Schema},
};

/// A row by the hash of its key and its own.
pub(super) type Name = (u128, u128);

/// Rows of one kind that do not cancel.
struct Surplus {
    /// Left ones less right ones.
    count: i64,
    /// A hash a value.
    values: Box<[u64]>,
}

/// What is left of some ranges once equal rows have cancelled.
#[derive(Default)]
pub(super) struct Balance(HashMap<Name, Surplus>);

/// One row that stands on one side only, or two rows of one key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Odd {
    Left(Name, u64),
    Right(Name, u64),
    /// The columns by place.
    Changed(Name, Name, Vec<usize>),
}

impl Balance {
    /// Reads the ranges of `group` on both sides, at the same time.
    pub(super) async fn of<S: Side>(left: &S, right: &S, schema: &Schema, group: &[bool]) -> Result<Self, S::Error> {
        let balance = Mutex::new(Balance::default());
        let (left, right) =
            tokio::join!(read(left, schema, group, 1, &balance), read(right, schema, group, -1, &balance));
        left.and(right)?;
        Ok(balance.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&mut self, name: Name, sign: i64, values: impl FnOnce() -> Box<[u64]>) {
        let surplus = self.0.entry(name).or_insert_with(|| Surplus { count: 0, values: values() });
        surplus.count += sign;
        if surplus.count == 0 {
            self.0.remove(&name);
        }
    }

    /// What does not cancel, in the order of the hashes. With a key, rows of one key on both sides are one changed row.
    pub(super) fn odd(self, keyed: bool) -> Vec<Odd> {
        let mut rows: Vec<(Name, Surplus)> = self.0.into_iter().collect();
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

async fn read<S: Side>(
    side: &S,
    schema: &Schema,
    group: &[bool],
    sign: i64,
    balance: &Mutex<Balance>,
) -> Result<(), S::Error> {
    let mut hasher = RowHasher::new(schema);
    let mut take = |rows: Vec<Row>| {
        let mut balance = balance.lock().unwrap_or_else(PoisonError::into_inner);
        for row in &rows {
            let key = hasher.key(row);
            if group[range_of(key)] {
                let name = (key, hasher.row(row).first);
                balance.add(name, sign, || hasher.values(row));
            }
        }
        ControlFlow::Continue(())
    };
    side.each(&mut take).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balance(rows: &[(u128, u128, i64)]) -> Balance {
        let mut balance = Balance::default();
        for (key, row, sign) in rows {
            balance.add((*key, *row), *sign, || [*key as u64, *row as u64].into());
        }
        balance
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
