//! In which order jobs can run, and where they run in circles.
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap},
};

use crate::{
    estate::Estate,
    graph::{Cycle, dependency_graph::Network, gather::Gathered},
    lineage::{Access, JobLineage, Lineage},
    vocab::{DatasetId, JobId},
};

/// Jobs in order, and the circles among them.
pub(super) fn find(estate: &Estate, lineage: &Lineage, gathered: &Gathered) -> (Vec<JobId>, Vec<Cycle>) {
    let plan = Stages { datasets: gathered.datasets.len(), jobs: gathered.jobs.len() };
    let edges = plan.edges(lineage, gathered);
    let cycles = plan.cycles(gathered, &Network::new(plan.nodes(), edges.clone()).components());
    let network = Network::new(plan.nodes(), [edges, plan.dependencies(estate, gathered)].concat());
    let order = plan.order(&network).into_iter().map(|job| gathered.jobs[job].clone()).collect();
    (order, cycles)
}

/// Every dataset has three stages: defined, filled, complete. Jobs that only define it come before
/// those that fill it, these before jobs that also read what they write (an UPDATE, an incremental
/// load), and all of them before the readers. So reading one's own target makes no circle.
///
/// Nodes: jobs first, then the stages of each dataset.
struct Stages {
    datasets: usize,
    jobs: usize,
}

impl Stages {
    fn nodes(&self) -> usize {
        self.jobs + 3 * self.datasets
    }

    fn stage(&self, dataset: usize, stage: usize) -> usize {
        self.jobs + 3 * dataset + stage
    }

    fn edges(&self, lineage: &Lineage, gathered: &Gathered) -> Vec<(usize, usize)> {
        let mut edges = Vec::new();
        for dataset in 0..self.datasets {
            edges.push((self.stage(dataset, 0), self.stage(dataset, 1)));
            edges.push((self.stage(dataset, 1), self.stage(dataset, 2)));
        }
        for ((job, dataset), access) in accesses(lineage, gathered) {
            let has = |wanted| access.contains(&wanted);
            match (has(Access::Read), has(Access::Write), has(Access::Define)) {
                (true, true, _) => edges.extend([(self.stage(dataset, 1), job), (job, self.stage(dataset, 2))]),
                (true, false, _) => edges.push((self.stage(dataset, 2), job)),
                (false, true, _) => edges.extend([(self.stage(dataset, 0), job), (job, self.stage(dataset, 1))]),
                (false, false, true) => edges.push((job, self.stage(dataset, 0))),
                (false, false, false) => {}
            }
        }
        edges
    }

    fn dependencies(&self, estate: &Estate, gathered: &Gathered) -> Vec<(usize, usize)> {
        let number = |job: &JobId| gathered.jobs.binary_search(job).ok();
        let pairs = estate.jobs.iter().flat_map(|job| job.depends_on.iter().map(move |before| (before, &job.id)));
        pairs.filter_map(|(before, after)| Some((number(before)?, number(after)?))).collect()
    }

    fn cycles(&self, gathered: &Gathered, components: &[Vec<usize>]) -> Vec<Cycle> {
        let mut cycles: Vec<Cycle> = components
            .iter()
            .filter(|component| component.iter().filter(|node| **node < self.jobs).count() > 1)
            .map(|component| {
                let (jobs, stages): (Vec<usize>, Vec<usize>) = component.iter().partition(|node| **node < self.jobs);
                let dataset = |stage: &usize| gathered.datasets[(stage - self.jobs) / 3].clone();
                Cycle {
                    jobs: jobs.iter().map(|job| gathered.jobs[*job].clone()).collect(),
                    datasets: stages.iter().map(dataset).collect(),
                }
            })
            .collect();
        cycles.sort_by(|a, b| a.jobs.cmp(&b.jobs));
        cycles
    }

    /// Kahn's order over the components: stages as soon as they are free, then the free component
    /// with the first job by name.
    fn order(&self, network: &Network) -> Vec<usize> {
        let components = network.components();
        let mut home = vec![0; network.len()];
        for (at, component) in components.iter().enumerate() {
            component.iter().for_each(|node| home[*node] = at);
        }
        let mut waiting: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); components.len()];
        for node in 0..network.len() {
            waiting[home[node]].extend(network.before(node).map(|before| home[before]));
        }
        for (at, before) in waiting.iter_mut().enumerate() {
            before.remove(&at);
        }
        let mut left: Vec<usize> = waiting.iter().map(BTreeSet::len).collect();
        let key = |at: usize| Reverse((components[at].iter().find(|node| **node < self.jobs).copied(), at));
        let mut free: BinaryHeap<_> = (0..components.len()).filter(|at| left[*at] == 0).map(key).collect();
        let mut order = Vec::with_capacity(self.jobs);
        while let Some(Reverse((_, at))) = free.pop() {
            order.extend(components[at].iter().copied().filter(|node| *node < self.jobs));
            let after: BTreeSet<usize> =
                components[at].iter().flat_map(|n| network.after(*n)).map(|n| home[n]).collect();
            for next in after.into_iter().filter(|next| *next != at) {
                left[next] -= 1;
                if left[next] == 0 {
                    free.push(key(next));
                }
            }
        }
        order
    }
}

/// How each job touches each dataset. A job that only changes rows that are there (UPDATE, DELETE) needs
/// them filled before, as if it read them.
fn accesses(lineage: &Lineage, gathered: &Gathered) -> BTreeMap<(usize, usize), BTreeSet<Access>> {
    let job: HashMap<&JobId, usize> = gathered.jobs.iter().enumerate().map(|(at, id)| (id, at)).collect();
    let mut all: BTreeMap<(usize, usize), BTreeSet<Access>> = BTreeMap::new();
    for edge in &gathered.edges {
        let dataset = gathered.datasets.binary_search(&edge.dataset).expect("every edge's dataset was gathered");
        all.entry((job[&edge.job], dataset)).or_default().insert(edge.access);
    }
    for (id, read) in &lineage.jobs {
        let Some(job) = job.get(id) else { continue };
        let amended = amended(read).into_iter().filter_map(|dataset| gathered.datasets.binary_search(dataset).ok());
        amended.for_each(|dataset| drop(all.entry((*job, dataset)).or_default().insert(Access::Read)));
    }
    all
}

/// Targets of nothing but UPDATE and DELETE.
fn amended(job: &JobLineage) -> BTreeSet<&DatasetId> {
    let of = |amends: bool| {
        let statements = job.statements.iter().filter(move |s| matches!(&*s.kind, "update" | "delete") == amends);
        statements.filter_map(|statement| statement.target.as_ref()).collect::<BTreeSet<_>>()
    };
    &of(true) - &of(false)
}
