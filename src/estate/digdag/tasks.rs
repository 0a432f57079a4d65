//! Groups and tasks of a workflow: one after the other, unless a group says `_parallel`.
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::{exported, operators, times};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        Schedule,
        found::Found,
        paths::folder_of,
        reader::{Around, Reading, Sought},
        text_file::TextFile,
        yaml::{self, Entry, Node, Shape},
    },
    vocab::JobId,
};

/// Groups within each other.
const MAX_DEPTH: usize = 40;
/// Turns of one `for_each>`.
const MAX_TURNS: usize = 200;
/// Tasks of one file, loops unrolled.
const MAX_TASKS: usize = 5_000;

/// What every task of a file has.
pub(super) struct Workflow<'a> {
    pub(super) file: &'a TextFile,
    pub(super) around: &'a Around<'a>,
    schedule: Option<Schedule>,
    tasks: usize,
    /// Workflows being read: none is called within itself.
    open: Vec<Utf8PathBuf>,
}

/// A task's place among the others.
#[derive(Clone)]
struct Position {
    /// `workflow+group`.
    name: String,
    vars: BTreeMap<String, String>,
    /// What runs before.
    before: Vec<JobId>,
    depth: usize,
}

/// Reads the workflow `root` of `file`.
pub(super) fn read(root: &Node, file: &TextFile, around: &Around<'_>, reading: &mut Reading) {
    let schedule = times::schedule(root, file, reading);
    let mut workflow = Workflow { file, around, schedule, tasks: 0, open: vec![file.path.clone()] };
    let name = Utf8Path::new(&file.path).with_extension("").into_string();
    let vars = exported(root, file, around, reading);
    let position = Position { name: name.clone(), vars, before: Vec::new(), depth: 0 };
    let last = group(root, position, &mut workflow, reading);
    // `require>` names a workflow by its file.
    let short = name.rsplit('/').next().unwrap_or(&name).to_owned();
    for name in [name, short] {
        reading.groups.entry(name).or_default().extend(last.iter().cloned());
    }
}

/// Reads the tasks of `map`; gives those after which it is done.
fn group(map: &Node, position: Position, workflow: &mut Workflow<'_>, reading: &mut Reading) -> Vec<JobId> {
    if position.depth > MAX_DEPTH {
        return position.before;
    }
    let parallel = map.get("_parallel").is_some_and(|node| node.boolean() != Some(false));
    let mut before = position.before.clone();
    let mut last: Vec<JobId> = Vec::new();
    for entry in map.entries().iter().filter(|entry| entry.key.scalar().is_some_and(|key| key.starts_with('+'))) {
        let name = format!("{}{}", position.name, entry.key.scalar().unwrap_or_default());
        let own = Position { name, vars: position.vars.clone(), before: before.clone(), depth: position.depth + 1 };
        let done = task(entry, own, workflow, reading);
        match parallel {
            true => last.extend(done),
            false => before = done,
        }
    }
    last.sort();
    last.dedup();
    match parallel && !last.is_empty() {
        true => last,
        false => before,
    }
}

fn task(entry: &Entry, mut position: Position, workflow: &mut Workflow<'_>, reading: &mut Reading) -> Vec<JobId> {
    let map = &entry.value;
    position.vars.extend(exported(map, workflow.file, workflow.around, reading));
    let operator = map.entries().iter().find(|entry| entry.key.scalar().is_some_and(|key| key.ends_with('>')));
    let Some(operator) = operator else { return group(map, position, workflow, reading) };
    let name = operator.key.scalar().unwrap_or_default().trim_end_matches('>').trim_end();
    match name {
        "for_each" | "for_range" | "td_for_each" | "loop" | "if" => {
            inner(name, map, operator, position, workflow, reading)
        }
        _ => leaf(name, entry, operator, position, workflow, reading),
    }
}

/// What stands under `_do` and `_else_do`, once for each turn that is known.
fn inner(
    name: &str,
    map: &Node,
    operator: &Entry,
    position: Position,
    workflow: &mut Workflow<'_>,
    reading: &mut Reading,
) -> Vec<JobId> {
    if position.depth > MAX_DEPTH {
        return position.before;
    }
    let turns = if name == "for_each" { turns(&operator.value) } else { vec![BTreeMap::new()] };
    let mut last = Vec::new();
    for (number, turn) in turns.iter().enumerate() {
        for (key, mark) in [("_do", ""), ("_else_do", "^else")] {
            let body = map.entries().iter().find(|entry| entry.key.scalar() == Some(key));
            let Some(body) = body else { continue };
            let mut own = position.clone();
            own.name += mark;
            own.vars.extend(turn.clone());
            if turns.len() > 1 {
                own.name = format!("{}^{}", own.name, turn.values().cloned().collect::<Vec<_>>().join("_"));
            }
            own.depth += 1;
            if workflow.tasks + number > MAX_TASKS {
                return last;
            }
            // Tasks, or one operator by itself.
            last.extend(task(body, own, workflow, reading));
        }
    }
    last.sort();
    last.dedup();
    if last.is_empty() { position.before } else { last }
}

/// Every combination of the values of `for_each>`.
fn turns(map: &Node) -> Vec<BTreeMap<String, String>> {
    let mut all = vec![BTreeMap::new()];
    for entry in map.entries() {
        let Some(name) = entry.key.scalar() else { continue };
        let values = entry.value.items();
        if values.is_empty() {
            continue;
        }
        let with = |turn: &BTreeMap<String, String>, value: &Node| {
            let mut next = turn.clone();
            match &value.shape {
                Shape::Map(entries) => next.extend(entries.iter().filter_map(|entry| {
                    Some((format!("{name}.{}", entry.key.scalar()?), entry.value.scalar()?.to_owned()))
                })),
                _ => drop(next.insert(name.to_owned(), value.scalar().unwrap_or_default().to_owned())),
            }
            next
        };
        all = all.iter().flat_map(|turn| values.iter().map(move |value| with(turn, value))).take(MAX_TURNS).collect();
    }
    all
}

/// The tasks of another workflow, in this one's place and with its values.
fn call(operator: &Entry, position: Position, workflow: &mut Workflow<'_>, reading: &mut Reading) -> Vec<JobId> {
    let written = operator.value.scalar().unwrap_or_default();
    let path = if written.ends_with(".dig") { written.to_owned() } else { format!("{written}.dig") };
    let at = workflow.file.span(operator.value.start, operator.value.end);
    let Sought::File(file) = workflow.around.find(&[folder_of(&workflow.file.path)], &path) else {
        let here = format!("there is no readable file `{path}`");
        reading.faults.push(Diagnostic::new(CodeEntry::E010, at, here));
        return position.before;
    };
    let Some(root) = yaml::document(&file).ok().filter(|_| !workflow.open.contains(&file.path)) else {
        return position.before;
    };
    reading.claimed.insert(file.path.clone());
    let mut vars = position.vars.clone();
    vars.extend(exported(&root, &file, workflow.around, reading));
    let stem = file.path.file_stem().unwrap_or_default();
    let own = Position { name: format!("{}^{stem}", position.name), vars, depth: position.depth + 1, ..position };
    let mut inner = Workflow {
        file: &file,
        around: workflow.around,
        schedule: workflow.schedule.clone(),
        tasks: workflow.tasks,
        open: workflow.open.iter().cloned().chain([file.path.clone()]).collect(),
    };
    let last = group(&root, own, &mut inner, reading);
    workflow.tasks = inner.tasks;
    last
}

fn leaf(
    name: &str,
    entry: &Entry,
    operator: &Entry,
    position: Position,
    workflow: &mut Workflow<'_>,
    reading: &mut Reading,
) -> Vec<JobId> {
    workflow.tasks += 1;
    if workflow.tasks > MAX_TASKS || operators::is_control(name) {
        return position.before;
    }
    let mut before = position.before.clone();
    if name == "call" {
        return call(operator, position, workflow, reading);
    }
    if name == "require" {
        // Another workflow runs before what follows.
        let path = operator.value.scalar().unwrap_or_default().trim_end_matches(".dig");
        before.push(JobId::new(path.rsplit('/').next().unwrap_or(path)));
        return before;
    }
    let mut found = Found { pieces: 1, ..Found::default() };
    operators::read(name, &entry.value, operator, &position.vars, workflow, &mut found);
    let id = JobId::new(position.name);
    let at = workflow.file.span(entry.key.start, entry.key.end);
    match found.enter(id.clone(), at, workflow.schedule.as_ref(), reading) {
        Some(job) => {
            job.depends_on = before;
            vec![id]
        }
        None => before,
    }
}
