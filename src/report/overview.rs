//! The whole estate in at most 150 boxes: tables of one layer and one system or domain stand together.
//!
//! The layer is the column, so the flow reads from left to right; within a column, boxes are put
//! near what they are connected to (barycentre sweeps), ties by name.
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{ReportInputs, coupling::table_pairs, inventory::layer_name, text};
use crate::{graph::Layer, vocab::DatasetId};

/// The clustered graph, laid out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Overview {
    /// Boxes, column by column from top to bottom.
    pub clusters: Vec<Cluster>,
    /// Lines between boxes.
    pub links: Vec<ClusterLink>,
    /// What it shows, in a sentence.
    pub summary: String,
}

/// Datasets (or BI objects) that stand together.
#[derive(Clone, Debug, Serialize)]
pub struct Cluster {
    /// Index in [`Overview::clusters`].
    pub id: usize,
    /// What they share.
    pub label: String,
    /// Their layer; `BI` for exposures.
    pub layer: String,
    /// Column, from 0.
    pub column: usize,
    /// Place in the column, from 0.
    pub row: usize,
    /// How many.
    pub count: u64,
    /// Count in words.
    pub count_text: String,
}

/// How much one cluster feeds another.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterLink {
    /// Index of the cluster that feeds.
    pub from: usize,
    /// Index of the cluster that is fed.
    pub to: usize,
    /// Pairs of tables.
    pub pairs: u64,
}

const CLUSTERS: usize = 150;
const LAYERS: [&str; 6] = ["source", "raw", "transformed", "modelled", "BI", "unknown"];
const COLUMNS: usize = 5;
const SWEEPS: usize = 12;

/// Key of a cluster: index in [`LAYERS`], label.
type Key = (usize, String);

/// What each dataset and exposure was put into.
pub(super) struct Clustering {
    /// Per dataset.
    pub(super) of_dataset: BTreeMap<DatasetId, usize>,
    /// The drawing.
    pub(super) overview: Overview,
}

/// The overview of `inputs`.
pub(super) fn clustering(inputs: &ReportInputs) -> Clustering {
    let mut members: BTreeMap<Key, u64> = BTreeMap::new();
    for (_, key) in dataset_keys(inputs).chain(exposure_keys(inputs)) {
        *members.entry(key).or_default() += 1;
    }
    let folded = fold(&members);
    let fold_key = |key: Key| folded.get(&key).cloned().unwrap_or(key);
    let dataset_key: BTreeMap<&DatasetId, Key> =
        inputs.datasets.keys().zip(dataset_keys(inputs).map(|(_, key)| fold_key(key))).collect();
    let exposure_key: BTreeMap<&str, Key> = inputs
        .exposures
        .iter()
        .zip(exposure_keys(inputs).map(|(_, key)| fold_key(key)))
        .map(|(exposure, key)| (exposure.id.as_str(), key))
        .collect();
    let mut counts: BTreeMap<Key, u64> = BTreeMap::new();
    for (key, count) in members {
        *counts.entry(fold_key(key)).or_default() += count;
    }
    let links = links(inputs, &dataset_key, &exposure_key);
    let columns = order(&counts, &links);
    let overview = drawing(&columns, &counts, &links);
    let id_of: BTreeMap<Key, usize> = columns.into_iter().flatten().enumerate().map(|(id, key)| (key, id)).collect();
    let of_dataset = dataset_key.into_iter().filter_map(|(id, key)| Some((id.clone(), *id_of.get(&key)?))).collect();
    Clustering { of_dataset, overview }
}

fn dataset_keys<'a>(inputs: &'a ReportInputs<'a>) -> impl Iterator<Item = (&'a str, Key)> {
    inputs.datasets.iter().map(|(id, facts)| {
        let domain = || facts.domain.clone().unwrap_or_else(|| "no domain".to_owned());
        let one_system = || match facts.systems.len() {
            1 => facts.systems.first().cloned().unwrap_or_default(),
            _ => domain(),
        };
        let key = match facts.layer {
            Layer::Source => (0, id.system().map(str::to_owned).unwrap_or_else(one_system)),
            Layer::Raw => (1, facts.system.clone().unwrap_or_else(one_system)),
            Layer::Transformed => (2, facts.system.clone().unwrap_or_else(one_system)),
            Layer::Modelled => (3, facts.domain.clone().unwrap_or_else(|| "several domains".to_owned())),
            Layer::Unknown => (5, id.schema().unwrap_or("no schema").to_owned()),
        };
        (id.name(), key)
    })
}

/// BI objects stand together by who owns them.
fn exposure_keys<'a>(inputs: &'a ReportInputs<'a>) -> impl Iterator<Item = (&'a str, Key)> {
    inputs.exposures.iter().map(|exposure| {
        let label = exposure.owner.clone().unwrap_or_else(|| format!("{}, no owner", exposure.tool));
        (exposure.id.as_str(), (4, label))
    })
}

/// Small clusters of a column become one, so that at most [`CLUSTERS`] remain.
fn fold(members: &BTreeMap<Key, u64>) -> BTreeMap<Key, Key> {
    let mut folded = BTreeMap::new();
    if members.len() <= CLUSTERS {
        return folded;
    }
    // Every layer keeps its share of the room, its largest clusters first; one place is for the rest.
    for column in 0..LAYERS.len() {
        let mut of_column: Vec<(&Key, &u64)> = members.iter().filter(|(key, _)| key.0 == column).collect();
        // A column is given two boxes at least, so the shares are cut from a little less than all the room.
        let room = (of_column.len() * (CLUSTERS - 2 * LAYERS.len()) / members.len()).max(2);
        if of_column.len() <= room {
            continue;
        }
        of_column.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let rest = of_column.split_off(room - 1);
        for (key, _) in &rest {
            folded.insert((*key).clone(), (column, format!("{} smaller groups", text::thousands(rest.len() as u64))));
        }
    }
    folded
}

type Links = BTreeMap<(Key, Key), u64>;

fn links(inputs: &ReportInputs, datasets: &BTreeMap<&DatasetId, Key>, exposures: &BTreeMap<&str, Key>) -> Links {
    let mut links = Links::new();
    let mut add = |from: &Key, to: &Key| {
        if from != to {
            *links.entry((from.clone(), to.clone())).or_default() += 1;
        }
    };
    for (from, to) in table_pairs(inputs.edges) {
        if let (Some(from), Some(to)) = (datasets.get(from), datasets.get(to)) {
            add(from, to);
        }
    }
    for (id, facts) in inputs.datasets {
        for exposure in &facts.exposed_by {
            if let (Some(from), Some(to)) = (datasets.get(id), exposures.get(exposure.as_str())) {
                add(from, to);
            }
        }
    }
    links
}

/// The column of a key: what comes from nowhere known stands with the sources.
fn column_of(key: &Key) -> usize {
    if key.0 == COLUMNS { 0 } else { key.0 }
}

/// Keys per column, each put near the mean place of its neighbours, left ones and right ones in turn;
/// the order with the fewest crossings is kept. Columns without boxes are left out.
fn order(counts: &BTreeMap<Key, u64>, links: &Links) -> Vec<Vec<Key>> {
    let mut columns: Vec<Vec<Key>> = (0..COLUMNS)
        .map(|column| counts.keys().filter(|key| column_of(key) == column).cloned().collect())
        .filter(|column: &Vec<Key>| !column.is_empty())
        .collect();
    let mut neighbours: BTreeMap<&Key, BTreeSet<&Key>> = BTreeMap::new();
    for (from, to) in links.keys() {
        neighbours.entry(from).or_default().insert(to);
        neighbours.entry(to).or_default().insert(from);
    }
    let mut best = (crossings(&columns, links), columns.clone());
    for sweep in 0..SWEEPS {
        let rightwards = sweep % 2 == 0;
        let all = 0..columns.len();
        let turns: Vec<usize> = if rightwards { all.collect() } else { all.rev().collect() };
        for at in turns {
            arrange(&mut columns, at, rightwards, &neighbours);
        }
        let found = crossings(&columns, links);
        if found < best.0 {
            best = (found, columns.clone());
        }
    }
    best.1
}

/// Sorts column `at` by the mean place of the neighbours on one side; who has none there keeps its place.
fn arrange(columns: &mut [Vec<Key>], at: usize, from_left: bool, neighbours: &BTreeMap<&Key, BTreeSet<&Key>>) {
    let place = places(columns);
    let mean = |key: &Key| {
        let on_side = |other: &&&Key| match from_left {
            true => column_of(other) < column_of(key),
            false => column_of(other) > column_of(key),
        };
        let near: Vec<f64> =
            neighbours.get(key).into_iter().flatten().filter(on_side).filter_map(|k| place.get(*k).copied()).collect();
        let own = place.get(key).copied().unwrap_or_default();
        if near.is_empty() { own } else { near.iter().sum::<f64>() / near.len() as f64 }
    };
    let mut keyed: Vec<(f64, Key)> = columns[at].iter().map(|key| (mean(key), key.clone())).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    columns[at] = keyed.into_iter().map(|(_, key)| key).collect();
}

/// Beyond so many lines, counting crossings would take longer than they are worth.
const COUNTED_LINES: usize = 1500;

/// How many pairs of lines cross, as far as both ends tell.
fn crossings(columns: &[Vec<Key>], links: &Links) -> usize {
    let place = places(columns);
    let ends: Vec<(usize, usize, f64, f64)> = links
        .keys()
        .take(COUNTED_LINES)
        .filter_map(|(from, to)| Some((column_of(from), column_of(to), *place.get(from)?, *place.get(to)?)))
        .collect();
    let cross = |a: &(usize, usize, f64, f64), b: &(usize, usize, f64, f64)| {
        a.0 == b.0 && a.1 == b.1 && (a.2 - b.2) * (a.3 - b.3) < 0.0
    };
    ends.iter().enumerate().map(|(at, a)| ends[..at].iter().filter(|b| cross(a, b)).count()).sum()
}

/// Where each box stands in its column, 0 at the top and 1 at the bottom.
fn places(columns: &[Vec<Key>]) -> BTreeMap<Key, f64> {
    let of_column = |column: &Vec<Key>| {
        let size = column.len() as f64;
        column.iter().enumerate().map(|(at, key)| (key.clone(), (at as f64 + 0.5) / size)).collect::<Vec<_>>()
    };
    columns.iter().flat_map(of_column).collect()
}

fn drawing(columns: &[Vec<Key>], counts: &BTreeMap<Key, u64>, links: &Links) -> Overview {
    let mut clusters = Vec::new();
    let mut id_of: BTreeMap<&Key, usize> = BTreeMap::new();
    for (column, keys) in columns.iter().enumerate() {
        for (row, key) in keys.iter().enumerate() {
            id_of.insert(key, clusters.len());
            clusters.push(cluster(clusters.len(), column, row, key, counts.get(key).copied().unwrap_or(0)));
        }
    }
    let link = |((from, to), pairs): (&(Key, Key), &u64)| {
        Some(ClusterLink { from: *id_of.get(from)?, to: *id_of.get(to)?, pairs: *pairs })
    };
    let links: Vec<ClusterLink> = links.iter().filter_map(link).collect();
    let summary = format!(
        "{} and {} between them.",
        text::count(clusters.len(), "group", "groups"),
        text::count(links.len(), "line", "lines")
    );
    Overview { clusters, links, summary }
}

fn cluster(id: usize, column: usize, row: usize, key: &Key, count: u64) -> Cluster {
    let layer = LAYERS[key.0];
    let count_text = match key.0 {
        4 => text::count(count as usize, "BI object", "BI objects"),
        5 => format!("{}, origin unknown", text::count(count as usize, "table", "tables")),
        _ => text::count(count as usize, "table", "tables"),
    };
    Cluster { id, label: key.1.clone(), layer: layer.to_owned(), column, row, count, count_text }
}

/// The column heading of `layer`.
pub(super) fn heading(layer: &str) -> &'static str {
    match layer {
        "source" => "Source systems",
        "raw" => "Raw",
        "transformed" => "Transformed",
        "modelled" => "Modelled",
        "BI" => "BI",
        _ => "Source systems",
    }
}

/// The layer of a dataset as the overview names it.
pub(super) fn layer_of(layer: Layer) -> &'static str {
    layer_name(layer)
}
