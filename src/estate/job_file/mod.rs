//! carve's own job files, `format: carve-jobs/1`, as docs/JOBS.md describes them.
mod copied_tables;
mod job;
mod scripts;

pub(crate) use job::{dialect, scalars};

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        Job, SourceSystem,
        text_file::TextFile,
        yaml::{self, Fields, Node},
    },
    vocab::Span,
};

const FORMAT: &str = "carve-jobs/1";
const TOP: &[&str] = &["format", "sources", "defaults", "jobs"];
const SOURCE: &[&str] = &["kind", "url", "owner", "domain"];

/// What a job file holds.
#[derive(Default)]
pub(crate) struct JobFile {
    pub(crate) jobs: Vec<Job>,
    pub(crate) sources: BTreeMap<String, SourceSystem>,
    /// Source systems its imports name, each with the place.
    pub(crate) named: Vec<(String, Span)>,
    /// SQL files its jobs name.
    pub(crate) claimed: BTreeSet<Utf8PathBuf>,
    pub(crate) faults: Vec<Diagnostic>,
}

/// What reading a job file needs of the rest of the estate.
pub(crate) struct Around<'a> {
    /// The text of the file at a path, as far as it can be read.
    pub(crate) text_at: &'a (dyn Fn(&Utf8Path) -> Option<TextFile> + Sync),
    /// `vars` of carve.yaml.
    pub(crate) vars: &'a BTreeMap<String, String>,
    /// `dialect` of carve.yaml.
    pub(crate) dialect: Option<&'a str>,
}

/// Whether `file` says that it is a job file of any version.
pub(crate) fn is_job_file(file: &TextFile) -> bool {
    let value =
        |line: &str| line.strip_prefix("format:").map(|value| value.trim().trim_matches(['"', '\'']).to_owned());
    file.text.contains("carve-jobs/")
        && file.text.lines().filter_map(value).any(|value| value.starts_with("carve-jobs/"))
}

/// Reads one job file.
pub(crate) fn read(file: &TextFile, around: &Around<'_>) -> JobFile {
    let mut read = JobFile::default();
    let root = match yaml::document(file) {
        Ok(root) => root,
        Err(fault) => {
            read.faults.push(fault);
            return read;
        }
    };
    let mut faults = Vec::new();
    let mut fields = Fields { file, faults: &mut faults };
    fields.only(&root, TOP);
    if let Some(format) = root.get("format").filter(|format| format.scalar() != Some(FORMAT)) {
        let here = format!("`{}` is a format carve does not know", format.scalar().unwrap_or_default());
        fields.fault_with(CodeEntry::E015, format, here, format!("use `{FORMAT}`"));
    }
    read.sources = sources(&root, &mut fields);
    let defaults = job::Defaults::read(&root, &mut fields);
    if let Some(jobs) = fields.map(&root, "jobs") {
        fields.no_doubles(jobs);
        let mut seen = BTreeSet::new();
        for entry in jobs.entries() {
            let name = entry.key.scalar().unwrap_or_default();
            if name.trim().is_empty() {
                fields.fault_with(CodeEntry::E013, &entry.key, "a job needs a name", "write the name before the colon");
            } else if seen.insert(name) {
                job::read(name, entry, &defaults, around, &mut fields, &mut read);
            }
        }
    }
    read.faults = faults;
    read
}

/// The source systems under `sources`.
pub(crate) fn sources(root: &Node, fields: &mut Fields<'_>) -> BTreeMap<String, SourceSystem> {
    let mut found = BTreeMap::new();
    let Some(map) = fields.map(root, "sources") else { return found };
    fields.no_doubles(map);
    for entry in map.entries() {
        let name = entry.key.scalar().unwrap_or_default().trim().to_lowercase();
        if name.is_empty() || name.contains(':') {
            fields.fault_with(
                CodeEntry::E013,
                &entry.key,
                format!("`{name}` names no source system"),
                "use a name without colon: `order_db`",
            );
            continue;
        }
        fields.only(&entry.value, SOURCE);
        let system = SourceSystem {
            name: name.clone(),
            kind: fields.text(&entry.value, "kind"),
            url: fields.text(&entry.value, "url"),
            owner: fields.text(&entry.value, "owner"),
            domain: fields.text(&entry.value, "domain"),
            at: Some(fields.span(&entry.key)),
        };
        found.entry(name).or_insert(system);
    }
    found
}
