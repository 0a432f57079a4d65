//! dbt's own calls in a file that belongs to no dbt project: they still say what is read.
use std::sync::Arc;

use minijinja::{
    Error, State,
    value::{Kwargs, Object, ObjectRepr, Rest, Value},
};

use super::{
    engine::Reference,
    objects::{Missing, Stub},
    project::Projects,
};
use crate::{estate::versioned_name, lineage::resolve::INFERRED, vocab::DatasetId};

/// `ref`, `source`, `config` and `is_incremental`, as far as `text` calls them.
pub(super) fn names(text: &str, projects: &Projects, missing: &Missing) -> Vec<(&'static str, Value)> {
    let called =
        |name: &str| text.match_indices(name).any(|(at, _)| text[at + name.len()..].trim_start().starts_with('('));
    let mut names = Vec::new();
    let known = projects.clone();
    if called("ref") {
        names.push((
            "ref",
            Value::from_function(move |args: Rest<Value>, named: Kwargs| {
                reference(&known, &Reference::of(&args, &named))
            }),
        ));
    }
    let known = projects.clone();
    if called("source") {
        names.push(("source", Value::from_function(move |args: Rest<Value>| source(&known, &args))));
    }
    if called("is_incremental") {
        names.push(("is_incremental", Value::from_function(super::branch::is_incremental)));
    }
    if called("config") {
        names.push(("config", Value::from_object(Config { missing: missing.clone() })));
    }
    names
}

/// The model of that name: where a project of the estate has one, there; else the table called so.
fn reference(projects: &Projects, asked: &Reference) -> String {
    let name = asked.version.as_ref().map_or_else(|| asked.name.clone(), |one| versioned_name(&asked.name, one));
    inferred(&projects.model(&name).unwrap_or_else(|| DatasetId::from_parts(&[name])))
}

fn source(projects: &Projects, args: &[Value]) -> String {
    let names: Vec<&str> = args.iter().filter_map(Value::as_str).collect();
    let declared = match names.as_slice() {
        [source, table] => projects.source(source, table),
        _ => None,
    };
    inferred(&declared.unwrap_or_else(|| DatasetId::from_parts(&names)))
}

/// The name as SQL, marked as nobody's declaration.
pub(super) fn inferred(id: &DatasetId) -> String {
    let mut parts: Vec<String> = id.name().split('.').map(str::to_owned).collect();
    if let Some(table) = parts.last_mut() {
        table.insert_str(0, INFERRED);
    }
    let plain = |part: &String| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let quoted = |part: String| if plain(&part) { part } else { format!("`{part}`") };
    parts.into_iter().map(quoted).collect::<Vec<_>>().join(".")
}

/// `config(…)` leaves no text; `config.x` is a value nobody knows.
#[derive(Debug)]
struct Config {
    missing: Missing,
}

impl Object for Config {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(Stub::value(&format!("config.{}", key.as_str().unwrap_or("item")), &self.missing))
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        Ok(Value::from(""))
    }
}
