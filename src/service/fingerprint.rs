use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_128_with_seed};

use super::{
    FormatError,
    check::{canonical, is_canonical},
};
use crate::vocab::{Schema, Value};

/// Seeds of the two sums: nought, and `carve` in ASCII.
const SEEDS: [u64; 2] = [0, 0x63_6172_7665];
/// Bytes from which a value goes into the hashes as it is, without a copy of it beside the other values.
const LONG: usize = 64 << 10;

/// A set of rows in three numbers, the same in any order and any split: how many there are, and two
/// sums of their hashes. Duplicates count. It finds accidents, not forgers: xxh3 is no secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fingerprint {
    /// How many rows.
    pub rows: u64,
    /// Sum of the rows' first hashes modulo 2^128.
    pub sum: u128,
    /// Sum of the rows' second hashes modulo 2^128.
    pub second: u128,
}

/// The two hashes of one row: equal rows have equal ones, under the same schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowHash {
    /// xxh3-128 with seed 0.
    pub first: u128,
    /// xxh3-128 with the seed `carve`.
    pub second: u128,
}

/// Text that is no fingerprint.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no fingerprint: expected `rows1:COUNT:` and two sums of 32 hexadecimal digits")]
pub struct BadFingerprint(String);

/// Hashes one row by its columns' logical types: a value stands in its canonical form, so that ten in
/// a column of doubles is `10.0` whether an engine gave it as an integer or as a double.
///
/// # Errors
/// A value that does not fit its column, or a row of another width.
pub fn row_hash(schema: &Schema, row: &[Value]) -> Result<RowHash, FormatError> {
    let mut encoding = RowEncoding::default();
    push_row(&mut encoding, schema, row)?;
    Ok(encoding.hash())
}

/// Hashes rows of one schema for a comparison of any two tables: whole rows, their keys, each value. A value that its
/// column's type does not hold stands as it is, so that it differs from what fits instead of ending the comparison;
/// rows that fit have the hashes of [`row_hash`].
#[derive(Debug)]
pub struct RowHasher {
    schema: Arc<Schema>,
    key: Vec<usize>,
    encoding: RowEncoding,
    buffer: Vec<u8>,
}

impl RowHasher {
    /// A hasher for rows under `schema`; without a key a row is its own key.
    pub fn new(schema: Arc<Schema>) -> Self {
        let place = |name: &String| schema.columns.iter().position(|column| column.name == *name);
        let key = schema.key.iter().filter_map(place).collect();
        RowHasher { schema, key, encoding: RowEncoding::default(), buffer: Vec::new() }
    }

    /// The hashes of the whole row.
    pub fn row(&mut self, row: &[Value]) -> RowHash {
        for (column, value) in self.schema.columns.iter().zip(row) {
            self.encoding.push(canonical(column, value).as_deref().unwrap_or(value));
        }
        self.encoding.hash()
    }

    /// The hash of the key's values; of the whole row where there is no key.
    pub fn key(&mut self, row: &[Value]) -> u128 {
        if self.key.is_empty() {
            return self.row(row).first;
        }
        self.buffer.clear();
        for nth in 0..self.key.len() {
            self.push(row, self.key[nth]);
        }
        xxh3_128_with_seed(&self.buffer, SEEDS[0])
    }

    /// A hash of each value, in the order of the columns.
    pub fn values(&mut self, row: &[Value]) -> Box<[u64]> {
        let columns = row.len().min(self.schema.columns.len());
        let one = |at| {
            self.buffer.clear();
            self.push(row, at);
            xxh3_64(&self.buffer)
        };
        (0..columns).map(one).collect()
    }

    fn push(&mut self, row: &[Value], at: usize) {
        push_value(&mut self.buffer, canonical(&self.schema.columns[at], &row[at]).as_deref().unwrap_or(&row[at]));
    }
}

/// The canonical encoding of docs/FORMAT.md of the row at hand: one tag a value, a length before what varies. A long value
/// is hashed where it lies.
#[derive(Default)]
pub(super) struct RowEncoding {
    /// What is not hashed yet.
    bytes: Vec<u8>,
    /// The two hashes as far as they are taken, once a value was long.
    begun: Option<Box<[Xxh3; 2]>>,
}

impl RowEncoding {
    /// Takes the row's next value, which is canonical.
    pub(super) fn push(&mut self, value: &Value) {
        let (tag, long) = match value {
            Value::Decimal(digits) => (3, digits.as_bytes()),
            Value::Text(text) => (5, text.as_bytes()),
            Value::Bytes(bytes) => (6, bytes.as_slice()),
            value => return push_value(&mut self.bytes, value),
        };
        if long.len() < LONG {
            return push_sized(&mut self.bytes, tag, long);
        }
        push_size(&mut self.bytes, tag, long);
        for hash in self.begun.get_or_insert_with(|| Box::new(SEEDS.map(Xxh3::with_seed))).iter_mut() {
            hash.update(&self.bytes);
            hash.update(long);
        }
        self.bytes.clear();
    }

    /// The hashes of the row, and room for the next one.
    pub(super) fn hash(&mut self) -> RowHash {
        let hash = match self.begun.take() {
            None => RowHash {
                first: xxh3_128_with_seed(&self.bytes, SEEDS[0]),
                second: xxh3_128_with_seed(&self.bytes, SEEDS[1]),
            },
            Some(mut begun) => {
                begun.iter_mut().for_each(|hash| hash.update(&self.bytes));
                RowHash { first: begun[0].digest128(), second: begun[1].digest128() }
            }
        };
        self.bytes.clear();
        hash
    }

    /// Forgets the values of a row that is none.
    fn forget(&mut self) {
        self.bytes.clear();
        self.begun = None;
    }
}

impl fmt::Debug for RowEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowEncoding").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

fn push_row(out: &mut RowEncoding, schema: &Schema, row: &[Value]) -> Result<(), FormatError> {
    if row.len() != schema.columns.len() {
        return Err(FormatError::Width { expected: schema.columns.len(), found: row.len() });
    }
    for (column, value) in schema.columns.iter().zip(row) {
        match is_canonical(column, value) {
            true => out.push(value),
            false => out.push(canonical(column, value)?.as_ref()),
        }
    }
    Ok(())
}

/// Appends the canonical encoding of one canonical value.
#[inline]
fn push_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(0),
        Value::Boolean(truth) => out.extend([1, u8::from(*truth)]),
        Value::Integer(number) => push_count(out, 2, *number),
        Value::Decimal(digits) => push_sized(out, 3, digits.as_bytes()),
        Value::Double(number) => push_count(out, 4, number.to_bits() as i64),
        Value::Text(text) => push_sized(out, 5, text.as_bytes()),
        Value::Bytes(bytes) => push_sized(out, 6, bytes),
        Value::DateDays(days) => push_count(out, 7, i64::from(*days)),
        Value::TimeMicros(micros) => push_count(out, 8, *micros),
        Value::TimestampMicros(micros) => push_count(out, 9, *micros),
        Value::InstantMicros(micros) => push_count(out, 10, *micros),
    }
}

#[inline]
fn push_count(out: &mut Vec<u8>, tag: u8, count: i64) {
    let mut bytes = [tag; 9];
    bytes[1..].copy_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&bytes);
}

fn push_sized(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    push_size(out, tag, bytes);
    out.extend_from_slice(bytes);
}

/// What stands before `bytes`.
fn push_size(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    push_count(out, tag, bytes.len() as i64);
}

impl Fingerprint {
    /// The fingerprint of `rows`.
    ///
    /// # Errors
    /// As [`row_hash`].
    pub fn of<'r>(schema: &Schema, rows: impl IntoIterator<Item = &'r Vec<Value>>) -> Result<Self, FormatError> {
        let mut all = Fingerprinter::new(schema);
        rows.into_iter().try_for_each(|row| all.push(row))?;
        Ok(all.finish())
    }

    /// Takes one more row by its hash.
    pub fn add_hash(&mut self, hash: RowHash) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(hash.first);
        self.second = self.second.wrapping_add(hash.second);
    }

    /// Takes all rows of another set.
    pub fn merge(&mut self, other: &Fingerprint) {
        self.rows = self.rows.wrapping_add(other.rows);
        self.sum = self.sum.wrapping_add(other.sum);
        self.second = self.second.wrapping_add(other.second);
    }
}

/// Takes the fingerprint of rows that come one by one.
#[derive(Debug)]
pub struct Fingerprinter<'s> {
    schema: &'s Schema,
    encoding: RowEncoding,
    all: Fingerprint,
}

impl<'s> Fingerprinter<'s> {
    /// For rows under `schema`; none yet.
    pub fn new(schema: &'s Schema) -> Self {
        Fingerprinter { schema, encoding: RowEncoding::default(), all: Fingerprint::default() }
    }

    /// Takes one more row.
    ///
    /// # Errors
    /// As [`row_hash`]; the fingerprint is then unchanged.
    pub fn push(&mut self, row: &[Value]) -> Result<(), FormatError> {
        self.encoding.forget();
        push_row(&mut self.encoding, self.schema, row)?;
        self.all.add_hash(self.encoding.hash());
        Ok(())
    }

    /// The fingerprint of all rows taken.
    pub fn finish(self) -> Fingerprint {
        self.all
    }
}

impl fmt::Display for RowHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}{:032x}", self.first, self.second)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rows1:{}:{:032x}:{:032x}", self.rows, self.sum, self.second)
    }
}

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let mut parts = text.strip_prefix("rows1:")?.splitn(3, ':');
            let rows = parts.next()?.parse().ok()?;
            let sum = u128::from_str_radix(parts.next()?, 16).ok()?;
            let second = u128::from_str_radix(parts.next()?, 16).ok()?;
            Some(Fingerprint { rows, sum, second })
        };
        // One spelling only: what does not come out as it went in is refused.
        read().filter(|read| read.to_string() == text).ok_or_else(|| BadFingerprint(text.to_owned()))
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = BadFingerprint;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_has_the_hashes_of_its_whole_encoding() {
        let texts = |length: usize| [Value::Text("a".repeat(length)), Value::Integer(7), Value::Bytes(vec![9; length])];
        let mut encoding = RowEncoding::default();
        // Long ones between short ones: nothing of one row is left for the next.
        for length in [3, LONG - 1, LONG, 2, 3 * LONG + 1, 0] {
            let mut whole = Vec::new();
            for value in texts(length) {
                push_value(&mut whole, &value);
                encoding.push(&value);
            }
            let [first, second] = SEEDS.map(|seed| xxh3_128_with_seed(&whole, seed));
            assert_eq!(encoding.hash(), RowHash { first, second }, "{length}");
        }
    }
}
