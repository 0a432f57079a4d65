//! Ranges, then rows, then columns: each reading looks only at what the one before found different.
use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    ColumnCount, Comparison, Difference, Side, Taker, Within,
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
    /// Bytes for the hashes of rows that differ, at a time. A row takes about 100 bytes and 8 a column. As many again
    /// may be whole rows.
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
    let first = found(left, right, &Arc::new(schema.clone()), limits, most).await?;
    match first {
        Some(comparison) => Ok(comparison),
        None => {
            let keyless = Schema { key: Vec::new(), ..schema.clone() };
            let again = found(left, right, &Arc::new(keyless), limits, u64::MAX).await?.unwrap_or_default();
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
    schema: &Arc<Schema>,
    limits: Limits,
    most: u64,
) -> Result<Option<Comparison>, S::Error> {
    let (l, r) = tokio::join!(Ranges::of(left, schema), Ranges::of(right, schema));
    let (l, r) = (l?, r?);
    let different = l.different(&r);
    let (left_all, right_all, within) = (l.all, r.all, l.stretches.different(r.stretches));
    let within = within.as_ref();
    let mut comparison = Comparison {
        left: left_all,
        right: right_all,
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
    let room = usize::try_from(limits.bytes).unwrap_or(usize::MAX);
    let (mut wanted, mut known): (Vec<Odd>, BTreeMap<Name, Row>) = Default::default();
    let mut columns = vec![0_u64; schema.columns.len()];
    for group in groups.iter().take(limits.readings) {
        let mut chosen = vec![false; RANGES];
        group.iter().for_each(|range| chosen[*range] = true);
        let mut balance = Balance::of(left, right, schema, &chosen.into(), within, room).await?;
        let mut kept = balance.kept();
        for odd in balance.odd(!schema.key.is_empty()) {
            count(&odd, &mut comparison, &mut columns);
            if wanted.len() < limits.shown {
                known.extend(odd.names().into_iter().flatten().filter_map(|name| kept.remove_entry(&name)));
                wanted.push(odd);
            }
        }
    }
    let counted = schema.columns.iter().zip(columns).filter(|(_, rows)| *rows > 0);
    comparison.columns = counted.map(|(column, rows)| ColumnCount { column: column.name.clone(), rows }).collect();
    comparison.differences = fetched([left, right], schema, within, wanted, known).await?;
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

/// The rows behind the hashes that are shown; a last reading finds those that are not `known`.
async fn fetched<S: Side>(
    [left, right]: [&S; 2],
    schema: &Arc<Schema>,
    within: Option<&Within>,
    wanted: Vec<Odd>,
    mut known: BTreeMap<Name, Row>,
) -> Result<Vec<Difference>, S::Error> {
    let missing = |side: usize| {
        let names = wanted.iter().filter_map(|odd| odd.names()[side]);
        names.filter(|name| !known.contains_key(name)).collect::<Vec<_>>()
    };
    let (l, r) = tokio::join!(rows(left, schema, within, missing(0)), rows(right, schema, within, missing(1)));
    known.extend(l?);
    known.extend(r?);
    let of = |name: &Name| known.get(name).cloned();
    let mut all: Vec<Difference> = wanted
        .into_iter()
        .filter_map(|odd| match odd {
            Odd::Left(name, times) => Some(Difference::OnlyLeft(of(&name)?, times)),
            Odd::Right(name, times) => Some(Difference::OnlyRight(of(&name)?, times)),
            Odd::Changed(a, b, columns) => {
                let (left, right) = (of(&a)?, of(&b)?);
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
async fn rows<S: Side>(
    side: &S,
    schema: &Arc<Schema>,
    within: Option<&Within>,
    names: Vec<Name>,
) -> Result<BTreeMap<Name, Row>, S::Error> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut ranges = vec![false; RANGES];
    names.iter().for_each(|name| ranges[range_of(name.0)] = true);
    let ranges: Arc<[bool]> = ranges.into();
    let sought = Sought { left: names.len(), rows: names.into_iter().map(|name| (name, None)).collect() };
    let sought = Arc::new(Mutex::new(sought));
    let make = || Fetching { hasher: RowHasher::new(schema.clone()), ranges: ranges.clone(), sought: sought.clone() };
    side.each(within, &make).await?;
    let mut sought = sought.lock().unwrap_or_else(PoisonError::into_inner);
    let found = std::mem::take(&mut sought.rows).into_iter();
    Ok(found.filter_map(|(name, row)| Some((name, row?))).collect())
}

/// Rows by name, as far as they are found.
struct Sought {
    rows: BTreeMap<Name, Option<Row>>,
    /// How many are not.
    left: usize,
}

/// Looks for rows at one place.
struct Fetching {
    hasher: RowHasher,
    ranges: Arc<[bool]>,
    sought: Arc<Mutex<Sought>>,
}

impl Taker for Fetching {
    fn take(&mut self, row: &mut Row) -> ControlFlow<()> {
        let key = self.hasher.key(row);
        if !self.ranges[range_of(key)] {
            return ControlFlow::Continue(());
        }
        let name = (key, self.hasher.row(row).first);
        let mut sought = self.sought.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = sought.rows.get_mut(&name).filter(|place| place.is_none()) {
            *place = Some(std::mem::take(row));
            sought.left -= 1;
        }
        if sought.left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
