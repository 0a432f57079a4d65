//! When a DAG runs, as its arguments say.
use crate::estate::{
    Schedule,
    python::{Thing, Value},
};

/// The schedule of a DAG; `None` where it runs only when it is told to.
pub(super) fn of(dag: &Thing) -> Option<Schedule> {
    let value = dag.any_named(&["schedule", "schedule_interval", "timetable"])?;
    match value {
        Value::None => None,
        Value::Text(text) if text.text == "None" => None,
        Value::Text(text) => Some(Schedule::of(super::operators::readable(&text.text))),
        Value::List(items) => Some(after(&items.borrow())),
        Value::Thing(thing) => Some(timetable(thing)),
        other => Some(Schedule { text: super::operators::readable(&other.shown().0), runs_per_day: None }),
    }
}

/// A DAG that runs when datasets have changed.
fn after(items: &[Value]) -> Schedule {
    let address = |item: &Value| match item {
        Value::Thing(thing) => thing.any_named(&["uri", "name"]).or(thing.args.first()).map(|value| value.shown().0),
        other => Some(other.shown().0),
    };
    let names: Vec<String> = items.iter().filter_map(address).collect();
    Schedule { text: format!("after {}", names.join(", ")), runs_per_day: None }
}

fn timetable(thing: &Thing) -> Schedule {
    let first = thing.any_named(&["cron", "expression"]).or(thing.args.first());
    match (thing.name(), first.and_then(Value::as_known)) {
        ("CronTriggerTimetable" | "CronDataIntervalTimetable", Some(cron)) => Schedule::of(cron),
        ("Dataset" | "Asset", _) => after(&[first.cloned().unwrap_or(Value::None)]),
        (name, _) => Schedule { text: name.to_owned(), runs_per_day: None },
    }
}
