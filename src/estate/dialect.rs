//! The names of SQL dialects, as configs write them and as carve writes them.

/// Every dialect carve knows, by its one name, in the order of names.
pub const DIALECTS: &[&str] = &[
    "ansi",
    "bigquery",
    "clickhouse",
    "databricks",
    "duckdb",
    "generic",
    "hive",
    "mysql",
    "oracle",
    "postgres",
    "redshift",
    "snowflake",
    "spark",
    "sqlite",
    "teradata",
    "trino",
    "tsql",
];

/// Other names of the same dialects: adapters, drivers, URL schemes.
const ALIASES: &[(&str, &str)] = &[
    ("athena", "trino"),
    ("awsathena", "trino"),
    ("big_query", "bigquery"),
    ("clickhousedb", "clickhouse"),
    ("cockroachdb", "postgres"),
    ("fabric", "tsql"),
    ("greenplum", "postgres"),
    ("hiveql", "hive"),
    ("impala", "hive"),
    ("mariadb", "mysql"),
    ("pgsql", "postgres"),
    ("postgresql", "postgres"),
    ("presto", "trino"),
    ("sparksql", "spark"),
    ("sqlite3", "sqlite"),
    ("sqlserver", "tsql"),
    ("starrocks", "mysql"),
    ("synapse", "tsql"),
    ("teradatasql", "teradata"),
    ("mssql", "tsql"),
    ("t-sql", "tsql"),
];

/// The dialect that `text` names, by carve's name for it; `None` for a dialect carve does not know.
pub fn dialect_named(text: &str) -> Option<&'static str> {
    let lower = text.trim().to_ascii_lowercase();
    let name = ALIASES.iter().find(|(alias, _)| *alias == lower).map_or(lower.as_str(), |(_, name)| name);
    DIALECTS.iter().find(|known| **known == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_s_name_leads_to_the_dialect() {
        assert_eq!(dialect_named(" PostgreSQL "), Some("postgres"));
        assert_eq!(dialect_named("sqlite"), Some("sqlite"));
        assert_eq!(dialect_named("sparc"), None);
    }

    #[test]
    fn every_alias_leads_to_a_known_dialect() {
        assert!(ALIASES.iter().all(|(alias, _)| dialect_named(alias).is_some()));
    }
}
