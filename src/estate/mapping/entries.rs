//! The entries of a file that a mapping fits, as jobs.
use std::collections::BTreeMap;

use super::{
    pick::{Entry, Pattern, with_keys},
    rules::{Rule, Tables},
};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        ImportedTable, Schedule, SourceSystem,
        found::Found,
        given_sql::{How, take_file, take_node},
        names::{dataset_named, is_guess},
        reader::{Around, Reading, Sought},
        text_file::TextFile,
        yaml::Node,
    },
    vocab::{DatasetId, JobId, Span},
};

/// Reads the entries of `root` as `rule` says.
pub(super) fn read(rule: &Rule, root: &Node, file: &TextFile, around: &Around<'_>, reading: &mut Reading) {
    let found: Vec<(String, &Node)> = match rule.each.is_empty() {
        true => vec![(String::new(), root)],
        false => rule.each.iter().flat_map(|path| with_keys(path, root)).collect(),
    };
    let mut by_file: BTreeMap<String, JobId> = BTreeMap::new();
    let first = reading.jobs.len();
    for (key, node) in found {
        let entry = Entry { key: &key, node, root, file };
        if fits(rule, entry) {
            let (one, before) = (One { rule, entry, around }, reading.jobs.len());
            one.read(reading);
            if let Some(job) = reading.jobs.get(before) {
                let names = rule.field("sql_file").iter().filter_map(|pattern| pattern.text(entry));
                by_file.extend(names.map(|name| (name, job.id.clone())));
            }
        }
    }
    // What waits for a file waits for the entry that runs it.
    for named in reading.jobs[first..].iter_mut().flat_map(|job| &mut job.depends_on) {
        if let Some(job) = by_file.get(named.as_str()) {
            *named = job.clone();
        }
    }
}

fn fits(rule: &Rule, entry: Entry<'_>) -> bool {
    rule.conditions.iter().all(|(path, values)| {
        let texts = Pattern::of(path).texts(entry);
        // `*` asks only that the key is there.
        texts.iter().any(|text| values.iter().any(|value| value == "*" || value == text))
    })
}

/// One entry under one rule.
struct One<'a> {
    rule: &'a Rule,
    entry: Entry<'a>,
    around: &'a Around<'a>,
}

impl One<'_> {
    fn text(&self, field: &str) -> Option<String> {
        self.rule.field(field).iter().find_map(|pattern| pattern.text(self.entry))
    }

    fn texts(&self, field: &str) -> Vec<String> {
        let all = self.rule.field(field).iter().map(|pattern| pattern.texts(self.entry));
        all.into_iter().find(|texts| !texts.is_empty()).unwrap_or_default()
    }

    /// Where the field is written: its value's own place, else that of the entry.
    fn place(&self, field: &str) -> Span {
        let node =
            self.rule.field(field).iter().find_map(|pattern| pattern.node(self.entry)).unwrap_or(self.entry.node);
        self.span(node)
    }

    fn span(&self, node: &Node) -> Span {
        self.entry.file.span(node.start, node.end)
    }

    fn dataset(&self, text: &str, params: &BTreeMap<String, String>) -> Option<DatasetId> {
        match text.split_once(':').filter(|(_, rest)| !rest.starts_with("//")) {
            Some((system, table)) => Some(DatasetId::in_system(system, table)),
            None => dataset_named(text, params),
        }
    }

    fn params(&self) -> BTreeMap<String, String> {
        let maps = self.rule.field("params").iter().flat_map(|pattern| pattern.nodes(self.entry));
        let pairs = maps
            .flat_map(Node::entries)
            .filter_map(|entry| Some((entry.key.scalar()?.to_owned(), entry.value.scalar()?.to_owned())));
        pairs.collect()
    }

    fn read(&self, reading: &mut Reading) {
        let mut found = Found { pieces: 1, ..Found::default() };
        let given = self.params();
        let params: BTreeMap<String, String> = self.around.vars.clone().into_iter().chain(given.clone()).collect();
        let target = self.text("target");
        let named = target.as_deref().and_then(|text| self.dataset(text, &params));
        let is_guess = target.as_deref().is_some_and(|text| is_guess(text, &params));
        if let (Some(text), None) = (&target, &named) {
            self.opaque(self.place("target"), CodeEntry::E027, format!("which table `{text}` is"), &mut found);
        }
        let how = How {
            dialect: self.rule.dialect.clone(),
            schema: self.text("schema"),
            materialized: self
                .text("materialized")
                .and_then(|word| materialized(&word))
                .or(named.as_ref().map(|_| "table".to_owned())),
            target: named.clone(),
            params: given,
        };
        self.sql(&how, &mut found);
        for (field, is_read) in [("reads", true), ("writes", false)] {
            for text in self.texts(field) {
                if let Some(dataset) = self.dataset(&text, &params) {
                    let list = if is_read { &mut found.reads } else { &mut found.writes };
                    list.push((dataset, self.place(field)));
                }
            }
        }
        self.tables(&params, &mut found);
        if let (Some(target), true) = (named, found.scripts.is_empty() && found.imports.is_empty()) {
            found.writes.push((target, self.place("target")));
        }
        if found.is_idle() && found.opaque == 0 {
            let here = "nothing here says what it reads or writes".to_owned();
            self.opaque(self.span(self.entry.node), CodeEntry::E028, here, &mut found);
        }
        self.enter(found, is_guess, reading);
    }

    fn opaque(&self, at: Span, code: &'static CodeEntry, here: String, found: &mut Found) {
        found.opaque = 1;
        found.faults.push(Diagnostic::new(code, at, here));
    }

    fn enter(&self, found: Found, is_guess: bool, reading: &mut Reading) {
        let id = self.text("job").unwrap_or_else(|| match self.entry.key {
            "" => self.entry.file.path.with_extension("").into_string(),
            key => format!("{}/{key}", self.entry.file.path.with_extension("")),
        });
        let schedule = self.text("schedule").map(|text| self.schedule(&text, reading));
        let at = self.span(self.entry.node);
        let is_off = self.text("enabled").is_some_and(|text| is_no(&text))
            || self.text("disabled").is_some_and(|text| !is_no(&text));
        let id = JobId::new(id);
        let Some(job) = found.enter(id.clone(), Span { end: at.start, ..at }, schedule.as_ref(), reading) else {
            return;
        };
        if job.scripts.is_empty() || self.rule.kind != crate::estate::JobKind::Transform {
            job.kind = self.rule.kind;
        }
        job.owner = self.text("owner");
        job.domain = self.text("domain");
        job.enabled = !is_off;
        job.depends_on = self.texts("depends_on").into_iter().map(JobId::new).collect();
        if job.scripts.iter().any(|script| script.target.is_none()) {
            reading.placed.insert(id.clone());
        }
        if is_guess {
            reading.suggested.insert(id);
        }
    }

    fn schedule(&self, text: &str, reading: &mut Reading) -> Schedule {
        let written = Schedule::of(text);
        let interval = Schedule::of(format!("every {text}")).runs_per_day;
        let named = Schedule::of(format!("@{text}")).runs_per_day;
        let runs_per_day = written.runs_per_day.or(interval).or(named);
        if runs_per_day.is_none() {
            let here = format!("`{text}` is no schedule carve understands");
            reading.faults.push(Diagnostic::new(CodeEntry::E022, self.place("schedule"), here));
        }
        Schedule { runs_per_day, ..written }
    }

    /// The first of the files that is there, and SQL written in the entry.
    fn sql(&self, how: &How, found: &mut Found) {
        let candidates: Vec<Vec<String>> = self
            .rule
            .field("sql_file")
            .iter()
            .map(|pattern| pattern.texts(self.entry))
            .filter(|texts| !texts.is_empty())
            .collect();
        let own = crate::estate::paths::folder_of(&self.entry.file.path);
        let is_there = |path: &String| matches!(self.around.find(&[own], path), Sought::File(_));
        let best = candidates.iter().find(|paths| paths.iter().all(is_there)).or(candidates.first());
        // The others hold the same object for another case: the entry accounts for them too.
        for path in candidates.iter().flatten() {
            if let Sought::File(file) = self.around.find(&[own], path) {
                found.claimed.insert(file.path);
            }
        }
        for path in best.into_iter().flatten() {
            let understood = take_file(path, how, &[], &self.place("sql_file"), self.around, found);
            found.opaque |= u64::from(!understood);
        }
        for node in self.rule.field("query").iter().flat_map(|pattern| pattern.nodes(self.entry)) {
            match &node.shape {
                crate::estate::yaml::Shape::List(items) => {
                    items
                        .iter()
                        .filter(|item| item.scalar().is_some())
                        .for_each(|item| take_node(item, self.entry.file, how, self.around, found));
                }
                _ if node.scalar().is_some_and(|text| !text.trim().is_empty()) => {
                    take_node(node, self.entry.file, how, self.around, found)
                }
                _ => {}
            }
        }
    }

    /// Tables that are copied: those of a list, or the entry's own.
    fn tables(&self, params: &BTreeMap<String, String>, found: &mut Found) {
        let Some(tables) = &self.rule.tables else { return };
        let system = self.text("system").map(|name| name.trim().to_lowercase().replace([':', ' '], "_"));
        let rows: Vec<(String, &Node)> = match tables.each.is_empty() {
            true => vec![(self.entry.key.to_owned(), self.entry.node)],
            false => tables.each.iter().flat_map(|path| with_keys(path, self.entry.node)).collect(),
        };
        for (key, node) in rows {
            let row = Entry { key: &key, node, ..self.entry };
            match copied(tables, row, self.entry, system.as_deref(), params) {
                Some((from, into, watermark)) => {
                    if let Some(system) = from.system() {
                        found.sources.entry(system.to_owned()).or_insert_with(|| source(system, self.span(node)));
                    }
                    let at = self.span(node);
                    found.imports.push(ImportedTable { from, into, watermark, from_at: at.clone(), into_at: at });
                }
                None => self.opaque(self.span(node), CodeEntry::E028, "which table is copied where".to_owned(), found),
            }
        }
    }
}

fn source(name: &str, at: Span) -> SourceSystem {
    SourceSystem { name: name.to_owned(), kind: None, url: None, owner: None, domain: None, at: Some(at) }
}

fn copied(
    tables: &Tables,
    row: Entry<'_>,
    entry: Entry<'_>,
    system: Option<&str>,
    params: &BTreeMap<String, String>,
) -> Option<(DatasetId, DatasetId, Option<String>)> {
    // A value of the row, else of the entry around it.
    let text = |patterns: &[Pattern]| {
        patterns
            .iter()
            .find_map(|pattern| pattern.text(row))
            .or_else(|| patterns.iter().find_map(|pattern| pattern.text(entry)))
    };
    let from = text(&tables.from)?;
    let from = match (from.split_once(':').filter(|(_, rest)| !rest.starts_with("//")), system) {
        (Some((system, table)), _) => DatasetId::in_system(system, table),
        (None, _) if from.contains("://") => dataset_named(&from, params)?,
        (None, Some(system)) => DatasetId::in_system(system, &from),
        (None, None) => return None,
    };
    Some((from, dataset_named(&text(&tables.into)?, params)?, text(&tables.watermark)))
}

/// A house's word for how a result is stored.
fn materialized(word: &str) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    let known = match lower.as_str() {
        _ if lower.contains("append") || lower.contains("incremental") => "append",
        _ if lower.contains("view") => "view",
        _ if lower.contains("table")
            || lower.contains("overwrite")
            || lower.contains("truncate")
            || lower == "replace" =>
        {
            "table"
        }
        _ => return None,
    };
    Some(known.to_owned())
}

fn is_no(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "false" | "no" | "off" | "0" | "inactive" | "disabled")
}
