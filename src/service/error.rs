/// Why bytes, rows or documents do not fit the format.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A schema that nothing can be published under.
    #[error("the schema {reason}")]
    Schema {
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// A row that is longer or shorter than its schema.
    #[error("a row has {found} values where the schema has {expected} columns")]
    Width {
        /// Columns of the schema.
        expected: usize,
        /// Values of the row.
        found: usize,
    },
    /// A value that does not fit its column.
    #[error("column `{column}` {reason}")]
    Value {
        /// The column.
        column: String,
        /// What was found, what was expected, and what to do.
        reason: String,
    },
    /// A row of a part that cannot be read or written.
    #[error("row {row} of the {format} part cannot be kept exactly")]
    Row {
        /// `csv`, `parquet`, `jsonl`.
        format: &'static str,
        /// Counted from 1, without the header.
        row: u64,
        /// What is wrong in it.
        #[source]
        source: Box<FormatError>,
    },
    /// Bytes that are no part of the format they claim.
    #[error("malformed {format} part: {reason}")]
    Part {
        /// `csv`, `parquet`, `jsonl`.
        format: &'static str,
        /// Where it is malformed and how.
        reason: String,
    },
    /// The Parquet library said no.
    #[error("cannot {doing} a parquet part")]
    Parquet {
        /// `read`, `write`.
        doing: &'static str,
        /// Its own words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A manifest or contract that contradicts itself or the format.
    #[error("the {document} {reason}")]
    Document {
        /// `manifest`, `contract`.
        document: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A manifest or contract that is not well-formed.
    #[error("cannot read the {document}")]
    Syntax {
        /// `manifest`, `contract`.
        document: &'static str,
        /// Where and how.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl FormatError {
    /// A value of `column` that does not fit, and why.
    pub(crate) fn value(column: &str, reason: impl Into<String>) -> Self {
        FormatError::Value { column: column.to_owned(), reason: reason.into() }
    }

    /// The same failure with the row it happened in, counted from 0.
    pub(crate) fn in_row(self, format: &'static str, row: usize) -> Self {
        FormatError::Row { format, row: row as u64 + 1, source: Box::new(self) }
    }
}
