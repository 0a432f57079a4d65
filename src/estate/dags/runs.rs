//! What an operator runs: command lines, scripts it submits, and the files that its author promises.
use camino::Utf8Path;

use super::operators::{Arguments, scalars};
use crate::{
    estate::{
        command,
        found::Found,
        names::dataset_named,
        paths::folder_of,
        python::{Text, Thing, Value},
        reader::{Around, Sought},
        script_py,
    },
    vocab::DatasetId,
};

impl Arguments<'_> {
    /// A script of Python that the operator submits: `SparkSubmitOperator(application=…)` and its like.
    pub(super) fn script(&self, found: &mut Found) {
        let names = ["application", "file", "script_location", "py_file", "python_file", "main"];
        let Some(written) = self.thing.any_named(&names).and_then(Value::as_known) else { return };
        let folders = [folder_of(&self.thing.at.file), Utf8Path::new("")];
        let path = script_py::path_within(written);
        if written.ends_with(".py")
            && let Sought::File(file) = self.around.find(&folders, path)
        {
            let ran = script_py::read(&file, None, &self.thing.at, self.around);
            found.add(commands_only(ran));
        }
    }

    /// Command lines: `bash_command`, `command`, and what a container runs.
    pub(super) fn commands(&self, found: &mut Found) {
        let vars = self.thing.any_named(&["env", "env_vars", "environment"]).cloned().unwrap_or(Value::None);
        for name in ["bash_command", "command", "cmd"] {
            match self.thing.named(name) {
                Some(Value::Text(text)) => found.add(bash(text, &vars, self.around)),
                Some(Value::List(items)) => found.add(words(&items.borrow(), self.thing, &vars, self.around)),
                _ => {}
            }
        }
        // Steps of EMR: `{'HadoopJarStep': {'Args': […]}}`.
        for step in self.thing.named("steps").and_then(Value::items).unwrap_or_default() {
            if let Some(args) = step.at(&["HadoopJarStep", "Args"]).and_then(|args| args.items()) {
                found.add(words(&args, self.thing, &vars, self.around));
            }
        }
        let of = |name: &str| self.thing.named(name).and_then(Value::items).unwrap_or_default();
        let container: Vec<Value> = ["cmds", "arguments"].into_iter().flat_map(of).collect();
        if !container.is_empty() {
            found.add(words(&container, self.thing, &vars, self.around));
        }
    }
}

/// The files that a task's `inlets` and `outlets` name: the author's own words for what it reads and writes.
pub(super) fn promised(thing: &Thing, around: &Around<'_>, found: &mut Found) {
    for (name, is_read) in [("inlets", true), ("outlets", false)] {
        let Some(Value::List(items)) = thing.named(name) else { continue };
        for item in items.borrow().iter() {
            let address = match item {
                Value::Thing(asset) => asset.named("uri").or(asset.args.first()).cloned(),
                other => Some(other.clone()),
            };
            let address = address.and_then(|value| value.as_text().map(|text| text.text.clone()));
            let files = address.filter(|text| text.contains("://")).and_then(|text| dataset_named(&text, around.vars));
            let list = if is_read { &mut found.reads } else { &mut found.writes };
            list.extend(files.filter(DatasetId::is_file_set).map(|files| (files, thing.at.clone())));
        }
    }
}

/// Reads the commands of `text`.
pub(super) fn bash(text: &Text, vars: &Value, around: &Around<'_>) -> Found {
    let Some(origin) = &text.origin else { return Found::default() };
    let Some(file) = around.text_at(&origin.at.file) else { return Found::default() };
    let raw = origin.raw.as_ref().filter(|_| origin.params.is_empty());
    let base = raw.map(|_| origin.at.start - file.whole().start);
    let sql = raw.map_or(text.text.as_str(), |raw| raw);
    let place = command::Place { file: file.clone(), base, whole: origin.at.clone() };
    // A BashOperator begins in a folder of its own; its files count from the DAG's.
    commands_only(command::run(sql, &place, folder_of(&file.path), scalars(Some(vars)), around))
}

/// Commands are counted by the task that runs them.
fn commands_only(mut found: Found) -> Found {
    found.pieces = 0;
    found
}

/// A command given word by word.
fn words(items: &[Value], thing: &Thing, vars: &Value, around: &Around<'_>) -> Found {
    let Some(file) = around.text_at(&thing.at.file) else { return Found::default() };
    let quoted = |item: &Value| format!("'{}'", item.shown().0.replace('\'', "'\\''"));
    let text = items.iter().map(quoted).collect::<Vec<_>>().join(" ");
    let place = command::Place { file: file.clone(), base: None, whole: thing.at.clone() };
    commands_only(command::run(&text, &place, folder_of(&file.path), scalars(Some(vars)), around))
}
