//! `from` and `tables` of a job: which table goes where.
use crate::{
    diagnostics::CodeEntry,
    estate::{
        ImportedTable, JobKind, SourceSystem,
        reader::Reading,
        yaml::{Fields, Node, Shape},
    },
    vocab::{DatasetId, Span},
};

const KEYS: &[&str] = &["from", "into", "watermark"];
/// The end of the names of sources that are data services.
const SERVICE_ENDING: &str = "-data-service";

/// What a job copies.
#[derive(Default)]
pub(super) struct Copied {
    pub(super) imports: Vec<ImportedTable>,
    pub(super) reads: Vec<(DatasetId, Span)>,
    pub(super) writes: Vec<(DatasetId, Span)>,
}

pub(super) fn read(job: &str, kind: JobKind, map: &Node, fields: &mut Fields<'_>, file: &mut Reading) -> Copied {
    let mut copied = Copied::default();
    let system = system(map, fields, file);
    let Some(tables) = map.get("tables").filter(|tables| tables.shape != Shape::Null) else { return copied };
    if !matches!(tables.shape, Shape::List(_)) {
        let here = format!("expected a list of tables, found {}", tables.kind());
        fields.fault_with(CodeEntry::E015, tables, here, "write `- { from: orders, into: raw.orders }`, one a line");
        return copied;
    }
    for table in tables.items() {
        let Some((from, into)) = pair(job, table, fields) else { continue };
        let sides = match kind {
            JobKind::Export => (fields.dataset(from), other_side(into, system.as_deref(), fields)),
            _ => (other_side(from, system.as_deref(), fields), fields.dataset(into)),
        };
        let (Some(source), Some(target)) = sides else { continue };
        let (from_at, into_at) = (fields.span(from), fields.span(into));
        match kind {
            JobKind::Export | JobKind::Transform => {
                copied.reads.push((source, from_at));
                copied.writes.push((target, into_at));
            }
            JobKind::Import => {
                note_system(&source, &from_at, file);
                let watermark = fields.text(table, "watermark");
                copied.imports.push(ImportedTable { from: source, into: target, watermark, from_at, into_at });
            }
        }
    }
    copied
}

/// The system under `from`; a data service is declared by the very job that reads it.
fn system(map: &Node, fields: &mut Fields<'_>, file: &mut Reading) -> Option<String> {
    let node = map.get("from").filter(|node| node.shape != Shape::Null)?;
    let name = fields.text(map, "from")?.trim().to_lowercase();
    if name.is_empty() || name.contains(':') {
        fields.fault_with(
            CodeEntry::E013,
            node,
            format!("`{name}` names no source system"),
            "use a name without colon: `order_db`",
        );
        return None;
    }
    let at = fields.span(node);
    if map.get("service").is_some() && name.ends_with(SERVICE_ENDING) {
        let declared = SourceSystem {
            name: name.clone(),
            kind: Some("data-service".to_owned()),
            url: None,
            owner: None,
            domain: None,
            at: Some(at.clone()),
        };
        file.sources.entry(name.clone()).or_insert(declared);
    }
    file.named.push((name.clone(), at));
    Some(name)
}

fn note_system(source: &DatasetId, at: &Span, file: &mut Reading) {
    if let Some(system) = source.system().filter(|system| !file.named.iter().any(|(known, _)| known == system)) {
        file.named.push((system.to_owned(), at.clone()));
    }
}

fn pair<'n>(job: &str, table: &'n Node, fields: &mut Fields<'_>) -> Option<(&'n Node, &'n Node)> {
    if !matches!(table.shape, Shape::Map(_)) {
        let here = format!("expected the keys of one table, found {}", table.kind());
        fields.fault_with(CodeEntry::E015, table, here, "write `- { from: orders, into: raw.orders }`");
        return None;
    }
    fields.only(table, KEYS);
    let (from, into) = (table.get("from"), table.get("into"));
    if from.is_none() || into.is_none() {
        let missing = if from.is_none() { "from" } else { "into" };
        fields.fault_with(
            CodeEntry::E015,
            table,
            format!("a table of job `{job}` has no `{missing}`"),
            "give both `from` and `into`",
        );
    }
    from.zip(into)
}

/// A table outside the lake: of `system` unless it says its own.
fn other_side(node: &Node, system: Option<&str>, fields: &mut Fields<'_>) -> Option<DatasetId> {
    let text = node.scalar().unwrap_or_default().trim();
    // A colon within quotes is part of the table's name.
    let names_its_own = text.split_once(':').is_some_and(|(system, _)| !system.contains('"'));
    if names_its_own || text.is_empty() {
        return fields.dataset(node);
    }
    match system {
        Some(system) => format!("{system}:{text}").parse().ok().or_else(|| fields.dataset(node)),
        None => {
            fields.fault_with(
                CodeEntry::E012,
                node,
                format!("which system `{text}` lies in is not said"),
                "name the system with `from` in the job, or write `system:table`",
            );
            None
        }
    }
}
