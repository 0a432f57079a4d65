//! Reverse PageRank: how much consumption rests on each dataset.
use std::collections::BTreeMap;

use crate::{
    graph::{DependencyGraph, dependency_graph::Node},
    vocab::DatasetId,
};

/// Rounds inside a circle. What is left after them is below `damping`^64: 0.00003 at 0.85.
const ROUNDS: usize = 64;

/// Against the flow, one component after the other: what rests on a node is what is consumed there
/// and its share of what rests on all it feeds.
pub(super) fn spread(
    graph: &DependencyGraph,
    datasets: &BTreeMap<DatasetId, f64>,
    exposures: &BTreeMap<String, f64>,
    damping: f64,
) -> BTreeMap<DatasetId, f64> {
    let own = |node: usize| match graph.node(node) {
        Node::Dataset(at) => datasets.get(&graph.names.datasets[at]).copied().unwrap_or(0.0),
        Node::Exposure(at) => exposures.get(&graph.names.exposures[at]).copied().unwrap_or(0.0),
        Node::Flow(_) => 0.0,
    };
    let kept = |node: usize| if matches!(graph.node(node), Node::Flow(_)) { damping } else { 1.0 };
    let sources: Vec<f64> = (0..graph.feeding.len()).map(|node| graph.feeding.before(node).count() as f64).collect();
    let mut rests = vec![0.0; graph.feeding.len()];
    for component in graph.components.iter().rev() {
        for _ in 0..if component.len() == 1 { 1 } else { ROUNDS } {
            for node in component {
                let mut after: Vec<usize> = graph.feeding.after(*node).collect();
                after.sort_unstable();
                let share = |next: usize| kept(next) * rests[next] / sources[next];
                rests[*node] = own(*node) + after.into_iter().map(share).sum::<f64>();
            }
        }
    }
    graph.names.datasets.iter().enumerate().map(|(at, dataset)| (dataset.clone(), rests[at])).collect()
}
