//! In which order jobs can run, and where they run in circles.
use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

use crate::{
    estate::Estate,
    graph::{Cycle, dependency_graph::Network, gather::Gathered},
    lineage::{Access, JobLineage, Lineage, StatementLineage},
    vocab::{DatasetId, JobId},
};

/// Jobs in order, and the circles among them.
pub(super) fn find(estate: &Estate, lineage: &Lineage, gathered: &Gathered) -> (Vec<JobId>, Vec<Cycle>) {
    let plan = Stages { datasets: gathered.datasets.len(), jobs: gathered.jobs.len() };
    let edges = plan.edges(lineage, gathered);
    let dependencies = plan.dependencies(estate, gathered);
    let more = (!dependencies.is_empty()).then(|| [edges.as_slice(), &dependencies].concat());
    let network = Network::new(plan.nodes(), edges);
    let components = network.components();
    let cycles = plan.cycles(gathered, &components);
    let order = match more {
        None => plan.order(&network, &components),
        Some(all) => {
            let network = Network::new(plan.nodes(), all);
            plan.order(&network, &network.components())
        }
    };
    (order.into_iter().map(|job| gathered.jobs[job].clone()).collect(), cycles)
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
        let accesses = accesses(lineage, gathered);
        for same in accesses.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (job, dataset, _) = same[0];
            let has = |wanted| same.iter().any(|(_, _, access)| *access == wanted);
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
    fn order(&self, network: &Network, components: &[Vec<usize>]) -> Vec<usize> {
        let mut home = vec![0; network.len()];
        for (at, component) in components.iter().enumerate() {
            component.iter().for_each(|node| home[*node] = at);
        }
        // The other components that edges of one lead to or come from, each once.
        let once = |at: usize, mut others: Vec<usize>| {
            others.sort_unstable();
            others.dedup();
            others.retain(|other| *other != at);
            others
        };
        let homes = |nodes: &mut dyn Iterator<Item = usize>| nodes.map(|node| home[node]).collect::<Vec<usize>>();
        let before = |at: usize| homes(&mut components[at].iter().flat_map(|node| network.before(*node)));
        let after = |at: usize| homes(&mut components[at].iter().flat_map(|node| network.after(*node)));
        let mut left: Vec<usize> = (0..components.len()).map(|at| once(at, before(at)).len()).collect();
        let key = |at: usize| Reverse((components[at].iter().find(|node| **node < self.jobs).copied(), at));
        let mut free: BinaryHeap<_> = (0..components.len()).filter(|at| left[*at] == 0).map(key).collect();
        let mut order = Vec::with_capacity(self.jobs);
        while let Some(Reverse((_, at))) = free.pop() {
            order.extend(components[at].iter().copied().filter(|node| *node < self.jobs));
            for next in once(at, after(at)) {
                left[next] -= 1;
                if left[next] == 0 {
                    free.push(key(next));
                }
            }
        }
        order
    }
}

/// How each job touches each dataset, sorted. A job that only changes rows that are there (UPDATE, DELETE) needs
/// them filled before, as if it read them.
fn accesses(lineage: &Lineage, gathered: &Gathered) -> Vec<(usize, usize, Access)> {
    let of_edges = gathered.edges.iter().zip(&gathered.ends);
    let mut all: Vec<(usize, usize, Access)> =
        of_edges.map(|(edge, (job, dataset))| (*job, *dataset, edge.access)).collect();
    for (id, read) in &lineage.jobs {
        let amended = amended(read).into_iter().filter_map(|dataset| gathered.datasets.binary_search(dataset).ok());
        let mut amended = amended.peekable();
        if amended.peek().is_some()
            && let Ok(job) = gathered.jobs.binary_search(id)
        {
            all.extend(amended.map(|dataset| (job, dataset, Access::Read)));
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Targets of nothing but UPDATE and DELETE.
fn amended(job: &JobLineage) -> BTreeSet<&DatasetId> {
    if !job.statements.iter().any(amends) {
        return BTreeSet::new();
    }
    let of = |wanted: bool| {
        let statements = job.statements.iter().filter(move |statement| amends(statement) == wanted);
        statements.filter_map(|statement| statement.target.as_ref()).collect::<BTreeSet<_>>()
    };
    &of(true) - &of(false)
}

fn amends(statement: &StatementLineage) -> bool {
    matches!(&*statement.kind, "update" | "delete")
}
