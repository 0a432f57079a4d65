//! DAGs and tasks as they come up while a DAG file is walked.
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{decorated, operators, schedules};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        Schedule, data_calls,
        found::Found,
        python::{Function, Given, Host, Interp, Thing, Value},
    },
    vocab::Span,
};

/// Lists within lists of tasks.
const MAX_LISTS: usize = 4;
/// Tasks of one file.
const MAX_TASKS: usize = 5_000;

/// What was found in one DAG file.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) dags: Vec<Dag>,
    pub(super) tasks: Vec<Task>,
    pub(super) groups: Vec<Group>,
    /// What runs before what.
    pub(super) edges: Vec<(Node, Node)>,
    pub(super) nodes: BTreeMap<usize, Node>,
    pub(super) open_dags: Vec<usize>,
    pub(super) open_groups: Vec<usize>,
    /// The task whose function is being walked.
    pub(super) current: Option<usize>,
    /// Whose decorators are read.
    pub(super) flavour: Flavour,
    /// Flows and jobs that nothing has called yet.
    pub(super) waiting: Vec<Rc<Thing>>,
    /// Those that were walked, by their numbers.
    pub(super) flows: BTreeSet<usize>,
    /// What each asset's function takes, by name.
    pub(super) inputs: Vec<(usize, Vec<String>)>,
    /// Schedules, and what each starts.
    pub(super) crons: Vec<(Value, Schedule)>,
}

/// A tool whose Python is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Flavour {
    #[default]
    Airflow,
    Prefect,
    Dagster,
}

#[derive(Clone, Debug)]
pub(super) struct Dag {
    pub(super) id: String,
    pub(super) schedule: Option<Schedule>,
    pub(super) owner: Option<String>,
    pub(super) enabled: bool,
    pub(super) params: BTreeMap<String, String>,
    /// Folders in which files of SQL are looked for.
    pub(super) searchpath: Vec<String>,
    pub(super) default_args: Value,
    pub(super) at: Span,
}

#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) dag: Option<usize>,
    pub(super) group: Option<usize>,
    pub(super) kind: Kind,
    pub(super) owner: Option<String>,
    pub(super) found: Found,
    pub(super) at: Span,
    /// DAGs and tasks elsewhere that run before.
    pub(super) waits_for: Vec<String>,
    /// When it runs by itself.
    pub(super) schedule: Option<Schedule>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Does something with data, or may.
    Work,
    /// Asks a question whose answer leaves the lake.
    Check,
    /// Waits, branches, tells: does nothing with data.
    Control,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) around: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    Dag(usize),
    Task(usize),
    Group(usize),
}

impl Gathered {
    /// Nothing found yet in a file of `flavour`.
    pub(super) fn new(flavour: Flavour) -> Self {
        Gathered { flavour, ..Gathered::default() }
    }

    fn node(&self, value: &Value) -> Option<Node> {
        match value {
            Value::Thing(thing) => {
                // `task.output` and `task.partial(…)` stand for the task.
                let mut thing = Some(thing);
                while let Some(here) = thing {
                    if let Some(node) = self.nodes.get(&here.id) {
                        return Some(*node);
                    }
                    thing = match &here.owner {
                        Some(Value::Thing(owner)) => Some(owner),
                        _ => None,
                    };
                }
                None
            }
            _ => None,
        }
    }

    pub(super) fn nodes_of(&self, value: &Value) -> Vec<Node> {
        let mut found = Vec::new();
        self.gather(value, MAX_LISTS, &mut found);
        found
    }

    fn gather(&self, value: &Value, levels: usize, found: &mut Vec<Node>) {
        match value {
            Value::List(_) | Value::Dict(_) if levels == 0 => {}
            Value::List(items) => items.borrow().iter().for_each(|item| self.gather(item, levels - 1, found)),
            Value::Dict(pairs) => pairs.borrow().iter().for_each(|(_, item)| self.gather(item, levels - 1, found)),
            other => found.extend(self.node(other)),
        }
    }

    fn join(&mut self, before: &Value, after: &Value) {
        let (before, after) = (self.nodes_of(before), self.nodes_of(after));
        for from in &before {
            self.edges.extend(after.iter().map(|to| (*from, *to)));
        }
    }

    /// The DAG that `thing` is told to belong to, else the one around it.
    fn dag_of(&self, thing: &Thing) -> Option<usize> {
        let told = thing.named("dag").and_then(|value| self.node(value));
        match told {
            Some(Node::Dag(dag)) => Some(dag),
            _ => self.open_dags.last().copied(),
        }
    }

    pub(super) fn prefixed(&self, id: &str) -> String {
        match self.open_groups.last() {
            Some(group) => format!("{}.{id}", self.groups[*group].id),
            None => id.to_owned(),
        }
    }

    /// Enters a task; gives its number.
    pub(super) fn enter(&mut self, task: Task, thing: &Thing) -> usize {
        self.tasks.push(task);
        let at = self.tasks.len() - 1;
        self.nodes.insert(thing.id, Node::Task(at));
        at
    }

    pub(super) fn free_id(&self, id: String, dag: Option<usize>) -> String {
        let taken = |id: &str| self.tasks.iter().any(|task| task.dag == dag && task.id == id);
        if !taken(&id) {
            return id;
        }
        let numbered = (1..).map(|number| format!("{id}__{number}"));
        numbered.into_iter().find(|id| !taken(id)).expect("there are more numbers than tasks")
    }
}

impl Host for Gathered {
    fn called(interp: &mut Interp<'_, Self>, thing: &Rc<Thing>) -> Option<Value> {
        let name = thing.name().to_owned();
        match name.as_str() {
            "DAG" => {
                dag(interp, thing);
                return None;
            }
            "dag" if thing.path.contains("airflow") => return None,
            "TaskGroup" => {
                group(interp, thing);
                return None;
            }
            "chain" | "chain_linear" if thing.path.contains("airflow") => {
                thing.args.windows(2).for_each(|pair| chained(interp, &pair[0], &pair[1]));
                return None;
            }
            "cross_downstream" => {
                if let [before, after, ..] = &thing.args[..] {
                    interp.host.join(before, after);
                }
                return None;
            }
            "set_upstream" | "set_downstream" => {
                if let (Some(owner), Some(other)) = (&thing.owner, thing.args.first()) {
                    match name.as_str() {
                        "set_upstream" => interp.host.join(other, owner),
                        _ => interp.host.join(owner, other),
                    }
                }
                return None;
            }
            "ScheduleDefinition" | "serve" | "deploy" | "to_deployment" => {
                decorated::scheduled(interp, thing);
                return None;
            }
            _ => {}
        }
        if decorated::is_call(thing) {
            return decorated::call(interp, thing);
        }
        if thing.path.ends_with(".partial.expand") || thing.path.ends_with(".partial.expand_kwargs") {
            return expanded(interp, thing);
        }
        if let Some(value) = operators::variable(thing, interp.around) {
            return Some(value);
        }
        if let Some(text) = data_calls::rendered(thing) {
            return Some(text);
        }
        if operators::is_task(thing) && interp.host.tasks.len() < MAX_TASKS {
            task(interp, thing);
        } else if let Some(current) = interp.host.current {
            let folders = folders_of(&interp.host, interp.host.tasks[current].dag);
            let mut found = std::mem::take(&mut interp.host.tasks[current].found);
            let value = data_calls::take(thing, &folders, interp.around, &mut found);
            interp.host.tasks[current].found.add(found);
            return value;
        }
        None
    }

    fn entered(interp: &mut Interp<'_, Self>, value: &Value) {
        match interp.host.node(value) {
            Some(Node::Dag(dag)) => interp.host.open_dags.push(dag),
            Some(Node::Group(group)) => interp.host.open_groups.push(group),
            _ => {}
        }
    }

    fn left(interp: &mut Interp<'_, Self>, value: &Value) {
        match interp.host.node(value) {
            Some(Node::Dag(_)) => drop(interp.host.open_dags.pop()),
            Some(Node::Group(_)) => drop(interp.host.open_groups.pop()),
            _ => {}
        }
    }

    fn joined(interp: &mut Interp<'_, Self>, before: &Value, after: &Value) {
        interp.host.join(before, after);
    }

    fn decorated(interp: &mut Interp<'_, Self>, decorator: &Value, function: &Rc<Function>) -> Option<Value> {
        decorated::mark(interp, decorator, function)
    }
}

/// `chain(a, [b, c], [d, e], f)`: two lists are joined pair by pair.
fn chained(interp: &mut Interp<'_, Gathered>, before: &Value, after: &Value) {
    match (before, after) {
        (Value::List(a), Value::List(b)) if a.borrow().len() == b.borrow().len() => {
            let pairs: Vec<(Value, Value)> = a.borrow().iter().cloned().zip(b.borrow().iter().cloned()).collect();
            pairs.iter().for_each(|(a, b)| interp.host.join(a, b));
        }
        _ => interp.host.join(before, after),
    }
}

fn dag(interp: &mut Interp<'_, Gathered>, thing: &Rc<Thing>) {
    let dag = dag_of(thing, None);
    interp.host.dags.push(dag);
    let at = interp.host.dags.len() - 1;
    interp.host.nodes.insert(thing.id, Node::Dag(at));
}

/// The DAG that the arguments of `thing` describe.
pub(super) fn dag_of(thing: &Thing, function: Option<&str>) -> Dag {
    let id = thing.named("dag_id").or(thing.args.first()).map(Value::shown).map(|(id, _)| id);
    let default_args = thing.named("default_args").cloned().unwrap_or(Value::None);
    let searchpath = thing.named("template_searchpath").cloned().unwrap_or(Value::None);
    let searchpath = match &searchpath {
        Value::List(items) => items.borrow().iter().map(|item| item.shown().0).collect(),
        Value::Text(text) => vec![text.text.clone()],
        _ => Vec::new(),
    };
    let mut params = operators::scalars(thing.named("user_defined_macros"));
    params.extend(operators::scalars(default_args.key("params").as_ref()));
    params.extend(operators::scalars(thing.named("params")));
    Dag {
        id: operators::readable(&id.or(function.map(str::to_owned)).unwrap_or_else(|| "dag".to_owned())),
        schedule: schedules::of(thing),
        owner: operators::owner(thing, &default_args),
        enabled: !matches!(thing.named("is_paused_upon_creation"), Some(Value::Bool(true))),
        params,
        searchpath,
        default_args,
        at: thing.at.clone(),
    }
}

fn group(interp: &mut Interp<'_, Gathered>, thing: &Rc<Thing>) {
    let name = thing.named("group_id").or(thing.args.first()).map(|value| value.shown().0).unwrap_or_default();
    enter_group(interp, &name, thing);
}

pub(super) fn enter_group(interp: &mut Interp<'_, Gathered>, name: &str, thing: &Rc<Thing>) -> usize {
    let host = &mut interp.host;
    let id = host.prefixed(&operators::readable(name));
    host.groups.push(Group { id, around: host.open_groups.last().copied() });
    let at = host.groups.len() - 1;
    host.nodes.insert(thing.id, Node::Group(at));
    at
}

/// Folders in which a DAG's files are looked for.
fn folders_of(host: &Gathered, dag: Option<usize>) -> Vec<String> {
    dag.map(|dag| host.dags[dag].searchpath.clone()).unwrap_or_default()
}

fn task(interp: &mut Interp<'_, Gathered>, thing: &Rc<Thing>) {
    let dag = interp.host.dag_of(thing);
    let facts = dag.map(|dag| interp.host.dags[dag].clone());
    let id = thing
        .named("task_id")
        .or(thing.args.first())
        .map(|value| value.shown().0)
        .unwrap_or_else(|| thing.name().to_owned());
    let id = interp.host.prefixed(&operators::readable(&id));
    let id = interp.host.free_id(id, dag);
    let default_args = facts.as_ref().map_or(Value::None, |dag| dag.default_args.clone());
    let operator = operators::read(thing, facts.as_ref(), interp.around);
    let group = interp.host.open_groups.last().copied();
    let entered = Task {
        id,
        dag,
        group,
        kind: operator.kind,
        owner: operators::owner(thing, &default_args),
        found: operator.found,
        at: thing.at.clone(),
        waits_for: operator.waits_for,
        schedule: None,
    };
    let at = interp.host.enter(entered, thing);
    // Values that other tasks give.
    let given: Vec<Node> = thing
        .named
        .iter()
        .filter(|(name, _)| &**name != "dag")
        .flat_map(|(_, value)| interp.host.nodes_of(value))
        .collect();
    interp
        .host
        .edges
        .extend(given.into_iter().filter(|node| matches!(node, Node::Task(_))).map(|from| (from, Node::Task(at))));
    if let Some(Value::Function(function)) = thing.named("python_callable") {
        let mut named = operators::pairs(thing.named("op_kwargs"));
        named.extend(thing.named("templates_dict").map(|value| ("templates_dict".into(), value.clone())));
        let args = thing.named("op_args").and_then(Value::items).unwrap_or_default();
        walk(interp, at, function, Given { args, named });
        judge(interp, at, &function.def.name);
    } else if thing.named("python_callable").is_some() {
        judge(interp, at, thing.name());
    } else if let Some(Value::Function(execute)) = thing.class.as_ref().and_then(|class| class.get("execute")) {
        // An operator of the estate says itself what it does.
        let task = &interp.host.tasks[at];
        if task.found.is_idle() && task.kind == Kind::Work {
            let owner = Some(Value::Thing(thing.clone()));
            let method = Rc::new(Function { def: execute.def.clone(), scope: execute.scope.clone(), owner });
            walk(interp, at, &method, Given::default());
        }
        judge(interp, at, thing.name());
    }
}

/// Counts a task whose code was walked: it is one piece, understood or not.
pub(super) fn judge(interp: &mut Interp<'_, Gathered>, at: usize, name: &str) {
    let task = &mut interp.host.tasks[at];
    let found = &mut task.found;
    found.pieces = 1;
    found.opaque = found.opaque.min(1);
    if task.kind != Kind::Control
        && found.is_idle()
        && found.faults.is_empty()
        && found.dbt_runs.is_empty()
        && found.claimed.is_empty()
    {
        found.opaque = 1;
        let here = format!("what `{name}` does with data");
        found.faults.push(Diagnostic::new(CodeEntry::E026, task.at.clone(), here));
    }
}

/// Walks the function that task `at` runs.
pub(super) fn walk(interp: &mut Interp<'_, Gathered>, at: usize, function: &Rc<Function>, given: Given) -> Value {
    let before = interp.host.current.replace(at);
    let value = interp.walk_function(function, given);
    interp.host.current = before;
    value
}

/// `Operator.partial(…).expand(…)`: one task, its lists spread.
fn expanded(interp: &mut Interp<'_, Gathered>, thing: &Rc<Thing>) -> Option<Value> {
    let Some(Value::Thing(partial)) = &thing.owner else { return None };
    let named = partial.named.iter().chain(&thing.named).cloned().collect();
    let path = partial.path.trim_end_matches(".partial").to_owned();
    let operator = interp.made_of(&path, named, thing);
    if operators::is_task(&operator) {
        task(interp, &operator);
    }
    Some(Value::Thing(operator))
}
