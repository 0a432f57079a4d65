//! Which source systems each dataset comes from, and so where it stands: drawn in one pass.
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    estate::{Estate, JobKind},
    graph::{
        Layer, SystemSet,
        dependency_graph::Network,
        gather::{Flow, Gathered},
        origins::{Traced, trace},
        places::{Places, bucket_of},
    },
    vocab::DatasetId,
};

/// Schemas an engine keeps about itself: no data of anybody's.
const ENGINE_SCHEMAS: &[&str] = &["information_schema", "pg_catalog", "sys"];

/// Where datasets stand, by number.
pub(super) struct Boundary {
    pub(super) layers: Vec<Layer>,
    /// The one system a dataset belongs to.
    pub(super) system: Vec<Option<u32>>,
    /// Names of systems.
    pub(super) names: Arc<[String]>,
    traced: Traced,
}

impl Boundary {
    /// Systems that feed dataset `at`.
    pub(super) fn systems(&self, at: usize) -> SystemSet {
        SystemSet::new(Arc::clone(&self.names), self.traced.of(at).clone())
    }
}

/// What stands at a dataset before anything flows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Root {
    /// In a source system of this name; empty until its place gives one.
    Source(String),
    /// In the lake, and no job says where it is from; the system is declared or named after its place.
    Raw(String),
    /// Fed by jobs, or by nothing known.
    No,
}

/// Draws the boundary over the network, whose first nodes are the datasets.
pub(super) fn draw(estate: &Estate, gathered: &Gathered, network: &Network, components: &[Vec<usize>]) -> Boundary {
    let into = flows_into(gathered);
    let roots = find_roots(estate, gathered, &into);
    let names: BTreeSet<&String> = roots
        .iter()
        .filter_map(|root| match root {
            Root::Source(name) | Root::Raw(name) => Some(name),
            Root::No => None,
        })
        .collect();
    let names: Arc<[String]> = names.into_iter().cloned().collect();
    let number: HashMap<&str, u32> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at as u32)).collect();

    let mut own = vec![None; network.len()];
    let mut outside = vec![false; network.len()];
    for (at, root) in roots.iter().enumerate() {
        if let Root::Source(name) | Root::Raw(name) = root {
            own[at] = Some(number[name.as_str()]);
            outside[at] = matches!(root, Root::Source(_));
        }
    }
    let traced = trace(network, components, &own);

    let mut layers = Vec::new();
    let mut system = Vec::new();
    for at in 0..gathered.datasets.len() {
        let imported = imported_from(at, &into[at], &outside, &own);
        let (layer, home) = match (&roots[at], imported, traced.of(at).len()) {
            (Root::Source(_), ..) => (Layer::Source, own[at]),
            (Root::Raw(_), ..) => (Layer::Raw, own[at]),
            // A raw table stays one when a job in the lake writes back into it.
            (Root::No, Some(one), _) => (Layer::Raw, Some(one)),
            (Root::No, None, 0) => (Layer::Unknown, None),
            (Root::No, None, 1) => (Layer::Transformed, traced.only(at)),
            (Root::No, None, _) => (Layer::Modelled, None),
        };
        layers.push(layer);
        system.push(home);
    }
    Boundary { layers, system, names, traced }
}

fn flows_into(gathered: &Gathered) -> Vec<Vec<&Flow>> {
    let mut into = vec![Vec::new(); gathered.datasets.len()];
    for flow in &gathered.flows {
        for target in &flow.targets {
            into[*target].push(flow);
        }
    }
    into
}

/// The one system that dataset `at` is imported from: some flow takes nothing but source datasets,
/// and all source datasets that feed it directly lie in one system.
fn imported_from(at: usize, into: &[&Flow], outside: &[bool], own: &[Option<u32>]) -> Option<u32> {
    let direct = |flow: &&Flow| {
        let mut others = flow.sources.iter().filter(|source| **source != at).peekable();
        others.peek().is_some() && others.all(|source| outside[*source])
    };
    if !into.iter().any(direct) {
        return None;
    }
    let sources = into.iter().flat_map(|flow| &flow.sources).filter(|source| outside[**source]);
    let systems: BTreeSet<u32> = sources.filter_map(|source| own[*source]).collect();
    match systems.len() {
        1 => systems.first().copied(),
        _ => None,
    }
}

fn find_roots(estate: &Estate, gathered: &Gathered, into: &[Vec<&Flow>]) -> Vec<Root> {
    let kinds: HashMap<_, _> = estate.jobs.iter().map(|job| (&job.id, job.kind)).collect();
    let mut read = vec![false; gathered.datasets.len()];
    for source in gathered.flows.iter().flat_map(|flow| &flow.sources) {
        read[*source] = true;
    }
    let mut roots = Vec::new();
    for (at, dataset) in gathered.datasets.iter().enumerate() {
        let declared = estate.declared.get(dataset).and_then(|declared| declared.source.clone());
        // Written by import jobs whose source nobody can see: as good as not written.
        let imported_blindly = into[at]
            .iter()
            .all(|flow| flow.sources.is_empty() && kinds.get(&gathered.jobs[flow.job]) == Some(&JobKind::Import));
        roots.push(match (dataset.system(), declared) {
            (Some(system), _) => Root::Source(system.to_owned()),
            (None, Some(system)) if into[at].is_empty() && dataset.is_file_set() => Root::Source(system),
            (None, Some(system)) if imported_blindly => Root::Raw(system),
            _ if into[at].is_empty() && dataset.is_file_set() => Root::Source(bucket_of(dataset).unwrap_or_default()),
            _ if imported_blindly && (read[at] || !into[at].is_empty()) && !is_engine_table(dataset) => {
                Root::Raw(String::new())
            }
            _ => Root::No,
        });
    }
    name_by_place(gathered, &mut roots);
    roots
}

fn is_engine_table(dataset: &DatasetId) -> bool {
    dataset.schema().is_some_and(|schema| schema.rsplit('.').next().is_some_and(|last| ENGINE_SCHEMAS.contains(&last)))
        || dataset.name().starts_with("sqlite_")
}

/// Names the roots that nobody named, after the places they are seen in.
fn name_by_place(gathered: &Gathered, roots: &mut [Root]) {
    let numbers = |wanted: Root| -> Vec<usize> {
        roots.iter().enumerate().filter(|(_, root)| **root == wanted).map(|(at, _)| at).collect()
    };
    let (files, tables) = (numbers(Root::Source(String::new())), numbers(Root::Raw(String::new())));
    if files.is_empty() && tables.is_empty() {
        return;
    }
    let places = Places::of(gathered);
    for (at, name) in places.of_files(&files) {
        roots[at] = Root::Source(name);
    }
    for (at, name) in places.of_tables(&tables) {
        roots[at] = Root::Raw(name);
    }
}
