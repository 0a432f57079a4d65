//! The logs of warehouses and tools, each known by the names of its columns.
use serde_json::Value;

use super::{
    row::Row,
    tally::{Line, Tally, Thing},
};
use crate::{diagnostics::Diagnostic, vocab::Span};

/// How one kind of log is read.
pub(super) struct Preset {
    /// What it is called in the documentation.
    pub(super) name: &'static str,
    /// Columns that all must be there; `a|b` means one of them.
    needs: &'static [&'static str],
    /// A line out of a row; `None` where the row is no read that took place.
    read: fn(&dyn Row) -> Option<Line>,
}

/// Every kind, the most particular first.
pub(super) const PRESETS: &[Preset] = &[
    Preset { name: "BigQuery JOBS", needs: &["user_email", "job_id", "creation_time|start_time"], read: bigquery },
    Preset {
        name: "Snowflake ACCESS_HISTORY",
        needs: &["user_name", "query_start_time", "direct_objects_accessed|base_objects_accessed"],
        read: snowflake_access,
    },
    Preset {
        name: "Snowflake QUERY_HISTORY",
        needs: &["user_name", "query_text", "start_time", "warehouse_name|role_name|query_id"],
        read: snowflake_queries,
    },
    Preset { name: "pg_stat_statements", needs: &["query", "calls", "queryid|userid|rolname|usename"], read: postgres },
    Preset { name: "Trino system.runtime.queries", needs: &["query_id", "user", "query", "created"], read: trino },
    Preset { name: "Trino query event", needs: &["metadata", "context", "createtime|endtime"], read: trino_event },
    Preset {
        name: "Superset query",
        needs: &["client_id", "sql|executed_sql", "user_id", "start_time"],
        read: superset_query,
    },
    Preset {
        name: "Superset logs",
        needs: &["action", "user_id", "dttm", "slice_id|dashboard_id"],
        read: superset_log,
    },
    Preset {
        name: "a log of your own",
        needs: &[USER, TIME, "sql|query|query_text|statement|table|table_name|dataset|relation"],
        read: own,
    },
];

/// Names under which people write who and when, best first.
const USER: &str = "user|user_name|username|user_email|usename|principal|principal_email";
const TIME: &str = "time|timestamp|start_time|started_at|creation_time|query_start|executed_at|ts|day|date";

impl Preset {
    /// The preset of a log whose columns are `names` (lower case).
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Option<&'static Preset> {
        let has = |need: &&str| need.split('|').any(|one| names.clone().any(|name| name == one));
        PRESETS.iter().find(|preset| preset.needs.iter().all(has))
    }

    /// The read that `row` tells of.
    pub(super) fn line(&self, row: &dyn Row) -> Option<Line> {
        (self.read)(row)
    }

    /// Adds a line of such a log, which stands at `at`; a fault says whose log it was taken for.
    pub(super) fn add(&self, tally: &mut Tally, line: Line, at: Span) -> Result<(), Diagnostic> {
        let named = |fault: Diagnostic| Diagnostic { here: format!("{} (read as {})", fault.here, self.name), ..fault };
        tally.add(line, at).map_err(named)
    }
}

fn text(row: &dyn Row, names: &str) -> Option<String> {
    let names: Vec<&str> = names.split('|').collect();
    row.first(&names).map(|text| text.trim().to_owned())
}

/// Whether the column `name` is missing, or one of `words`.
fn is(row: &dyn Row, name: &str, words: &[&str]) -> bool {
    row.get(name).is_none_or(|text| words.iter().any(|word| text.trim().eq_ignore_ascii_case(word)))
}

fn own(row: &dyn Row) -> Option<Line> {
    let table = text(row, "table|table_name|dataset|relation").map(Thing::Table);
    let sql = text(row, "sql|query|query_text|statement").map(Thing::Sql);
    Some(Line {
        user: text(row, USER).unwrap_or_default(),
        team: text(row, "team|department|group|role_name"),
        time: Some(text(row, TIME).unwrap_or_default()),
        count: text(row, "count|calls|queries|executions"),
        things: table.or(sql).into_iter().collect(),
        ..Line::default()
    })
}

fn bigquery(row: &dyn Row) -> Option<Line> {
    if !is(row, "state", &["done"]) || !is(row, "job_type", &["query"]) || row.says("error_result") {
        return None;
    }
    let sql = text(row, "query").map(Thing::Sql);
    let tables = || tables(row, "referenced_tables", &["project_id", "dataset_id", "table_id"]);
    Some(Line {
        user: text(row, "user_email").unwrap_or_default(),
        time: text(row, "start_time|creation_time"),
        things: sql.map_or_else(tables, |sql| vec![sql]),
        dialect: Some("bigquery"),
        ..Line::default()
    })
}

fn snowflake_queries(row: &dyn Row) -> Option<Line> {
    if !is(row, "execution_status", &["success"]) || row.says("error_code") {
        return None;
    }
    Some(Line {
        user: text(row, "user_name").unwrap_or_default(),
        team: text(row, "role_name"),
        time: text(row, "start_time"),
        things: text(row, "query_text").map(Thing::Sql).into_iter().collect(),
        dialect: Some("snowflake"),
        schema: joined(text(row, "database_name"), text(row, "schema_name")),
        ..Line::default()
    })
}

fn snowflake_access(row: &dyn Row) -> Option<Line> {
    let of = |name: &str| tables(row, name, &["objectName"]);
    let direct = of("direct_objects_accessed");
    let things = if direct.is_empty() { of("base_objects_accessed") } else { direct };
    // A row that only writes reads nothing.
    (!things.is_empty()).then(|| Line {
        user: text(row, "user_name").unwrap_or_default(),
        time: text(row, "query_start_time"),
        things,
        ..Line::default()
    })
}

/// Counts since the statistics began; only newer servers say when that was.
fn postgres(row: &dyn Row) -> Option<Line> {
    let user = text(row, "rolname|usename|user_name").or_else(|| Some(format!("postgres:{}", text(row, "userid")?)));
    Some(Line {
        user: user.unwrap_or_default(),
        time: text(row, "stats_since|minmax_stats_since"),
        timeless: true,
        count: text(row, "calls"),
        things: text(row, "query").map(Thing::Sql).into_iter().collect(),
        dialect: Some("postgres"),
        ..Line::default()
    })
}

fn trino(row: &dyn Row) -> Option<Line> {
    is(row, "state", &["finished"]).then(|| Line {
        user: text(row, "user").unwrap_or_default(),
        time: text(row, "started|created"),
        things: text(row, "query").map(Thing::Sql).into_iter().collect(),
        dialect: Some("trino"),
        ..Line::default()
    })
}

fn trino_event(row: &dyn Row) -> Option<Line> {
    if !is(row, "metadata.querystate", &["finished"]) || row.says("failureinfo") {
        return None;
    }
    Some(Line {
        user: text(row, "context.user").unwrap_or_default(),
        time: text(row, "executionstarttime|createtime|endtime"),
        things: text(row, "metadata.query").map(Thing::Sql).into_iter().collect(),
        dialect: Some("trino"),
        schema: joined(text(row, "context.catalog"), text(row, "context.schema")),
        ..Line::default()
    })
}

fn superset_query(row: &dyn Row) -> Option<Line> {
    is(row, "status", &["success"]).then(|| Line {
        user: superset_user(row),
        time: text(row, "start_time"),
        things: text(row, "executed_sql|sql").map(Thing::Sql).into_iter().collect(),
        schema: text(row, "schema"),
        ..Line::default()
    })
}

/// A row with a chart is a look at the chart; one with a dashboard alone, a look at that.
fn superset_log(row: &dyn Row) -> Option<Line> {
    let number = |name: &str| text(row, name)?.parse::<f64>().ok().filter(|number| *number >= 1.0);
    let seen = match number("slice_id") {
        Some(chart) => Thing::Exposure("chart", chart as u64),
        None => Thing::Exposure("dashboard", number("dashboard_id")? as u64),
    };
    Some(Line { user: superset_user(row), time: text(row, "dttm"), things: vec![seen], ..Line::default() })
}

/// Superset logs numbers; they must not meet the numbers of another tool.
fn superset_user(row: &dyn Row) -> String {
    text(row, "username|user").unwrap_or_else(|| format!("superset:{}", text(row, "user_id").unwrap_or_default()))
}

fn joined(outer: Option<String>, inner: Option<String>) -> Option<String> {
    let inner = inner?;
    Some(outer.map_or_else(|| inner.clone(), |outer| format!("{outer}.{inner}")))
}

/// Tables out of a JSON list of objects, each named by its `parts` joined with dots.
fn tables(row: &dyn Row, name: &str, parts: &[&str]) -> Vec<Thing> {
    let Some(text) = row.get(name) else { return Vec::new() };
    let Ok(Value::Array(items)) = serde_json::from_str(&text) else { return Vec::new() };
    let named = |item: &Value| {
        let kind = item.get("objectDomain").and_then(Value::as_str).unwrap_or("table");
        let is_table = ["table", "view"].iter().any(|word| kind.to_ascii_lowercase().contains(word));
        let parts: Option<Vec<&str>> = parts.iter().map(|part| item.get(*part)?.as_str()).collect();
        parts.filter(|_| is_table).map(|parts| Thing::Table(parts.join(".")))
    };
    items.iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::row::{Columns, Record},
        *,
    };

    /// The line of a row under a header.
    fn line(header: &str, fields: &[&str]) -> (&'static str, Option<Line>) {
        let columns = Columns::of(header.split(','));
        let names: Vec<&str> = columns.names().collect();
        let preset = Preset::of(names.iter().copied()).unwrap();
        (preset.name, preset.line(&Record { columns: &columns, fields }))
    }

    #[test]
    fn every_log_is_known_by_its_columns() {
        for (header, name) in [
            ("creation_time,project_id,user_email,job_id,job_type,query,state", "BigQuery JOBS"),
            ("QUERY_ID,QUERY_START_TIME,USER_NAME,DIRECT_OBJECTS_ACCESSED", "Snowflake ACCESS_HISTORY"),
            ("QUERY_ID,QUERY_TEXT,DATABASE_NAME,SCHEMA_NAME,USER_NAME,ROLE_NAME,START_TIME", "Snowflake QUERY_HISTORY"),
            ("userid,dbid,queryid,query,calls,total_exec_time", "pg_stat_statements"),
            ("query_id,state,user,source,query,created,started", "Trino system.runtime.queries"),
            ("id,client_id,user_id,sql,executed_sql,status,start_time", "Superset query"),
            ("id,action,user_id,dashboard_id,slice_id,json,dttm", "Superset logs"),
            ("user,time,sql", "a log of your own"),
        ] {
            assert_eq!(line(header, &[]).0, name);
        }
        assert!(Preset::of(["id", "amount", "user"].into_iter()).is_none());
    }

    #[test]
    fn what_failed_or_is_no_query_is_no_read() {
        let header = "user_email,job_id,creation_time,job_type,state,error_result,query";
        let read = |kind, state, error| line(header, &["a@x", "1", "2026-01-05", kind, state, error, "select 1"]).1;
        assert_eq!(read("QUERY", "DONE", "").unwrap().things, [Thing::Sql("select 1".into())]);
        assert_eq!(read("QUERY", "DONE", "null").unwrap().dialect, Some("bigquery"));
        assert!(read("LOAD", "DONE", "").is_none());
        assert!(read("QUERY", "RUNNING", "").is_none());
        assert!(read("QUERY", "DONE", "{\"reason\":\"x\"}").is_none());
    }

    #[test]
    fn tables_come_from_lists_where_there_is_no_sql() {
        let header = "user_email,job_id,creation_time,referenced_tables";
        let list = r#"[{"project_id":"p","dataset_id":"d","table_id":"t"}]"#;
        assert_eq!(line(header, &["a", "1", "2026-01-05", list]).1.unwrap().things, [Thing::Table("p.d.t".into())]);
        let header = "user_name,query_start_time,direct_objects_accessed";
        let list =
            r#"[{"objectDomain":"Table","objectName":"DB.RAW.T"},{"objectDomain":"Stage","objectName":"DB.RAW.S"}]"#;
        assert_eq!(line(header, &["A", "2026-01-05", list]).1.unwrap().things, [Thing::Table("DB.RAW.T".into())]);
        assert!(line(header, &["A", "2026-01-05", "[]"]).1.is_none());
    }

    #[test]
    fn a_chart_seen_on_a_dashboard_is_a_look_at_the_chart() {
        let header = "action,user_id,dttm,dashboard_id,slice_id";
        let seen = |dashboard, chart| line(header, &["x", "5", "2026-01-05", dashboard, chart]).1;
        assert_eq!(seen("3", "12.0").unwrap().things, [Thing::Exposure("chart", 12)]);
        assert_eq!(seen("3", "").unwrap().things, [Thing::Exposure("dashboard", 3)]);
        assert_eq!(seen("3", "0").unwrap().user, "superset:5");
        assert!(seen("", "").is_none());
    }
}
