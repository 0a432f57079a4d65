use serde::{Deserialize, Serialize};

/// The columns of a table, in order, and its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The columns in their order.
    pub columns: Vec<Column>,
    /// Names of the primary key's columns, in key order; empty where there is no key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name as the engine gives it.
    pub name: String,
    /// What its values mean on every engine.
    pub logical: LogicalType,
    /// The type as the engine declares it, empty where it declares none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub physical: String,
    /// Whether NULL may stand in it.
    pub nullable: bool,
    /// The engine's comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What a column's values mean, whatever the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogicalType {
    /// True or false.
    Boolean,
    /// A whole number of 64 bits, signed.
    Integer,
    /// An exact decimal number; digits as written.
    Decimal,
    /// An IEEE 754 double.
    Double,
    /// A number that is stored as a whole number where it is one and as a double otherwise (SQLite's NUMERIC).
    Number,
    /// Unicode text.
    Text,
    /// Bytes.
    Bytes,
    /// A calendar date without a zone.
    Date,
    /// A time of day without a zone.
    Time,
    /// A date and time without a zone.
    Timestamp,
    /// An instant.
    TimestampTz,
}

/// One value, exact. Dates and times count from 1970-01-01 in the unit their name ends in.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A double, infinities and NaN included.
    Double(f64),
    /// An exact decimal in its plain notation, scale kept: `-12.50`.
    Decimal(String),
    /// Unicode text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Days.
    DateDays(i32),
    /// Microseconds since midnight.
    TimeMicros(i64),
    /// Microseconds, no zone.
    TimestampMicros(i64),
    /// Microseconds in UTC.
    InstantMicros(i64),
}

impl Value {
    /// Bytes it holds beside its own size: those of a text, of digits, of bytes.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Value::Text(text) | Value::Decimal(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            _ => 0,
        }
    }

    /// Whether the value is of the type `logical` as it stands; NULL is of every type.
    pub fn is_of(&self, logical: LogicalType) -> bool {
        use LogicalType as L;
        matches!(
            (self, logical),
            (Value::Null, _)
                | (Value::Boolean(_), L::Boolean)
                | (Value::Integer(_), L::Integer | L::Number)
                | (Value::Double(_), L::Double | L::Number)
                | (Value::Decimal(_), L::Decimal)
                | (Value::Text(_), L::Text)
                | (Value::Bytes(_), L::Bytes)
                | (Value::DateDays(_), L::Date)
                | (Value::TimeMicros(_), L::Time)
                | (Value::TimestampMicros(_), L::Timestamp)
                | (Value::InstantMicros(_), L::TimestampTz)
        )
    }
}

/// One row, a value a column in the schema's order.
pub type Row = Vec<Value>;

/// How parts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartFormat {
    /// RFC 4180 with the rules of docs/FORMAT.md.
    #[default]
    Csv,
    /// Apache Parquet.
    Parquet,
    /// One JSON object a line.
    Jsonl,
}
