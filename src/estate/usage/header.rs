//! Which column of a log means what, by its name.

/// What a column of a usage log means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    User,
    Time,
    Sql,
    Table,
    Count,
    Team,
}

/// Names under which warehouses and people write each, best first.
const NAMES: &[(Meaning, &[&str])] = &[
    (Meaning::User, &["user", "user_name", "username", "user_email", "usename", "principal", "principal_email"]),
    (
        Meaning::Time,
        &[
            "time",
            "timestamp",
            "start_time",
            "started_at",
            "creation_time",
            "query_start",
            "executed_at",
            "ts",
            "day",
            "date",
        ],
    ),
    (Meaning::Sql, &["sql", "query", "query_text", "statement"]),
    (Meaning::Table, &["table", "table_name", "dataset", "relation"]),
    (Meaning::Count, &["count", "calls", "queries", "executions"]),
    (Meaning::Team, &["team", "department", "group", "role_name"]),
];

/// The meaning of the columns of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header(Vec<(Meaning, usize)>);

impl Header {
    /// The header whose columns are `names`; `None` where they do not make a usage log.
    pub(super) fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<Header> {
        let names: Vec<String> = names.into_iter().map(|name| name.trim().to_ascii_lowercase()).collect();
        let column_of = |known: &[&str]| known.iter().find_map(|known| names.iter().position(|name| name == known));
        let columns = NAMES.iter().filter_map(|(meaning, known)| Some((*meaning, column_of(known)?))).collect();
        let header = Header(columns);
        let has = |meaning| header.column(meaning).is_some();
        (has(Meaning::User) && has(Meaning::Time) && (has(Meaning::Sql) || has(Meaning::Table))).then_some(header)
    }

    /// The column that means `meaning`.
    pub(super) fn column(&self, meaning: Meaning) -> Option<usize> {
        self.0.iter().find(|(known, _)| *known == meaning).map(|(_, column)| *column)
    }
}

/// The names under which `meaning` is written, best first.
pub(super) fn names_of(meaning: Meaning) -> &'static [&'static str] {
    NAMES.iter().find(|(known, _)| *known == meaning).map_or(&[], |(_, names)| names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_user_time_and_sql_or_table() {
        let header = Header::of(["QUERY_TEXT", "user_name", "START_TIME"]).unwrap();
        assert_eq!(header.column(Meaning::Sql), Some(0));
        assert_eq!(header.column(Meaning::Team), None);
        assert_eq!(Header::of(["user", "time", "amount"]), None);
        assert_eq!(Header::of(["id", "table", "sql"]), None);
    }
}
