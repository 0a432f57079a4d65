//! How domains lean on each other.
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    estate::Estate,
    graph::{Coupling, DatasetIndex, domains::Domains, gather::Gathered},
    lineage::Access,
};

/// One cell a pair of different domains with any crossing.
pub(super) fn count(estate: &Estate, gathered: &Gathered, index: &DatasetIndex) -> Vec<Coupling> {
    let domains = Domains::of(estate);
    let of_datasets: Vec<Option<&str>> = index.values().map(|facts| facts.domain.as_deref()).collect();
    let mut reads: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut joins: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let touched: Vec<(usize, usize, Access)> =
        gathered.edges.iter().zip(&gathered.ends).map(|(edge, (job, at))| (*job, *at, edge.access)).collect();
    for edges in touched.chunk_by(|a, b| a.0 == b.0) {
        let domains_of = &of_datasets;
        let of = |wanted: Access| {
            edges.iter().filter(move |edge| edge.2 == wanted).filter_map(move |edge| domains_of[edge.1])
        };
        let own = domains.of_job(&gathered.jobs[edges[0].0]);
        let to = own.or_else(|| the_one(of(Access::Write))).unwrap_or_default();
        let mut met = BTreeSet::new();
        for from in of(Access::Read) {
            if from != to {
                *reads.entry((from, to)).or_default() += 1;
            }
            met.insert(from);
        }
        for from in &met {
            for to in met.iter().filter(|to| *to != from) {
                *joins.entry((*from, *to)).or_default() += 1;
            }
        }
    }
    let pairs: BTreeSet<(&str, &str)> = reads.keys().chain(joins.keys()).copied().collect();
    let cell = |pair: (&str, &str)| Coupling {
        reads: reads.get(&pair).copied().unwrap_or(0),
        joins: joins.get(&pair).copied().unwrap_or(0),
        from: pair.0.to_owned(),
        to: pair.1.to_owned(),
    };
    pairs.into_iter().map(cell).collect()
}

/// What all of `names` are; `None` where they differ or there are none.
fn the_one<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = names.next()?;
    names.all(|name| name == first).then_some(first)
}
