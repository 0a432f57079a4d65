//! What a SQL type's name means on every engine.
use crate::vocab::LogicalType;

/// Names of types (without their arguments) and what they mean.
const NAMES: &[(LogicalType, &[&str])] = &[
    (LogicalType::Boolean, &["bool", "boolean", "bit"]),
    (
        LogicalType::Integer,
        &[
            "int",
            "integer",
            "bigint",
            "smallint",
            "tinyint",
            "mediumint",
            "byteint",
            "int2",
            "int4",
            "int8",
            "int16",
            "int32",
            "int64",
            "long",
            "short",
            "serial",
            "bigserial",
            "uint8",
            "uint16",
            "uint32",
        ],
    ),
    (LogicalType::Decimal, &["decimal", "numeric", "number", "dec", "bignumeric", "money"]),
    (LogicalType::Double, &["double", "double precision", "float", "float4", "float8", "float32", "float64", "real"]),
    (LogicalType::Bytes, &["bytes", "bytea", "blob", "binary", "varbinary", "image"]),
    (LogicalType::Date, &["date", "date32"]),
    (LogicalType::Time, &["time", "time without time zone"]),
    (
        LogicalType::Timestamp,
        &[
            "datetime",
            "datetime2",
            "smalldatetime",
            "timestamp",
            "timestamp_ntz",
            "timestamp without time zone",
            "datetime64",
        ],
    ),
    (
        LogicalType::TimestampTz,
        &["timestamptz", "timestamp_tz", "timestamp_ltz", "timestamp with time zone", "datetimeoffset"],
    ),
];

/// What the type `physical` means; text where the name is not known.
pub(crate) fn logical_of(physical: &str) -> LogicalType {
    let lower = physical.trim().to_ascii_lowercase();
    let (before, rest) = lower.split_once('(').unwrap_or((&lower, ""));
    let after = rest.split_once(')').map_or("", |(_, after)| after);
    let name = format!("{} {}", before.trim(), after.trim());
    let name = name.trim();
    NAMES.iter().find(|(_, names)| names.contains(&name)).map_or(LogicalType::Text, |(logical, _)| *logical)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_do_not_change_what_a_type_means() {
        for (name, logical) in [
            ("NUMERIC(10, 2)", LogicalType::Decimal),
            ("timestamp(6) with time zone", LogicalType::TimestampTz),
            ("varchar(20)", LogicalType::Text),
            ("INT64", LogicalType::Integer),
            ("struct<a int64>", LogicalType::Text),
        ] {
            assert_eq!(logical_of(name), logical, "{name}");
        }
    }
}
