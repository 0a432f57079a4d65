//! One job of a job file.
use std::collections::BTreeMap;

use super::{copied_tables, scripts};
use crate::{
    diagnostics::CodeEntry,
    estate::{
        Declaration, Job, JobKind, Schedule,
        dialect::DIALECTS,
        dialect_named,
        reader::{Around, Reading},
        yaml::{Entry, Fields, Node, Shape},
    },
    vocab::{DatasetId, JobId, Span, runs_per_day},
};

const DEFAULTS: &[&str] = &["owner", "domain", "schedule", "dialect"];
const KEYS: &[&str] = &[
    "kind",
    "schedule",
    "owner",
    "domain",
    "enabled",
    "from",
    "tables",
    "sql",
    "query",
    "dialect",
    "target",
    "materialized",
    "params",
    "reads",
    "writes",
    "depends_on",
    "service",
    "run",
    "description",
];
const MATERIALIZED: &[&str] = &["table", "view", "append"];

/// What every job of the file has unless it says otherwise.
pub(super) struct Defaults {
    owner: Option<String>,
    domain: Option<String>,
    schedule: Option<Schedule>,
    dialect: Option<String>,
}

impl Defaults {
    pub(super) fn read(root: &Node, fields: &mut Fields<'_>) -> Defaults {
        let Some(map) = fields.map(root, "defaults") else {
            return Defaults { owner: None, domain: None, schedule: None, dialect: None };
        };
        fields.only(map, DEFAULTS);
        Defaults {
            owner: fields.text(map, "owner"),
            domain: fields.text(map, "domain"),
            schedule: schedule(map, fields),
            dialect: dialect(map, fields),
        }
    }
}

/// What a script of a job has from the job.
pub(super) struct ForScripts {
    pub(super) dialect: Option<String>,
    pub(super) target: Option<DatasetId>,
    pub(super) materialized: Option<String>,
    pub(super) params: BTreeMap<String, String>,
}

pub(super) fn read(
    name: &str,
    entry: &Entry,
    defaults: &Defaults,
    around: &Around<'_>,
    fields: &mut Fields<'_>,
    file: &mut Reading,
) {
    let map = &entry.value;
    if !matches!(map.shape, Shape::Map(_)) {
        let here = format!("expected the keys of job `{name}`, found {}", map.kind());
        fields.fault_with(CodeEntry::E015, &entry.key, here, "write its keys below its name, indented");
        return;
    }
    fields.only(map, KEYS);
    let kind = kind(map, fields);
    let for_scripts = ForScripts {
        dialect: dialect(map, fields)
            .or_else(|| defaults.dialect.clone())
            .or_else(|| around.dialect.map(str::to_owned)),
        target: map.get("target").and_then(|target| fields.dataset(target)),
        materialized: fields.choice(map, "materialized", MATERIALIZED),
        params: params(map, around.vars, fields),
    };
    let tables = copied_tables::read(name, kind, map, fields, file);
    let mut job = Job {
        id: JobId::new(name),
        kind,
        at: fields.span(&entry.key),
        declared_by: Declaration::CarveJobs,
        scripts: scripts::read(map, &for_scripts, around, fields, &mut file.claimed),
        imports: tables.imports,
        reads: fields.datasets(map, "reads"),
        writes: fields.datasets(map, "writes"),
        moves: Vec::new(),
        depends_on: fields.strings(map, "depends_on").into_iter().map(JobId::new).collect(),
        schedule: schedule(map, fields).or_else(|| defaults.schedule.clone()),
        owner: fields.text(map, "owner").or_else(|| defaults.owner.clone()),
        domain: fields.text(map, "domain").or_else(|| defaults.domain.clone()),
        enabled: fields.boolean(map, "enabled").unwrap_or(true),
    };
    job.reads.extend(tables.reads);
    job.writes.extend(tables.writes);
    job.writes.extend(target_without_sql(map, &for_scripts, &job, fields));
    // Texts only: `service` and `run` say what a person should know of a job that carve wrote.
    let _ = (fields.text(map, "service"), fields.text(map, "run"), fields.text(map, "description"));
    file.jobs.push(job);
}

/// A job may name its target and run no SQL that carve could read.
fn target_without_sql(map: &Node, scripts: &ForScripts, job: &Job, fields: &Fields<'_>) -> Option<(DatasetId, Span)> {
    let target = scripts.target.clone().filter(|_| job.scripts.is_empty())?;
    Some((target, fields.span(map.get("target")?)))
}

fn kind(map: &Node, fields: &mut Fields<'_>) -> JobKind {
    let Some(node) = map.get("kind") else { return JobKind::Transform };
    match node.scalar() {
        Some("import") => JobKind::Import,
        Some("transform") => JobKind::Transform,
        Some("export") => JobKind::Export,
        other => {
            let here = format!("`{}` is no kind of job", other.unwrap_or(node.kind()));
            fields.fault(CodeEntry::E021, node, here);
            JobKind::Transform
        }
    }
}

pub(crate) fn dialect(map: &Node, fields: &mut Fields<'_>) -> Option<String> {
    let node = map.get("dialect").filter(|node| node.shape != Shape::Null)?;
    let text = node.scalar().unwrap_or(node.kind());
    let found = dialect_named(text);
    if found.is_none() {
        let help = format!("carve reads {}", DIALECTS.join(", "));
        fields.fault_with(CodeEntry::E014, node, format!("`{text}` is no dialect carve knows"), help);
    }
    found.map(str::to_owned)
}

/// `schedule: "15 * * * *"`, or a map `every: 15m`.
fn schedule(map: &Node, fields: &mut Fields<'_>) -> Option<Schedule> {
    let node = map.get("schedule").filter(|node| node.shape != Shape::Null)?;
    let text = match &node.shape {
        Shape::Map(_) => {
            fields.only(node, &["every"]);
            format!("every: {}", fields.text(node, "every").unwrap_or_default())
        }
        _ => node.scalar().unwrap_or_default().to_owned(),
    };
    let runs_per_day = runs_per_day(&text);
    if runs_per_day.is_none() {
        fields.fault(CodeEntry::E022, node, format!("`{text}` is no schedule carve understands"));
    }
    Some(Schedule { text, runs_per_day })
}

fn params(map: &Node, vars: &BTreeMap<String, String>, fields: &mut Fields<'_>) -> BTreeMap<String, String> {
    let mut params = vars.clone();
    if let Some(own) = fields.map(map, "params") {
        params.extend(scalars(own, fields));
    }
    params
}

/// Every key of `map` with its text.
pub(crate) fn scalars(map: &Node, fields: &mut Fields<'_>) -> Vec<(String, String)> {
    fields.no_doubles(map);
    let mut found = Vec::new();
    for entry in map.entries() {
        match (entry.key.scalar(), entry.value.scalar()) {
            (Some(key), Some(value)) => found.push((key.to_owned(), value.to_owned())),
            (Some(key), None) if entry.value.shape == Shape::Null => found.push((key.to_owned(), String::new())),
            _ => fields.fault_with(
                CodeEntry::E015,
                &entry.value,
                format!("expected text, found {}", entry.value.kind()),
                "write one text a name",
            ),
        }
    }
    found
}
