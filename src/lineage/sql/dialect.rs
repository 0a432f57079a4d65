//! Which SQL a script is written in: declared, or told by cheap signs.
use super::lexer::LexRules;
use crate::estate::{DialectSigns, dialect_named};

/// One of [`crate::estate::DIALECTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::lineage) struct Dialect(&'static str);

impl Dialect {
    /// The dialect that reads most of everything.
    pub(in crate::lineage) const GENERIC: Dialect = Dialect("generic");

    /// The dialect people call `name`; `None` for a name carve does not know.
    pub(in crate::lineage) fn named(name: &str) -> Option<Self> {
        dialect_named(name).map(Dialect)
    }

    /// The dialect whose signs weigh most in `text`; generic where there are none.
    pub(in crate::lineage) fn detected(text: &str) -> Self {
        DialectSigns::of(text).best().map_or(Self::GENERIC, |(name, _)| Dialect(name))
    }

    /// Its name.
    pub(in crate::lineage) fn name(self) -> &'static str {
        self.0
    }

    /// Its lexical rules.
    pub(in crate::lineage) fn rules(self) -> LexRules {
        LexRules::of(self.0)
    }

    /// Whether statements may follow each other without a semicolon.
    pub(in crate::lineage) fn semicolon_free(self) -> bool {
        self.0 == "tsql"
    }

    /// Whether a CTE may read itself without the word RECURSIVE.
    pub(in crate::lineage) fn recursive_unsaid(self) -> bool {
        matches!(self.0, "tsql" | "oracle" | "snowflake" | "generic")
    }

    /// Whether an item of a select list may use the alias of an earlier one.
    pub(in crate::lineage) fn lateral_aliases(self) -> bool {
        matches!(
            self.0,
            "snowflake"
                | "redshift"
                | "databricks"
                | "spark"
                | "duckdb"
                | "teradata"
                | "sqlite"
                | "clickhouse"
                | "generic"
        )
    }

    /// Whether an alias of the select list hides columns of that name in the whole query, before and behind it.
    pub(in crate::lineage) fn aliases_win(self) -> bool {
        self.0 == "clickhouse"
    }

    /// What to try after it, nearest first.
    pub(in crate::lineage) fn neighbours(self) -> &'static [&'static str] {
        match self.0 {
            "bigquery" => &["generic", "databricks"],
            "hive" => &["spark", "databricks", "generic"],
            "spark" => &["databricks", "hive", "generic"],
            "databricks" => &["spark", "hive", "generic"],
            "tsql" => &["generic", "ansi"],
            "snowflake" => &["generic", "databricks"],
            "postgres" => &["redshift", "generic"],
            "redshift" => &["postgres", "generic"],
            "mysql" => &["generic", "sqlite"],
            "sqlite" => &["generic", "postgres"],
            // Its INSERT ALL is read by another grammar.
            "oracle" => &["generic", "postgres", "snowflake"],
            "duckdb" => &["postgres", "generic"],
            "generic" => &["postgres", "bigquery", "snowflake"],
            _ => &["generic", "postgres"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_is_told_by_its_signs() {
        let told = |text| Dialect::detected(text).name();
        assert_eq!(told("select * from `a-b.c.d` where safe_cast(x as int64) > 1"), "bigquery");
        assert_eq!(told("insert overwrite table a select explode(x) from b lateral view explode(y) t as z"), "hive");
        assert_eq!(told("SELECT TOP 5 * FROM [dbo].[Orders] WITH (NOLOCK)"), "tsql");
        assert_eq!(told("select a from b"), "generic");
        assert_eq!(told("#-- Copyright\n\nselect a from b"), "bigquery");
    }

    #[test]
    fn people_call_dialects_by_other_names() {
        assert_eq!(Dialect::named("PostgreSQL").map(Dialect::name), Some("postgres"));
        assert_eq!(Dialect::named("sparc"), None);
    }
}
