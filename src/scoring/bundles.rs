//! Candidates that must travel together.
use std::collections::{BTreeSet, HashMap};

use crate::{
    graph::DependencyGraph,
    scoring::survey::Piece,
    vocab::{DatasetId, ServiceName},
};

/// Ties candidates whose own datasets feed each other in a circle. A circle further down does not
/// tie the candidates above it: wraps keep names, so its jobs can be repointed one service at a time.
pub(super) fn tie(graph: &DependencyGraph, raw: &HashMap<&DatasetId, usize>, pieces: &mut [Piece]) {
    let mut lead: Vec<usize> = (0..pieces.len()).collect();
    for cycle in graph.cycles() {
        let met: BTreeSet<usize> = cycle.datasets.iter().filter_map(|dataset| raw.get(dataset).copied()).collect();
        met.iter().for_each(|other| join(&mut lead, *met.first().unwrap_or(other), *other));
    }
    for (at, piece) in pieces.iter().enumerate() {
        let mutual = piece.after.iter().filter(|other| pieces[**other].after.contains(&at));
        mutual.for_each(|other| join(&mut lead, at, *other));
    }
    let leads: Vec<usize> = (0..pieces.len()).map(|at| find(&lead, at)).collect();
    let mut members: HashMap<usize, BTreeSet<ServiceName>> = HashMap::new();
    for (at, piece) in pieces.iter().enumerate() {
        members.entry(leads[at]).or_default().insert(piece.candidate.name.clone());
    }
    for (at, piece) in pieces.iter_mut().enumerate() {
        let others = members[&leads[at]].iter().filter(|name| **name != piece.candidate.name);
        piece.candidate.bundled_with = others.cloned().collect();
    }
}

fn find(lead: &[usize], mut at: usize) -> usize {
    while lead[at] != at {
        at = lead[at];
    }
    at
}

fn join(lead: &mut [usize], a: usize, b: usize) {
    let (a, b) = (find(lead, a), find(lead, b));
    lead[a.max(b)] = a.min(b);
}
