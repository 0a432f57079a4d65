use std::collections::BTreeMap;

use crate::{
    graph::{
        DependencyGraph,
        dependency_graph::Network,
        label_set::{EMPTY, LabelSet, SetStore},
    },
    vocab::DatasetId,
};

/// Which labels reach which dataset: the answer of [`DependencyGraph::origins`].
pub struct Origins<'g> {
    graph: &'g DependencyGraph,
    traced: Traced,
}

impl<'g> Origins<'g> {
    pub(super) fn trace(graph: &'g DependencyGraph, seeds: &BTreeMap<DatasetId, u32>) -> Self {
        let mut own = vec![None; graph.feeding.len()];
        for (at, dataset) in graph.names.datasets.iter().enumerate() {
            own[at] = seeds.get(dataset).copied();
        }
        Origins { graph, traced: trace(&graph.feeding, &graph.components, &own) }
    }

    /// Labels that reach `dataset`, its own included, ascending.
    pub fn of(&self, dataset: &DatasetId) -> impl Iterator<Item = u32> + Clone + '_ {
        self.graph.dataset_node(dataset).into_iter().flat_map(|node| self.traced.of(node).iter())
    }

    /// The label that reaches `dataset` where exactly one does.
    pub fn only(&self, dataset: &DatasetId) -> Option<u32> {
        self.graph.dataset_node(dataset).and_then(|node| self.traced.only(node))
    }

    /// Labels that reach an exposure, directly or through its parts, ascending.
    pub fn of_exposure(&self, exposure: &str) -> impl Iterator<Item = u32> + Clone + '_ {
        self.graph.exposure_node(exposure).into_iter().flat_map(|node| self.traced.of(node).iter())
    }
}

/// Sets of labels by node.
pub(super) struct Traced {
    sets: SetStore,
    at: Vec<u32>,
}

impl Traced {
    pub(super) fn of(&self, node: usize) -> &LabelSet {
        self.sets.get(self.at[node])
    }

    pub(super) fn only(&self, node: usize) -> Option<u32> {
        let mut labels = self.of(node).iter();
        labels.next().filter(|_| labels.next().is_none())
    }
}

/// One pass over the components: each holds its own labels and those of all that feeds it.
pub(super) fn trace(network: &Network, components: &[Vec<usize>], own: &[Option<u32>]) -> Traced {
    let mut sets = SetStore::default();
    let mut at = vec![EMPTY; network.len()];
    for component in components {
        let mut here = EMPTY;
        for node in component {
            if let Some(label) = own[*node] {
                let single = sets.intern(LabelSet::single(label));
                here = sets.union(here, single);
            }
            // Nodes of the same component still hold the empty set, which adds nothing.
            here = network.before(*node).fold(here, |here, before| sets.union(here, at[before]));
        }
        component.iter().for_each(|node| at[*node] = here);
    }
    Traced { sets, at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_flow_along_edges_and_circles_share_them() {
        // 0 → 2 ⇄ 3 ← 1, 3 → 4
        let network = Network::new(5, vec![(0, 2), (2, 3), (3, 2), (1, 3), (3, 4)]);
        let own = [Some(7), Some(3), None, None, None];
        let traced = trace(&network, &network.components(), &own);
        let of = |node| traced.of(node).iter().collect::<Vec<_>>();
        assert_eq!(of(0), [7]);
        assert_eq!(of(2), [3, 7]);
        assert_eq!(of(4), [3, 7]);
    }
}
