//! Which rows differ between two sides, found in two readings: hashes first, then the rows behind them.
use std::collections::{BTreeMap, HashMap};

use crate::{
    apply::{error::StepError, rows::Rows},
    service::{RowHash, row_hash},
    vocab::{Row, Schema, Value},
};

/// Rows told in full at most.
pub(super) const TOLD: usize = 10;

/// What differs between a left and a right side.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// Rows only on the left, duplicates counted.
    pub(super) only_left: Vec<Row>,
    /// Rows only on the right.
    pub(super) only_right: Vec<Row>,
    /// How many there are of the first, told or not.
    pub(super) left_count: u64,
    /// How many of the second.
    pub(super) right_count: u64,
}

/// Finds the rows that are only on one side; keeps at most `keep` of each.
///
/// Memory grows with the rows of the larger side (about 60 bytes each): this runs only when fingerprints differ.
pub(super) async fn differences(
    left: &Rows<'_>,
    right: &Rows<'_>,
    schema: &Schema,
    keep: usize,
) -> Result<Differences, StepError> {
    let mut balance: HashMap<RowHash, i64> = HashMap::new();
    each(left, schema, |hash, _| *balance.entry(hash).or_default() += 1).await?;
    each(right, schema, |hash, _| *balance.entry(hash).or_default() -= 1).await?;
    balance.retain(|_, count| *count != 0);
    let sum =
        |sign: i64| balance.values().filter(|count| count.signum() == sign).map(|count| count.unsigned_abs()).sum();
    let mut found = Differences { left_count: sum(1), right_count: sum(-1), ..Differences::default() };
    let mut surplus = balance.clone();
    each(left, schema, |hash, row| {
        if let Some(count) = surplus.get_mut(&hash).filter(|count| **count > 0) {
            *count -= 1;
            push(&mut found.only_left, row, keep);
        }
    })
    .await?;
    each(right, schema, |hash, row| {
        if let Some(count) = balance.get_mut(&hash).filter(|count| **count < 0) {
            *count += 1;
            push(&mut found.only_right, row, keep);
        }
    })
    .await?;
    Ok(found)
}

fn push(rows: &mut Vec<Row>, row: Row, keep: usize) {
    if rows.len() < keep {
        rows.push(row);
    }
}

async fn each(rows: &Rows<'_>, schema: &Schema, mut take: impl FnMut(RowHash, Row)) -> Result<(), StepError> {
    let mut opened = rows.open().await?;
    while let Some(batch) = opened.next().await? {
        for row in batch {
            take(row_hash(schema, &row).map_err(StepError::format("cannot compare a row"))?, row);
        }
    }
    Ok(())
}

impl Differences {
    /// The first differences in words: rows with one key on both sides are told column by column.
    pub(super) fn told(&self, schema: &Schema, left: &str, right: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut matched: BTreeMap<String, &Row> = BTreeMap::new();
        if !schema.key.is_empty() {
            matched = self.only_right.iter().map(|row| (key_of(schema, row), row)).collect();
        }
        for row in &self.only_left {
            match matched.remove(&key_of(schema, row)).filter(|_| !schema.key.is_empty()) {
                Some(other) => lines.push(changed(schema, row, other, left, right)),
                None => lines.push(format!("only in {left}: {}", whole(schema, row))),
            }
        }
        let unmatched = self.only_right.iter().filter(|row| {
            schema.key.is_empty() || matched.get(&key_of(schema, row)).is_some_and(|kept| std::ptr::eq(*kept, *row))
        });
        lines.extend(unmatched.map(|row| format!("only in {right}: {}", whole(schema, row))));
        lines.truncate(TOLD);
        lines
    }

    /// How many, in words.
    pub(super) fn counted(&self, left: &str, right: &str) -> String {
        format!("{} rows only in {left}, {} only in {right}", self.left_count, self.right_count)
    }
}

/// The key's values as text; the whole row where there is no key.
pub(super) fn key_of(schema: &Schema, row: &Row) -> String {
    let in_key = |name: &String| schema.columns.iter().position(|column| column.name == *name);
    let places: Vec<usize> = schema.key.iter().filter_map(in_key).collect();
    match places.is_empty() {
        true => whole(schema, row),
        false => places.iter().map(|at| cell(schema, row, *at)).collect::<Vec<_>>().join(", "),
    }
}

fn changed(schema: &Schema, left_row: &Row, right_row: &Row, left: &str, right: &str) -> String {
    let differing = (0..schema.columns.len()).filter(|at| left_row.get(*at) != right_row.get(*at));
    let told: Vec<String> = differing
        .map(|at| {
            let name = &schema.columns[at].name;
            format!("`{name}` is {} in {left} and {} in {right}", shown(&left_row[at]), shown(&right_row[at]))
        })
        .collect();
    format!("{}: {}", key_of(schema, left_row), told.join("; "))
}

fn whole(schema: &Schema, row: &Row) -> String {
    (0..schema.columns.len().min(row.len())).map(|at| cell(schema, row, at)).collect::<Vec<_>>().join(", ")
}

fn cell(schema: &Schema, row: &Row, at: usize) -> String {
    format!("{}={}", schema.columns[at].name, row.get(at).map_or("nothing".to_owned(), shown))
}

/// A value as a person reads it in a message; long ones are cut.
pub(super) fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Double(number) => format!("{number:?}"),
        Value::Decimal(digits) => digits.clone(),
        Value::Text(text) => format!("{text:?}"),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Value::DateDays(days) => format!("day {days}"),
        Value::TimeMicros(micros) | Value::TimestampMicros(micros) | Value::InstantMicros(micros) => {
            format!("{micros} µs")
        }
    };
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
