use crate::{
    service::Fingerprint,
    vocab::{Row, Schema},
};

use super::told;

/// What two sides have in common and what not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// The left side's rows.
    pub left: Fingerprint,
    /// The right side's rows.
    pub right: Fingerprint,
    /// Ranges of keys that were compared.
    pub ranges: u64,
    /// How many of them differ.
    pub ranges_different: u64,
    /// Rows only on the left, duplicates counted.
    pub only_left: u64,
    /// Rows only on the right.
    pub only_right: u64,
    /// Rows of one key that hold other values.
    pub changed: u64,
    /// In how many of the changed rows each column differs; only columns that do, in their order.
    pub columns: Vec<ColumnCount>,
    /// The differences shown, in the order of their keys: all, or as many as were asked for.
    pub differences: Vec<Difference>,
    /// Whether every range that differs was looked into; otherwise the counts of rows are at least these.
    pub complete: bool,
    /// What people should know of the comparison.
    pub notes: Vec<String>,
}

/// In how many rows one column differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnCount {
    /// The column.
    pub column: String,
    /// Changed rows in which it differs.
    pub rows: u64,
}

/// One difference, with its rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// A row that only the left side has, so many times more than the right.
    OnlyLeft(Row, u64),
    /// A row that only the right side has.
    OnlyRight(Row, u64),
    /// Rows of one key that differ: left, right, and where.
    Changed {
        /// The left row.
        left: Row,
        /// The right row.
        right: Row,
        /// The cells that differ.
        cells: Vec<Cell>,
    },
}

/// A value that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Which column, by its place in the compared schema.
    pub at: usize,
    /// What it is about, where that can be said in a few words: `1 µs later`, `NULL against empty text`.
    pub how: Option<String>,
}

impl Comparison {
    /// Whether both sides hold the same rows.
    pub fn equal(&self) -> bool {
        self.left == self.right && self.ranges_different == 0
    }

    /// How many rows differ, in words.
    pub fn counted(&self, left: &str, right: &str) -> String {
        let least = if self.complete { "" } else { "at least " };
        let text = format!("{least}{} rows only in {left}, {} only in {right}", self.only_left, self.only_right);
        match self.changed {
            0 => text,
            changed => format!("{text}, {changed} with other values"),
        }
    }

    /// A line a difference that is shown.
    pub fn told(&self, schema: &Schema, left: &str, right: &str) -> Vec<String> {
        self.differences.iter().map(|difference| told::line(difference, schema, left, right)).collect()
    }

    /// The whole rows that are shown of the left side and of the right one, changed rows among them.
    pub fn rows(&self) -> (Vec<&Row>, Vec<&Row>) {
        let (mut lefts, mut rights) = (Vec::new(), Vec::new());
        for difference in &self.differences {
            match difference {
                Difference::OnlyLeft(row, times) => lefts.extend((0..*times).map(|_| row)),
                Difference::OnlyRight(row, times) => rights.extend((0..*times).map(|_| row)),
                Difference::Changed { left, right, .. } => {
                    lefts.push(left);
                    rights.push(right);
                }
            }
        }
        (lefts, rights)
    }
}
