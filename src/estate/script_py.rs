//! Python scripts and functions that another tool runs, for what they do with data.
use std::rc::Rc;

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        data_calls,
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
        let mut found = std::mem::take(&mut interp.host.0);
        let value = data_calls::take(thing, &[], interp.around, &mut found);
        interp.host.0 = found;
        value
    }

    fn entered(_: &mut Interp<'_, Self>, _: &Value) {}

    fn left(_: &mut Interp<'_, Self>, _: &Value) {}

    fn joined(_: &mut Interp<'_, Self>, _: &Value, _: &Value) {}

    fn decorated(_: &mut Interp<'_, Self>, _: &Value, _: &Rc<Function>) -> Option<Value> {
        None
    }
}
