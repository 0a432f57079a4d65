//! Tasks of Gusty: a folder is a DAG, its `METADATA.yml` says when it runs, and every other file is a task: YAML, or SQL
//! behind a head of YAML.
use std::{collections::BTreeMap, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use super::{
    host::{Dag, Kind},
    operators,
};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        FileFormat, JobKind, Schedule,
        given_sql::text_of,
        paths::folder_of,
        python::{Origin, Text, Thing, Value},
        reader::{Around, Reader, Reading},
        text_file::TextFile,
        yaml::{self, Node, Shape},
    },
    vocab::{JobId, Span},
};

const METADATA: &[&str] = &["METADATA.yml", "METADATA.yaml"];

/// Task files of Gusty.
pub(crate) struct Gusty;

impl Reader for Gusty {
    fn format(&self) -> FileFormat {
        FileFormat::Gusty
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        matches!(path.extension(), Some("yml" | "yaml" | "sql"))
    }

    fn claims(&self, file: &TextFile) -> bool {
        let has_operator = |text: &str| text.lines().any(|line| line.starts_with("operator:"));
        match file.path.extension() {
            Some("sql") => head(&file.text).is_some_and(|(head, _)| has_operator(head)),
            _ => has_operator(&file.text),
        }
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        self.read_all(&[file], around).pop().unwrap_or_default()
    }

    fn read_all(&self, files: &[&TextFile], around: &Around<'_>) -> Vec<Reading> {
        let mut dags: BTreeMap<Utf8PathBuf, Dag> = BTreeMap::new();
        let mut told: BTreeMap<Utf8PathBuf, Vec<Diagnostic>> = BTreeMap::new();
        for file in files {
            let root = root_of(&file.path, around);
            if !dags.contains_key(&root) {
                let mut faults = Vec::new();
                dags.insert(root.clone(), dag(&root, around, &mut faults));
                told.insert(file.path.clone(), faults);
            }
        }
        let shown: Vec<Facts> = dags.values().map(Facts::of).collect();
        let at: BTreeMap<&Utf8PathBuf, usize> = dags.keys().enumerate().map(|(at, root)| (root, at)).collect();
        let one = |file: &&TextFile| {
            let root = root_of(&file.path, around);
            let mut reading = task(file, &root, &shown[at[&root]], around);
            reading.faults.extend(told.get(&file.path).cloned().unwrap_or_default());
            reading
        };
        files.par_iter().map(one).collect()
    }
}

/// The front of a file between two lines of dashes, and where the rest begins.
fn head(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix("---")?;
    let end = rest.find("\n---")?;
    let after = 3 + end + "\n---".len();
    let line_end = text[after..].find('\n').map_or(text.len(), |at| after + at + 1);
    Some((&rest[..end], line_end))
}

fn metadata_of(folder: &Utf8Path, around: &Around<'_>) -> Option<Utf8PathBuf> {
    METADATA.iter().map(|name| folder.join(name)).find(|path| around.is_file(path))
}

/// The folder that is the DAG: the outermost with a METADATA file, else the file's own.
fn root_of(path: &Utf8Path, around: &Around<'_>) -> Utf8PathBuf {
    let own = folder_of(path);
    let with = own.ancestors().take_while(|folder| metadata_of(folder, around).is_some());
    with.last().unwrap_or(own).to_owned()
}

/// What a thread may know of a DAG: values of Python stay on theirs.
struct Facts {
    id: String,
    schedule: Option<Schedule>,
    owner: Option<String>,
    enabled: bool,
    params: BTreeMap<String, String>,
    at: Span,
}

impl Facts {
    fn of(dag: &Dag) -> Facts {
        Facts {
            id: dag.id.clone(),
            schedule: dag.schedule.clone(),
            owner: dag.owner.clone(),
            enabled: dag.enabled,
            params: dag.params.clone(),
            at: dag.at.clone(),
        }
    }

    fn dag(&self) -> Dag {
        Dag {
            id: self.id.clone(),
            schedule: self.schedule.clone(),
            owner: self.owner.clone(),
            enabled: self.enabled,
            params: self.params.clone(),
            searchpath: Vec::new(),
            default_args: Value::None,
            at: self.at.clone(),
        }
    }
}

fn dag(root: &Utf8Path, around: &Around<'_>, faults: &mut Vec<Diagnostic>) -> Dag {
    let id = root.file_name().unwrap_or("dag").to_owned();
    let file = metadata_of(root, around).and_then(|path| around.text_at(&path));
    let mut dag = Dag {
        id,
        schedule: None,
        owner: None,
        enabled: true,
        params: BTreeMap::new(),
        searchpath: Vec::new(),
        default_args: Value::None,
        at: Span::whole(root),
    };
    let Some(file) = file else { return dag };
    dag.at = file.whole();
    match yaml::document(&file) {
        Ok(node) => {
            let cron = node.text_of("schedule_interval").or(node.text_of("schedule"));
            dag.schedule = cron.map(Schedule::of);
            if let Some(schedule) = dag.schedule.as_ref().filter(|schedule| schedule.runs_per_day.is_none()) {
                let here = format!("`{}` is no schedule carve understands", schedule.text);
                faults.push(Diagnostic::new(CodeEntry::E022, file.whole(), here));
            }
            let owner = node.at(&["default_args", "owner"]).and_then(Node::scalar);
            dag.owner = owner.filter(|owner| !owner.eq_ignore_ascii_case("airflow")).map(str::to_owned);
        }
        Err(fault) => faults.push(fault),
    }
    dag
}

fn task(file: &TextFile, root: &Utf8Path, facts: &Facts, around: &Around<'_>) -> Reading {
    let mut reading = Reading::default();
    reading.claimed.insert(file.path.clone());
    reading.also_read.extend(metadata_of(root, around));
    let (text, body) = match (file.path.extension(), head(&file.text)) {
        (Some("sql"), Some((head, body))) => (TextFile::inside(file.path.clone(), head.to_owned()), Some(body)),
        _ => (file.clone(), None),
    };
    let node = match yaml::document(&text) {
        Ok(node) => node,
        Err(fault) => {
            reading.faults.push(fault);
            return reading;
        }
    };
    let path = node.text_of("operator").unwrap_or_default();
    let mut named: Vec<(Arc<str>, Value)> = pairs(&node, &text);
    if let Some(body) = body {
        named.push(("sql".into(), sql(file, body)));
    }
    let at = Span { end: file.whole().start, ..file.whole() };
    let name = node.text_of("task_id").unwrap_or_else(|| file.path.file_stem().unwrap_or("task").to_owned());
    let dag = facts.dag();
    let operator = operators::read(&Thing::plain(&path, named, at.clone()), Some(&dag), around);
    if operator.kind == Kind::Control {
        return reading;
    }
    let mut found = operator.found;
    let opaque = found.opaque.min(1);
    found.opaque = 1;
    if let Some(job) = found.enter(JobId::new(format!("{}.{name}", dag.id)), at, dag.schedule.as_ref(), &mut reading) {
        if operator.kind == Kind::Check {
            job.kind = JobKind::Export;
        }
        job.owner = node.text_of("owner").or(dag.owner.clone());
        job.depends_on = dependencies(&node, &dag.id);
    }
    reading.opaque = opaque;
    reading.groups.entry(dag.id).or_default().push(JobId::new(format!("{}.{name}", facts.id)));
    reading
}

/// `dependencies` of the DAG's own tasks, `external_dependencies` as maps of a DAG to a task or `all`.
fn dependencies(node: &Node, dag: &str) -> Vec<JobId> {
    let own = node.get("dependencies").map(Node::items).unwrap_or_default();
    let own = own.iter().filter_map(Node::scalar).map(|task| JobId::new(format!("{dag}.{task}")));
    let external = node.get("external_dependencies").map(Node::items).unwrap_or_default();
    let external = external.iter().flat_map(Node::entries).filter_map(|entry| {
        let (dag, task) = (entry.key.scalar()?, entry.value.scalar()?);
        Some(JobId::new(if task == "all" { dag.to_owned() } else { format!("{dag}.{task}") }))
    });
    own.chain(external).collect()
}

/// The SQL behind the head.
fn sql(file: &TextFile, body: usize) -> Value {
    let text = &file.text[body..];
    let start = body + (text.len() - text.trim_start().len());
    let end = body + text.trim_end().len();
    let written = file.text.get(start..end).unwrap_or_default();
    let origin = Origin {
        at: file.span(start, end.max(start)),
        raw: file.editable.then(|| written.into()),
        params: Vec::new(),
        is_file: false,
    };
    Value::Text(std::rc::Rc::new(Text { text: written.to_owned(), whole: true, origin: Some(origin), assumed: false }))
}

fn pairs(map: &Node, file: &TextFile) -> Vec<(Arc<str>, Value)> {
    let pair = |entry: &yaml::Entry| Some((entry.key.scalar()?.into(), value(&entry.value, file)));
    map.entries().iter().filter_map(pair).collect()
}

/// A value of YAML as one of Python, with its place.
fn value(node: &Node, file: &TextFile) -> Value {
    match &node.shape {
        Shape::Null => Value::None,
        Shape::Bool(yes) => Value::Bool(*yes),
        Shape::List(items) => Value::list(items.iter().map(|item| value(item, file)).collect()),
        Shape::Map(entries) => Value::dict(
            entries
                .iter()
                .map(|entry| (Value::text(entry.key.scalar().unwrap_or_default()), value(&entry.value, file)))
                .collect(),
        ),
        Shape::Number(text) | Shape::Text(text) => {
            let (raw, verbatim) = text_of(node, file);
            let origin = Origin {
                at: file.span(node.start, node.end),
                raw: verbatim.then_some(raw),
                params: Vec::new(),
                is_file: false,
            };
            Value::Text(std::rc::Rc::new(Text {
                text: text.clone(),
                whole: true,
                origin: Some(origin),
                assumed: false,
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_file_stands_between_dashes() {
        let text = "---\noperator: x\n---\n\nselect 1\n";
        let (front, body) = head(text).unwrap();
        assert_eq!((front, &text[body..]), ("\noperator: x", "\nselect 1\n"));
        assert!(head("--- no end").is_none());
    }
}
