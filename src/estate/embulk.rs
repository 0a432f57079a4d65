//! Settings of Embulk's bulk loads, as Embulk itself, Digdag and Treasure Data have them.
use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        FileFormat, ImportedTable, JobKind, SourceSystem,
        found::Found,
        names::{dataset_named, fill},
        reader::{Around, Reader, Reading},
        text_file::TextFile,
        yaml::{self, Node},
    },
    vocab::{DatasetId, JobId, Span, plain_address},
};

/// Kinds of `in` and `out` that are databases, with the keys that name their schema.
const DATABASES: &[(&str, &[&str])] = &[
    ("mysql", &["database"]),
    ("postgresql", &["schema"]),
    ("sqlserver", &["schema"]),
    ("oracle", &["schema"]),
    ("redshift", &["schema"]),
    ("snowflake", &["schema"]),
    ("bigquery", &["dataset"]),
    ("jdbc", &["schema"]),
    ("td", &["database"]),
    ("sqlite3", &[]),
    ("db2", &["schema"]),
    ("mongodb", &[]),
    ("clickhouse", &["database"]),
];
/// Kinds that are files, with the scheme of their addresses.
const FILES: &[(&str, &str)] =
    &[("s3", "s3"), ("gcs", "gs"), ("s3_parquet", "s3"), ("azure_blob_storage", "wasb"), ("hdfs", "hdfs")];

/// Files of Embulk.
pub(crate) struct Embulk;

impl Reader for Embulk {
    fn format(&self) -> FileFormat {
        FileFormat::Embulk
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        let name = path.file_name().unwrap_or_default();
        [".yml.liquid", ".yaml.liquid", ".yml", ".yaml"].iter().any(|ending| name.ends_with(ending))
    }

    fn claims(&self, file: &TextFile) -> bool {
        let begins = |key: &str| file.text.lines().any(|line| line.starts_with(key));
        begins("in:") && begins("out:") && file.text.contains("type:")
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        let mut found = Found { pieces: 1, ..Found::default() };
        load(file, None, around.vars, &mut found);
        let stem = file.path.as_str().trim_end_matches(".liquid");
        let id = JobId::new(Utf8Path::new(stem).with_extension("").as_str());
        let at = Span { end: file.whole().start, ..file.whole() };
        if let Some(job) = found.enter(id, at, None, &mut reading) {
            job.kind = JobKind::Import;
        }
        reading
    }
}

/// Reads one bulk load into `found`: from `in` to `out`, or to `target` where the caller names it.
pub(crate) fn load(
    file: &TextFile,
    target: Option<(DatasetId, Span)>,
    vars: &BTreeMap<String, String>,
    found: &mut Found,
) {
    let root = match yaml::document(file) {
        Ok(root) => root,
        Err(fault) => {
            found.opaque = 1;
            found.faults.push(fault);
            return;
        }
    };
    let side = |key: &str| root.get(key).map(|node| Side { node, file, vars });
    let (Some(from), Some(into)) = (side("in"), side("out")) else { return };
    let reads = from.read(found);
    let written = target.or_else(|| into.table(into.kind())).or_else(|| Some((into.files()?, into.span(into.node))));
    let Some((into, into_at)) = written else {
        found.opaque = 1;
        let here = "which table this load fills".to_owned();
        found.faults.push(Diagnostic::new(CodeEntry::E028, file.span(into.node.start, into.node.end), here));
        return;
    };
    found.loads = true;
    let (tables, files): (Vec<_>, Vec<_>) = reads.into_iter().partition(|(dataset, _)| dataset.system().is_some());
    for (from, from_at) in tables {
        let watermark =
            root.at(&["in", "incremental_columns"]).and_then(|node| node.items().first()).and_then(Node::scalar);
        found.imports.push(ImportedTable {
            from,
            into: into.clone(),
            watermark: watermark.map(str::to_owned),
            from_at,
            into_at: into_at.clone(),
        });
    }
    if found.imports.is_empty() {
        found.reads.extend(files);
        found.writes.push((into, into_at));
    }
}

/// `in` or `out`.
struct Side<'a> {
    node: &'a Node,
    file: &'a TextFile,
    vars: &'a BTreeMap<String, String>,
}

impl Side<'_> {
    fn kind(&self) -> &str {
        self.node.get("type").and_then(Node::scalar).unwrap_or_default()
    }

    fn span(&self, node: &Node) -> Span {
        self.file.span(node.start, node.end)
    }

    fn text(&self, key: &str) -> Option<String> {
        self.node.get(key).and_then(Node::scalar).map(|text| fill(&liquid(text), self.vars).replace('\u{1}', ""))
    }

    /// The table of a database that is written.
    fn table(&self, kind: &str) -> Option<(DatasetId, Span)> {
        let node = self.node.get("table").or(self.node.get("collection"))?;
        let schema_keys = DATABASES.iter().find(|(name, _)| *name == kind).map_or(&[][..], |(_, keys)| *keys);
        let schema = schema_keys.iter().find_map(|key| self.text(key));
        let table = liquid(node.scalar()?);
        let written = schema.map_or(table.clone(), |schema| format!("{schema}.{table}"));
        Some((dataset_named(&written, self.vars)?, self.span(node)))
    }

    /// How addresses of its files begin, where it is a store of files.
    fn scheme(&self) -> Option<&'static str> {
        FILES.iter().find(|(name, _)| *name == self.kind()).map(|(_, scheme)| *scheme)
    }

    /// The files of a bucket.
    fn files(&self) -> Option<DatasetId> {
        let bucket = self.text("bucket").unwrap_or_default();
        let prefix = self.text("path_prefix").unwrap_or_default();
        dataset_named(&format!("{}://{bucket}/{}", self.scheme()?, prefix.trim_start_matches('/')), self.vars)
    }

    /// What is read: tables of a source system, or files.
    fn read(&self, found: &mut Found) -> Vec<(DatasetId, Span)> {
        let kind = self.kind().to_owned();
        let at = self.span(self.node);
        if self.scheme().is_some() {
            return self.files().into_iter().map(|files| (files, at.clone())).collect();
        }
        let named = ["database", "host", "url", "path_prefix"].iter().find_map(|key| self.text(key));
        let system = system_name(named.as_deref().unwrap_or(&kind), &kind);
        let tables = match (self.node.get("table").or(self.node.get("collection")), self.node.get("query")) {
            (Some(table), _) => vec![liquid(table.scalar().unwrap_or_default())],
            (None, Some(query)) => crate::estate::names::tables_in(query.scalar().unwrap_or_default()),
            (None, None) => self.text("target").or(self.text("path_prefix")).into_iter().collect(),
        };
        found.sources.entry(system.clone()).or_insert(SourceSystem {
            name: system.clone(),
            kind: Some(kind.clone()),
            url: None,
            owner: None,
            domain: None,
            at: Some(at.clone()),
        });
        let place = self.node.get("table").or(self.node.get("query")).map_or(at, |node| self.span(node));
        let tables = if tables.is_empty() { vec![kind] } else { tables };
        tables
            .iter()
            .map(|table| (DatasetId::in_system(&system, &fill(table, self.vars).replace('\u{1}', "")), place.clone()))
            .collect()
    }
}

/// Liquid's `{{ env.NAME }}` is Jinja's to the rest of carve.
fn liquid(text: &str) -> String {
    text.replace("{{ env.", "{{ ").replace("{{env.", "{{")
}

/// A short name for a system: no address, no path.
fn system_name(named: &str, kind: &str) -> String {
    let named = plain_address(named);
    let short = named.rsplit('/').find(|part| !part.is_empty()).unwrap_or(kind);
    let short: String = short
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c.to_ascii_lowercase() } else { '_' })
        .collect();
    let short = short.trim_matches(['_', '.', '-']).to_owned();
    if short.is_empty() || short.contains('.') && !short.contains("db") { kind.to_owned() } else { short }
}
