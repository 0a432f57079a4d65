//! A Superset export, as a folder or as the ZIP that Superset gives: datasets, charts, dashboards.
mod bundle;
mod dashboard;

pub(crate) use bundle::{Bundle, bundles, is_export};

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{Exposure, Script, Templating, dialect_named, names::dataset_named, text_file::TextFile, yaml},
    vocab::{DatasetId, Span},
};
use yaml::{Node, Written};

/// Exposures out of one export.
#[derive(Default)]
pub(crate) struct Export {
    pub(crate) exposures: Vec<Exposure>,
    pub(crate) faults: Vec<Diagnostic>,
}

/// One parsed file with its text.
struct Parsed<'f> {
    file: &'f TextFile,
    node: Node,
}

/// Reads one export. Ids already in `taken` are given a number; templates in names are filled from `vars`.
pub(crate) fn read(bundle: &Bundle<'_>, vars: &BTreeMap<String, String>, taken: &mut BTreeSet<String>) -> Export {
    let mut export = Export::default();
    let dialects = database_dialects(bundle, &mut export.faults);
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for parsed in parse_all(&bundle.datasets, &mut export.faults) {
        let exposure = dataset(&parsed, &dialects, vars, taken, &mut export.faults);
        enter(&mut export.exposures, &mut ids, &parsed.node, exposure);
    }
    for parsed in parse_all(&bundle.charts, &mut export.faults) {
        let exposure = chart(&parsed, &ids, taken, &mut export.faults);
        enter(&mut export.exposures, &mut ids, &parsed.node, exposure);
    }
    for parsed in parse_all(&bundle.dashboards, &mut export.faults) {
        let exposure = dashboard::read(&parsed, &ids, taken, &mut export.faults);
        enter(&mut export.exposures, &mut ids, &parsed.node, exposure);
    }
    export
}

fn enter(exposures: &mut Vec<Exposure>, ids: &mut BTreeMap<String, String>, node: &Node, exposure: Option<Exposure>) {
    let Some(exposure) = exposure else { return };
    if let Some(uuid) = node.text_of("uuid") {
        ids.insert(uuid, exposure.id.clone());
    }
    exposures.push(exposure);
}

fn parse_all<'f>(files: &[&'f TextFile], faults: &mut Vec<Diagnostic>) -> Vec<Parsed<'f>> {
    let mut parsed = Vec::new();
    for file in files {
        match yaml::document(file) {
            Ok(node) => parsed.push(Parsed { file, node }),
            Err(fault) => faults.push(fault),
        }
    }
    parsed
}

/// Database uuid → dialect, out of the scheme of its address (`postgresql+psycopg2://…`).
fn database_dialects(bundle: &Bundle<'_>, faults: &mut Vec<Diagnostic>) -> BTreeMap<String, &'static str> {
    let dialect = |node: &Node| {
        let uri = node.text_of("sqlalchemy_uri")?;
        let scheme = uri.split(['+', ':']).next()?;
        // An address that only the deployment knows is often called after its database: `{{ CLICKHOUSE_URI }}`.
        let named = || uri.split(|c: char| !c.is_ascii_alphanumeric()).find_map(dialect_named);
        let dialect = dialect_named(scheme).or_else(|| named().filter(|_| uri.trim_start().starts_with(['{', '$'])))?;
        Some((node.text_of("uuid")?, dialect))
    };
    parse_all(&bundle.databases, faults).iter().filter_map(|parsed| dialect(&parsed.node)).collect()
}

fn dataset(
    parsed: &Parsed<'_>,
    dialects: &BTreeMap<String, &'static str>,
    vars: &BTreeMap<String, String>,
    taken: &mut BTreeSet<String>,
    faults: &mut Vec<Diagnostic>,
) -> Option<Exposure> {
    let (file, node) = (parsed.file, &parsed.node);
    let name = needed(parsed, "table_name", faults)?;
    let mut exposure = exposure("dataset", &name, file, node, taken);
    let dialect = node.text_of("database_uuid").and_then(|uuid| dialects.get(&uuid).copied());
    match node.get("sql").filter(|sql| sql.scalar().is_some_and(|text| !text.trim().is_empty())) {
        Some(sql) => exposure.scripts.push(script(file, sql, dialect)),
        None => {
            let at = node.get("table_name").map_or_else(|| file.whole(), |name| file.span(name.start, name.end));
            exposure.reads.push((table_of(node, &name, vars), at));
        }
    }
    Some(exposure)
}

/// The table of a physical dataset, with the catalog and schema it names.
fn table_of(node: &Node, name: &str, vars: &BTreeMap<String, String>) -> DatasetId {
    let around = ["catalog", "schema"].map(|key| node.text_of(key));
    let parts = around.into_iter().flatten().chain([name.to_owned()]).filter(|part| !part.trim().is_empty());
    let parts: Vec<String> = parts.collect();
    let is_template = parts.iter().any(|part| part.contains("{{") || part.contains("${"));
    let filled = is_template.then(|| dataset_named(&parts.join("."), vars)).flatten();
    filled.unwrap_or_else(|| DatasetId::from_parts(&parts))
}

fn script(file: &TextFile, sql: &Node, dialect: Option<&str>) -> Script {
    let verbatim = file.editable && matches!(sql.written, Written::AsIs | Written::Block);
    let text = match sql.written {
        Written::AsIs | Written::Block => &file.text[sql.start..sql.end],
        _ => sql.scalar().unwrap_or_default(),
    };
    Script {
        at: file.span(sql.start, sql.end),
        text: text.into(),
        verbatim,
        templating: Templating::Generic,
        dialect: dialect.map(str::to_owned),
        schema: None,
        target: None,
        materialized: None,
        params: BTreeMap::new(),
    }
}

fn chart(
    parsed: &Parsed<'_>,
    ids: &BTreeMap<String, String>,
    taken: &mut BTreeSet<String>,
    faults: &mut Vec<Diagnostic>,
) -> Option<Exposure> {
    let name = needed(parsed, "slice_name", faults)?;
    let mut exposure = exposure("chart", &name, parsed.file, &parsed.node, taken);
    if let Some(uuid) = parsed.node.get("dataset_uuid") {
        match uuid.scalar().and_then(|uuid| ids.get(uuid)) {
            Some(id) => exposure.parts.push(id.clone()),
            None => faults.push(missing(parsed.file, uuid, "dataset")),
        }
    }
    Some(exposure)
}

fn missing(file: &TextFile, uuid: &Node, what: &str) -> Diagnostic {
    let here = format!("no {what} of the export has uuid `{}`", uuid.scalar().unwrap_or_default());
    Diagnostic::new(CodeEntry::E051, file.span(uuid.start, uuid.end), here)
}

fn needed(parsed: &Parsed<'_>, key: &str, faults: &mut Vec<Diagnostic>) -> Option<String> {
    let found = parsed.node.text_of(key).filter(|text| !text.trim().is_empty());
    if found.is_none() {
        faults.push(Diagnostic::new(CodeEntry::E051, parsed.file.whole(), format!("`{key}` is missing")));
    }
    found
}

fn exposure(kind: &str, title: &str, file: &TextFile, node: &Node, taken: &mut BTreeSet<String>) -> Exposure {
    Exposure {
        id: unique(&format!("superset/{kind}/{title}"), taken),
        title: title.to_owned(),
        kind: kind.to_owned(),
        tool: "superset".to_owned(),
        owner: owner(node),
        reads: Vec::new(),
        scripts: Vec::new(),
        parts: Vec::new(),
        at: Span { end: file.whole().start, ..file.whole() },
    }
}

/// `id`, or with the first free number behind it.
pub(crate) fn unique(id: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{id} ({number})"));
    let free = std::iter::once(id.to_owned()).chain(numbered).find(|id| !taken.contains(id));
    let free = free.expect("there are more numbers than exposures");
    taken.insert(free.clone());
    free
}

/// Exports name owners in several ways; the first that is there counts.
fn owner(node: &Node) -> Option<String> {
    let of_user = |user: &Node| {
        let named = |key| user.text_of(key).filter(|text| !text.is_empty());
        let full = [named("first_name"), named("last_name")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        user.scalar()
            .map(str::to_owned)
            .or_else(|| named("username"))
            .or_else(|| named("email"))
            .or((!full.is_empty()).then_some(full))
    };
    let single = node.get("owner").and_then(of_user);
    let listed = || node.get("owners").and_then(|owners| owners.items().first()).and_then(of_user);
    single.or_else(listed).or_else(|| node.text_of("certified_by")).filter(|owner| !owner.trim().is_empty())
}
