//! Python scripts and functions that another tool runs, for what they do with data.
use std::rc::Rc;

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        data_calls, el,
        found::Found,
        python::{self, Function, Given, Host, Interp, Modules, Thing, Value},
        reader::Around,
        text_file::TextFile,
    },
    vocab::Span,
};

/// Reads the script `file`, which runs as a whole, or only its function `function`. `at` is the place that runs it.
pub(crate) fn read(file: &TextFile, function: Option<&str>, at: &Span, around: &Around<'_>) -> Found {
    let modules = Modules::default();
    let work = |file: &&TextFile| read_here(file, function, around, &modules);
    let mut found = python::each(&[file], work).pop().unwrap_or_default();
    found.claimed.insert(file.path.clone());
    found.pieces = 1;
    found.opaque = found.opaque.min(1);
    if found.is_idle() && found.faults.is_empty() && found.dbt_runs.is_empty() {
        found.opaque = 1;
        let what = function.unwrap_or(file.path.as_str());
        found.faults.push(Diagnostic::new(CodeEntry::E026, at.clone(), format!("what `{what}` does with data")));
    }
    found
}

/// The path of a script within the folder or bucket it was uploaded to.
pub(crate) fn path_within(written: &str) -> &str {
    match written.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or(rest, |(_, path)| path),
        None => written,
    }
}

fn read_here(file: &TextFile, function: Option<&str>, around: &Around<'_>, modules: &Modules) -> Found {
    let mut interp = Interp::new(Script(Found::default()), around, modules);
    if function.is_some() {
        interp.importing = 1;
    }
    let names = interp.module(file);
    interp.importing = 0;
    if let (Some(name), Some(names)) = (function, names)
        && let Some(Value::Function(function)) = names.get(name)
    {
        interp.walk_function(&function, Given::default());
    }
    let mut found = std::mem::take(&mut interp.host.0);
    found.claimed.extend(interp.imported.iter().cloned());
    found.faults.append(&mut interp.faults);
    found
}

/// A script being walked.
struct Script(Found);

impl Host for Script {
    fn called(interp: &mut Interp<'_, Self>, thing: &Rc<Thing>) -> Option<Value> {
        if let Some(value) = of_dlt(interp, thing) {
            return Some(value);
        }
        let mut found = std::mem::take(&mut interp.host.0);
        let value = data_calls::take(thing, &[], interp.around, &mut found);
        interp.host.0 = found;
        value
    }

    fn entered(_: &mut Interp<'_, Self>, _: &Value) {}

    fn left(_: &mut Interp<'_, Self>, _: &Value) {}

    fn joined(_: &mut Interp<'_, Self>, _: &Value, _: &Value) {}

    fn decorated(interp: &mut Interp<'_, Self>, decorator: &Value, function: &Rc<Function>) -> Option<Value> {
        let (path, named) = match decorator {
            Value::Outside(path) => (path.to_string(), Vec::new()),
            Value::Thing(thing) => (thing.path.to_string(), thing.named.clone()),
            _ => return None,
        };
        let mark = match path.as_str() {
            "dlt.resource" => el::RESOURCE,
            "dlt.source" => el::SOURCE,
            _ => return None,
        };
        let made = interp.made(mark, named, function);
        made.fields.borrow_mut().insert("function".into(), Value::Function(function.clone()));
        made.fields.borrow_mut().insert("name".into(), Value::text(&*function.def.name));
        Some(Value::Thing(made))
    }
}

/// A call of what dlt's decorators made: of a resource it is the resource, of a source all of its resources.
fn of_dlt(interp: &mut Interp<'_, Script>, thing: &Rc<Thing>) -> Option<Value> {
    let Some(Value::Thing(made)) = &thing.owner else { return None };
    if thing.path != made.path || !matches!(&*made.path, el::RESOURCE | el::SOURCE) {
        return None;
    }
    if &*made.path == el::SOURCE {
        let function = match made.fields.borrow().get("function") {
            Some(Value::Function(function)) => function.clone(),
            _ => return None,
        };
        let given = Given { args: thing.args.clone(), named: thing.named.clone() };
        let resources = interp.call_function(&function, given);
        let name = made.fields.borrow().get("name").cloned();
        if let (Some(name), Some(items)) = (name, resources.items()) {
            for item in items {
                if let Value::Thing(resource) = item {
                    resource.fields.borrow_mut().insert("source".into(), name.clone());
                }
            }
        }
        made.fields.borrow_mut().insert("resources".into(), resources);
    }
    Some(Value::Thing(made.clone()))
}
