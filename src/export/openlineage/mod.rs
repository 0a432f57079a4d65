//! Lineage as OpenLineage events (spec 2-0-2): one static JobEvent a job, one DatasetEvent a dataset no job touches.
//!
//! carve sees code, not runs, so there are no RunEvents. The time of every event is the newest commit's, never the
//! clock's. Exposures have no place in the standard and are left out.
mod facets;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use self::{
    facets::{dataset_facets, job_facets, lineage_facet, script_facets},
    names::named,
};
use crate::{
    estate::{Estate, ImportedTable, Job},
    graph::DependencyGraph,
    lineage::{Access, ColumnEdge, EdgeKind, JobLineage, Lineage, StatementLineage},
    vocab::{DatasetId, JobId},
};

/// The schema of the events.
const SPEC: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json";
/// Who made the events.
pub(super) const PRODUCER: &str = concat!("urn:carve:", env!("CARGO_PKG_VERSION"));

/// What events say beyond the estate.
#[derive(Clone, Debug)]
pub struct EventOptions {
    /// The namespace of the lake's own datasets and of its jobs.
    pub namespace: String,
    /// The time of every event, RFC 3339.
    pub time: String,
}

/// What events are made from.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The estate.
    pub estate: &'a Estate,
    /// Its SQL, read.
    pub lineage: &'a Lineage,
    /// Who feeds whom.
    pub graph: &'a DependencyGraph,
}

/// The events of `jobs`, or of the whole estate with its untouched datasets, in the order of names.
pub fn events<'a>(
    known: Known<'a>,
    jobs: Option<&BTreeSet<&JobId>>,
    options: &'a EventOptions,
) -> impl Iterator<Item = Value> + 'a {
    let wanted: Vec<&Job> =
        known.estate.jobs.iter().filter(|job| jobs.is_none_or(|jobs| jobs.contains(&job.id))).collect();
    let touched: BTreeSet<&DatasetId> = known.graph.edges().iter().map(|edge| &edge.dataset).collect();
    let alone = known.graph.datasets().keys().filter(move |dataset| !touched.contains(dataset));
    let alone: Vec<&DatasetId> = if jobs.is_none() { alone.collect() } else { Vec::new() };
    let of_jobs = wanted.into_iter().map(move |job| job_event(known, job, options));
    of_jobs.chain(alone.into_iter().map(move |dataset| dataset_event(known, dataset, options)))
}

fn job_event(known: Known<'_>, job: &Job, options: &EventOptions) -> Value {
    let edges = known.graph.edges_of(&job.id);
    let with = |wanted: &[Access]| -> BTreeSet<&DatasetId> {
        edges.iter().filter(|edge| wanted.contains(&edge.access)).map(|edge| &edge.dataset).collect()
    };
    let inputs = with(&[Access::Read]);
    let outputs = with(&[Access::Write]);
    let lineage = known.lineage.jobs.get(&job.id);
    let mut statements: Vec<StatementLineage> = job.imports.iter().map(copied).collect();
    statements.extend(lineage.into_iter().flat_map(|lineage| lineage.statements.iter().cloned()));
    let input = |dataset: &&DatasetId| dataset_value(dataset, dataset_facets(known, dataset), options);
    let output = |dataset: &&DatasetId| {
        let mut facets = dataset_facets(known, dataset);
        facets.extend(lineage_facet(dataset, &statements, options).map(|facet| ("columnLineage".to_owned(), facet)));
        dataset_value(dataset, facets, options)
    };
    event(
        "JobEvent",
        options,
        [
            ("job", json!({ "namespace": options.namespace, "name": job.id, "facets": job_facets(job) })),
            ("inputs", inputs.iter().map(input).collect()),
            ("outputs", outputs.iter().map(output).collect()),
        ],
    )
}

/// A table that a config copies: every column as it is.
fn copied(import: &ImportedTable) -> StatementLineage {
    let star = || "*".to_owned();
    let kind = EdgeKind::Identity;
    let edge = ColumnEdge { from: import.from.clone(), from_column: star(), to_column: star(), kind, ambiguous: false };
    StatementLineage {
        kind: "import".to_owned(),
        target: Some(import.into.clone()),
        sources: vec![import.from.clone()],
        columns: vec![edge],
        ..StatementLineage::default()
    }
}

/// One script by itself, as the job `name`.
pub fn script_event(
    name: &str,
    sql: &str,
    dialect: Option<&str>,
    lineage: &JobLineage,
    options: &EventOptions,
) -> Value {
    let with = |access: Access| -> BTreeSet<&DatasetId> {
        lineage.uses.iter().filter(|one| one.access == access).map(|one| &one.dataset).collect()
    };
    let input = |dataset: &&DatasetId| dataset_value(dataset, Map::new(), options);
    let output = |dataset: &&DatasetId| {
        let facet = lineage_facet(dataset, &lineage.statements, options);
        dataset_value(dataset, facet.map(|facet| ("columnLineage".to_owned(), facet)).into_iter().collect(), options)
    };
    event(
        "JobEvent",
        options,
        [
            ("job", json!({ "namespace": options.namespace, "name": name, "facets": script_facets(sql, dialect) })),
            ("inputs", with(Access::Read).iter().map(input).collect()),
            ("outputs", with(Access::Write).iter().map(output).collect()),
        ],
    )
}

fn dataset_event(known: Known<'_>, dataset: &DatasetId, options: &EventOptions) -> Value {
    let value = dataset_value(dataset, dataset_facets(known, dataset), options);
    event("DatasetEvent", options, [("dataset", value)])
}

fn event<const N: usize>(kind: &str, options: &EventOptions, fields: [(&str, Value); N]) -> Value {
    let mut event = Map::from_iter([
        ("eventTime".to_owned(), options.time.clone().into()),
        ("producer".to_owned(), PRODUCER.into()),
        ("schemaURL".to_owned(), format!("{SPEC}#/$defs/{kind}").into()),
    ]);
    event.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(event)
}

fn dataset_value(dataset: &DatasetId, facets: Map<String, Value>, options: &EventOptions) -> Value {
    let (namespace, name) = named(dataset, &options.namespace);
    json!({ "namespace": namespace, "name": name, "facets": facets })
}

/// Statements by what they fill.
type Filling<'a> = BTreeMap<&'a str, Vec<(&'a StatementLineage, usize)>>;

/// Column edges into `dataset`, by its column.
fn edges_into<'a>(dataset: &DatasetId, statements: &'a [StatementLineage]) -> Filling<'a> {
    let mut into: Filling<'a> = BTreeMap::new();
    for statement in statements.iter().filter(|one| one.target.as_ref() == Some(dataset)) {
        for (at, edge) in statement.columns.iter().enumerate() {
            into.entry(&edge.to_column).or_default().push((statement, at));
        }
    }
    into
}
