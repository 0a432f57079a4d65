//! `carve.yaml`, as docs/JOBS.md describes it: optional, and no fault in it stops anything.
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    diagnostics::{CodeEntry, Diagnostic, Diagnostics},
    estate::{
        EstateSettings, LoadOptions, WrapSettings,
        job_file::{dialect, scalars, sources},
        roots::{self, RootToRead},
        text_file::TextFile,
        yaml::{self, Fields, Node, Shape},
    },
    vocab::Span,
};

/// The file's name in the first root.
pub(crate) const NAME: &str = "carve.yaml";
const KEYS: &[&str] = &[
    "lake",
    "bucket",
    "sources",
    "dialect",
    "vars",
    "namespaces",
    "domains",
    "candidates",
    "criticality",
    "scoring",
    "wraps",
    "exclude",
    "limits",
];
const WRAP_KEYS: &[&str] = &["mode", "origin", "format", "rows_per_part", "continuity", "owner", "columns"];
/// The name under `wraps` that stands for every service.
const EVERY_SERVICE: &str = "default";

/// The settings of the estate in `roots`: `carve.yaml` of the first, or the file that `options` name.
pub fn settings(roots: &[Utf8PathBuf], options: &LoadOptions) -> (EstateSettings, Diagnostics) {
    let mut faults = Diagnostics::default();
    // Roots that are missing are told when the estate is read.
    let found = roots::resolve(roots, &mut Diagnostics::default());
    let settings = of_roots(&found, options, &mut faults);
    faults.sort();
    (settings, faults)
}

pub(crate) fn of_roots(roots: &[RootToRead], options: &LoadOptions, faults: &mut Diagnostics) -> EstateSettings {
    let first = roots.first().map(|root| root.root.path.as_path());
    let path = options.settings.clone().or_else(|| Some(first?.join(NAME)).filter(|path| path.exists()));
    let Some(path) = path else { return EstateSettings::default() };
    let shown = shown_path(&path, first);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            faults.push(Diagnostic::new(
                CodeEntry::E001,
                Span::whole(shown),
                format!("cannot be read: {}", error.kind()),
            ));
            return EstateSettings::default();
        }
    };
    match TextFile::decode(shown, bytes) {
        Ok(file) => {
            let (settings, told) = read(&file);
            faults.extend(told);
            settings
        }
        Err(fault) => {
            faults.push(fault);
            EstateSettings::default()
        }
    }
}

fn shown_path(path: &Utf8Path, first: Option<&Utf8Path>) -> Utf8PathBuf {
    let real = path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned());
    let inside = first.and_then(|first| real.strip_prefix(first).ok());
    inside.map_or_else(|| path.file_name().unwrap_or(NAME).into(), Utf8Path::to_owned)
}

/// The settings that `file` says.
pub(crate) fn read(file: &TextFile) -> (EstateSettings, Vec<Diagnostic>) {
    let mut faults = Vec::new();
    let mut settings = EstateSettings { at: Some(file.path.clone()), ..EstateSettings::default() };
    match yaml::document(file) {
        Ok(root) => fill(&mut settings, &root, &mut Fields { file, faults: &mut faults }),
        Err(fault) => faults.push(fault),
    }
    (settings, faults)
}

fn fill(settings: &mut EstateSettings, root: &Node, fields: &mut Fields<'_>) {
    if !matches!(root.shape, Shape::Map(_) | Shape::Null) {
        fields.fault_with(
            CodeEntry::E015,
            root,
            format!("expected keys, found {}", root.kind()),
            "write `key: value` lines",
        );
        return;
    }
    fields.only(root, KEYS);
    settings.dialect = dialect(root, fields);
    if let Some(lake) = fields.map(root, "lake") {
        fields.only(lake, &["url", "dialect"]);
        settings.connections.extend(fields.text(lake, "url").map(|url| ("lake".to_owned(), url)));
        settings.dialect = settings.dialect.take().or(dialect(lake, fields));
    }
    if let Some(bucket) = fields.map(root, "bucket") {
        fields.only(bucket, &["url"]);
        settings.connections.extend(fields.text(bucket, "url").map(|url| ("bucket".to_owned(), url)));
    }
    settings.sources = sources(root, fields);
    settings.vars =
        fields.map(root, "vars").map(|vars| scalars(vars, fields)).unwrap_or_default().into_iter().collect();
    settings.namespaces =
        fields.map(root, "namespaces").map(|map| scalars(map, fields)).unwrap_or_default().into_iter().collect();
    settings.domains = lists(root, "domains", fields);
    settings.candidates = lists(root, "candidates", fields);
    settings.criticality = numbers(root, "criticality", (0.0, 1.0), fields);
    settings.scoring = scoring(root, fields);
    settings.wraps = wraps(root, fields);
    settings.exclude = fields.strings(root, "exclude");
    if let Some(limits) = fields.map(root, "limits") {
        fields.only(limits, &["file_bytes"]);
        let bytes = fields.number(limits, "file_bytes", (1.0, 1e15));
        settings.file_bytes = bytes.map_or(settings.file_bytes, |bytes| bytes as u64);
    }
}

/// A map of lists of texts.
fn lists(root: &Node, key: &str, fields: &mut Fields<'_>) -> BTreeMap<String, Vec<String>> {
    let Some(map) = fields.map(root, key) else { return BTreeMap::new() };
    fields.no_doubles(map);
    let names = map.entries().iter().rev().filter_map(|entry| entry.key.scalar());
    names.map(|name| (name.to_owned(), fields.strings(map, name))).collect()
}

fn numbers(root: &Node, key: &str, range: (f64, f64), fields: &mut Fields<'_>) -> BTreeMap<String, f64> {
    let Some(map) = fields.map(root, key) else { return BTreeMap::new() };
    fields.no_doubles(map);
    let mut found = BTreeMap::new();
    for entry in map.entries() {
        if let (Some(name), Some(number)) = (entry.key.scalar(), fields.number_at(&entry.value, range)) {
            found.entry(name.to_owned()).or_insert(number);
        }
    }
    found
}

/// Numbers by dotted name: `cost: { fixed: { likely: 8 } }` is `cost.fixed.likely`. Scoring knows which there are.
fn scoring(root: &Node, fields: &mut Fields<'_>) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    if let Some(map) = fields.map(root, "scoring") {
        dotted(map, "", fields, &mut found);
    }
    found
}

fn dotted(map: &Node, before: &str, fields: &mut Fields<'_>, found: &mut BTreeMap<String, f64>) {
    fields.no_doubles(map);
    for entry in map.entries() {
        let name = format!("{before}{}", entry.key.scalar().unwrap_or_default());
        match &entry.value.shape {
            Shape::Map(_) => dotted(&entry.value, &format!("{name}."), fields, found),
            Shape::Null => {}
            _ => {
                let most = if name == "lambda" { 1.0 } else { f64::MAX };
                if let Some(number) = fields.number_at(&entry.value, (0.0, most)) {
                    found.entry(name).or_insert(number);
                }
            }
        }
    }
}

fn wraps(root: &Node, fields: &mut Fields<'_>) -> BTreeMap<String, WrapSettings> {
    let Some(map) = fields.map(root, "wraps") else { return BTreeMap::new() };
    fields.no_doubles(map);
    let mut found = BTreeMap::new();
    for entry in map.entries() {
        let name = entry.key.scalar().unwrap_or_default();
        let service = if name == EVERY_SERVICE { "" } else { name };
        found.entry(service.to_owned()).or_insert(wrap(&entry.value, fields));
    }
    found
}

fn wrap(node: &Node, fields: &mut Fields<'_>) -> WrapSettings {
    fields.only(node, WRAP_KEYS);
    let columns = fields.map(node, "columns").map(|columns| scalars(columns, fields)).unwrap_or_default();
    WrapSettings {
        mode: fields.choice(node, "mode", &["beside", "in_place"]),
        origin: fields.choice(node, "origin", &["lake", "source"]),
        format: fields.choice(node, "format", &["csv", "parquet", "jsonl"]),
        rows_per_part: fields.number(node, "rows_per_part", (1.0, f64::from(u32::MAX))).map(|rows| rows as u32),
        continuity: fields.choice(node, "continuity", &["exact", "superset", "report"]),
        owner: fields.text(node, "owner"),
        columns: columns.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (EstateSettings, Vec<(&'static str, String)>) {
        let (settings, faults) = super::read(&TextFile::inside(NAME.into(), text.to_owned()));
        (settings, faults.into_iter().map(|fault| (fault.code.code, fault.at.to_string())).collect())
    }

    #[test]
    fn a_nested_number_has_a_dotted_name() {
        let (settings, faults) = read("scoring: { lambda: 0.6, cost: { fixed: { likely: 8 } } }");
        let expected = [("cost.fixed.likely".to_owned(), 8.0), ("lambda".to_owned(), 0.6)].into();
        assert_eq!((settings.scoring, faults), (expected, Vec::new()));
    }

    #[test]
    fn every_fault_is_told_in_one_go_and_the_rest_counts() {
        let text = "dialect: sparc\ncolour: red\ncriticality: { orders: 2, crm: 0.5 }\nwraps:\n  default: { mode: aside, rows_per_part: 0 }\n  orders: { format: jsonl }\nvars: { a: [1] }\n";
        let (settings, faults) = read(text);
        let expected = [
            ("E005", "carve.yaml:2:1"),
            ("E014", "carve.yaml:1:10"),
            ("E015", "carve.yaml:7:12"),
            ("E015", "carve.yaml:3:24"),
            ("E015", "carve.yaml:5:20"),
            ("E015", "carve.yaml:5:42"),
        ];
        assert_eq!(faults.iter().map(|(code, at)| (*code, at.as_str())).collect::<Vec<_>>(), expected);
        assert_eq!(settings.criticality, [("crm".to_owned(), 0.5)].into());
        assert_eq!(settings.wraps["orders"].format.as_deref(), Some("jsonl"));
        assert_eq!(settings.wraps[""], WrapSettings::default());
    }
}
