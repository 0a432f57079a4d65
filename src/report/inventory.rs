//! What there is: layers, tables, who reads and writes them, circles.
use std::collections::BTreeMap;

use serde::Serialize;

use super::{ReportInputs, text};
use crate::{
    graph::{Cycle, DatasetFacts, Layer},
    vocab::DatasetId,
};

/// What there is.
#[derive(Clone, Debug, Serialize)]
pub struct Inventory {
    /// Tables per layer.
    pub layers: Vec<LayerRow>,
    /// Tables that something writes and nothing reads.
    pub unread: Vec<DatasetRow>,
    /// Tables that something reads and nothing writes.
    pub unwritten: Vec<DatasetRow>,
    /// Jobs and tables that feed each other in a circle.
    pub cycles: Vec<CycleView>,
    /// All tables.
    pub datasets: Vec<DatasetRow>,
}

/// Tables of one layer.
#[derive(Clone, Debug, Serialize)]
pub struct LayerRow {
    /// `raw`.
    pub layer: String,
    /// What the layer means.
    pub meaning: String,
    /// Tables in it.
    pub tables: String,
    /// Width of a bar in per cent of the largest layer.
    pub bar: String,
    /// Tables in it that nothing reads.
    pub unread: String,
}

/// One table.
#[derive(Clone, Debug, Serialize)]
pub struct DatasetRow {
    /// Its name.
    pub name: String,
    /// Its layer.
    pub layer: String,
    /// Its domain, or empty.
    pub domain: String,
    /// Its owner, or empty.
    pub owner: String,
    /// Jobs that write it.
    pub writers: u64,
    /// Jobs that read it.
    pub readers: u64,
    /// BI objects that read it.
    pub exposures: u64,
    /// Queries in the usage log.
    pub queries: u64,
    /// Names of the jobs on its one side: writers of unread tables, readers of unwritten ones; empty elsewhere.
    pub jobs: String,
}

/// One circle.
#[derive(Clone, Debug, Serialize)]
pub struct CycleView {
    /// Its jobs.
    pub jobs: Vec<String>,
    /// Its tables.
    pub datasets: Vec<String>,
}

const LAYERS: [(Layer, &str); 5] = [
    (Layer::Source, "in a source system, outside the lake"),
    (Layer::Raw, "imported as it is"),
    (Layer::Transformed, "derived from one source system"),
    (Layer::Modelled, "joins several source systems"),
    (Layer::Unknown, "nothing is known of where its rows come from"),
];

/// A layer's name on a page.
pub(super) fn layer_name(layer: Layer) -> &'static str {
    match layer {
        Layer::Source => "source",
        Layer::Raw => "raw",
        Layer::Transformed => "transformed",
        Layer::Modelled => "modelled",
        Layer::Unknown => "unknown",
    }
}

/// The inventory of `inputs`.
pub(super) fn inventory(inputs: &ReportInputs) -> Inventory {
    let all = || inputs.datasets.iter();
    Inventory {
        layers: layers(inputs),
        unread: all().filter(|(_, f)| is_unread(f)).map(|(id, f)| with_jobs(id, f, true)).collect(),
        unwritten: all().filter(|(_, f)| is_unwritten(f)).map(|(id, f)| with_jobs(id, f, false)).collect(),
        cycles: inputs.cycles.iter().map(cycle).collect(),
        datasets: all().map(|(id, facts)| row(id, facts)).collect(),
    }
}

/// Whether something writes it and nothing reads it.
pub(super) fn is_unread(facts: &DatasetFacts) -> bool {
    !facts.written_by.is_empty() && facts.read_by.is_empty() && facts.exposed_by.is_empty() && facts.queries == 0
}

fn is_unwritten(facts: &DatasetFacts) -> bool {
    facts.layer != Layer::Source && facts.written_by.is_empty() && !facts.read_by.is_empty()
}

fn layers(inputs: &ReportInputs) -> Vec<LayerRow> {
    let mut sums: BTreeMap<Layer, (u64, u64)> = BTreeMap::new();
    for facts in inputs.datasets.values() {
        let sum = sums.entry(facts.layer).or_default();
        sum.0 += 1;
        sum.1 += u64::from(is_unread(facts));
    }
    let most = sums.values().map(|(tables, _)| *tables).max().unwrap_or(1).max(1);
    let row = |(layer, meaning): (Layer, &str)| {
        let (tables, unread) = sums.get(&layer).copied()?;
        Some(LayerRow {
            layer: layer_name(layer).to_owned(),
            meaning: meaning.to_owned(),
            tables: text::thousands(tables),
            bar: text::one_decimal(tables as f64 * 100.0 / most as f64),
            unread: text::thousands(unread),
        })
    };
    LAYERS.into_iter().filter_map(row).collect()
}

fn row(id: &DatasetId, facts: &DatasetFacts) -> DatasetRow {
    DatasetRow {
        name: id.to_string(),
        layer: layer_name(facts.layer).to_owned(),
        domain: facts.domain.clone().unwrap_or_default(),
        owner: facts.owner.clone().unwrap_or_default(),
        writers: facts.written_by.len() as u64,
        readers: facts.read_by.len() as u64,
        exposures: facts.exposed_by.len() as u64,
        queries: facts.queries,
        jobs: String::new(),
    }
}

fn with_jobs(id: &DatasetId, facts: &DatasetFacts, writers: bool) -> DatasetRow {
    let jobs = if writers { &facts.written_by } else { &facts.read_by };
    let names: Vec<&str> = jobs.iter().map(|job| job.as_str()).collect();
    DatasetRow { jobs: text::prose_up_to(&names, 4), ..row(id, facts) }
}

fn cycle(cycle: &Cycle) -> CycleView {
    CycleView {
        jobs: cycle.jobs.iter().map(ToString::to_string).collect(),
        datasets: cycle.datasets.iter().map(ToString::to_string).collect(),
    }
}
