//! Walks up and down the graph, breadth first.
use std::collections::{BTreeMap, VecDeque};

use crate::{
    graph::{DependencyGraph, Neighbourhood, dependency_graph::Node},
    vocab::DatasetId,
};

impl DependencyGraph {
    /// What feeds `dataset`, at most `depth` jobs away (`None`: all). Empty for a name it does not know.
    pub fn upstream(&self, dataset: &DatasetId, depth: Option<u32>) -> Neighbourhood {
        self.walk(dataset, depth, |node| self.network.before(node).collect())
    }

    /// What `dataset` feeds, at most `depth` jobs away (`None`: all). Empty for a name it does not know.
    pub fn downstream(&self, dataset: &DatasetId, depth: Option<u32>) -> Neighbourhood {
        self.walk(dataset, depth, |node| self.network.after(node).collect())
    }

    fn walk(&self, from: &DatasetId, depth: Option<u32>, next: impl Fn(usize) -> Vec<usize>) -> Neighbourhood {
        let Some(start) = self.dataset_node(from) else { return Neighbourhood::default() };
        let limit = depth.unwrap_or(u32::MAX);
        let mut distance: BTreeMap<usize, u32> = BTreeMap::from([(start, 0)]);
        let mut open = VecDeque::from([start]);
        while let Some(node) = open.pop_front() {
            let here = distance[&node];
            for near in next(node) {
                let there = here + self.step(node, near);
                if there <= limit && !distance.contains_key(&near) {
                    distance.insert(near, there);
                    open.push_back(near);
                }
            }
        }
        distance.remove(&start);
        self.named(distance)
    }

    /// A step from a dataset into a job or an exposure counts; all others lie at the same distance.
    fn step(&self, from: usize, to: usize) -> u32 {
        match (self.node(from), self.node(to)) {
            (Node::Dataset(_), Node::Flow(_) | Node::Exposure(_)) => 1,
            _ => 0,
        }
    }

    fn named(&self, distance: BTreeMap<usize, u32>) -> Neighbourhood {
        let mut found = Neighbourhood::default();
        for (node, distance) in distance {
            match self.node(node) {
                Node::Dataset(at) => {
                    found.datasets.insert(self.names.datasets[at].clone(), distance);
                }
                Node::Flow(at) => {
                    let job = self.names.jobs[self.flows[at].job].clone();
                    found.jobs.entry(job).and_modify(|known| *known = distance.min(*known)).or_insert(distance);
                }
                Node::Exposure(at) => {
                    found.exposures.insert(self.names.exposures[at].clone(), distance);
                }
            }
        }
        found
    }
}
