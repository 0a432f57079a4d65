//! What MariaDB's and MySQL's types mean, how each is asked for, and what orders it.
use super::names::quoted;
use crate::vocab::LogicalType;

/// A column's type as the catalog has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MyType {
    /// The type alone, in lower case: `bigint`.
    pub(super) data: String,
    /// The character set of text.
    pub(super) charset: Option<String>,
}

/// How a value crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// In the protocol's own form.
    Own,
    /// As UTF-8.
    Text,
    /// As text of a TIMESTAMP, which is in UTC.
    Utc,
    /// As UTF-8, or the one byte FF where that would not be the same text.
    Converted,
}

/// What a text becomes on the wire that cannot be converted and back.
pub(super) const NOT_CONVERTED: &[u8] = b"\xff";

impl MyType {
    /// What its values are where nobody declares them otherwise. What carve has no type for is text, as the server
    /// writes it.
    pub(super) fn logical(&self) -> LogicalType {
        match self.data.as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "year" | "bit" => {
                LogicalType::Integer
            }
            "decimal" | "numeric" => LogicalType::Decimal,
            "float" | "double" | "real" => LogicalType::Double,
            "date" => LogicalType::Date,
            "time" => LogicalType::Time,
            "datetime" => LogicalType::Timestamp,
            "timestamp" => LogicalType::TimestampTz,
            _ if self.is_binary() => LogicalType::Bytes,
            _ => LogicalType::Text,
        }
    }

    /// Stored as bytes without a character set: geometries too, four bytes of SRID and the well-known binary form.
    fn is_binary(&self) -> bool {
        const BINARY: [&str; 7] = ["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector"];
        BINARY.contains(&self.data.as_str()) || self.is_geometry()
    }

    fn is_geometry(&self) -> bool {
        const GEOMETRY: [&str; 9] = [
            "geometry",
            "point",
            "linestring",
            "polygon",
            "multipoint",
            "multilinestring",
            "multipolygon",
            "geometrycollection",
            "geomcollection",
        ];
        GEOMETRY.contains(&self.data.as_str())
    }

    /// How a value of this type is asked for when it shall be a `wanted`, and the SQL around the column `name`.
    pub(super) fn ask(&self, name: &str, wanted: LogicalType) -> (Wire, String) {
        let column = quoted(name);
        let written = || format!("CAST({column} AS CHAR)");
        match (self.data.as_str(), wanted) {
            // A column of text as it is stored, whatever its character set.
            (_, LogicalType::Bytes) => (Wire::Own, column),
            ("bit", LogicalType::Text) => (Wire::Text, format!("CAST({column} + 0 AS CHAR)")),
            ("bit", _) => (Wire::Own, format!("{column} + 0")),
            ("timestamp", LogicalType::TimestampTz) => (Wire::Utc, written()),
            ("date" | "time" | "datetime" | "timestamp", _) => (Wire::Text, written()),
            _ if self.is_binary() => (Wire::Own, column),
            _ => match &self.charset {
                Some(charset) => self.asked_text(&column, charset),
                None if self.logical() == LogicalType::Text || wanted == LogicalType::Text => (Wire::Text, written()),
                None => (Wire::Own, column),
            },
        }
    }

    fn asked_text(&self, column: &str, charset: &str) -> (Wire, String) {
        match charset {
            "utf8mb4" | "utf8mb3" | "utf8" => (Wire::Text, column.to_owned()),
            _ => {
                let converted = format!("CONVERT({column} USING utf8mb4)");
                let back = format!("CAST(CONVERT({converted} USING {}) AS BINARY)", quoted(charset));
                let sql = format!("IF({back} <=> CAST({column} AS BINARY), CAST({converted} AS BINARY), X'FF')");
                (Wire::Converted, sql)
            }
        }
    }

    /// Terms that order equal values of the column `name` equally wherever they lie, and unequal ones always: text
    /// by its bytes in UTF-8, whatever the collation.
    pub(super) fn order(&self, name: &str) -> Vec<String> {
        let column = quoted(name);
        match self.data.as_str() {
            // 0.0 and -0.0 are equal to the server: their texts tell them apart.
            "float" | "double" | "real" => vec![column.clone(), format!("CAST({column} AS CHAR)")],
            "char" | "binary" | "enum" | "set" => vec![self.bytes(&column)],
            _ if self.logical() == LogicalType::Text || self.is_binary() => {
                // A sort looks at the first bytes of a value only.
                let bytes = self.bytes(&column);
                vec![format!("LEFT({bytes}, 512)"), format!("SHA2({bytes}, 256)")]
            }
            _ => vec![column],
        }
    }

    /// The term that orders `name` where it is part of a key, whose values differ anyway and have 3072 bytes at most.
    pub(super) fn key_order(&self, name: &str) -> String {
        let column = quoted(name);
        match self.logical() {
            LogicalType::Text | LogicalType::Bytes => self.bytes(&column),
            _ => column,
        }
    }

    fn bytes(&self, column: &str) -> String {
        match self.charset.as_deref() {
            Some("utf8mb4" | "utf8mb3" | "utf8") => format!("CAST({column} AS BINARY)"),
            Some(_) => format!("CAST(CONVERT({column} USING utf8mb4) AS BINARY)"),
            None if self.is_binary() && !self.is_geometry() => column.to_owned(),
            None if self.is_geometry() => format!("CONCAT({column}, '')"),
            None => format!("CAST(CAST({column} AS CHAR) AS BINARY)"),
        }
    }
}

/// The type as a contract notes it: without the display width of whole numbers, which says nothing about values and
/// which other engines read as a length; and DATE so that a lake in PostgreSQL does not take it for its own `date`,
/// which has no place for `0000-00-00`.
pub(super) fn spelled(data: &str, declared: &str) -> String {
    let whole = matches!(data, "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year");
    match (declared.split_once('('), declared.split_once(')')) {
        (Some((before, _)), Some((_, after))) if whole => format!("{before}{after}"),
        _ if data == "date" => "DATE".to_owned(),
        _ => declared.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_notes_types_without_display_widths() {
        assert_eq!(spelled("bigint", "bigint(20) unsigned"), "bigint unsigned");
        assert_eq!(spelled("int", "int"), "int");
        assert_eq!(spelled("date", "date"), "DATE");
        assert_eq!(spelled("varchar", "varchar(20)"), "varchar(20)");
        assert_eq!(spelled("enum", "enum('a(1)','b')"), "enum('a(1)','b')");
    }

    #[test]
    fn a_name_stays_a_name_in_sql() {
        let of = MyType { data: "varchar".to_owned(), charset: Some("utf8mb4".to_owned()) };
        assert_eq!(of.ask("a`b", LogicalType::Text), (Wire::Text, "`a``b`".to_owned()));
        assert_eq!(of.key_order("a`b"), "CAST(`a``b` AS BINARY)");
    }
}
