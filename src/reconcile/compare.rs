//! Ranges, then rows, then columns: each reading looks only at what the one before found different.
use std::{collections::BTreeMap, ops::ControlFlow};

use super::{
    ColumnCount, Comparison, Difference, Side,
    balance::{Balance, Name, Odd},
    ranges::{RANGES, Ranges, groups, range_of},
    told,
};
use crate::{
    service::RowHasher,
    vocab::{Row, Schema},
};

/// How much a comparison may hold, read and show.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Differences shown at most.
    pub shown: usize,
    /// Bytes for the hashes of rows that differ, at a time. A row takes about 100 bytes and 8 a column.
    pub bytes: u64,
    /// Readings at most to look into the ranges that differ; beyond, counts are a lower bound.
    pub readings: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { shown: 10, bytes: 64 << 20, readings: 32 }
    }
}

/// Compares two sides under one schema. Equal sides are read once. Its key pairs rows; without one, or when so many
/// rows share a key that they exceed the budget, rows are compared as a multiset.
///
/// # Errors
/// Whatever a side cannot read.
pub async fn compare<S: Side>(left: &S, right: &S, schema: &Schema, limits: Limits) -> Result<Comparison, S::Error> {
    let most = (limits.bytes / (100 + 8 * schema.columns.len() as u64)).max(1);
    let first = found(left, right, schema, limits, most).await?;
    match first {
        Some(comparison) => Ok(comparison),
        None => {
            let keyless = Schema { key: Vec::new(), ..schema.clone() };
            let again = found(left, right, &keyless, limits, u64::MAX).await?.unwrap_or_default();
            let note =
                format!("({}) is no key: too many rows share one, so whole rows were compared", schema.key.join(", "));
            Ok(Comparison { notes: vec![note], ..again })
        }
    }
}

/// `None` when a single range of a keyed table holds more than `most` rows.
async fn found<S: Side>(
    left: &S,
    right: &S,
    schema: &Schema,
    limits: Limits,
    most: u64,
) -> Result<Option<Comparison>, S::Error> {
    let (l, r) = tokio::join!(Ranges::of(left, schema), Ranges::of(right, schema));
    let (l, r) = (l?, r?);
    let different = l.different(&r);
    let mut comparison = Comparison {
        left: l.all,
        right: r.all,
        ranges: RANGES as u64,
        ranges_different: different.len() as u64,
        complete: true,
        ..Comparison::default()
    };
    if !schema.key.is_empty() && different.iter().any(|(_, rows)| *rows > most) {
        return Ok(None);
    }
    let budget = (limits.bytes / (100 + 8 * schema.columns.len() as u64)).max(1);
    let groups = groups(&different, budget);
    comparison.complete = groups.len() <= limits.readings;
    let mut wanted: Vec<Odd> = Vec::new();
    let mut columns = vec![0_u64; schema.columns.len()];
    for group in groups.iter().take(limits.readings) {
        let mut chosen = vec![false; RANGES];
        group.iter().for_each(|range| chosen[*range] = true);
        for odd in Balance::of(left, right, schema, &chosen).await?.odd(!schema.key.is_empty()) {
            count(&odd, &mut comparison, &mut columns);
            if wanted.len() < limits.shown {
                wanted.push(odd);
            }
        }
    }
    let counted = schema.columns.iter().zip(columns).filter(|(_, rows)| *rows > 0);
    comparison.columns = counted.map(|(column, rows)| ColumnCount { column: column.name.clone(), rows }).collect();
    comparison.differences = fetched(left, right, schema, wanted).await?;
    Ok(Some(comparison))
}

fn count(odd: &Odd, comparison: &mut Comparison, columns: &mut [u64]) {
    match odd {
        Odd::Left(_, times) => comparison.only_left += times,
        Odd::Right(_, times) => comparison.only_right += times,
        Odd::Changed(_, _, differing) => {
            comparison.changed += 1;
            differing.iter().for_each(|at| columns[*at] += 1);
        }
    }
}

/// The last reading: the rows behind the hashes that are shown.
async fn fetched<S: Side>(left: &S, right: &S, schema: &Schema, wanted: Vec<Odd>) -> Result<Vec<Difference>, S::Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let lefts = wanted.iter().filter_map(|odd| match odd {
        Odd::Left(name, _) | Odd::Changed(name, ..) => Some(*name),
        Odd::Right(..) => None,
    });
    let rights = wanted.iter().filter_map(|odd| match odd {
        Odd::Right(name, _) | Odd::Changed(_, name, _) => Some(*name),
        Odd::Left(..) => None,
    });
    let (l, r) = tokio::join!(rows(left, schema, lefts.collect()), rows(right, schema, rights.collect()));
    let (l, r) = (l?, r?);
    let of = |rows: &BTreeMap<Name, Option<Row>>, name: &Name| rows.get(name).cloned().flatten();
    let mut all: Vec<Difference> = wanted
        .into_iter()
        .filter_map(|odd| match odd {
            Odd::Left(name, times) => Some(Difference::OnlyLeft(of(&l, &name)?, times)),
            Odd::Right(name, times) => Some(Difference::OnlyRight(of(&r, &name)?, times)),
            Odd::Changed(a, b, columns) => {
                let (left, right) = (of(&l, &a)?, of(&r, &b)?);
                let cells = told::cells(&left, &right, &columns);
                Some(Difference::Changed { left, right, cells })
            }
        })
        .collect();
    all.sort_by_cached_key(|difference| order(schema, difference));
    Ok(all)
}

/// Differences stand in the order of their keys; numbers by size, as far as 64 bits tell.
fn order(schema: &Schema, difference: &Difference) -> (Vec<(i64, String)>, u8) {
    use crate::vocab::Value;
    let (row, side) = match difference {
        Difference::Changed { left, .. } => (left, 0),
        Difference::OnlyLeft(row, _) => (row, 1),
        Difference::OnlyRight(row, _) => (row, 2),
    };
    let place = |name: &String| schema.columns.iter().position(|column| column.name == *name);
    let mut places: Vec<usize> = schema.key.iter().filter_map(place).collect();
    if places.is_empty() {
        places = (0..row.len()).collect();
    }
    let cell = |at: &usize| match row.get(*at) {
        Some(Value::Integer(number) | Value::InstantMicros(number) | Value::TimestampMicros(number)) => {
            (*number, String::new())
        }
        Some(value) => (0, told::shown(value)),
        None => (0, String::new()),
    };
    (places.iter().map(cell).collect(), side)
}

/// The rows of these names; reading ends with the last of them.
async fn rows<S: Side>(side: &S, schema: &Schema, names: Vec<Name>) -> Result<BTreeMap<Name, Option<Row>>, S::Error> {
    let mut found: BTreeMap<Name, Option<Row>> = names.into_iter().map(|name| (name, None)).collect();
    let mut left = found.len();
    if left == 0 {
        return Ok(found);
    }
    let mut ranges = vec![false; RANGES];
    found.keys().for_each(|name| ranges[range_of(name.0)] = true);
    let mut hasher = RowHasher::new(schema);
    let mut take = |rows: Vec<Row>| {
        for row in rows {
            let key = hasher.key(&row);
            if !ranges[range_of(key)] {
                continue;
            }
            if let Some(place) = found.get_mut(&(key, hasher.row(&row).first)).filter(|place| place.is_none()) {
                *place = Some(row);
                left -= 1;
            }
        }
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    side.each(&mut take).await?;
    Ok(found)
}
