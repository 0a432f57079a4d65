//! `metadata.yaml` beside a table's `query.sql`, as Mozilla's bigquery-etl has it: owner, schedule, what it waits for.
use std::collections::BTreeMap;

use camino::Utf8Path;
use rayon::prelude::*;

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        DeclaredDataset, FileFormat, Schedule,
        found::Found,
        given_sql::How,
        names::dataset_named,
        paths::folder_of,
        reader::{Around, Reader, Reading},
        script_py, sql_type,
        text_file::TextFile,
        yaml::{self, Node},
    },
    vocab::{Column, DatasetId, JobId, Span},
};

/// Files of SQL that fill the table of their folder.
const QUERIES: &[&str] = &["query.sql", "script.sql", "view.sql", "materialized_view.sql"];

/// `metadata.yaml` of a table.
pub(crate) struct TableMetadata;

impl Reader for TableMetadata {
    fn format(&self) -> FileFormat {
        FileFormat::TableMetadata
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        matches!(path.file_name(), Some("metadata.yaml" | "metadata.yml"))
    }

    fn claims(&self, file: &TextFile) -> bool {
        let keys = ["owners:", "scheduling:", "friendly_name:"];
        file.text.lines().any(|line| keys.iter().any(|key| line.starts_with(key)))
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        self.read_all(&[file], around).pop().unwrap_or_default()
    }

    fn read_all(&self, files: &[&TextFile], around: &Around<'_>) -> Vec<Reading> {
        let schedules = dags(around);
        files.par_iter().map(|file| read(file, &schedules, around)).collect()
    }
}

/// A DAG as `dags.yaml` says it.
#[derive(Clone, Debug, Default)]
struct Dag {
    schedule: Option<Schedule>,
    owner: Option<String>,
}

/// The DAGs that a `dags.yaml` at the top declares.
fn dags(around: &Around<'_>) -> BTreeMap<String, Dag> {
    let file = around.text_at("dags.yaml".into()).or_else(|| around.text_at("dags.yml".into()));
    let Some(root) = file.and_then(|file| yaml::document(&file).ok()) else { return BTreeMap::new() };
    let dag = |node: &Node| Dag {
        schedule: node.text_of("schedule_interval").or(node.text_of("schedule")).map(|text| schedule(&text)),
        owner: node.at(&["default_args", "owner"]).and_then(Node::scalar).map(str::to_owned),
    };
    let entries = root.entries().iter();
    entries.filter_map(|entry| Some((entry.key.scalar()?.to_owned(), dag(&entry.value)))).collect()
}

/// A cron line, a preset, or a span such as `3h`.
fn schedule(text: &str) -> Schedule {
    let found = Schedule::of(text);
    match found.runs_per_day {
        None => Schedule { runs_per_day: Schedule::of(format!("every {text}")).runs_per_day, ..found },
        Some(_) => found,
    }
}

fn read(file: &TextFile, dags: &BTreeMap<String, Dag>, around: &Around<'_>) -> Reading {
    let mut reading = Reading::default();
    let root = match yaml::document(file) {
        Ok(root) => root,
        Err(fault) => {
            reading.faults.push(fault);
            return reading;
        }
    };
    let folder = folder_of(&file.path);
    let owner = root
        .get("owners")
        .and_then(|node| node.items().first().or(Some(node)))
        .and_then(Node::scalar)
        .map(str::to_owned);
    declare(&root, folder, owner.as_deref(), file, around, &mut reading);
    let scheduling = root.get("scheduling");
    let text = |key: &str| scheduling.and_then(|node| node.get(key)).and_then(Node::scalar);
    let mut found = Found { pieces: 1, ..Found::default() };
    scripts(folder, text("query_file_path"), text("destination_table"), file, around, &mut found);
    if found.is_idle() && found.opaque == 0 {
        return reading;
    }
    let dag = text("dag_name").and_then(|name| dags.get(name));
    let schedule = dag.and_then(|dag| dag.schedule.clone());
    if let Some(name) = text("dag_name").filter(|_| dag.is_none() && !dags.is_empty()) {
        let here = format!("`{name}` is no DAG of dags.yaml");
        reading.faults.push(Diagnostic::new(CodeEntry::E028, place(scheduling, "dag_name", file), here));
    }
    let id = JobId::new(folder.as_str());
    let at = Span { end: file.whole().start, ..file.whole() };
    let Some(job) = found.enter(id.clone(), at, schedule.as_ref(), &mut reading) else { return reading };
    job.owner = owner.or_else(|| dag.and_then(|dag| dag.owner.clone()));
    job.depends_on = depends_on(scheduling);
    // A bare SELECT without a destination of its own fills the table of its folder.
    if job.scripts.iter().any(|script| script.target.is_none()) {
        reading.placed.insert(id.clone());
    }
    if let Some(dag) = text("dag_name") {
        let task = text("task_name").map_or_else(|| task_name(folder), str::to_owned);
        reading.groups.insert(format!("{dag}.{task}"), vec![id]);
    }
    reading
}

fn place(node: Option<&Node>, key: &str, file: &TextFile) -> Span {
    node.and_then(|node| node.get(key)).map_or_else(|| file.whole(), |node| file.span(node.start, node.end))
}

/// The SQL or Python that fills the table.
fn scripts(
    folder: &Utf8Path,
    named: Option<&str>,
    destination: Option<&str>,
    file: &TextFile,
    around: &Around<'_>,
    found: &mut Found,
) {
    let target = destination.and_then(|text| dataset_named(text, around.vars)).filter(|id| id.schema().is_some());
    let how = How { dialect: Some("bigquery".to_owned()), target, ..How::default() };
    let given = named.and_then(|path| match around.find(&[folder, Utf8Path::new("")], path) {
        crate::estate::reader::Sought::File(file) => Some(file),
        _ => None,
    });
    let beside = QUERIES.iter().filter_map(|name| around.text_at(&folder.join(name)));
    let all: Vec<TextFile> = given.map_or_else(|| beside.collect(), |file| vec![file]);
    for sql in &all {
        found.claimed.insert(sql.path.clone());
        found.scripts.push(how.script(sql.whole(), sql.text.clone(), sql.editable, around));
    }
    let python = around.text_at(&folder.join("query.py")).filter(|_| all.is_empty());
    if let Some(python) = python {
        let at = Span { end: file.whole().start, ..file.whole() };
        found.pieces = 0;
        found.add(script_py::read(&python, None, &at, around));
    }
}

/// `depends_on` of the schedule, as `dag.task`.
fn depends_on(scheduling: Option<&Node>) -> Vec<JobId> {
    let keys = ["depends_on", "upstream_dependencies"];
    let items = keys.iter().filter_map(|key| scheduling?.get(key)).flat_map(Node::items);
    let one = |item: &Node| {
        let task = item.get("task_id").or(item.get("task_name")).and_then(Node::scalar)?;
        Some(JobId::new(format!("{}.{task}", item.get("dag_name").and_then(Node::scalar)?)))
    };
    items.filter_map(one).collect()
}

/// `dataset__table__v1` of `…/dataset/table_v1`.
fn task_name(folder: &Utf8Path) -> String {
    let parts: Vec<&str> = folder.components().map(|part| part.as_str()).collect();
    let table = parts.last().copied().unwrap_or_default();
    let dataset = parts.iter().rev().nth(1).copied().unwrap_or_default();
    let table = match table.rsplit_once("_v") {
        Some((name, version)) if version.chars().all(|c| c.is_ascii_digit()) => format!("{name}__v{version}"),
        _ => table.to_owned(),
    };
    format!("{dataset}__{table}")
}

/// Owner, description and the columns of `schema.yaml`.
fn declare(
    root: &Node,
    folder: &Utf8Path,
    owner: Option<&str>,
    file: &TextFile,
    around: &Around<'_>,
    reading: &mut Reading,
) {
    let parts: Vec<&str> = folder.components().map(|part| part.as_str()).collect();
    let [.., dataset, table] = parts[..] else { return };
    let schema = around.text_at(&folder.join("schema.yaml"));
    if let Some(schema) = &schema {
        reading.also_read.insert(schema.path.clone());
    }
    let declared = DeclaredDataset {
        columns: schema.map(|schema| columns(&schema, reading)).unwrap_or_default(),
        description: root.text_of("description").or(root.text_of("friendly_name")),
        owner: owner.map(str::to_owned),
        domain: None,
        source: None,
        at: Some(Span { end: file.whole().start, ..file.whole() }),
    };
    reading.declared.push((DatasetId::from_parts(&[dataset, table]), declared));
}

fn columns(schema: &TextFile, reading: &mut Reading) -> Vec<Column> {
    match yaml::document(schema) {
        Ok(root) => {
            let fields = root.get("fields").map(Node::items).unwrap_or_default();
            fields.iter().filter_map(column).collect()
        }
        Err(fault) => {
            reading.faults.push(fault);
            Vec::new()
        }
    }
}

fn column(field: &Node) -> Option<Column> {
    let physical = field.text_of("type").unwrap_or_default();
    Some(Column {
        name: field.text_of("name")?,
        logical: sql_type::logical_of(&physical),
        nullable: field.text_of("mode").is_none_or(|mode| !mode.eq_ignore_ascii_case("required")),
        description: field.text_of("description"),
        physical,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_named_after_the_table_and_its_version() {
        assert_eq!(task_name("sql/proj/telemetry/clients_daily_v6".into()), "telemetry__clients_daily__v6");
        assert_eq!(task_name("sql/proj/telemetry/plain".into()), "telemetry__plain");
    }

    #[test]
    fn a_span_is_a_schedule() {
        assert_eq!(schedule("3h").runs_per_day, Some(8.0));
        assert_eq!(schedule("0 2 * * *").runs_per_day, Some(1.0));
    }
}
