//! What an operator is given: SQL, files of it, tables, commands.
use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8Path;

use super::{
    host::{Dag, Kind},
    runs::promised,
    transfers,
};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        data_calls::{self, SQL_NAMES},
        found::Found,
        given_sql::How,
        names::{dataset_named, lives_for_one_run},
        python::{Text, Thing, Value},
        reader::Around,
    },
    vocab::DatasetId,
};

/// Endings of class names that are operators.
const ENDINGS: &[&str] = &["Operator", "Sensor", "SensorAsync", "OperatorAsync", "Task", "Transfer"];
/// Operators that do nothing with data.
const CONTROL: &[&str] = &[
    "EmptyOperator",
    "DummyOperator",
    "LatestOnlyOperator",
    "TriggerDagRunOperator",
    "EmailOperator",
    "ShortCircuitOperator",
    "BranchPythonOperator",
    "BranchDayOfWeekOperator",
    "BranchDateTimeOperator",
    "BaseBranchOperator",
    "Label",
    "ExternalTaskMarker",
    "TimeDeltaSensor",
    "DateTimeSensor",
    "SlackAPIPostOperator",
    "SlackWebhookOperator",
    "PagerdutyEventsOperator",
    "SubDagOperator",
    "HttpSensor",
    "NoOp",
];
/// Arguments that hold a file of SQL, beyond those that hold SQL.
const FILE_NAMES: &[&str] = &[
    "sql_file",
    "sql_path",
    "query_file",
    "sql_filename",
    "sql_file_path",
    "query_file_path",
    "hql_file",
    "script",
    "query_file_uri",
];
/// Arguments that name the table that is filled.
pub(super) const TARGET_NAMES: &[&str] = &[
    "destination_project_dataset_table",
    "destination_dataset_table",
    "destination_table",
    "target_table",
    "dest_table",
    "destination_table_name",
    "target_table_name",
    "output_table",
    "dst_table",
    "to_table",
    "sink_table",
    "hive_table",
    "table_destination",
    "destination_table_id",
    "bigquery_table",
    "bq_table",
    "redshift_table",
    "snowflake_table",
    "destination_bigquery_table",
    "target_table_id",
    "bq_destination_table",
];
/// Arguments that name tables that are read.
const SOURCE_NAMES: &[&str] = &[
    "source_project_dataset_table",
    "source_project_dataset_tables",
    "source_table",
    "source_tables",
    "source_dataset_table",
    "from_table",
    "src_table",
    "input_table",
    "input_tables",
    "source_table_name",
    "source_bigquery_table",
    "deletion_dataset_table",
];

/// What an operator was found to be.
pub(super) struct Operator {
    pub(super) kind: Kind,
    pub(super) found: Found,
    pub(super) waits_for: Vec<String>,
}

/// Whether `thing` is a task of a DAG.
pub(super) fn is_task(thing: &Thing) -> bool {
    if thing.name() == "partial" {
        return false;
    }
    if thing.named("task_id").is_some() {
        return true;
    }
    let names = thing.class.as_ref().map_or_else(|| vec![thing.path.to_string()], |class| class.lineage());
    let is_operator = |name: &String| ENDINGS.iter().any(|ending| name.ends_with(ending)) && name.contains("airflow");
    thing.name() == "Label" || names.iter().any(is_operator) && !thing.named.is_empty()
}

/// The names of the classes an operator is made of.
fn class_names(thing: &Thing) -> Vec<String> {
    let names = thing.class.as_ref().map_or_else(|| vec![thing.path.to_string()], |class| class.lineage());
    names.iter().map(|name| name.rsplit('.').next().unwrap_or(name).to_owned()).collect()
}

fn is_control(names: &[String]) -> bool {
    names.iter().any(|name| CONTROL.contains(&name.as_str()) || name.contains("Sensor") || name.contains("Branch"))
}

/// Reads what an operator is given.
pub(super) fn read(thing: &Thing, dag: Option<&Dag>, around: &Around<'_>) -> Operator {
    let names = class_names(thing);
    let mut operator = Operator { kind: Kind::Work, found: Found::default(), waits_for: waits_for(thing) };
    if is_control(&names) {
        operator.kind = Kind::Control;
        return operator;
    }
    operator.found.pieces += 1;
    if names.iter().any(|name| name.contains("Check")) {
        operator.kind = Kind::Check;
    }
    let given = Arguments { thing, dag, names: &names, around };
    given.read(&mut operator.found);
    if operator.found.is_idle() && says_nothing(thing) {
        operator.kind = Kind::Control;
        operator.found = Found::default();
    }
    operator
}

/// Whether a command only prints, sleeps or ends.
fn says_nothing(thing: &Thing) -> bool {
    let Some(command) = thing.any_named(&["bash_command"]).and_then(Value::as_known) else { return false };
    let words = command.split(['\n', ';', '&', '|']).map(str::trim).filter(|line| !line.is_empty());
    words
        .into_iter()
        .all(|line| matches!(line.split_whitespace().next(), Some("echo" | "exit" | "sleep" | "true" | ":" | "date")))
}

/// The DAGs and tasks that a sensor waits for.
fn waits_for(thing: &Thing) -> Vec<String> {
    let Some(dag) = thing.named("external_dag_id").map(|value| readable(&value.shown().0)) else { return Vec::new() };
    let tasks = match thing.any_named(&["external_task_id", "external_task_ids", "external_task_group_id"]) {
        Some(Value::List(items)) => items.borrow().iter().map(|item| item.shown().0).collect(),
        Some(Value::Text(text)) => vec![text.text.clone()],
        _ => Vec::new(),
    };
    match tasks.is_empty() {
        true => vec![dag],
        false => tasks.iter().map(|task| format!("{dag}.{}", readable(task))).collect(),
    }
}

/// An operator's arguments, and what is around them.
pub(super) struct Arguments<'a> {
    pub(super) thing: &'a Thing,
    pub(super) dag: Option<&'a Dag>,
    pub(super) names: &'a [String],
    pub(super) around: &'a Around<'a>,
}

impl Arguments<'_> {
    fn read(&self, found: &mut Found) {
        self.commands(found);
        self.script(found);
        if transfers::read(self, found) {
            return;
        }
        let how = self.how(found);
        self.sql(&how, found);
        self.configuration(found);
        self.tables(&how, found);
        promised(self.thing, self.around, found);
        let is_idle = found.is_idle() && found.dbt_runs.is_empty() && found.claimed.is_empty();
        let told = !found.faults.is_empty();
        let runs_code = self.thing.named("python_callable").is_some();
        let is_own = self.thing.class.as_ref().is_some_and(|class| class.get("execute").is_some());
        if is_idle && !runs_code && !is_own {
            found.opaque += 1;
            if !told {
                let here = format!("what `{}` does with data", self.names[0]);
                found.faults.push(Diagnostic::new(CodeEntry::E026, self.thing.at.clone(), here));
            }
        }
    }

    /// An argument, or what the DAG gives every task.
    pub(super) fn get(&self, names: &[&str]) -> Option<Value> {
        let own = self.thing.any_named(names).cloned();
        own.or_else(|| names.iter().find_map(|name| self.dag?.default_args.key(name)))
    }

    /// The text of an argument; what nobody knows of it stands as `${name}`.
    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        match self.get(names)? {
            Value::None => None,
            value @ (Value::Text(_) | Value::Unknown(_) | Value::Outside(_) | Value::Thing(_)) => Some(value.shown().0),
            _ => None,
        }
    }

    /// The texts of an argument that may be one or a list.
    pub(super) fn texts(&self, names: &[&str]) -> Vec<String> {
        match self.get(names) {
            Some(Value::List(items)) => items.borrow().iter().map(|item| item.shown().0).collect(),
            Some(Value::None) | None => Vec::new(),
            Some(value) => vec![value.shown().0],
        }
    }

    pub(super) fn params(&self) -> BTreeMap<String, String> {
        let mut params = self.dag.map(|dag| dag.params.clone()).unwrap_or_default();
        params.extend(scalars(self.thing.named("params")));
        params.extend(scalars(self.thing.named("parameters")));
        params
    }

    /// The dataset that `text` names.
    pub(super) fn dataset(&self, text: &str) -> Option<DatasetId> {
        let mut params = self.around.vars.clone();
        params.extend(self.params());
        dataset_named(text, &params)
    }

    /// Tells that nobody knows which table `written` is, unless it lives for one run only.
    pub(super) fn unnamed(&self, written: &str, found: &mut Found) {
        if !lives_for_one_run(written) {
            self.fault(format!("which table `{}` is", readable(written)), found);
        }
    }

    pub(super) fn fault(&self, here: String, found: &mut Found) {
        found.opaque = 1;
        found.faults.push(Diagnostic::new(CodeEntry::E027, self.thing.at.clone(), here));
    }

    /// How the operator's SQL is run.
    fn how(&self, found: &mut Found) -> How {
        let written = self.target_text();
        let target = written.as_deref().and_then(|text| self.dataset(text));
        if let (Some(written), None) = (&written, &target) {
            self.unnamed(written, found);
        }
        let appends = self
            .text(&["write_disposition", "if_exists", "write_mode"])
            .is_some_and(|text| text.to_ascii_lowercase().contains("append"));
        let dialect = self.dialect();
        How {
            schema: dialect.as_deref().and_then(|dialect| self.schema(dialect)),
            dialect,
            materialized: target.as_ref().map(|_| if appends { "append" } else { "table" }.to_owned()),
            target,
            params: self.params(),
        }
    }

    /// Where tables without a schema lie, in systems whose databases or schemas are that: of PostgreSQL and SQL
    /// Server an operator says the database only.
    fn schema(&self, dialect: &str) -> Option<String> {
        let names: &[&str] = match dialect {
            "snowflake" | "databricks" => &["schema"],
            "trino" | "hive" | "spark" | "mysql" | "clickhouse" => &["database", "schema"],
            _ => return None,
        };
        let written = self.text(names)?;
        (!written.is_empty() && !written.contains(['$', '{', ' '])).then_some(written)
    }

    pub(super) fn dialect(&self) -> Option<String> {
        let of_class = self.names.iter().find_map(|name| data_calls::dialect_of(name));
        of_class.or_else(|| {
            let connection = self.text(&["conn_id", "sql_conn_id", "database_conn_id", "connection_id"])?;
            data_calls::dialect_of(&connection)
        })
    }

    /// The table that is filled, as written: in one argument, or in two for its dataset and its name.
    fn target_text(&self) -> Option<String> {
        let table = self.text(TARGET_NAMES);
        let dataset = self.text(&[
            "destination_dataset",
            "destination_dataset_id",
            "destination_schema",
            "target_schema",
            "target_dataset",
            "dest_schema",
        ]);
        match (dataset, table) {
            (Some(dataset), Some(table)) if !table.contains('.') => Some(format!("{dataset}.{table}")),
            (_, Some(table)) => Some(table),
            (Some(dataset), None) => Some(format!("{dataset}.{}", self.text(&["table_id", "table", "table_name"])?)),
            (None, None) => Some(format!("{}.{}", self.text(&["dataset_id"])?, self.text(&["table_id"])?)),
        }
    }

    fn sql(&self, how: &How, found: &mut Found) {
        for name in SQL_NAMES.iter().chain(FILE_NAMES) {
            let Some(value) = self.thing.named(name) else { continue };
            let all = match value {
                Value::List(items) => items.borrow().clone(),
                other => vec![other.clone()],
            };
            for one in all {
                self.one_sql(name, &one, how, found);
            }
        }
    }

    fn one_sql(&self, name: &str, value: &Value, how: &How, found: &mut Found) {
        match value {
            Value::Text(text) => {
                let is_file = FILE_NAMES.contains(&name);
                // A word alone is a name of something else: `query='daily'`.
                let is_name = !is_file
                    && text.whole
                    && !text.text.trim().contains(char::is_whitespace)
                    && !names_file(&text.text);
                if is_name || (is_file && !names_file(&text.text) && !text.text.contains("${")) {
                    return;
                }
                let understood = self.take(text, how, found);
                if !understood {
                    found.opaque = 1;
                }
            }
            Value::None | Value::Dict(_) => {}
            other => self.fault(format!("what `{}` says", readable(&other.shown().0)), found),
        }
    }

    fn take(&self, text: &Text, how: &How, found: &mut Found) -> bool {
        let searchpath = self.dag.map(|dag| dag.searchpath.clone()).unwrap_or_default();
        let folders: Vec<&Utf8Path> = searchpath.iter().map(Utf8Path::new).collect();
        data_calls::take_sql(text, how, &folders, &self.thing.at, self.around, found)
    }

    /// BigQuery's job configuration: a query, a load, a copy or an extract.
    fn configuration(&self, found: &mut Found) {
        let Some(configuration) = self.thing.any_named(&["configuration", "job", "job_config"]) else { return };
        if let Some(sql) = configuration.at(&["query", "query"]) {
            let target = configuration.at(&["query", "destinationTable"]);
            let written = target.as_ref().map(table_reference);
            let dataset = written.as_deref().and_then(|text| self.dataset(text));
            if let (Some(written), None) = (&written, &dataset) {
                self.unnamed(written, found);
            }
            let appends = configuration
                .at(&["query", "writeDisposition"])
                .is_some_and(|value| value.shown().0.contains("APPEND"));
            let how = How {
                dialect: Some("bigquery".to_owned()),
                materialized: dataset.as_ref().map(|_| if appends { "append" } else { "table" }.to_owned()),
                target: dataset,
                schema: None,
                params: self.params(),
            };
            self.one_sql("query", &sql, &how, found);
        }
        for (kind, from, into) in [
            ("load", "sourceUris", "destinationTable"),
            ("copy", "sourceTable", "destinationTable"),
            ("copy", "sourceTables", "destinationTable"),
            ("extract", "sourceTable", "destinationUris"),
            ("extract", "sourceTable", "destinationUri"),
        ] {
            let (Some(from), Some(into)) = (configuration.at(&[kind, from]), configuration.at(&[kind, into])) else {
                continue;
            };
            found.loads |= kind == "load";
            found.unloads |= kind == "extract";
            self.note(&from, true, found);
            self.note(&into, false, found);
        }
        // Dataproc: `{'hive_job': {'query_list': {'queries': […]}}}`.
        for (kind, dialect) in [("hive_job", "hive"), ("spark_sql_job", "spark"), ("presto_job", "trino")] {
            let how = How { dialect: Some(dialect.to_owned()), params: self.params(), ..How::default() };
            let queries = configuration.at(&[kind, "query_list", "queries"]).and_then(|queries| queries.items());
            let file = configuration.at(&[kind, "query_file_uri"]);
            for one in queries.into_iter().flatten().chain(file) {
                self.one_sql("query", &one, &how, found);
            }
        }
    }

    /// Notes tables or files that a configuration names.
    fn note(&self, value: &Value, is_read: bool, found: &mut Found) {
        let all = match value {
            Value::List(items) => items.borrow().clone(),
            other => vec![other.clone()],
        };
        for one in all {
            let written = table_reference(&one);
            match self.dataset(&written) {
                Some(dataset) => {
                    let list = if is_read { &mut found.reads } else { &mut found.writes };
                    list.push((dataset, self.thing.at.clone()));
                }
                None => self.unnamed(&written, found),
            }
        }
    }

    /// Tables that arguments name beyond the SQL.
    fn tables(&self, how: &How, found: &mut Found) {
        let reads = self.texts(SOURCE_NAMES);
        if let (Some(target), true) = (&how.target, found.scripts.is_empty() && !self.deletes()) {
            found.writes.push((target.clone(), self.thing.at.clone()));
        }
        for written in reads.iter().filter(|_| !self.deletes()) {
            match self.dataset(written) {
                Some(dataset) => found.reads.push((dataset, self.thing.at.clone())),
                None => self.unnamed(written, found),
            }
        }
    }

    fn deletes(&self) -> bool {
        self.names.iter().any(|name| name.contains("Delete"))
    }
}

fn names_file(text: &str) -> bool {
    let text = text.trim();
    !text.contains(char::is_whitespace) && crate::estate::sql_file::stem(text.as_ref()).is_some()
}

/// `{'projectId': …, 'datasetId': …, 'tableId': …}` as a name.
fn table_reference(value: &Value) -> String {
    match value {
        Value::Dict(_) => {
            let part = |names: [&str; 2]| names.iter().find_map(|name| value.key(name)).map(|value| value.shown().0);
            let parts =
                [part(["projectId", "project_id"]), part(["datasetId", "dataset_id"]), part(["tableId", "table_id"])];
            parts.into_iter().flatten().collect::<Vec<_>>().join(".")
        }
        other => other.shown().0,
    }
}

/// The scalars of a map that are known.
pub(super) fn scalars(map: Option<&Value>) -> BTreeMap<String, String> {
    let Some(Value::Dict(pairs)) = map else { return BTreeMap::new() };
    let scalar = |(key, value): &(Value, Value)| match value {
        Value::Text(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
            let (shown, known) = value.shown();
            known.then(|| Some((key.as_known()?.to_owned(), shown))).flatten()
        }
        _ => None,
    };
    pairs.borrow().iter().filter_map(scalar).collect()
}

/// The pairs of a map as named arguments.
pub(super) fn pairs(map: Option<&Value>) -> Vec<(Arc<str>, Value)> {
    let Some(Value::Dict(pairs)) = map else { return Vec::new() };
    pairs.borrow().iter().filter_map(|(key, value)| Some((key.as_known()?.into(), value.clone()))).collect()
}

/// The team that owns a task; the scheduler's own default says nothing.
pub(super) fn owner(thing: &Thing, default_args: &Value) -> Option<String> {
    let owner = thing.named("owner").cloned().or_else(|| default_args.key("owner"))?;
    let owner = owner.as_known()?.trim().to_owned();
    (!owner.is_empty() && !owner.eq_ignore_ascii_case("airflow")).then_some(owner)
}

/// `${name}` as people would write it in a name.
pub(super) fn readable(text: &str) -> String {
    text.replace("${", "{")
}

/// A variable of Airflow: what carve.yaml says, else its default, else its name.
pub(super) fn variable(thing: &Thing, around: &Around<'_>) -> Option<Value> {
    if !thing.path.ends_with("Variable.get") {
        return None;
    }
    let name = thing.named("key").or(thing.args.first())?.as_known()?.to_owned();
    if let Some(value) = around.vars.get(&name) {
        return Some(Value::text(value.as_str()));
    }
    let default = thing.any_named(&["default_var", "default"]).or(thing.args.get(1));
    // An empty default says only that the variable may be missing.
    let known =
        default.filter(|value| !matches!(value, Value::None | Value::Unknown(_)) && value.as_known() != Some(""));
    Some(known.cloned().map_or_else(|| Value::unknown(&name), Value::assumed))
}
