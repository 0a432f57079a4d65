//! SQL files that no config names: each is a job, and its place says what a bare SELECT in it fills.
use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use crate::{
    estate::{Declaration, EstateSettings, Job, JobKind, Script, Templating, text_file::TextFile},
    vocab::{DatasetId, JobId, Span},
};

/// Endings of files that hold SQL.
const ENDINGS: &[&str] = &[
    "sql", "hql", "hive", "ddl", "dml", "bql", "bqsql", "pgsql", "psql", "tsql", "plsql", "snowsql", "sparksql", "bteq",
];
/// Endings of templates, behind one of the above.
const TEMPLATE_ENDINGS: &[&str] = &["j2", "jinja", "jinja2", "tmpl", "template", "tpl"];
/// Folders that sort files and name no schema.
const NO_SCHEMA: &[&str] = &[
    "sql",
    "queries",
    "query",
    "src",
    "etl",
    "elt",
    "jobs",
    "models",
    "tables",
    "views",
    "dags",
    "ddl",
    "dml",
    "tasks",
    "pipelines",
];
/// Folders whose queries are run by hand, for their answer.
const NO_TARGET: &[&str] = &[
    "adhoc",
    "ad_hoc",
    "ad-hoc",
    "analysis",
    "analyses",
    "checks",
    "maintenance",
    "migrations",
    "scripts",
    "test",
    "tests",
];
/// Stems of files that are named for what they hold, not for what they fill.
const NO_TABLE: &[&str] = &["query", "view", "script", "select", "transform", "load"];

/// The path without the ending that says SQL; `None` for any other file.
pub(crate) fn stem(path: &Utf8Path) -> Option<&Utf8Path> {
    let ending = path.extension()?.to_ascii_lowercase();
    if ENDINGS.contains(&ending.as_str()) {
        return Some(cut(path, ending.len()));
    }
    let is_template = TEMPLATE_ENDINGS.contains(&ending.as_str());
    is_template.then(|| stem(cut(path, ending.len()))).flatten()
}

fn cut(path: &Utf8Path, ending: usize) -> &Utf8Path {
    let text = path.as_str();
    Utf8Path::new(&text[..text.len() - ending - 1])
}

/// The dataset a bare SELECT at `stem` fills: `<schema>/<table>.sql`, `<dataset>/<table>/query.sql`.
///
/// The schema is the nearest folder that bears the name of one of `schemas`, else the nearest that
/// does more than sort files.
pub(crate) fn target_of(stem: &Utf8Path, schemas: &BTreeSet<String>) -> Option<DatasetId> {
    let mut parts: Vec<&str> = stem.components().map(|part| part.as_str()).collect();
    let mut table = parts.pop()?;
    let is_one_of = |part: &str, names: &[&str]| names.contains(&part.to_ascii_lowercase().as_str());
    if is_one_of(table, NO_TABLE) && !parts.is_empty() {
        table = parts.pop()?;
    }
    if parts.iter().any(|part| is_one_of(part, NO_TARGET)) {
        return None;
    }
    if table.contains('.') {
        return table.parse().ok();
    }
    let known = parts.iter().rev().find(|part| schemas.contains(&part.to_lowercase()));
    let nearest = || parts.iter().rev().find(|part| !is_one_of(part, NO_SCHEMA));
    match known.or_else(nearest) {
        Some(schema) if !schema.contains([':', '.']) => Some(DatasetId::from_parts(&[*schema, table])),
        _ => table.parse().ok(),
    }
}

/// The schemas that `jobs` and declarations name, for telling schema folders from others.
pub(crate) fn schemas<'e>(jobs: &'e [Job], declared: impl Iterator<Item = &'e DatasetId>) -> BTreeSet<String> {
    let of_job = |job: &'e Job| {
        let targets = job.scripts.iter().filter_map(|script| script.target.as_ref());
        let imports = job.imports.iter().map(|table| &table.into);
        targets.chain(imports).chain(job.writes.iter().map(|(dataset, _)| dataset))
    };
    let all = jobs.iter().flat_map(of_job).chain(declared).filter(|dataset| dataset.system().is_none());
    all.filter_map(DatasetId::schema).map(str::to_owned).collect()
}

/// Gives each script of `job` that is a file of its own the target its place suggests, where the job names none.
pub(crate) fn suggest_targets(job: &mut Job, schemas: &BTreeSet<String>) {
    let own_file = |script: &Script| stem(&script.at.file).and_then(|stem| target_of(stem, schemas));
    for script in job.scripts.iter_mut().filter(|script| script.target.is_none()) {
        script.target = own_file(script);
    }
}

/// A job for each of `files`; ids in `taken` are not given again.
pub(crate) fn jobs<'f>(
    files: impl Iterator<Item = &'f TextFile>,
    settings: &EstateSettings,
    schemas: &BTreeSet<String>,
    taken: &BTreeSet<JobId>,
) -> Vec<Job> {
    let mut by_id: BTreeMap<JobId, Job> = BTreeMap::new();
    for file in files {
        let Some(stem) = stem(&file.path) else { continue };
        let short = JobId::new(stem.as_str());
        // Two files may differ in their endings alone: the second keeps its whole path.
        let id =
            if taken.contains(&short) || by_id.contains_key(&short) { JobId::new(file.path.as_str()) } else { short };
        by_id.entry(id.clone()).or_insert_with(|| job(id, file, target_of(stem, schemas), settings));
    }
    by_id.into_values().collect()
}

fn job(id: JobId, file: &TextFile, target: Option<DatasetId>, settings: &EstateSettings) -> Job {
    let whole = file.whole();
    let script = Script {
        at: whole.clone(),
        text: file.text.clone(),
        verbatim: file.editable,
        templating: Templating::Generic,
        dialect: settings.dialect.clone(),
        schema: None,
        target,
        materialized: None,
        params: settings.vars.clone(),
    };
    Job {
        id,
        kind: JobKind::Transform,
        at: Span { end: whole.start, ..whole },
        declared_by: Declaration::BareSql,
        scripts: vec![script],
        imports: Vec::new(),
        moves: Vec::new(),
        reads: Vec::new(),
        writes: Vec::new(),
        depends_on: Vec::new(),
        schedule: None,
        owner: None,
        domain: None,
        enabled: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_file_says_what_it_fills() {
        let target = |path: &str| {
            target_of(stem(path.as_ref()).unwrap(), &["transformed".to_owned()].into()).map(|id| id.to_string())
        };
        for (path, expected) in [
            ("transformed/orders.sql", "transformed.orders"),
            ("sql/my-project/telemetry/events_v1/query.sql", "telemetry.events_v1"),
            ("lake/raw/views/Orders.sql.j2", "raw.orders"),
            ("sql/orders.sql", "orders"),
            ("jobs/mart.daily.hql", "mart.daily"),
            ("orders.sql", "orders"),
            ("sql/transformed/orders/daily.sql", "transformed.daily"),
        ] {
            assert_eq!(target(path).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(target("adhoc/black_friday.sql"), None);
        assert_eq!(stem("a/readme.md".as_ref()), None);
        assert_eq!(stem("a/.j2".as_ref()), None);
    }

    #[test]
    fn two_files_that_differ_in_their_ending_are_two_jobs() {
        let files = ["a.hql", "a.sql"].map(|path| TextFile::inside(path.into(), String::new()));
        let jobs = jobs(files.iter(), &EstateSettings::default(), &BTreeSet::new(), &BTreeSet::new());
        assert_eq!(jobs.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["a", "a.sql"]);
    }
}
