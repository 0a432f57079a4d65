//! Calls in Python code that hand SQL to a database, or name tables: `cursor.execute(…)`, `pd.read_sql(…)`,
//! `client.query(…)`, `df.write.saveAsTable(…)`.
use std::{rc::Rc, sync::Arc};

use camino::Utf8Path;

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        Script, el,
        found::Found,
        given_sql::{How, shown, take_file},
        names::dataset_named,
        python::{Origin, Text, Thing, Value},
        reader::Around,
        sql_file,
    },
    vocab::{DatasetId, Span},
};

/// Methods whose first argument is SQL.
const SQL_METHODS: &[&str] = &[
    "execute",
    "executemany",
    "executescript",
    "execute_async",
    "execute_string",
    "run",
    "run_query",
    "query",
    "query_and_wait",
    "get_pandas_df",
    "get_df",
    "get_records",
    "get_first",
    "read_sql",
    "read_sql_query",
    "read_gbq",
    "read_sql_pandas",
    "sql",
    "execute_query",
    "execute_sql",
    "run_sql",
    "fetch_all",
    "fetchall",
    "fetch_one",
    "fetchval",
    "fetch",
    "sql_query",
    "run_sql_query",
    "query_to_df",
    "execute_statement",
    "start_query_execution",
    "to_dataframe",
    "from_query",
    "fetch_many",
    "raw_sql",
    "text",
    "copy_expert",
    "execute_values",
    "query_df",
    "command",
    "insert_job",
];
/// What SQL begins with.
const VERBS: &[&str] = &[
    "select", "with", "insert", "update", "delete", "merge", "create", "drop", "alter", "truncate", "copy", "unload",
    "replace", "call", "exec", "execute", "begin", "declare", "refresh", "load", "export", "grant", "use", "set",
    "from", "if", "do", "analyze", "vacuum",
];
/// Names of arguments that hold SQL.
pub(crate) const SQL_NAMES: &[&str] = &[
    "sql",
    "query",
    "hql",
    "bql",
    "sql_query",
    "query_string",
    "statement",
    "sqls",
    "queries",
    "sql_statement",
    "sql_string",
    "stmt",
    "QueryString",
    "Sql",
    "query_sql",
    "select_query",
    "sql_text",
];

/// Whether Python code may hand SQL to a database: a cheap look before it is walked.
pub(crate) fn may_hold_sql(code: &str) -> bool {
    let calls = [
        ".execute",
        ".query",
        "read_sql",
        "read_gbq",
        "to_gbq",
        "to_sql",
        ".sql(",
        "load_table_from",
        "saveAsTable",
        "spark.",
        "read_parquet",
        "to_parquet",
        "run_query",
        ".run(",
    ];
    calls.iter().any(|call| code.contains(call))
}

/// Whether `text` reads like SQL rather than a name or a command.
pub(crate) fn is_sql(text: &str) -> bool {
    let mut rest = text.trim_start();
    while let Some(comment) =
        rest.strip_prefix("--").or(rest.strip_prefix("{#")).or(rest.strip_prefix("/*")).or(rest.strip_prefix('#'))
    {
        let closes = if rest.starts_with("/*") {
            "*/"
        } else if rest.starts_with("{#") {
            "#}"
        } else {
            "\n"
        };
        rest = comment.split_once(closes).map_or("", |(_, rest)| rest).trim_start();
    }
    let rest = rest.trim_start_matches(['(', ';', '`']).trim_start();
    let word: String = rest.chars().take_while(|c| c.is_ascii_alphabetic()).collect();
    VERBS.contains(&word.to_ascii_lowercase().as_str()) && text.trim().contains(char::is_whitespace)
}

/// The script that `text` is; it stands at `at` where nothing better is known.
pub(crate) fn script(text: &Text, how: &How, at: &Span, around: &Around<'_>, found: &mut Found) -> Script {
    let plain: Arc<str> = text.text.as_str().into();
    let Some(origin) = &text.origin else {
        return how.script(at.clone(), without_placeholders(&plain), false, around);
    };
    let Some(raw) = &origin.raw else {
        return how.script(origin.at.clone(), without_placeholders(&plain), false, around);
    };
    if origin.is_file {
        found.claimed.insert(origin.at.file.clone());
    }
    let mut script = how.script(origin.at.clone(), without_placeholders(raw), true, around);
    script.params.extend(origin.params.clone());
    script
}

/// `text` with an empty value, byte for byte, for each `%s` and `%(name)s` that a program fills when it runs.
pub(crate) fn without_placeholders(text: &Arc<str>) -> Arc<str> {
    if !text.contains("%s") && !text.contains("%(") {
        return Arc::clone(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = &**text;
    let mut is_quoted = false;
    while let Some(at) = rest.find('%') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        is_quoted ^= before.matches('\'').count() % 2 == 1;
        let length = placeholder_length(from);
        rest = &from[length.max(1)..];
        if length == 0 {
            out.push('%');
            continue;
        }
        // Within a text in quotes it is part of the text.
        let word = out.trim_end().rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let is_rows =
            out.ends_with(char::is_whitespace) && ["values", "in"].iter().any(|w| word.eq_ignore_ascii_case(w));
        out.push_str(match (is_quoted, is_rows) {
            (true, _) => "__",
            (false, true) => "()",
            (false, false) => "''",
        });
        out.extend(std::iter::repeat_n(if is_quoted { '_' } else { ' ' }, length - 2));
    }
    out.push_str(rest);
    out.into()
}

/// How long the placeholder is with which `text` begins; 0 where it begins with none.
fn placeholder_length(text: &str) -> usize {
    let ends = |at: usize| !text[at..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if text.starts_with("%s") && ends(2) {
        return 2;
    }
    let Some(inner) = text.strip_prefix("%(") else { return 0 };
    let name = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
    let length = name + 4;
    if name > 0 && inner[name..].starts_with(")s") && ends(length) { length } else { 0 }
}

/// Takes the SQL that `text` is or names, a file looked for in `folders`. Whether it could be had.
pub(crate) fn take_sql(
    text: &Text,
    how: &How,
    folders: &[&Utf8Path],
    at: &Span,
    around: &Around<'_>,
    found: &mut Found,
) -> bool {
    let trimmed = text.text.trim();
    let included = included(trimmed);
    let names_file = !trimmed.contains(char::is_whitespace) && sql_file::stem(trimmed.as_ref()).is_some();
    if names_file || included.is_some() {
        return take_file(included.unwrap_or(trimmed), how, folders, at, around, found);
    }
    let unknown = trimmed.starts_with("${") && trimmed.find('}') == Some(trimmed.len().saturating_sub(1));
    if trimmed.is_empty() || unknown {
        let here = format!("what `{}` says", shown(trimmed));
        found.faults.push(Diagnostic::new(CodeEntry::E027, at.clone(), here));
        return false;
    }
    let script = script(text, how, at, around, found);
    found.scripts.push(script);
    true
}

/// The file that a template does nothing but include.
fn included(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("{%")?.strip_suffix("%}")?.trim_matches(['-', ' ']);
    let name = inner.strip_prefix("include")?.trim().split([' ', ',']).next()?;
    let name = name.trim_matches(['\'', '"']);
    (!name.is_empty() && !inner.contains("%}")).then_some(name)
}

/// Takes what a call in a task's code does with data. A value given here takes the call's place.
pub(crate) fn take(thing: &Thing, folders: &[String], around: &Around<'_>, found: &mut Found) -> Option<Value> {
    let name = thing.name();
    if let Some(table) = table_reference(thing) {
        return Some(table);
    }
    if el::take_pipeline(thing, around, found) {
        return None;
    }
    if let Some(text) = rendered(thing) {
        return Some(text);
    }
    if matches!(name, "create_table" | "update_table") {
        view(thing, around, found);
        return None;
    }
    if super::object_calls::take(thing, around, found) {
        return None;
    }
    if super::frame_calls::take(thing, around, found) {
        return None;
    }
    if !SQL_METHODS.contains(&name) {
        return None;
    }
    let folders: Vec<&Utf8Path> = folders.iter().map(Utf8Path::new).collect();
    let given = thing.args.first().into_iter().chain(thing.any_named(SQL_NAMES));
    let texts: Vec<Value> = given
        .flat_map(|value| match value {
            Value::List(items) => items.borrow().clone(),
            Value::Dict(_) => value.at(&["query", "query"]).into_iter().collect(),
            other => vec![other.clone()],
        })
        .collect();
    let how = How { dialect: dialect_of(&thing.path), target: destination(thing, around), ..How::default() };
    let how = How { materialized: how.target.as_ref().map(|_| "table".to_owned()), schema: database(thing), ..how };
    for value in texts {
        let Some(text) = value.as_text() else {
            // `client.query(sql)` with a text nobody knows.
            if matches!(value, Value::Unknown(_)) && matches!(name, "execute" | "query" | "read_sql" | "read_gbq") {
                found.pieces += 1;
                found.opaque += 1;
                let here = format!("what `{}` runs", name);
                found.faults.push(Diagnostic::new(CodeEntry::E027, thing.at.clone(), here));
            }
            continue;
        };
        let is_file = sql_file::stem(text.text.trim().as_ref()).is_some();
        if is_sql(&text.text) || (is_file && matches!(name, "run" | "execute" | "query" | "execute_sql" | "run_sql")) {
            found.pieces += 1;
            let understood = take_sql(text, &how, &folders, &thing.at, around, found);
            found.opaque += u64::from(!understood);
        }
    }
    // `text('select …')` hands its SQL on; what it is handed to is another call.
    None
}

/// `client.dataset('d', project='p').table('t')` and its like as a name of a table.
fn table_reference(thing: &Thing) -> Option<Value> {
    let first =
        |thing: &Thing, names: &[&str]| thing.any_named(names).or(thing.args.first()).map(|value| value.shown().0);
    match thing.name() {
        "table" => {
            let Some(Value::Thing(dataset)) = &thing.owner else { return None };
            if dataset.name() != "dataset" && dataset.name() != "DatasetReference" {
                return None;
            }
            let project = dataset.named("project").map(|value| value.shown().0);
            let parts = [project, first(dataset, &["dataset_id"]), first(thing, &["table_id"])];
            Some(Value::text(parts.into_iter().flatten().collect::<Vec<_>>().join(".")))
        }
        "get_table" | "from_string" if thing.path.contains("bigquery") || thing.path.contains("client") => {
            thing.args.first().filter(|value| value.as_text().is_some()).cloned()
        }
        _ => None,
    }
}

/// The database in which Athena runs a query: of boto3's context, or of awswrangler's argument.
fn database(thing: &Thing) -> Option<String> {
    let context = thing.named("QueryExecutionContext").and_then(|context| context.key("Database"));
    let of_call = thing.named("database").filter(|_| thing.path.contains("athena")).cloned();
    Some(context.or(of_call)?.as_known()?.to_owned()).filter(|name| !name.is_empty())
}

/// Where the rows of a query go, as its arguments say.
fn destination(thing: &Thing, around: &Around<'_>) -> Option<DatasetId> {
    let config = thing.any_named(&["job_config", "configuration"]);
    let told = thing.any_named(&["destination_table", "destination", "destination_dataset_table"]).cloned();
    let of_config = config.and_then(|config| match config {
        Value::Thing(config) => {
            config.fields.borrow().get("destination").cloned().or_else(|| config.named("destination").cloned())
        }
        _ => None,
    });
    let value = told.or(of_config)?;
    named(&value, around)
}

/// The dataset that `value` names.
pub(super) fn named(value: &Value, around: &Around<'_>) -> Option<DatasetId> {
    match value {
        Value::Text(text) => dataset_named(&text.text, around.vars),
        // `bigquery.Table(reference, schema=…)`.
        Value::Thing(thing) if thing.name() == "Table" => named(thing.args.first()?, around),
        _ => None,
    }
}

/// A template filled by hand: `Template(sql).render(a=1)`, `task.render_template(sql, context)`.
pub(crate) fn rendered(thing: &Thing) -> Option<Value> {
    let (text, context) = match thing.name() {
        "render_template" => (thing.args.first()?, thing.args.get(1)),
        "render" | "substitute" | "safe_substitute" => match thing.owner.as_ref()? {
            Value::Thing(template) => (template.args.first()?, thing.args.first()),
            _ => return None,
        },
        _ => return None,
    };
    let text = text.as_text()?;
    let mut params = Vec::new();
    let mut take = |value: &Value| {
        let Value::Dict(pairs) = value else { return };
        for (key, value) in pairs.borrow().iter() {
            if let (Some(key), (shown, true), false) =
                (key.as_known(), value.shown(), matches!(value, Value::Dict(_) | Value::List(_)))
            {
                params.push((key.to_owned(), shown));
            }
        }
    };
    context.into_iter().for_each(|context| {
        take(context);
        context.key("params").iter().for_each(&mut take);
    });
    params.extend(thing.named.iter().filter_map(|(name, value)| match value.shown() {
        (shown, true) => Some((name.to_string(), shown)),
        _ => None,
    }));
    let filled = substituted(thing.name(), &text.text, &params);
    let kept = (thing.name() == "render_template" || thing.name() == "render") && filled.is_none();
    let origin = text.origin.clone().map(|origin| match kept {
        true => Origin { params: [origin.params.clone(), params].concat(), ..origin },
        false => Origin { raw: None, params: Vec::new(), is_file: false, ..origin },
    });
    let new = filled.unwrap_or_else(|| text.text.clone());
    Some(Value::Text(Rc::new(Text { origin, text: new, ..(**text).clone() })))
}

/// A short text with its values in place: `$name` and `${name}` of `string.Template`, and a name in Jinja's braces.
fn substituted(how: &str, text: &str, params: &[(String, String)]) -> Option<String> {
    let of_strings = how != "render" && how != "render_template";
    if !of_strings && (text.contains("{%") || text.contains(char::is_whitespace) && text.trim().contains(['\n', ';'])) {
        return None;
    }
    if !of_strings && is_sql(text) {
        return None;
    }
    // Long names first: `$table_id` is no `$table`.
    let mut ordered: Vec<&(String, String)> = params.iter().collect();
    ordered.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let mut out = text.to_owned();
    for (name, value) in ordered {
        let marks = match of_strings {
            true => [format!("${{{name}}}"), format!("${name}")],
            false => [format!("{{{{ {name} }}}}"), format!("{{{{{name}}}}}")],
        };
        for mark in marks {
            out = out.replace(&mark, value);
        }
    }
    Some(out)
}

/// `table.view_query = sql` before the table is made.
fn view(thing: &Thing, around: &Around<'_>, found: &mut Found) -> Option<()> {
    let Value::Thing(table) = thing.args.first()? else { return None };
    let sql = table.fields.borrow().get("view_query").or(table.fields.borrow().get("mview_query")).cloned()?;
    let how = How {
        dialect: Some("bigquery".to_owned()),
        target: named(thing.args.first()?, around),
        materialized: Some("view".to_owned()),
        ..How::default()
    };
    found.pieces += 1;
    let script = script(sql.as_text()?, &how, &thing.at, around, found);
    found.scripts.push(script);
    Some(())
}

/// The dialect that a class, module or connection is called after.
pub(crate) fn dialect_of(name: &str) -> Option<String> {
    const SIGNS: &[(&str, &str)] = &[
        ("bigquery", "bigquery"),
        ("gbq", "bigquery"),
        ("bq_", "bigquery"),
        ("snowflake", "snowflake"),
        ("redshift", "redshift"),
        ("postgres", "postgres"),
        ("psycopg", "postgres"),
        ("asyncpg", "postgres"),
        ("databricks", "databricks"),
        ("spark", "spark"),
        ("hive", "hive"),
        ("trino", "trino"),
        ("presto", "trino"),
        ("athena", "trino"),
        ("clickhouse", "clickhouse"),
        ("mysql", "mysql"),
        ("mariadb", "mysql"),
        ("mssql", "tsql"),
        ("pyodbc", "tsql"),
        ("oracle", "oracle"),
        ("sqlite", "sqlite"),
        ("duckdb", "duckdb"),
        ("teradata", "teradata"),
        ("impala", "hive"),
        ("vertica", "postgres"),
        ("greenplum", "postgres"),
    ];
    let lower = name.to_ascii_lowercase();
    SIGNS.iter().find(|(sign, _)| lower.contains(sign)).map(|(_, dialect)| (*dialect).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_is_told_from_names_and_commands() {
        for text in
            ["select 1", "  -- c\nWITH a as (select 1) select 2", "/* x */ (SELECT 1)", "insert into t values (1)"]
        {
            assert!(is_sql(text), "{text}");
        }
        for text in ["select", "orders", "python x.py", "", "-- only"] {
            assert!(!is_sql(text), "{text}");
        }
    }

    #[test]
    fn placeholders_of_a_program_become_values_of_the_same_length() {
        let of = |text: &str| without_placeholders(&text.into()).to_string();
        assert_eq!(of("insert into t values (%s, %(name)s)"), "insert into t values ('', ''      )");
        assert_eq!(of("insert into t values %s"), "insert into t values ()");
        assert_eq!(of("where a like '%s%%' and b % size = %s"), "where a like '__%%' and b % size = ''");
        assert_eq!(of("where a like '%soup' and b = %(a b)s"), "where a like '%soup' and b = %(a b)s");
    }

    #[test]
    fn a_template_that_only_includes_names_a_file() {
        assert_eq!(included("{% include 'sql/a.sql' %}"), Some("sql/a.sql"));
        assert_eq!(included("{% if x %}a{% endif %}"), None);
    }
}
