//! Jobs of Bricolage: `.job` files of YAML, `.sql.job` files with a head of YAML in a comment, and `.jobnet` files.
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        FileFormat, JobKind,
        found::Found,
        given_sql::{How, take_file},
        names::dataset_named,
        paths::folder_of,
        reader::{Around, Reader, Reading},
        text_file::TextFile,
        yaml::{self, Node, Shape},
    },
    vocab::{DatasetId, JobId, Span},
};

/// Classes of jobs that do nothing with data.
const CONTROL: &[&str] = &["noop", "adhoc", "wait-file", "createtable", "exec-vacuum", "analyze"];

/// Job files of Bricolage.
pub(crate) struct Bricolage;

impl Reader for Bricolage {
    fn format(&self) -> FileFormat {
        FileFormat::Bricolage
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        matches!(path.extension(), Some("job" | "jobnet"))
    }

    fn claims(&self, file: &TextFile) -> bool {
        file.path.extension() == Some("jobnet")
            || head(&file.text).0.lines().any(|line| line.trim_start().starts_with("class:"))
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        match file.path.extension() {
            Some("jobnet") => net(file, &mut reading),
            _ => job(file, around, &mut reading),
        }
        reading
    }
}

/// The head of a file as YAML, and where its SQL begins.
fn head(text: &str) -> (&str, usize) {
    match text.trim_start().strip_prefix("/*") {
        Some(rest) => {
            let start = text.len() - rest.len();
            let end = rest.find("*/").unwrap_or(rest.len());
            (&rest[..end], (start + end + 2).min(text.len()))
        }
        None => (text, text.len()),
    }
}

/// `subsystem/name` of a job's file.
fn name_of(path: &Utf8Path) -> String {
    let stem = path.file_name().unwrap_or_default().split('.').next().unwrap_or_default();
    match folder_of(path).file_name() {
        Some(folder) => format!("{folder}/{stem}"),
        None => stem.to_owned(),
    }
}

fn job(file: &TextFile, around: &Around<'_>, reading: &mut Reading) {
    let (front, body) = head(&file.text);
    let root = match yaml::document(&TextFile::inside(file.path.clone(), front.to_owned())) {
        Ok(root) => root,
        Err(fault) => return reading.faults.push(Diagnostic { at: file.whole(), ..fault }),
    };
    let class = root.text_of("class").unwrap_or_default();
    if CONTROL.contains(&class.as_str()) {
        return;
    }
    let at = Span { end: file.whole().start, ..file.whole() };
    let one = One { root: &root, vars: variables(&root, file, around), at: at.clone(), around };
    let mut found = Found { pieces: 1, ..Found::default() };
    one.read(&class, file, body, &mut found);
    if let Some(job) = found.enter(JobId::new(name_of(&file.path)), at, None, reading) {
        match class.as_str() {
            "load" | "my-import" | "my-import-delta" | "streaming_load" | "streaming_load_v3" => {
                job.kind = JobKind::Import
            }
            "unload" | "s3-put" | "redis-export" | "redis_export" => job.kind = JobKind::Export,
            _ => {}
        }
    }
}

/// The variables of the project, `config/variables.yml`, and those of the job.
fn variables(root: &Node, file: &TextFile, around: &Around<'_>) -> BTreeMap<String, String> {
    let mut found = around.vars.clone();
    let folders = folder_of(&file.path).ancestors().skip(1);
    let configs =
        folders.flat_map(|folder| ["config/variable.yml", "config/variables.yml"].map(|name| folder.join(name)));
    let config: Option<TextFile> = configs.into_iter().find_map(|path: Utf8PathBuf| around.text_at(&path));
    let shared = config.and_then(|config| yaml::document(&config).ok());
    let pairs = |node: &Node| {
        let pair = |entry: &yaml::Entry| Some((entry.key.scalar()?.to_owned(), entry.value.scalar()?.to_owned()));
        node.entries().iter().filter_map(pair).collect::<Vec<_>>()
    };
    found.extend(shared.iter().flat_map(pairs));
    found.extend(root.get("variables").iter().flat_map(|node| pairs(node)));
    found
}

struct One<'a> {
    root: &'a Node,
    vars: BTreeMap<String, String>,
    at: Span,
    around: &'a Around<'a>,
}

impl One<'_> {
    /// `$name` and `${name}` filled as far as they are known.
    fn filled(&self, text: &str, more: &BTreeMap<String, String>) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let inner = rest[at + 1..].trim_start_matches('{');
            let braces = rest.len() - at - 1 - inner.len();
            let length = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
            let name = &inner[..length];
            let after = &inner[length..];
            let after = if braces > 0 { after.strip_prefix('}').unwrap_or(after) } else { after };
            match more.get(name).or_else(|| self.vars.get(name)) {
                Some(value) if !name.is_empty() => out.push_str(value),
                _ if name.is_empty() => out.push('$'),
                _ => out.push_str(&format!("${{{name}}}")),
            }
            rest = if name.is_empty() { &rest[at + 1..] } else { after };
        }
        out.push_str(rest);
        out
    }

    fn text(&self, key: &str) -> Option<String> {
        self.root.text_of(key).map(|text| self.filled(&text, &BTreeMap::new()))
    }

    fn dataset(&self, text: &str) -> Option<DatasetId> {
        dataset_named(text, &self.vars)
    }

    /// The tables that are read, by the names that SQL calls them.
    fn sources(&self) -> Vec<(String, String)> {
        let Some(node) = self.root.get("src-tables").or(self.root.get("src-table")) else { return Vec::new() };
        let fill = |text: &str| self.filled(text, &BTreeMap::new());
        match &node.shape {
            Shape::Map(entries) => entries
                .iter()
                .filter_map(|entry| Some((entry.key.scalar()?.to_owned(), fill(entry.value.scalar()?))))
                .collect(),
            Shape::List(items) => items
                .iter()
                .filter_map(Node::scalar)
                .map(|table| (table.rsplit('.').next().unwrap_or(table).to_owned(), fill(table)))
                .collect(),
            _ => node.scalar().map(|table| ("src_table".to_owned(), fill(table))).into_iter().collect(),
        }
    }

    fn read(&self, class: &str, file: &TextFile, body: usize, found: &mut Found) {
        let target = self.text("dest-table");
        let named = target.as_deref().and_then(|text| self.dataset(text));
        let sources = self.sources();
        let mut known: BTreeMap<String, String> = sources.iter().cloned().collect();
        known.extend(target.clone().map(|table| ("dest_table".to_owned(), table)));
        known.extend(self.text("old-table").map(|table| ("old_table".to_owned(), table)));
        let how = How {
            dialect: Some("redshift".to_owned()),
            target: named.clone(),
            params: self.vars.clone(),
            ..How::default()
        };
        if body < file.text.len() {
            let raw = &file.text[body..];
            let text = self.filled(&without_ruby(raw), &known);
            let start = body + (raw.len() - raw.trim_start().len());
            if !text.trim().is_empty() {
                found.scripts.push(how.script(
                    file.span(start, file.text.trim_end().len()),
                    text.trim().into(),
                    false,
                    self.around,
                ));
            }
        } else if let Some(path) = self.text("sql-file") {
            let how =
                How { params: self.vars.iter().chain(&known).map(|(a, b)| (a.clone(), b.clone())).collect(), ..how };
            let understood = take_file(&path, &how, &[], &self.at, self.around, found);
            found.opaque |= u64::from(!understood);
        } else {
            self.files(class, found);
        }
        let tables = sources.iter().filter_map(|(_, table)| self.dataset(table));
        found.reads.extend(tables.map(|table| (table, self.at.clone())));
        found.writes.extend(named.map(|table| (table, self.at.clone())));
        if found.is_idle() && found.opaque == 0 {
            found.opaque = 1;
            found.faults.push(Diagnostic::new(
                CodeEntry::E026,
                self.at.clone(),
                format!("what a job of class `{class}` does with data"),
            ));
        }
    }

    /// Files that are loaded or written.
    fn files(&self, class: &str, found: &mut Found) {
        let address =
            |key: &str| self.text(key).map(|path| if path.contains("://") { path } else { format!("s3://{path}") });
        if let Some(files) = address("src-file").filter(|_| class.contains("load")).and_then(|text| self.dataset(&text))
        {
            found.loads = true;
            found.reads.push((files, self.at.clone()));
        }
        if let Some(files) = address("dest-file").and_then(|text| self.dataset(&text)) {
            found.unloads = true;
            found.writes.push((files, self.at.clone()));
        }
    }
}

/// SQL without embedded Ruby.
fn without_ruby(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<%") {
        out.push_str(before);
        rest = after.split_once("%>").map_or("", |(_, rest)| rest);
    }
    out + rest
}

/// `a -> b` of a job net: what runs before what. The jobs themselves have files of their own.
fn net(file: &TextFile, reading: &mut Reading) {
    let folder = folder_of(&file.path).file_name().unwrap_or_default();
    let full = |name: &str| if name.contains('/') { name.to_owned() } else { format!("{folder}/{name}") };
    for line in file.text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let names: Vec<String> = line
            .split("->")
            .map(str::trim)
            .filter(|name| !name.is_empty() && !name.starts_with('*'))
            .map(full)
            .collect();
        for pair in names.windows(2) {
            reading.orders.push((JobId::new(pair[0].as_str()), JobId::new(pair[1].as_str())));
        }
    }
}
