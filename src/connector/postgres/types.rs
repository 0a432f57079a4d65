//! What PostgreSQL's types mean, how each is asked for, and which column takes a value back unchanged.
use crate::vocab::LogicalType;

/// A column's type as the catalog has it, domains seen through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PgType {
    /// The base type's own name: `int4`, `bpchar`, `mood`.
    pub(super) base: String,
    /// Whether the base type is one of PostgreSQL's own.
    pub(super) built_in: bool,
}

/// How a value crosses: the form in which binary COPY sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Boolean,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Bytes,
    Date,
    Time,
    Timestamp,
    Instant,
}

impl PgType {
    fn name(&self) -> &str {
        if self.built_in { &self.base } else { "" }
    }

    /// Whether the same text is the same value on every server. What `money` reads depends on the server's language;
    /// a `regclass`, `regrole` or `aclitem` is a number behind a name that only that server knows.
    pub(super) fn reads_alike_everywhere(&self) -> bool {
        // An array has the name of its elements' type behind a stroke.
        let of = self.name().trim_start_matches('_');
        !matches!(of, "money" | "aclitem") && !of.starts_with("reg")
    }

    /// What its values are where nobody declares them otherwise. What carve has no type for is text: the text that
    /// PostgreSQL itself reads back as the same value.
    pub(super) fn logical(&self) -> LogicalType {
        match self.name() {
            "bool" => LogicalType::Boolean,
            "int2" | "int4" | "int8" | "oid" => LogicalType::Integer,
            "float4" | "float8" => LogicalType::Double,
            "numeric" | "money" => LogicalType::Decimal,
            "bytea" => LogicalType::Bytes,
            "date" => LogicalType::Date,
            "time" => LogicalType::Time,
            "timestamp" => LogicalType::Timestamp,
            "timestamptz" => LogicalType::TimestampTz,
            _ => LogicalType::Text,
        }
    }

    /// How a value of this type is asked for when it shall be a `wanted`, and the SQL around `column`.
    pub(super) fn ask(&self, column: &str, wanted: LogicalType) -> (Wire, String) {
        let as_text = |column: &str| (Wire::Text, format!("{column}::pg_catalog.text"));
        let own = match (self.name(), wanted) {
            ("bool", LogicalType::Boolean) => Wire::Boolean,
            ("int2", LogicalType::Integer) => Wire::Int2,
            ("int4", LogicalType::Integer) => Wire::Int4,
            ("int8", LogicalType::Integer) => Wire::Int8,
            // As engines without truth values store them.
            ("bool", LogicalType::Integer) => return (Wire::Int4, format!("{column}::pg_catalog.int4")),
            ("oid", LogicalType::Integer) => return (Wire::Int8, format!("{column}::pg_catalog.int8")),
            ("float4", LogicalType::Double) => Wire::Float4,
            ("float8", LogicalType::Double) => Wire::Float8,
            ("numeric", LogicalType::Decimal) => Wire::Numeric,
            ("bytea", LogicalType::Bytes) => Wire::Bytes,
            ("date", LogicalType::Date) => Wire::Date,
            ("time", LogicalType::Time) => Wire::Time,
            ("timestamp", LogicalType::Timestamp) => Wire::Timestamp,
            ("timestamptz", LogicalType::TimestampTz) => Wire::Instant,
            // The bytes as they are stored, which in a database of the encoding SQL_ASCII may be any.
            ("text" | "varchar", LogicalType::Bytes) => {
                let sql = format!("pg_catalog.convert_to({column}, pg_catalog.getdatabaseencoding())");
                return (Wire::Bytes, sql);
            }
            // A cast to text would cut the blanks at the end of a char(n).
            ("text" | "varchar" | "bpchar", _) => Wire::Text,
            // Its text depends on the server's language.
            ("money", LogicalType::Decimal) => return (Wire::Numeric, format!("{column}::pg_catalog.numeric")),
            _ => return as_text(column),
        };
        // A domain is sent in the form of its base type.
        (own, column.to_owned())
    }

    /// Terms that order equal values of `column` equally wherever they lie, and unequal ones always.
    pub(super) fn order(&self, column: &str) -> Vec<String> {
        let by_text = format!("{column}::pg_catalog.text COLLATE \"C\"");
        match self.name() {
            "bool" | "int2" | "int4" | "int8" | "oid" | "date" | "time" | "timestamp" | "timestamptz" | "bytea"
            | "uuid" => {
                vec![column.to_owned()]
            }
            "text" | "varchar" => vec![format!("{column} COLLATE \"C\"")],
            // 1.0 and 1.00, 0.0 and -0.0 are equal to PostgreSQL: their texts tell them apart.
            "numeric" | "float4" | "float8" => vec![column.to_owned(), by_text],
            _ => vec![by_text],
        }
    }

    /// Terms that order `column` where it is part of a key, whose values differ anyway.
    pub(super) fn key_order(&self, column: &str) -> String {
        match self.name() {
            "numeric" | "float4" | "float8" => column.to_owned(),
            _ => self.order(column).remove(0),
        }
    }
}

/// The column type that takes every value of `logical` and gives it back unchanged.
pub(super) fn mapped(logical: LogicalType) -> &'static str {
    match logical {
        LogicalType::Boolean => "boolean",
        LogicalType::Integer => "bigint",
        LogicalType::Decimal | LogicalType::Number => "numeric",
        LogicalType::Double => "double precision",
        LogicalType::Text => "text",
        LogicalType::Bytes => "bytea",
        LogicalType::Date => "date",
        LogicalType::Time => "time without time zone",
        LogicalType::Timestamp => "timestamp without time zone",
        LogicalType::TimestampTz => "timestamp with time zone",
    }
}

/// `physical` without the numbers in parentheses: `character varying(9)` is `character varying`. `None` where
/// something else stands in them.
pub(super) fn without_size(physical: &str) -> Option<String> {
    let Some((before, rest)) = physical.split_once('(') else { return Some(physical.to_owned()) };
    let (size, after) = rest.split_once(')')?;
    let plain = !size.is_empty() && size.bytes().all(|b| b.is_ascii_digit() || matches!(b, b',' | b'-'));
    (plain && !after.contains('(')).then(|| format!("{before}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_size_may_stand_in_a_types_parentheses() {
        assert_eq!(without_size("timestamp(3) with time zone").as_deref(), Some("timestamp with time zone"));
        assert_eq!(without_size("numeric(10,-2)").as_deref(), Some("numeric"));
        assert_eq!(without_size("text[]").as_deref(), Some("text[]"));
        for other in ["text(); DROP TABLE x; --", "geometry(Point,4326)", "x(1)(2)", "x("] {
            assert_eq!(without_size(other), None, "{other}");
        }
    }

    #[test]
    fn a_type_of_that_name_that_somebody_made_is_not_postgres_own() {
        let made = PgType { base: "int4".to_owned(), built_in: false };
        assert_eq!(made.logical(), LogicalType::Text);
        assert_eq!(made.ask("x", LogicalType::Integer), (Wire::Text, "x::pg_catalog.text".to_owned()));
    }
}
