//! Workflows and coordinators of Apache Oozie: `workflow.xml` says what runs, `coordinator.xml` when.
use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        FileFormat, Schedule, command,
        found::Found,
        given_sql::{How, take_file},
        names::{dataset_named, fill},
        paths::folder_of,
        reader::{Around, Reader, Reading},
        text_file::TextFile,
        xml::{self, Element},
    },
    vocab::{JobId, Span},
};

/// Actions that do nothing with data.
const CONTROL: &[&str] = &["email", "fs"];

/// Workflows and coordinators.
pub(crate) struct Oozie;

impl Reader for Oozie {
    fn format(&self) -> FileFormat {
        FileFormat::Oozie
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        path.extension() == Some("xml")
    }

    fn claims(&self, file: &TextFile) -> bool {
        ["uri:oozie:workflow", "uri:oozie:coordinator", "<workflow-app", "<coordinator-app"]
            .iter()
            .any(|mark| file.text.contains(mark))
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        match xml::document(file, CodeEntry::E025) {
            Ok(root) if local(&root) == "workflow-app" => Workflow::of(&root, file, around).read(&mut reading),
            Ok(root) if local(&root) == "coordinator-app" => coordinator(&root, file, around, &mut reading),
            Ok(_) => {}
            Err(fault) => reading.faults.push(fault),
        }
        reading
    }
}

/// An element's name without its prefix.
fn local(element: &Element) -> &str {
    element.name.rsplit(':').next().unwrap_or(&element.name)
}

fn child<'e>(element: &'e Element, name: &str) -> Option<&'e Element> {
    element.children.iter().find(|child| local(child) == name)
}

fn children<'e>(element: &'e Element, name: &'e str) -> impl Iterator<Item = &'e Element> {
    element.children.iter().filter(move |child| local(child) == name)
}

/// `job.properties` beside a file: the values its `${name}` stand for.
fn properties(file: &TextFile, around: &Around<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let folders = [folder_of(&file.path), folder_of(folder_of(&file.path))];
    let paths =
        folders.iter().flat_map(|folder| ["job.properties", "coordinator.properties"].map(|name| folder.join(name)));
    for text in paths.filter_map(|path| around.text_at(&path)) {
        let lines = text.text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '!']));
        let pairs = lines.filter_map(|line| line.split_once('='));
        for (name, value) in pairs {
            found.entry(name.trim().to_owned()).or_insert_with(|| value.trim().to_owned());
        }
    }
    found.extend(around.vars.clone());
    found
}

struct Workflow<'a> {
    root: &'a Element,
    file: &'a TextFile,
    around: &'a Around<'a>,
    name: String,
    vars: BTreeMap<String, String>,
}

impl<'a> Workflow<'a> {
    fn of(root: &'a Element, file: &'a TextFile, around: &'a Around<'a>) -> Self {
        let vars = properties(file, around);
        let name =
            root.get("name").map_or_else(|| folder_of(&file.path).as_str().to_owned(), |name| plain(name, &vars));
        Workflow { root, file, around, name, vars }
    }

    fn id(&self, action: &str) -> JobId {
        JobId::new(format!("{}.{action}", self.name))
    }

    fn read(&self, reading: &mut Reading) {
        let before = self.order();
        let mut works: BTreeSet<String> = BTreeSet::new();
        let mut waits: BTreeMap<String, String> = BTreeMap::new();
        for action in children(self.root, "action") {
            let name = action.get("name").unwrap_or_default();
            let kind = action.children.iter().find(|child| !matches!(local(child), "ok" | "error"));
            let Some(kind) = kind.filter(|kind| !CONTROL.contains(&local(kind))) else { continue };
            if local(kind) == "sub-workflow" {
                let path = child(kind, "app-path").map(|path| path.text.clone()).unwrap_or_default();
                waits.insert(
                    name.to_owned(),
                    plain(path.trim().trim_end_matches('/').rsplit('/').next().unwrap_or_default(), &self.vars),
                );
                continue;
            }
            let mut found = Found { pieces: 1, ..Found::default() };
            self.action(kind, &mut found);
            let at = self.file.span(action.start, action.start);
            if found.enter(self.id(name), at, None, reading).is_some() {
                works.insert(name.to_owned());
            }
        }
        let mut last: BTreeSet<String> = works.clone();
        for job in &mut reading.jobs {
            let name = job.id.as_str()[self.name.len() + 1..].to_owned();
            let (tasks, elsewhere) = through(&name, &before, &works, &waits);
            last.retain(|name| !tasks.contains(name));
            job.depends_on =
                tasks.iter().map(|task| self.id(task)).chain(elsewhere.into_iter().map(JobId::new)).collect();
        }
        let group: Vec<JobId> = last.iter().map(|name| self.id(name)).collect();
        // A coordinator names the workflow by its folder, others by its name.
        let folder = folder_of(&self.file.path).file_name().unwrap_or_default().to_owned();
        for name in BTreeSet::from([self.name.clone(), folder]) {
            let all = reading.jobs.iter().map(|job| job.id.clone()).collect();
            reading.members.insert(name.clone(), all);
            reading.groups.insert(name, group.clone());
        }
    }

    /// What runs directly before each node.
    fn order(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut before: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut edge = |from: &str, to: Option<&str>| {
            if let Some(to) = to {
                before.entry(to.to_owned()).or_default().insert(from.to_owned());
            }
        };
        for node in &self.root.children {
            let name = node.get("name").unwrap_or_default();
            match local(node) {
                "action" => edge(name, child(node, "ok").and_then(|ok| ok.get("to"))),
                "fork" => children(node, "path").for_each(|path| edge(name, path.get("start"))),
                "join" => edge(name, node.get("to")),
                "decision" => {
                    let cases = child(node, "switch")
                        .map(|switch| switch.children.iter().collect::<Vec<_>>())
                        .unwrap_or_default();
                    cases.iter().for_each(|case| edge(name, case.get("to")));
                }
                _ => {}
            }
        }
        before
    }

    fn action(&self, kind: &Element, found: &mut Found) {
        let text = |name: &str| {
            child(kind, name).map(|element| element.text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        match local(kind) {
            "hive" | "hive2" => self.hive(kind, text("script"), text("query"), found),
            "shell" | "ssh" => self.command(kind, text("exec").or(text("command")), found),
            "sqoop" => self.sqoop(kind, text("command"), found),
            "distcp" => self.copy(kind, found),
            name => self.unknown(kind, &format!("what a `{name}` action does with data"), found),
        }
    }

    fn hive(&self, kind: &Element, script: Option<String>, query: Option<String>, found: &mut Found) {
        let mut params = self.vars.clone();
        let given = children(kind, "param").filter_map(|param| param.text.split_once('='));
        params.extend(given.map(|(name, value)| (name.trim().to_owned(), plain(value.trim(), &self.vars))));
        let how = How { dialect: Some("hive".to_owned()), params, ..How::default() };
        match (script, child(kind, "query").filter(|_| query.is_some())) {
            (Some(path), _) => {
                let at = self.place(child(kind, "script").unwrap_or(kind));
                let understood =
                    take_file(&fill(&path, &self.vars).replace('\u{1}', ""), &how, &[], &at, self.around, found);
                found.opaque |= u64::from(!understood);
            }
            (None, Some(query)) => {
                let (start, end) = query.text_at;
                let raw = self.file.text.get(start..end).unwrap_or_default();
                let verbatim = self.file.editable && raw == query.text;
                let text = if verbatim { raw } else { query.text.as_str() };
                found.scripts.push(how.script(self.file.span(start, end), text.into(), verbatim, self.around));
            }
            (None, None) => self.unknown(kind, "which script this action runs", found),
        }
    }

    fn command(&self, kind: &Element, exec: Option<String>, found: &mut Found) {
        let Some(exec) = exec else { return self.unknown(kind, "what this action runs", found) };
        let quoted = |text: &str| format!("'{}'", plain(text.trim(), &self.vars).replace('\'', "'\\''"));
        let args = children(kind, "argument").map(|argument| quoted(&argument.text));
        let line = std::iter::once(plain(&exec, &self.vars)).chain(args).collect::<Vec<_>>().join(" ");
        let variables = children(kind, "env-var").filter_map(|var| var.text.split_once('='));
        let vars = variables.map(|(name, value)| (name.trim().to_owned(), plain(value.trim(), &self.vars))).collect();
        self.run(&line, kind, vars, found);
    }

    fn sqoop(&self, kind: &Element, command: Option<String>, found: &mut Found) {
        let line = match command {
            Some(command) => format!("sqoop {}", plain(&command, &self.vars)),
            None => {
                let args = children(kind, "arg").map(|arg| format!("'{}'", plain(arg.text.trim(), &self.vars)));
                format!("sqoop {}", args.collect::<Vec<_>>().join(" "))
            }
        };
        self.run(&line, kind, BTreeMap::new(), found);
    }

    fn run(&self, line: &str, kind: &Element, vars: BTreeMap<String, String>, found: &mut Found) {
        let place = command::Place { file: self.file.clone(), base: None, whole: self.place(kind) };
        let mut ran = command::run(line, &place, folder_of(&self.file.path), vars, self.around);
        ran.pieces = 0;
        let nothing = ran.is_idle() && ran.opaque == 0 && ran.dbt_runs.is_empty();
        found.add(ran);
        if nothing {
            self.unknown(
                kind,
                &format!("what `{}` does with data", line.split_whitespace().next().unwrap_or_default()),
                found,
            );
        }
    }

    /// `distcp`: from one folder to another.
    fn copy(&self, kind: &Element, found: &mut Found) {
        let args: Vec<String> =
            children(kind, "arg").map(|arg| arg.text.trim().to_owned()).filter(|arg| !arg.starts_with('-')).collect();
        let named = |text: &String| {
            dataset_named(&if text.contains("://") { text.clone() } else { format!("hdfs://{text}") }, &self.vars)
        };
        match args.as_slice() {
            [from, into] => {
                found.reads.extend(named(from).map(|files| (files, self.place(kind))));
                found.writes.extend(named(into).map(|files| (files, self.place(kind))));
            }
            _ => self.unknown(kind, "what is copied here", found),
        }
    }

    fn place(&self, element: &Element) -> Span {
        self.file.span(element.start, element.start)
    }

    fn unknown(&self, element: &Element, here: &str, found: &mut Found) {
        found.opaque = 1;
        found.faults.push(Diagnostic::new(CodeEntry::E026, self.place(element), here));
    }
}

/// `text` with what is known filled in.
fn plain(text: &str, vars: &BTreeMap<String, String>) -> String {
    let filled = fill(text, vars);
    if filled.contains('\u{1}') { text.to_owned() } else { filled }
}

/// The actions before `name` that do something, past nodes that do not.
fn through(
    name: &str,
    before: &BTreeMap<String, BTreeSet<String>>,
    works: &BTreeSet<String>,
    waits: &BTreeMap<String, String>,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut found, mut elsewhere, mut seen) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::from([name.to_owned()]));
    let mut open: Vec<String> = before.get(name).into_iter().flatten().cloned().collect();
    while let Some(next) = open.pop() {
        if !seen.insert(next.clone()) {
            continue;
        }
        if works.contains(&next) {
            found.insert(next);
        } else if let Some(workflow) = waits.get(&next) {
            elsewhere.insert(workflow.clone());
        } else {
            open.extend(before.get(&next).into_iter().flatten().cloned());
        }
    }
    (found, elsewhere)
}

/// When a workflow runs: the jobs of the workflow it names have this schedule.
fn coordinator(root: &Element, file: &TextFile, around: &Around<'_>, reading: &mut Reading) {
    let vars = properties(file, around);
    let Some(frequency) = root.get("frequency") else { return };
    let schedule = schedule(&plain(frequency, &vars));
    if schedule.runs_per_day.is_none() {
        let here = format!("`{}` is no schedule carve understands", schedule.text);
        reading.faults.push(Diagnostic::new(CodeEntry::E022, file.span(root.start, root.start), here));
    }
    let path = child(root, "action").and_then(|action| child(child(action, "workflow")?, "app-path"));
    let Some(path) = path.map(|path| plain(path.text.trim(), &vars)) else { return };
    let path = Utf8PathBuf::from(path.trim_end_matches("workflow.xml").trim_end_matches('/'));
    reading.pieces += 1;
    // The workflow may lie beside the coordinator, its path a variable.
    let known = path.file_name().filter(|name| !name.contains(['$', '{']));
    let name = known.or(folder_of(&file.path).file_name()).unwrap_or_default();
    reading.schedules.push((JobId::new(name), schedule));
}

/// `${coord:days(1)}`, minutes as a number, or a cron line.
fn schedule(text: &str) -> Schedule {
    let inner = text.trim().trim_start_matches("${").trim_end_matches('}');
    let call = inner.strip_prefix("coord:").and_then(|call| call.split_once('('));
    let number = |text: &str| text.trim_end_matches(')').trim().parse::<u32>().ok();
    let of = |unit: &str, count: &str| number(count).map(|count| Schedule::of(format!("every {count} {unit}")));
    let known = match call {
        Some(("minutes", count)) => of("minutes", count),
        Some(("hours", count)) => of("hours", count),
        Some(("days" | "endOfDays", count)) => of("days", count),
        Some(("months" | "endOfMonths", count)) => {
            number(count).map(|count| Schedule::of(format!("0 0 1 */{count} *")))
        }
        _ => number(inner).map(|count| Schedule::of(format!("every {count} minutes"))),
    };
    Schedule { text: text.to_owned(), ..known.unwrap_or_else(|| Schedule::of(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_are_schedules() {
        let runs = |text: &str| schedule(text).runs_per_day;
        assert_eq!(runs("${coord:days(1)}"), Some(1.0));
        assert_eq!(runs("${coord:hours(6)}"), Some(4.0));
        assert_eq!(runs("30"), Some(48.0));
        assert_eq!(runs("10 2 * * *"), Some(1.0));
        assert_eq!(runs("${frequency}"), None);
    }
}
