//! Workflows of continuous integration that run SQL on a schedule: GitHub Actions.
use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::{
    estate::{
        FileFormat, Schedule, command,
        found::Found,
        reader::{Around, Reader, Reading},
        text_file::TextFile,
        yaml::{self, Entry, Node, Shape},
    },
    vocab::JobId,
};

/// Combinations of a matrix that are read.
const MAX_COMBINATIONS: usize = 64;

/// Workflows of GitHub Actions.
pub(crate) struct GithubActions;

impl Reader for GithubActions {
    fn format(&self) -> FileFormat {
        FileFormat::GithubActions
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        path.parent().is_some_and(|folder| folder.ends_with(".github/workflows"))
            && matches!(path.extension(), Some("yml" | "yaml"))
    }

    fn claims(&self, file: &TextFile) -> bool {
        command::mentions_client(&file.text) || file.text.contains(".sh")
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        let root = match yaml::document(file) {
            Ok(root) => root,
            Err(fault) => {
                reading.faults.push(fault);
                return reading;
            }
        };
        // `on` is a truth value to YAML 1.1, and a key to people.
        let on = root.get("on").or_else(|| root.get("true"));
        let crons = on.and_then(|on| on.get("schedule")).map(Node::items).unwrap_or_default();
        let schedule = crons
            .iter()
            .filter_map(|item| item.text_of("cron"))
            .map(Schedule::of)
            .max_by(|a, b| a.runs_per_day.unwrap_or(0.0).total_cmp(&b.runs_per_day.unwrap_or(0.0)));
        let name = file.path.file_stem().unwrap_or_default();
        let vars = texts(root.get("env"));
        for entry in root.get("jobs").map(Node::entries).unwrap_or_default() {
            job(name, entry, &vars, schedule.as_ref(), file, around, &mut reading);
        }
        reading
    }
}

fn job(
    workflow: &str,
    entry: &Entry,
    vars: &BTreeMap<String, String>,
    schedule: Option<&Schedule>,
    file: &TextFile,
    around: &Around<'_>,
    reading: &mut Reading,
) {
    let (name, map) = (entry.key.scalar().unwrap_or_default(), &entry.value);
    let mut vars = vars.clone();
    vars.extend(texts(map.get("env")));
    let default = map.at(&["defaults", "run", "working-directory"]).and_then(Node::scalar).unwrap_or_default();
    let mut all = Found::default();
    for combination in combinations(map.at(&["strategy", "matrix"])) {
        let mut vars = vars.clone();
        vars.extend(combination);
        for step in map.get("steps").map(Node::items).unwrap_or_default() {
            let Some(run) = step.get("run") else { continue };
            let mut vars = vars.clone();
            vars.extend(texts(step.get("env")));
            let folder = step.get("working-directory").and_then(Node::scalar).unwrap_or(default);
            let folder = crate::estate::paths::beside(Utf8Path::new(""), folder).unwrap_or_default();
            all.add(command::of_node(run, file, &folder, vars, around));
        }
    }
    let at = file.span(entry.key.start, entry.key.end);
    let id = |job: &str| JobId::new(format!("{workflow}.{job}"));
    let needs = map.get("needs").map(|needs| match &needs.shape {
        Shape::List(items) => items.iter().filter_map(Node::scalar).map(id).collect(),
        _ => needs.scalar().map(id).into_iter().collect::<Vec<_>>(),
    });
    if let Some(job) = all.enter(id(name), at, schedule, reading) {
        job.depends_on = needs.unwrap_or_default();
    }
}

/// The scalars of a map.
fn texts(map: Option<&Node>) -> BTreeMap<String, String> {
    let entries = map.map(Node::entries).unwrap_or_default();
    let pair = |entry: &Entry| Some((entry.key.scalar()?.to_owned(), entry.value.scalar()?.to_owned()));
    entries.iter().filter_map(pair).filter(|(_, value)| !value.contains("${{")).collect()
}

/// Every combination of a matrix's values, the first few of them.
fn combinations(matrix: Option<&Node>) -> Vec<BTreeMap<String, String>> {
    let mut all = vec![BTreeMap::new()];
    for entry in matrix.map(Node::entries).unwrap_or_default() {
        let name = entry.key.scalar().unwrap_or_default();
        let values: Vec<&str> = entry.value.items().iter().filter_map(Node::scalar).collect();
        if matches!(name, "include" | "exclude") || values.is_empty() {
            continue;
        }
        let with = |combination: &BTreeMap<String, String>, value: &str| {
            let mut next = combination.clone();
            next.insert(name.to_owned(), value.to_owned());
            next
        };
        all = all
            .iter()
            .flat_map(|one| values.iter().map(move |value| with(one, value)))
            .take(MAX_COMBINATIONS)
            .collect();
    }
    all
}
