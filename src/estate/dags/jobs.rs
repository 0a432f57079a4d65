//! From tasks to jobs: what only waits or branches is passed through.
use std::collections::{BTreeMap, BTreeSet};

use super::host::{Flavour, Gathered, Kind, Node, Task};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{JobKind, reader::Reading, text_file::TextFile},
    vocab::JobId,
};

/// Enters the jobs of one DAG file into `reading`.
pub(super) fn enter(gathered: &mut Gathered, file: &TextFile, reading: &mut Reading) {
    told_schedules(gathered, reading);
    let before = upstream(gathered);
    let works: Vec<bool> = gathered.tasks.iter().map(|task| task.kind != Kind::Control).collect();
    let ids: Vec<JobId> = gathered.tasks.iter().map(|task| id_of(gathered, task, file)).collect();
    let through: Vec<(BTreeSet<usize>, BTreeSet<String>)> =
        (0..works.len()).map(|at| working(at, &before, &works, &gathered.tasks)).collect();
    groups(gathered, &before, &works, &ids, reading);
    for (at, task) in std::mem::take(&mut gathered.tasks).into_iter().enumerate() {
        if !works[at] {
            continue;
        }
        let dag = task.dag.map(|dag| gathered.dags[dag].clone());
        let schedule = task.schedule.or_else(|| dag.as_ref().and_then(|dag| dag.schedule.clone()));
        let opaque = task.found.opaque.min(1);
        let mut found = task.found;
        // A task that nobody understood is a job all the same: unknown never means cheap.
        found.opaque = opaque.max(1);
        let pieces = reading.opaque;
        let Some(job) = found.enter(ids[at].clone(), task.at, schedule.as_ref(), reading) else { continue };
        if task.kind == Kind::Check {
            job.kind = JobKind::Export;
        }
        job.owner = task.owner.or_else(|| dag.as_ref().and_then(|dag| dag.owner.clone()));
        job.enabled = dag.as_ref().is_none_or(|dag| dag.enabled);
        let (tasks, elsewhere) = &through[at];
        job.depends_on = tasks.iter().map(|task| ids[*task].clone()).collect();
        job.depends_on.extend(elsewhere.iter().map(|name| JobId::new(name.as_str())));
        reading.opaque = pieces + opaque;
    }
}

fn told_schedules(gathered: &Gathered, reading: &mut Reading) {
    for dag in &gathered.dags {
        let Some(schedule) = &dag.schedule else { continue };
        let is_event =
            schedule.text.starts_with("after ") || schedule.text.contains("continuous") || schedule.text == "@once";
        if schedule.runs_per_day.is_none() && !is_event {
            let here = format!("`{}` is no schedule carve understands", schedule.text);
            reading.faults.push(Diagnostic::new(CodeEntry::E022, dag.at.clone(), here));
        }
    }
}

fn id_of(gathered: &Gathered, task: &Task, file: &TextFile) -> JobId {
    let dag = task.dag.map(|dag| gathered.dags[dag].id.as_str());
    let dag = dag.unwrap_or_else(|| file.path.file_stem().unwrap_or("dag"));
    match (task.dag, gathered.flavour) {
        (Some(_), _) if task.id.is_empty() => JobId::new(dag),
        // An asset's key is a name of the whole deployment.
        (None, Flavour::Dagster) => JobId::new(task.id.as_str()),
        _ => JobId::new(format!("{dag}.{}", task.id)),
    }
}

/// The tasks directly before each task.
fn upstream(gathered: &Gathered) -> Vec<BTreeSet<usize>> {
    let mut before = vec![BTreeSet::new(); gathered.tasks.len()];
    let plain = |node: &Node| match node {
        Node::Task(task) => Some(*task),
        _ => None,
    };
    for (from, into) in &gathered.edges {
        if let (Some(from), Some(into)) = (plain(from), plain(into)) {
            before[into].insert(from);
        }
    }
    // An edge of a group is one of its first or last tasks.
    let inside = before.clone();
    for (from, into) in &gathered.edges {
        let last = members(gathered, *from, |at| {
            !inside.iter().enumerate().any(|(other, b)| b.contains(&at) && same_group(gathered, *from, other))
        });
        let first = members(gathered, *into, |at| !inside[at].iter().any(|other| same_group(gathered, *into, *other)));
        for into in &first {
            before[*into].extend(last.iter().filter(|from| *from != into));
        }
    }
    before
}

fn same_group(gathered: &Gathered, node: Node, task: usize) -> bool {
    match node {
        Node::Group(group) => in_group(gathered, group, task),
        Node::Task(at) => at == task,
        Node::Dag(_) => false,
    }
}

fn in_group(gathered: &Gathered, group: usize, task: usize) -> bool {
    let mut own = gathered.tasks[task].group;
    while let Some(at) = own {
        if at == group {
            return true;
        }
        own = gathered.groups[at].around;
    }
    false
}

/// The tasks that a node stands for: itself, or those of a group that are at its `edge`.
fn members(gathered: &Gathered, node: Node, edge: impl Fn(usize) -> bool) -> Vec<usize> {
    match node {
        Node::Task(at) => vec![at],
        Node::Group(group) => {
            (0..gathered.tasks.len()).filter(|at| in_group(gathered, group, *at) && edge(*at)).collect()
        }
        Node::Dag(_) => Vec::new(),
    }
}

/// The tasks before `at` that do something, past those that only wait, and what is waited for elsewhere.
fn working(
    at: usize,
    before: &[BTreeSet<usize>],
    works: &[bool],
    tasks: &[Task],
) -> (BTreeSet<usize>, BTreeSet<String>) {
    let (mut found, mut elsewhere, mut seen) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::from([at]));
    elsewhere.extend(tasks[at].waits_for.iter().cloned());
    let mut open: Vec<usize> = before[at].iter().copied().collect();
    while let Some(next) = open.pop() {
        if !seen.insert(next) {
            continue;
        }
        if works[next] {
            found.insert(next);
        } else {
            elsewhere.extend(tasks[next].waits_for.iter().cloned());
            open.extend(&before[next]);
        }
    }
    (found, elsewhere)
}

/// A DAG's name stands for the tasks that nothing of it follows.
fn groups(gathered: &Gathered, before: &[BTreeSet<usize>], works: &[bool], ids: &[JobId], reading: &mut Reading) {
    let mut all: BTreeMap<String, Vec<JobId>> = BTreeMap::new();
    for (at, task) in gathered.tasks.iter().enumerate() {
        let Some(dag) = task.dag else { continue };
        let followed = before.iter().enumerate().any(|(other, before)| works[other] && before.contains(&at));
        if works[at] && !followed {
            all.entry(gathered.dags[dag].id.clone()).or_default().push(ids[at].clone());
        }
    }
    reading.groups.extend(all);
}
