//! Columns of DDL, their types in carve's words.
use sqlparser::ast::{ColumnDef, ColumnOption};

use crate::vocab::{Column, LogicalType};

use super::lower::lower;

/// One column of a CREATE or ALTER TABLE.
pub(super) fn column(def: &ColumnDef) -> Column {
    let physical = def.data_type.to_string();
    let not_null = |option: &ColumnOption| matches!(option, ColumnOption::NotNull | ColumnOption::PrimaryKey(_));
    Column {
        name: lower(&def.name),
        logical: logical(&physical),
        nullable: !def.options.iter().any(|o| not_null(&o.option)),
        description: def.options.iter().find_map(|o| match &o.option {
            ColumnOption::Comment(text) => Some(text.clone()),
            _ => None,
        }),
        physical,
    }
}

/// What a declared type means; text where it is not known.
pub(super) fn logical(physical: &str) -> LogicalType {
    let upper = physical.to_ascii_uppercase();
    let base = upper.split(['(', '<']).next().unwrap_or_default().trim();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|p| base.starts_with(p));
    if starts(&["BOOL"]) {
        LogicalType::Boolean
    } else if starts(&["TIMESTAMPTZ", "TIMESTAMP_TZ", "TIMESTAMP_LTZ", "DATETIMEOFFSET"])
        || upper.contains("WITH TIME ZONE")
    {
        LogicalType::TimestampTz
    } else if starts(&["TIMESTAMP", "DATETIME"]) {
        LogicalType::Timestamp
    } else if starts(&["DATE"]) {
        LogicalType::Date
    } else if starts(&["TIME"]) {
        LogicalType::Time
    } else if starts(&["DECIMAL", "NUMERIC", "NUMBER", "BIGNUMERIC", "BIGDECIMAL", "DEC", "MONEY"]) {
        LogicalType::Decimal
    } else if starts(&["DOUBLE", "FLOAT", "REAL"]) {
        LogicalType::Double
    } else if starts(&["INTERVAL"]) {
        LogicalType::Text
    } else if starts(&[
        "INT",
        "BIGINT",
        "SMALLINT",
        "TINYINT",
        "MEDIUMINT",
        "SERIAL",
        "BIGSERIAL",
        "UINT",
        "HUGEINT",
        "BYTEINT",
    ]) {
        LogicalType::Integer
    } else if starts(&["BYTE", "BLOB", "BINARY", "VARBINARY", "IMAGE"]) {
        LogicalType::Bytes
    } else {
        LogicalType::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_mean_the_same_on_every_engine() {
        assert_eq!(logical("NUMERIC(10, 2)"), LogicalType::Decimal);
        assert_eq!(logical("timestamp with time zone"), LogicalType::TimestampTz);
        assert_eq!(logical("INT64"), LogicalType::Integer);
        assert_eq!(logical("INTERVAL"), LogicalType::Text);
        assert_eq!(logical("varchar(20)"), LogicalType::Text);
    }
}
