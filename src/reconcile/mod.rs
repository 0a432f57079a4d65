//! What differs between any two tables: ranges by fingerprint, then the rows of those that differ, then their columns.
//!
//! [`compare`] reads both sides once and is done when every range is equal; otherwise it reads again, only to look
//! into the ranges that differ, in groups that fit a budget of memory. The rows that differ are mostly few, and are kept
//! in that reading; where they are many, those to be shown are fetched by one reading more. Where the key is a whole number, and what differs
//! lies close together in it, only these stretches of the key are asked for again. A range is a slice of the keys' hashes, so that
//! it means the same on every engine and in files without any order. [`align`] finds the columns two tables share and
//! how their types meet; [`TableSide`] is a table of any origin, held in one snapshot for all readings.
mod align;
mod balance;
mod compare;
mod found;
mod meet;
mod ranges;
mod side;
mod stretches;
mod table;
mod told;

pub use align::{AlignError, Aligned, Wanted, align};
pub use compare::{Limits, compare};
pub use found::{Cell, ColumnCount, Comparison, Difference};
pub use side::{Side, Taker};
pub use stretches::Within;
pub use table::TableSide;
pub use told::{key_of, shown};
