//! carve's own job files, `format: carve-jobs/1`, as docs/JOBS.md describes them.
mod copied_tables;
mod job;
mod scripts;

pub(crate) use job::{dialect, scalars};

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use crate::{
    diagnostics::CodeEntry,
    estate::{
        FileFormat, SourceSystem,
        reader::{Around, Reader, Reading},
        text_file::TextFile,
        yaml::{self, Fields, Node},
    },
};

const FORMAT: &str = "carve-jobs/1";
const TOP: &[&str] = &["format", "sources", "defaults", "jobs"];
const SOURCE: &[&str] = &["kind", "url", "owner", "domain"];

/// Whether `file` says that it is a job file of any version.
fn is_job_file(file: &TextFile) -> bool {
    let value =
        |line: &str| line.strip_prefix("format:").map(|value| value.trim().trim_matches(['"', '\'']).to_owned());
    file.text.contains("carve-jobs/")
        && file.text.lines().filter_map(value).any(|value| value.starts_with("carve-jobs/"))
}

/// carve's own job files.
pub(crate) struct CarveJobs;

impl Reader for CarveJobs {
    fn format(&self) -> FileFormat {
        FileFormat::CarveJobs
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        matches!(path.extension(), Some("yaml" | "yml"))
    }

    fn claims(&self, file: &TextFile) -> bool {
        is_job_file(file)
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        read(file, around)
    }
}

/// Reads one job file.
fn read(file: &TextFile, around: &Around<'_>) -> Reading {
    let mut read = Reading::default();
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
    read.pieces = read.jobs.len() as u64;
    read.placed = read.jobs.iter().map(|job| job.id.clone()).collect();
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
