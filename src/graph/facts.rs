//! The facts of every dataset, joined from edges, boundary, exposures and the usage log.
use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::{
    estate::Estate,
    graph::{DatasetFacts, DatasetIndex, boundary::Boundary, domains::Domains, gather::Gathered},
    lineage::Access,
    vocab::JobId,
};

#[derive(Clone, Default)]
struct Touched {
    written_by: BTreeSet<JobId>,
    read_by: BTreeSet<JobId>,
    exposed_by: BTreeSet<String>,
    queries: u64,
    users: BTreeSet<String>,
}

/// One entry a dataset.
pub(super) fn collect(estate: &Estate, gathered: &Gathered, boundary: Boundary) -> DatasetIndex {
    let domains = Domains::of(estate);
    let facts_of = |(at, touched): (usize, Touched)| {
        let dataset = gathered.datasets[at].clone();
        let system = boundary.system[at].map(|system| boundary.names[system as usize].clone());
        let facts = DatasetFacts {
            layer: boundary.layers[at],
            systems: boundary.systems(at),
            domain: domains.of_dataset(&dataset, &touched.written_by, system.as_deref()),
            owner: domains.owner_of(&dataset, &touched.written_by),
            system,
            written_by: touched.written_by,
            read_by: touched.read_by,
            exposed_by: touched.exposed_by,
            queries: touched.queries,
            users: touched.users,
        };
        (dataset, facts)
    };
    let all: Vec<_> = touches(estate, gathered).into_par_iter().enumerate().map(facts_of).collect();
    all.into_iter().collect()
}

fn touches(estate: &Estate, gathered: &Gathered) -> Vec<Touched> {
    let mut all = vec![Touched::default(); gathered.datasets.len()];
    for (edge, (_, at)) in gathered.edges.iter().zip(&gathered.ends) {
        match edge.access {
            Access::Read => all[*at].read_by.insert(edge.job.clone()),
            Access::Write => all[*at].written_by.insert(edge.job.clone()),
            Access::Define | Access::Drop => false,
        };
    }
    let wholes = wholes_of(gathered);
    for (exposure, dataset, _) in &gathered.exposure_reads {
        let names = wholes[*exposure].iter().map(|whole| gathered.exposures[*whole].clone());
        all[*dataset].exposed_by.extend(names);
    }
    for (dataset, usage) in &gathered.usage {
        let usage = &estate.usage[*usage];
        all[*dataset].queries = all[*dataset].queries.saturating_add(usage.count);
        all[*dataset].users.insert(usage.user.clone());
    }
    all
}

/// Per exposure: itself and every exposure it is a part of, however deep.
fn wholes_of(gathered: &Gathered) -> Vec<BTreeSet<usize>> {
    let mut above = vec![Vec::new(); gathered.exposures.len()];
    for (part, whole) in &gathered.exposure_parts {
        above[*part].push(*whole);
    }
    let climb = |start: usize| {
        let mut seen = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            open.extend(above[at].iter().filter(|whole| seen.insert(**whole)));
        }
        seen
    };
    (0..gathered.exposures.len()).map(climb).collect()
}
