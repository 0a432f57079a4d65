//! Which tables a service offers, under which names, and where each goes in the lake.
use std::collections::{BTreeMap, HashMap};

use super::{DraftInputs, PublishEndpoint};
use crate::{
    estate::{ImportedTable, WrapSettings},
    vocab::{DatasetId, Endpoint, LogicalType, PartFormat, Schema, nearest},
};

/// One raw table on its way through the service and back.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub(super) endpoint: Endpoint,
    /// The raw table that dependents read today.
    pub(super) raw: DatasetId,
    /// The import that fills it today, where one is configured.
    pub(super) import: Option<ImportedTable>,
    /// Where dependents will read.
    pub(super) live: DatasetId,
    pub(super) staging: DatasetId,
    /// Where the table of that name is kept; `None` beside it.
    pub(super) previous: Option<DatasetId>,
}

/// What `carve.yaml` says of one wrap: the service's own keys over those of `default`.
pub(super) fn wrap_settings(inputs: &DraftInputs<'_>) -> WrapSettings {
    let wraps = &inputs.estate.settings.wraps;
    let base = wraps.get("").cloned().unwrap_or_default();
    let own = wraps.get(inputs.card.candidate.name.as_str()).cloned().unwrap_or_default();
    WrapSettings {
        mode: own.mode.or(base.mode),
        origin: own.origin.or(base.origin),
        format: own.format.or(base.format),
        rows_per_part: own.rows_per_part.or(base.rows_per_part),
        continuity: own.continuity.or(base.continuity),
        owner: own.owner.or(base.owner),
        columns: base.columns.into_iter().chain(own.columns).collect(),
    }
}

/// A key under one of `wraps` that cannot be followed.
#[derive(Debug)]
pub(super) struct Unusable {
    pub(super) key: &'static str,
    pub(super) reason: String,
}

impl Unusable {
    pub(super) fn new(key: &'static str, reason: String) -> Self {
        Unusable { key, reason }
    }
}

/// Whose settings say `key`: the service's own, else those of `default`.
pub(super) fn said_by<'a>(inputs: &DraftInputs<'a>, key: &str) -> &'a str {
    let service = inputs.card.candidate.name.as_str();
    let own = inputs.estate.settings.wraps.get(service).is_some_and(|own| match key {
        "mode" => own.mode.is_some(),
        "origin" => own.origin.is_some(),
        "format" => own.format.is_some(),
        "continuity" => own.continuity.is_some(),
        _ => !own.columns.is_empty(),
    });
    if own { service } else { "default" }
}

/// The service's lanes, the `default` endpoint first: the raw table with the most readers.
pub(super) fn lanes(inputs: &DraftInputs<'_>, in_place: bool) -> Vec<Lane> {
    let datasets = inputs.graph.datasets();
    let readers = |raw: &DatasetId| datasets.get(raw).map_or(0, |facts| facts.read_by.len() + facts.exposed_by.len());
    let mut raw: Vec<&DatasetId> = inputs.card.candidate.raw.iter().collect();
    raw.sort_by(|a, b| readers(b).cmp(&readers(a)).then_with(|| a.cmp(b)));
    let mut imports: HashMap<&DatasetId, &ImportedTable> = HashMap::new();
    for import in inputs.estate.jobs.iter().flat_map(|job| &job.imports) {
        imports.entry(&import.into).or_insert(import);
    }
    let mut taken: BTreeMap<Endpoint, u32> = BTreeMap::new();
    let mut lanes: Vec<Lane> = Vec::new();
    for (index, raw) in raw.into_iter().enumerate() {
        let endpoint = match index {
            0 => Endpoint::default(),
            _ => free_name(raw, &mut taken),
        };
        lanes.push(lane(imports.get(raw).copied(), endpoint, raw, in_place));
    }
    lanes
}

fn lane(import: Option<&ImportedTable>, endpoint: Endpoint, raw: &DatasetId, in_place: bool) -> Lane {
    Lane {
        endpoint,
        raw: raw.clone(),
        import: import.cloned(),
        live: if in_place { raw.clone() } else { raw.derived("import") },
        staging: raw.derived("carve_staging"),
        previous: in_place.then(|| raw.derived("before_carve")),
    }
}

// Two raw tables of one name in two schemas would share an endpoint: the second gets a number.
fn free_name(raw: &DatasetId, taken: &mut BTreeMap<Endpoint, u32>) -> Endpoint {
    let wanted = match Endpoint::suggested_by(raw.table()) {
        name if name == Endpoint::default() => Endpoint::suggested_by("default-table"),
        name => name,
    };
    let count = taken.entry(wanted.clone()).or_default();
    *count += 1;
    match *count {
        1 => wanted,
        n => Endpoint::suggested_by(&format!("{wanted}-{n}")),
    }
}

/// What `publish` needs to know of one lane; the error names a setting that means nothing.
pub(super) fn published(
    inputs: &DraftInputs<'_>,
    lane: &Lane,
    settings: &WrapSettings,
) -> Result<PublishEndpoint, Unusable> {
    let (from, table) = origin(lane, settings).map_err(|reason| Unusable::new("origin", reason))?;
    let (types, omit) = columns(lane, settings).map_err(|reason| Unusable::new("columns", reason))?;
    Ok(PublishEndpoint {
        endpoint: lane.endpoint.clone(),
        from,
        table,
        format: part_format(settings).map_err(|reason| Unusable::new("format", reason))?,
        rows_per_part: settings.rows_per_part.unwrap_or(1000).max(1),
        expect: expected_schema(inputs, &lane.raw),
        types,
        omit,
    })
}

fn origin(lane: &Lane, settings: &WrapSettings) -> Result<(String, DatasetId), String> {
    match settings.origin.as_deref() {
        None | Some("lake") => Ok(("lake".into(), lane.raw.clone())),
        Some("source") => match &lane.import {
            Some(import) => {
                let system = import.from.system().unwrap_or_default();
                Ok((format!("source:{system}"), import.from.clone()))
            }
            None => Err(format!("`origin: source` needs an import job that fills `{}`; none is known", lane.raw)),
        },
        Some(other) => Err(format!("`origin: {other}` is neither `lake` nor `source`")),
    }
}

fn part_format(settings: &WrapSettings) -> Result<PartFormat, String> {
    match settings.format.as_deref() {
        None | Some("csv") => Ok(PartFormat::Csv),
        Some("parquet") => Ok(PartFormat::Parquet),
        Some("jsonl") => Ok(PartFormat::Jsonl),
        Some(other) => Err(format!("`format: {other}` is none of `csv`, `parquet`, `jsonl`")),
    }
}

/// Fails on a key of `columns` whose table is none: a column that is meant to be left out would be published.
pub(super) fn tables_are_known(inputs: &DraftInputs<'_>, lanes: &[Lane]) -> Result<(), String> {
    let wraps = &inputs.estate.settings.wraps;
    let keys = |service: &str| wraps.get(service).into_iter().flat_map(|wrap| wrap.columns.keys());
    let own: Vec<&DatasetId> = lanes.iter().map(|lane| &lane.raw).collect();
    let all: Vec<&DatasetId> = inputs.graph.datasets().keys().collect();
    keys(inputs.card.candidate.name.as_str()).try_for_each(|key| names_one_of(key, &own, "table of this service"))?;
    keys("").try_for_each(|key| names_one_of(key, &all, "table of the estate"))
}

fn names_one_of(key: &str, tables: &[&DatasetId], what: &str) -> Result<(), String> {
    let Some((table, column)) = key.rsplit_once('.') else {
        return Err(format!("`columns: {key}` names no table: write `table.column`"));
    };
    if tables.iter().any(|known| table == known.table() || table == known.name()) {
        return Ok(());
    }
    let names: Vec<&str> = tables.iter().flat_map(|known| [known.table(), known.name()]).collect();
    let advice = match nearest(table, &names) {
        Some(near) => format!("did you mean `{near}.{column}`?"),
        None => format!("write one of {}", tables.iter().take(12).map(|t| t.name()).collect::<Vec<_>>().join(", ")),
    };
    Err(format!("`columns: {key}` names no {what}, so nothing would be left out or typed by it; {advice}"))
}

fn columns(lane: &Lane, settings: &WrapSettings) -> Result<(BTreeMap<String, LogicalType>, Vec<String>), String> {
    let mut types = BTreeMap::new();
    let mut omit = Vec::new();
    for (column, meaning) in &settings.columns {
        let Some((table, column)) = column.rsplit_once('.') else {
            return Err(format!("`columns: {column}` names no table: write `table.column`"));
        };
        if table != lane.raw.table() && table != lane.raw.name() {
            continue;
        }
        match meaning.as_str() {
            "omit" => omit.push(column.to_owned()),
            name => {
                let value = serde_yaml::Value::String(name.to_owned());
                let logical = serde_yaml::from_value(value)
                    .map_err(|_| format!("`columns: {table}.{column}: {name}` is neither `omit` nor a logical type"))?;
                types.insert(column.to_owned(), logical);
            }
        }
    }
    Ok((types, omit))
}

// Only columns that a DDL or schema file types are promised; names alone would promise too much.
fn expected_schema(inputs: &DraftInputs<'_>, raw: &DatasetId) -> Option<Schema> {
    let declared = inputs.estate.declared.get(raw)?;
    let typed = !declared.columns.is_empty() && declared.columns.iter().all(|column| !column.physical.is_empty());
    typed.then(|| Schema { columns: declared.columns.clone(), key: Vec::new() })
}
