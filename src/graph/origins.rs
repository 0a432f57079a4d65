use std::collections::{BTreeMap, HashMap};

use crate::{
    graph::{DependencyGraph, dependency_graph::Network},
    vocab::DatasetId,
};

/// Which labels reach which dataset: the answer of [`DependencyGraph::origins`].
pub struct Origins<'g> {
    graph: &'g DependencyGraph,
    traced: Traced,
}

impl<'g> Origins<'g> {
    pub(super) fn trace(graph: &'g DependencyGraph, seeds: &BTreeMap<DatasetId, u32>) -> Self {
        let mut own = vec![None; graph.network.len()];
        let mut sealed = vec![false; graph.network.len()];
        for (at, dataset) in graph.names.datasets.iter().enumerate() {
            own[at] = seeds.get(dataset).copied();
            sealed[at] = graph.index.get(dataset).is_some_and(|facts| facts.layer == super::Layer::Source);
        }
        Origins { graph, traced: trace(&graph.network, &graph.components, &own, &sealed) }
    }

    /// Labels that reach `dataset`, its own included, ascending.
    pub fn of(&self, dataset: &DatasetId) -> &[u32] {
        self.graph.dataset_node(dataset).map_or(&[], |node| self.traced.of(node))
    }

    /// Labels that reach an exposure, directly or through its parts, ascending.
    pub fn of_exposure(&self, exposure: &str) -> &[u32] {
        self.graph.exposure_node(exposure).map_or(&[], |node| self.traced.of(node))
    }
}

/// Sets of labels by node. Equal sets are stored once: estates have many datasets and few mixtures.
pub(super) struct Traced {
    sets: SetStore,
    at: Vec<u32>,
}

impl Traced {
    pub(super) fn of(&self, node: usize) -> &[u32] {
        &self.sets.sets[self.at[node] as usize]
    }
}

/// One pass over the components: each holds its own labels and those of all that feeds it. A
/// `sealed` node keeps to its own label, whatever feeds it.
pub(super) fn trace(network: &Network, components: &[Vec<usize>], own: &[Option<u32>], sealed: &[bool]) -> Traced {
    let mut sets = SetStore::default();
    let mut at = vec![EMPTY; network.len()];
    for component in components {
        let mut here = EMPTY;
        for node in component {
            if let Some(label) = own[*node] {
                let single = sets.intern(vec![label]);
                here = sets.union(here, single);
            }
            if !sealed[*node] {
                // Nodes of the same component still hold the empty set, which adds nothing.
                here = network.before(*node).fold(here, |here, before| sets.union(here, at[before]));
            }
        }
        for node in component {
            at[*node] = match (sealed[*node], own[*node]) {
                (true, Some(label)) => sets.intern(vec![label]),
                (true, None) => EMPTY,
                (false, _) => here,
            };
        }
    }
    Traced { sets, at }
}

const EMPTY: u32 = 0;

struct SetStore {
    sets: Vec<Box<[u32]>>,
    known: HashMap<Box<[u32]>, u32>,
    unions: HashMap<(u32, u32), u32>,
}

impl Default for SetStore {
    fn default() -> Self {
        let empty: Box<[u32]> = Box::default();
        SetStore { sets: vec![empty.clone()], known: HashMap::from([(empty, EMPTY)]), unions: HashMap::new() }
    }
}

impl SetStore {
    fn intern(&mut self, set: Vec<u32>) -> u32 {
        let set: Box<[u32]> = set.into();
        if let Some(id) = self.known.get(&set) {
            return *id;
        }
        let id = self.sets.len() as u32;
        self.sets.push(set.clone());
        self.known.insert(set, id);
        id
    }

    fn union(&mut self, a: u32, b: u32) -> u32 {
        if a == b || b == EMPTY {
            return a;
        }
        if a == EMPTY {
            return b;
        }
        let pair = (a.min(b), a.max(b));
        if let Some(id) = self.unions.get(&pair) {
            return *id;
        }
        let mut both: Vec<u32> = [&*self.sets[a as usize], &*self.sets[b as usize]].concat();
        both.sort_unstable();
        both.dedup();
        let id = self.intern(both);
        self.unions.insert(pair, id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_flow_along_edges_and_circles_share_them() {
        // 0 → 2 ⇄ 3 ← 1, 3 → 4
        let network = Network::new(5, vec![(0, 2), (2, 3), (3, 2), (1, 3), (3, 4)]);
        let own = [Some(7), Some(3), None, None, None];
        let traced = trace(&network, &network.components(), &own, &[false; 5]);
        assert_eq!(traced.of(0), [7]);
        assert_eq!(traced.of(2), [3, 7]);
        assert_eq!(traced.of(4), [3, 7]);
    }

    #[test]
    fn a_sealed_node_takes_nothing_in() {
        let network = Network::new(3, vec![(0, 1), (1, 2)]);
        let traced = trace(&network, &network.components(), &[Some(1), Some(2), None], &[false, true, false]);
        assert_eq!(traced.of(1), [2]);
        assert_eq!(traced.of(2), [2]);
    }
}
