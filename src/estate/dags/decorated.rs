//! Functions under decorators: `@dag`, `@task` and `@task_group` of Airflow, `@flow` and `@task` of Prefect, `@job`, `@op` and
//! `@asset` of Dagster.
use std::rc::Rc;

use super::{
    host::{Flavour, Gathered, Kind, Node, Task, dag_of, enter_group, judge, walk},
    operators, runs,
};
use crate::estate::{
    Schedule,
    found::Found,
    python::{Function, Given, Interp, Param, Thing, Value},
};

/// What a decorator makes of the function under it; `None` where it is none of the tool's.
pub(super) fn mark(interp: &mut Interp<'_, Gathered>, decorator: &Value, function: &Rc<Function>) -> Option<Value> {
    let (path, named) = match decorator {
        Value::Outside(path) => (path.to_string(), Vec::new()),
        Value::Thing(thing) => (thing.path.to_string(), thing.named.clone()),
        _ => return None,
    };
    let last = path.rsplit('.').next().unwrap_or_default();
    let mark = match (interp.host.flavour, last) {
        (Flavour::Airflow, "dag") | (Flavour::Prefect, "flow") | (Flavour::Dagster, "job" | "graph") => "@dag",
        (Flavour::Airflow, "task_group") => "@group",
        (Flavour::Airflow | Flavour::Prefect, "task") | (Flavour::Dagster, "op" | "solid") => "@task",
        // `task.virtualenv`, `task.branch` …
        (Flavour::Airflow, _) if path.contains(".task.") || path.starts_with("task.") => "@task",
        (Flavour::Dagster, "asset") => "@asset",
        _ => return None,
    };
    let thing = interp.made(mark, named, function);
    thing.fields.borrow_mut().insert("function".into(), Value::Function(function.clone()));
    thing.fields.borrow_mut().insert("flavour".into(), Value::text(last));
    // What an imported module declares is its own file's.
    if interp.importing == 0 {
        match mark {
            "@asset" => asset(interp, &thing, function),
            "@dag" if interp.host.flavour != Flavour::Airflow => interp.host.waiting.push(thing.clone()),
            _ => {}
        }
    }
    Some(Value::Thing(thing))
}

/// Runs the flows that nothing called, joins assets by the names of what they take, and hands out schedules.
pub(super) fn run_waiting(interp: &mut Interp<'_, Gathered>) {
    for made in std::mem::take(&mut interp.host.waiting) {
        if !interp.host.flows.insert(made.id) {
            continue;
        }
        let function = match made.fields.borrow().get("function") {
            Some(Value::Function(function)) => function.clone(),
            _ => continue,
        };
        flow(interp, &made, made.id, &function, Given::default());
    }
    let host = &mut interp.host;
    let ids: Vec<String> = host.tasks.iter().map(|task| task.id.clone()).collect();
    for (at, names) in std::mem::take(&mut host.inputs) {
        for name in names {
            let own = ids.iter().position(|id| *id == name || id.rsplit('.').next() == Some(&name));
            match own.filter(|own| *own != at) {
                Some(own) => host.edges.push((Node::Task(own), Node::Task(at))),
                None => host.tasks[at].waits_for.push(name),
            }
        }
    }
    for (target, schedule) in std::mem::take(&mut host.crons) {
        start(host, &target, &schedule);
    }
}

/// Gives what a schedule starts its schedule: a flow or job, the assets a job selects, or all assets of the file.
fn start(host: &mut Gathered, target: &Value, schedule: &Schedule) {
    let name = match target {
        Value::Text(text) => text.text.clone(),
        Value::Thing(thing) if thing.name() == "define_asset_job" => {
            let selected: Option<Vec<String>> = thing.named("selection").and_then(|value| match value {
                Value::List(items) => items.borrow().iter().map(|item| item.as_known().map(str::to_owned)).collect(),
                Value::Text(text) if text.text != "*" => Some(vec![text.text.clone()]),
                _ => None,
            });
            let is_one =
                |task: &Task| task.dag.is_none() && selected.as_ref().is_none_or(|names| names.contains(&task.id));
            host.tasks.iter_mut().filter(|task| is_one(task)).for_each(|task| task.schedule = Some(schedule.clone()));
            return;
        }
        Value::Thing(thing) => match (thing.named("name"), thing.fields.borrow().get("function")) {
            (Some(name), _) => operators::readable(&name.shown().0),
            (None, Some(Value::Function(function))) => function.def.name.to_string(),
            _ => return,
        },
        _ => return,
    };
    host.dags.iter_mut().filter(|dag| dag.id == name).for_each(|dag| dag.schedule = Some(schedule.clone()));
}

/// `ScheduleDefinition(job=…, cron_schedule=…)`, `flow.serve(cron=…)`.
pub(super) fn scheduled(interp: &mut Interp<'_, Gathered>, thing: &Rc<Thing>) {
    let text = |names: &[&str]| thing.any_named(names).and_then(Value::as_text).map(|text| text.text.clone());
    let seconds = thing.named("interval").and_then(|value| match value {
        Value::Int(seconds) => Some(format!("every {seconds}s")),
        Value::Text(text) => Some(text.text.clone()),
        _ => None,
    });
    let Some(when) = text(&["cron_schedule", "cron"]).or(seconds) else { return };
    let target = thing.any_named(&["job", "target", "job_name"]).cloned().or_else(|| thing.owner.clone());
    if let Some(target) = target {
        interp.host.crons.push((target, Schedule::of(when)));
    }
}

/// An asset: its key, what it is made of, and what its function does.
fn asset(interp: &mut Interp<'_, Gathered>, made: &Rc<Thing>, function: &Rc<Function>) {
    let name = made.named("name").map_or_else(|| function.def.name.to_string(), |value| value.shown().0);
    let prefix = match made.named("key_prefix") {
        Some(Value::List(items)) => items.borrow().iter().map(|item| item.shown().0).collect::<Vec<_>>(),
        Some(Value::Text(text)) => vec![text.text.clone()],
        _ => Vec::new(),
    };
    let key = match made.named("key") {
        Some(value) => key_of(value),
        None => prefix.into_iter().chain([name]).collect::<Vec<_>>().join("."),
    };
    let owner = made.named("owners").and_then(Value::items).and_then(|items| items.first().map(|item| item.shown().0));
    let task = Task {
        id: operators::readable(&key),
        dag: None,
        group: None,
        kind: Kind::Work,
        owner: owner.map(|owner| owner.trim_start_matches("team:").to_owned()),
        found: Found::default(),
        at: made.at.clone(),
        waits_for: Vec::new(),
        schedule: on_cron(made),
    };
    let at = interp.host.enter(task, made);
    let mut before = Vec::new();
    for value in made.named("deps").and_then(Value::items).unwrap_or_default() {
        match interp.host.nodes_of(&value).first() {
            Some(node) => interp.host.edges.push((*node, Node::Task(at))),
            None => before.push(key_of(&value)),
        }
    }
    let renamed = made.named("ins").map(|ins| operators::pairs(Some(ins))).unwrap_or_default();
    let aside = ["context", "self", "config"];
    let is_input = |param: &&Param| {
        let is_resource =
            ["Resource", "Context", "Config", "Client"].iter().any(|word| param.annotation.contains(word));
        !aside.contains(&&*param.name) && param.default.is_none() && !is_resource
    };
    for param in function.def.params.iter().filter(is_input) {
        let own = renamed.iter().find(|(name, _)| *name == param.name).map(|(_, value)| value);
        let key = own.and_then(|value| match value {
            Value::Thing(input) => input.any_named(&["key", "asset_key"]).or(input.args.first()).map(key_of),
            _ => None,
        });
        before.push(key.unwrap_or_else(|| param.name.to_string()));
    }
    interp.host.inputs.push((at, before));
    walk(interp, at, function, Given::default());
    runs::promised(made, interp.around, &mut interp.host.tasks[at].found);
    judge(interp, at, &function.def.name);
}

/// `AssetKey(['a', 'b'])`, a name, or an asset's spec, as a dotted name.
fn key_of(value: &Value) -> String {
    match value {
        Value::List(items) => items.borrow().iter().map(|item| item.shown().0).collect::<Vec<_>>().join("."),
        Value::Thing(thing) => thing.any_named(&["key", "path"]).or(thing.args.first()).map(key_of).unwrap_or_default(),
        other => other.shown().0.replace('/', "."),
    }
}

/// `automation_condition=AutomationCondition.on_cron('@daily')`.
fn on_cron(made: &Thing) -> Option<Schedule> {
    match made.any_named(&["automation_condition", "auto_materialize_policy"])? {
        Value::Thing(thing) if thing.name() == "on_cron" => Some(Schedule::of(thing.args.first()?.as_known()?)),
        _ => None,
    }
}

/// A DAG, flow or job: its tasks, and in Prefect what its own function does.
fn flow(interp: &mut Interp<'_, Gathered>, made: &Rc<Thing>, id: usize, function: &Rc<Function>, given: Given) {
    let mut dag = dag_of(made, Some(&function.def.name));
    if let Some(name) = made.named("name").filter(|_| interp.host.flavour != Flavour::Airflow) {
        dag.id = operators::readable(&name.shown().0);
    }
    let at = made.at.clone();
    interp.host.dags.push(dag);
    let number = interp.host.dags.len() - 1;
    interp.host.nodes.insert(id, Node::Dag(number));
    interp.host.open_dags.push(number);
    if interp.host.flavour == Flavour::Prefect {
        let own = Task {
            id: String::new(),
            dag: Some(number),
            group: None,
            kind: Kind::Work,
            owner: None,
            found: Found::default(),
            at,
            waits_for: Vec::new(),
            schedule: None,
        };
        interp.host.tasks.push(own);
        let task = interp.host.tasks.len() - 1;
        walk(interp, task, function, given);
        // A flow that only calls tasks is no job of its own.
        let own = &mut interp.host.tasks[task];
        match own.found.is_idle() && own.found.opaque == 0 {
            true => own.kind = Kind::Control,
            false => own.found.pieces = 1,
        }
    } else {
        interp.call_function(function, given);
    }
    interp.host.open_dags.pop();
}

/// Whether `thing` calls a function that is decorated, rather than a method of what such a call gave.
pub(super) fn is_call(thing: &Thing) -> bool {
    let Some(Value::Thing(made)) = &thing.owner else { return false };
    let is_own =
        *thing.path == *made.path || matches!(thing.name(), "override" | "partial" | "expand" | "expand_kwargs");
    is_own && made.path.starts_with('@') && made.fields.borrow().contains_key("function")
}

/// A call of a function that is decorated as a DAG, a group or a task.
pub(super) fn call(interp: &mut Interp<'_, Gathered>, thing: &Rc<Thing>) -> Option<Value> {
    let Some(Value::Thing(made)) = &thing.owner else { return None };
    let name = thing.name();
    // `f.override(task_id='x')` and `f.partial(a=1)` are the same function with more said.
    if matches!(name, "override" | "partial") {
        let named = made.named.iter().chain(&thing.named).cloned().collect();
        let again = interp.made_again(made, named);
        return Some(Value::Thing(again));
    }
    let function = match made.fields.borrow().get("function") {
        Some(Value::Function(function)) => function.clone(),
        _ => return None,
    };
    let given = Given { args: thing.args.clone(), named: thing.named.clone() };
    match &*made.path {
        "@dag" => {
            interp.host.waiting.retain(|waiting| waiting.id != made.id);
            // A flow that another one calls is the same flow.
            if interp.host.flavour == Flavour::Prefect && !interp.host.flows.insert(made.id) {
                return None;
            }
            flow(interp, made, thing.id, &function, given);
            None
        }
        "@group" => {
            let named = made.named("group_id").map(|value| value.shown().0);
            let at = enter_group(interp, &named.unwrap_or_else(|| function.def.name.to_string()), thing);
            interp.host.open_groups.push(at);
            interp.call_function(&function, given);
            interp.host.open_groups.pop();
            None
        }
        _ => {
            task_function(interp, thing, made, &function, given);
            None
        }
    }
}

fn task_function(
    interp: &mut Interp<'_, Gathered>,
    thing: &Rc<Thing>,
    made: &Rc<Thing>,
    function: &Rc<Function>,
    given: Given,
) {
    let dag = interp.host.open_dags.last().copied();
    let default_args = dag.map_or(Value::None, |dag| interp.host.dags[dag].default_args.clone());
    let id =
        made.any_named(&["task_id", "name"]).map_or_else(|| function.def.name.to_string(), |value| value.shown().0);
    let id = interp.host.prefixed(&operators::readable(&id));
    let id = interp.host.free_id(id, dag);
    let flavour = made.fields.borrow().get("flavour").and_then(Value::as_known).unwrap_or_default().to_owned();
    let kind = match flavour.as_str() {
        "branch" | "short_circuit" | "sensor" => Kind::Control,
        _ => Kind::Work,
    };
    let task = Task {
        id,
        dag,
        group: interp.host.open_groups.last().copied(),
        kind,
        owner: operators::owner(made, &default_args),
        found: Found::default(),
        at: thing.at.clone(),
        waits_for: Vec::new(),
        schedule: None,
    };
    let at = interp.host.enter(task, thing);
    let values = given.args.iter().chain(given.named.iter().map(|(_, value)| value));
    let before: Vec<Node> = values.flat_map(|value| interp.host.nodes_of(value)).collect();
    interp.host.edges.extend(before.into_iter().map(|from| (from, Node::Task(at))));
    let answer = walk(interp, at, function, given);
    if flavour == "bash"
        && let Some(text) = answer.as_text()
    {
        let found = runs::bash(text, &Value::None, interp.around);
        interp.host.tasks[at].found.add(found);
    }
    runs::promised(made, interp.around, &mut interp.host.tasks[at].found);
    judge(interp, at, &function.def.name);
}
