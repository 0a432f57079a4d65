//! Calls in Python code that hand SQL to a database, or name tables: `cursor.execute(…)`, `pd.read_sql(…)`,
//! `client.query(…)`, `df.write.saveAsTable(…)`.
use std::rc::Rc;

use camino::Utf8Path;

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        Script, el,
        found::Found,
        given_sql::{How, shown, take_file},
        names::{dataset_named, lives_for_one_run},
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
    let Some(origin) = &text.origin else { return how.script(at.clone(), text.text.as_str().into(), false, around) };
    let Some(raw) = &origin.raw else {
        return how.script(origin.at.clone(), text.text.as_str().into(), false, around);
    };
    if origin.is_file {
        found.claimed.insert(origin.at.file.clone());
    }
    let mut script = how.script(origin.at.clone(), raw.clone(), true, around);
    script.params.extend(origin.params.clone());
    script
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
    if let Some(done) = tables(thing, around, found) {
        return done;
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
    let how = How { materialized: how.target.as_ref().map(|_| "table".to_owned()), ..how };
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

fn named(value: &Value, around: &Around<'_>) -> Option<DatasetId> {
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

/// Calls that name tables or files rather than SQL; `Some` where the call is one.
fn tables(thing: &Thing, around: &Around<'_>, found: &mut Found) -> Option<Option<Value>> {
    let first = thing.args.first();
    let arg = |names: &[&str], at: usize| thing.any_named(names).or(thing.args.get(at));
    let table = |value: Option<&Value>| value.and_then(|value| named(value, around));
    let mut reads: Vec<Option<DatasetId>> = Vec::new();
    let mut writes: Vec<Option<DatasetId>> = Vec::new();
    match thing.name() {
        "load_table_from_uri" => {
            let uris = arg(&["source_uris"], 0).map(|value| value.items().unwrap_or_else(|| vec![value.clone()]));
            reads.extend(uris.unwrap_or_default().iter().map(|uri| table(Some(uri))));
            writes.push(table(arg(&["destination"], 1)));
            found.loads = true;
        }
        "load_table_from_file" => {
            let file = arg(&["file_obj"], 0).and_then(opened_file);
            reads.extend(file.map(Some));
            writes.push(table(arg(&["destination"], 1)));
            found.loads = true;
        }
        "load_table_from_dataframe" | "load_table_from_json" | "insert_rows_json" | "insert_rows" => {
            let at = usize::from(thing.name().starts_with("load"));
            writes.push(table(arg(&["destination", "table"], at)));
        }
        "copy_table" => {
            reads.push(table(arg(&["sources"], 0)));
            writes.push(table(arg(&["destination"], 1)));
        }
        "extract_table" => {
            reads.push(table(arg(&["source"], 0)));
            writes.push(table(arg(&["destination_uris"], 1)));
            found.unloads = true;
        }
        "create_view" if thing.args.len() >= 2 => return None,
        "to_gbq" => writes.push(table(arg(&["destination_table"], 0))),
        "to_sql" => writes.push(schema_table(thing, "schema", "name", around)),
        "write_pandas" => writes.push(table(arg(&["table_name"], 2))),
        "saveAsTable" | "insertInto" | "writeTo" => writes.push(table(first)),
        "createOrReplaceTempView" | "createTempView" => {}
        "table" | "read_table" if thing.path.contains("spark") || thing.path.contains("read.") => {
            reads.push(table(first))
        }
        "read_sql_table" => reads.push(schema_table(thing, "schema", "table_name", around)),
        "read_parquet" | "read_csv" | "read_json" | "read_excel" => {
            let files = table(first).filter(DatasetId::is_file_set)?;
            reads.push(Some(files));
        }
        "to_parquet" | "to_csv" | "to_json" => {
            let files = table(first).filter(DatasetId::is_file_set)?;
            writes.push(Some(files));
        }
        "parquet" | "csv" | "json" | "orc" | "load" | "save" => {
            let files = table(first).filter(DatasetId::is_file_set)?;
            match thing.path.contains(".write") || thing.name() == "save" {
                true => writes.push(Some(files)),
                false => reads.push(Some(files)),
            }
        }
        _ => return None,
    }
    found.pieces += 1;
    // A table for one run is a step on the way.
    let is_passing = thing.args.iter().chain(thing.named.iter().map(|(_, value)| value)).any(is_passing);
    if reads.iter().chain(&writes).any(Option::is_none) && !is_passing {
        found.opaque += 1;
        let here = format!("which table `{}` names", thing.name());
        found.faults.push(Diagnostic::new(CodeEntry::E027, thing.at.clone(), here));
    }
    found.reads.extend(reads.into_iter().flatten().map(|dataset| (dataset, thing.at.clone())));
    found.writes.extend(writes.into_iter().flatten().map(|dataset| (dataset, thing.at.clone())));
    Some(None)
}

/// Whether a value names a table for one run.
fn is_passing(value: &Value) -> bool {
    match value {
        Value::Text(text) => lives_for_one_run(&text.text),
        Value::Thing(thing) if thing.name() == "Table" => thing.args.first().is_some_and(is_passing),
        _ => false,
    }
}

/// The file that `open(path)` opens.
fn opened_file(value: &Value) -> Option<DatasetId> {
    let path = match value {
        Value::Thing(opened) if &*opened.path == "open" => opened.args.first()?.as_text()?.clone(),
        _ => return None,
    };
    let name = path.text.rsplit('/').next().filter(|name| !name.is_empty() && !name.contains("${"))?;
    format!("file:{name}").parse().ok()
}

fn schema_table(thing: &Thing, schema: &str, table: &str, around: &Around<'_>) -> Option<DatasetId> {
    let table = thing.named(table).or(thing.args.first())?.as_text()?;
    match thing.named(schema).and_then(Value::as_text) {
        Some(schema) => dataset_named(&format!("{}.{}", schema.text, table.text), around.vars),
        None => dataset_named(&table.text, around.vars),
    }
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
    fn a_template_that_only_includes_names_a_file() {
        assert_eq!(included("{% include 'sql/a.sql' %}"), Some("sql/a.sql"));
        assert_eq!(included("{% if x %}a{% endif %}"), None);
    }
}
