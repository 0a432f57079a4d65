use std::collections::BTreeMap;

use petgraph::{
    Direction,
    algo::kosaraju_scc,
    graph::{DiGraph, NodeIndex},
};

use crate::{
    diagnostics::Diagnostics,
    estate::Estate,
    graph::{
        Coupling, Cycle, DatasetIndex, Edge, Origins, boundary, consumption, coupling, facts, faults,
        gather::{Flow, Gathered, gather},
        job_order,
    },
    lineage::{Access, Lineage},
    vocab::{DatasetId, JobId},
};

/// Who feeds whom: datasets, the jobs between them, the exposures over them.
#[derive(Clone, Debug)]
pub struct DependencyGraph {
    pub(super) names: Names,
    /// All of it, for walks.
    pub(super) network: Network,
    /// Without what the lake sends back to source systems, for whatever is judged by where rows come from.
    pub(super) feeding: Network,
    /// Circles of `feeding` collapsed, what feeds before what is fed.
    pub(super) components: Vec<Vec<usize>>,
    pub(super) flows: Vec<Flow>,
    pub(super) index: DatasetIndex,
    edges: Vec<Edge>,
    cycles: Vec<Cycle>,
    order: Vec<JobId>,
    coupling: Vec<Coupling>,
}

/// The names behind the numbers, each list sorted.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) datasets: Vec<DatasetId>,
    pub(super) jobs: Vec<JobId>,
    pub(super) exposures: Vec<String>,
}

/// What a node of the network stands for. Nodes are numbered datasets first, then flows, then exposures.
pub(super) enum Node {
    Dataset(usize),
    Flow(usize),
    Exposure(usize),
}

impl DependencyGraph {
    /// Joins what the estate declares and what its SQL says. Faults: cycles (E040), tables read that
    /// nothing writes (E041, E052) and written that nothing reads (E042).
    pub fn build(estate: &Estate, lineage: &Lineage) -> (DependencyGraph, Diagnostics) {
        let gathered = gather(estate, lineage);
        let judged = || {
            let feeding = Network::over(&gathered, |target| gathered.datasets[target].system().is_none());
            let components = feeding.components();
            let boundary = boundary::draw(estate, &gathered, &feeding, &components);
            (feeding, components, facts::collect(estate, &gathered, boundary))
        };
        let walked = || (Network::over(&gathered, |_| true), job_order::find(estate, lineage, &gathered));
        let ((feeding, components, index), (network, (order, cycles))) = rayon::join(judged, walked);
        let coupling = coupling::count(estate, &gathered, &index);
        let diagnostics = faults::find(estate, &gathered, &index, &cycles);
        let Gathered { datasets, jobs, exposures, edges, flows, .. } = gathered;
        let names = Names { datasets, jobs, exposures };
        let graph =
            DependencyGraph { names, network, feeding, components, flows, index, edges, cycles, order, coupling };
        (graph, diagnostics)
    }

    /// Facts of every dataset anything mentions.
    pub fn datasets(&self) -> &DatasetIndex {
        &self.index
    }

    /// Every edge between a job and a dataset, in the order of job, dataset, access.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The edges of one job.
    pub fn edges_of(&self, job: &JobId) -> &[Edge] {
        let start = self.edges.partition_point(|edge| edge.job < *job);
        let length = self.edges[start..].partition_point(|edge| edge.job == *job);
        &self.edges[start..start + length]
    }

    /// Jobs that feed each other in a circle of two or more. A job that reads what it writes is none.
    pub fn cycles(&self) -> &[Cycle] {
        &self.cycles
    }

    /// Every job, what feeds before what is fed, `depends_on` respected; free choices and circles by name.
    pub fn jobs_in_order(&self) -> Vec<JobId> {
        self.order.clone()
    }

    /// Jobs that read `dataset`, with the edge that says so.
    pub fn readers_of<'a>(&'a self, dataset: &'a DatasetId) -> impl Iterator<Item = &'a Edge> {
        let jobs = self.index.get(dataset).map(|facts| &facts.read_by);
        self.touching(dataset, jobs.into_iter().flatten(), Access::Read)
    }

    /// Jobs that write `dataset`, with the edge that says so.
    pub fn writers_of<'a>(&'a self, dataset: &'a DatasetId) -> impl Iterator<Item = &'a Edge> {
        let jobs = self.index.get(dataset).map(|facts| &facts.written_by);
        self.touching(dataset, jobs.into_iter().flatten(), Access::Write)
    }

    fn touching<'a>(
        &'a self,
        dataset: &'a DatasetId,
        jobs: impl Iterator<Item = &'a JobId>,
        access: Access,
    ) -> impl Iterator<Item = &'a Edge> {
        jobs.flat_map(|job| self.edges_of(job)).filter(move |e| e.dataset == *dataset && e.access == access)
    }

    /// How domains lean on each other: one cell a pair of different domains with any crossing, sorted.
    pub fn coupling(&self) -> &[Coupling] {
        &self.coupling
    }

    /// Every movement of rows: a job, what it takes, what it fills. A job of several statements has
    /// several, so that its targets do not share sources they do not read.
    pub fn flows(&self) -> impl Iterator<Item = (&JobId, Vec<&DatasetId>, Vec<&DatasetId>)> {
        let named = |numbers: &[usize]| numbers.iter().map(|at| &self.names.datasets[*at]).collect();
        self.flows.iter().map(move |flow| (&self.names.jobs[flow.job], named(&flow.sources), named(&flow.targets)))
    }

    /// Which of some labels reach each dataset and exposure, in one pass: `seeds` says which label a
    /// dataset carries by itself. Labels do not flow into source systems.
    pub fn origins(&self, seeds: &BTreeMap<DatasetId, u32>) -> Origins<'_> {
        Origins::trace(self, seeds)
    }

    /// How much consumption rests on each dataset: reverse PageRank. `datasets` and `exposures` say
    /// how much is consumed there; each passes on to what feeds it, in equal shares, `damping`
    /// (0 to 1) of it remaining at each job. Adds up, so that a dataset elsewhere changes nothing here.
    pub fn consumption(
        &self,
        datasets: &BTreeMap<DatasetId, f64>,
        exposures: &BTreeMap<String, f64>,
        damping: f64,
    ) -> BTreeMap<DatasetId, f64> {
        consumption::spread(self, datasets, exposures, damping)
    }

    pub(super) fn node(&self, at: usize) -> Node {
        let (datasets, flows) = (self.names.datasets.len(), self.flows.len());
        match at {
            at if at < datasets => Node::Dataset(at),
            at if at < datasets + flows => Node::Flow(at - datasets),
            at => Node::Exposure(at - datasets - flows),
        }
    }

    pub(super) fn dataset_node(&self, dataset: &DatasetId) -> Option<usize> {
        self.names.datasets.binary_search(dataset).ok()
    }

    pub(super) fn exposure_node(&self, exposure: &str) -> Option<usize> {
        let at = self.names.exposures.binary_search_by(|id| id.as_str().cmp(exposure)).ok()?;
        Some(self.names.datasets.len() + self.flows.len() + at)
    }
}

/// A directed graph of numbered nodes: all that carve asks of petgraph.
#[derive(Clone, Debug)]
pub(super) struct Network(DiGraph<(), ()>);

impl Network {
    /// `nodes` nodes and `edges`, each kept once.
    pub(super) fn new(nodes: usize, mut edges: Vec<(usize, usize)>) -> Self {
        edges.sort_unstable();
        edges.dedup();
        let mut graph = DiGraph::with_capacity(nodes, edges.len());
        for _ in 0..nodes {
            graph.add_node(());
        }
        for (from, to) in edges {
            graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
        }
        Network(graph)
    }

    /// Datasets, flows and exposures, in this order. Only datasets that `takes` allows are fed.
    fn over(gathered: &Gathered, takes: impl Fn(usize) -> bool) -> Self {
        let first_flow = gathered.datasets.len();
        let first_exposure = first_flow + gathered.flows.len();
        let mut edges = Vec::new();
        for (at, flow) in gathered.flows.iter().enumerate() {
            edges.extend(flow.sources.iter().map(|source| (*source, first_flow + at)));
            edges.extend(flow.targets.iter().filter(|target| takes(**target)).map(|target| (first_flow + at, *target)));
        }
        edges.extend(gathered.exposure_reads.iter().map(|(whole, dataset, _)| (*dataset, first_exposure + whole)));
        edges.extend(
            gathered.exposure_parts.iter().map(|(part, whole)| (first_exposure + part, first_exposure + whole)),
        );
        Network::new(first_exposure + gathered.exposures.len(), edges)
    }

    pub(super) fn len(&self) -> usize {
        self.0.node_count()
    }

    /// Nodes that `node` feeds.
    pub(super) fn after(&self, node: usize) -> impl Iterator<Item = usize> {
        self.0.neighbors_directed(NodeIndex::new(node), Direction::Outgoing).map(NodeIndex::index)
    }

    /// Nodes that feed `node`.
    pub(super) fn before(&self, node: usize) -> impl Iterator<Item = usize> {
        self.0.neighbors_directed(NodeIndex::new(node), Direction::Incoming).map(NodeIndex::index)
    }

    /// Circles collapsed, what feeds before what is fed; each component sorted.
    pub(super) fn components(&self) -> Vec<Vec<usize>> {
        // Kosaraju walks with a stack of its own; Tarjan's recursion overflows on long chains of jobs.
        let mut components: Vec<Vec<usize>> =
            kosaraju_scc(&self.0).into_iter().map(|c| c.into_iter().map(NodeIndex::index).collect()).collect();
        components.reverse();
        components.iter_mut().for_each(|component| component.sort_unstable());
        components
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_a_hundred_thousand_overflows_no_stack() {
        let edges = (0..100_000).map(|at| (at, at + 1)).collect();
        let components = Network::new(100_001, edges).components();
        assert_eq!(components.len(), 100_001);
        assert!(components.windows(2).all(|pair| pair[0][0] < pair[1][0]));
    }
}
