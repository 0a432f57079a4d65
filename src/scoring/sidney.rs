//! 1|prec|Σ wC: the order in which work that may have to wait for other work pays off soonest.
use std::{
    cmp::Ordering,
    collections::{BTreeSet, VecDeque},
};

/// One piece of work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    /// What it is worth.
    pub(super) weight: f64,
    /// How long it takes; more than 0.
    pub(super) effort: f64,
}

/// The order of `work`, each after all of `before[it]`, with Σ weight × completion small: least of
/// all where nothing waits (Smith's ratio), at most twice the least otherwise (any order that
/// respects Sidney's decomposition), improved by insertion. Equal ratios keep the order given.
///
/// `before` must hold no circle.
pub(super) fn order(work: &[Work], before: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut tied: BTreeSet<usize> = BTreeSet::new();
    for (at, before) in before.iter().enumerate().filter(|(_, before)| !before.is_empty()) {
        tied.insert(at);
        tied.extend(before);
    }
    let mut free: Vec<usize> = (0..work.len()).filter(|at| !tied.contains(at)).collect();
    free.sort_by(|a, b| ratio(work, &[*b]).total_cmp(&ratio(work, &[*a])));
    let mut blocks: VecDeque<Vec<usize>> = decompose(work, before, tied).into();
    let mut free: VecDeque<usize> = free.into();
    // Blocks come in falling ratio and must keep their order, so the two lists are merged by their heads.
    let mut order = Vec::with_capacity(work.len());
    while let Some(block) = blocks.front() {
        match free.front() {
            Some(head) if ahead(work, &[*head], block) => order.extend(free.pop_front()),
            _ => order.extend(blocks.pop_front().into_iter().flatten()),
        }
    }
    order.extend(free);
    order
}

fn ahead(work: &[Work], a: &[usize], b: &[usize]) -> bool {
    match ratio(work, a).total_cmp(&ratio(work, b)) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal => a.iter().min() < b.iter().min(),
    }
}

fn ratio(work: &[Work], set: &[usize]) -> f64 {
    let weight: f64 = set.iter().map(|at| work[*at].weight).sum();
    weight / set.iter().map(|at| work[*at].effort).sum::<f64>()
}

/// Sidney: again and again the set with the highest ratio that waits for nothing outside it.
fn decompose(work: &[Work], before: &[BTreeSet<usize>], mut left: BTreeSet<usize>) -> Vec<Vec<usize>> {
    let mut blocks = Vec::new();
    while !left.is_empty() {
        let block = densest(work, before, &left);
        left.retain(|at| !block.contains(at));
        blocks.push(arrange(work, before, block));
    }
    blocks
}

/// Dinkelbach's method: while some closed set beats the ratio so far, take it and its ratio.
fn densest(work: &[Work], before: &[BTreeSet<usize>], left: &BTreeSet<usize>) -> Vec<usize> {
    let mut best: Vec<usize> = left.iter().copied().collect();
    loop {
        let goal = ratio(work, &best);
        let closure = heaviest_closure(work, before, left, goal);
        // A strict rise each round, so it ends; rounding may offer the same set again.
        if closure.is_empty() || ratio(work, &closure).total_cmp(&goal) != Ordering::Greater {
            return best;
        }
        best = closure;
    }
}

/// The set that waits for nothing outside it with the largest Σ (weight − goal × effort): a minimum
/// cut (Picard 1976) by shortest augmenting paths.
fn heaviest_closure(work: &[Work], before: &[BTreeSet<usize>], left: &BTreeSet<usize>, goal: f64) -> Vec<usize> {
    let nodes: Vec<usize> = left.iter().copied().collect();
    let (source, sink) = (nodes.len(), nodes.len() + 1);
    let mut net = FlowNet { arcs: Vec::new(), out: vec![Vec::new(); nodes.len() + 2] };
    for (at, node) in nodes.iter().enumerate() {
        let gain = work[*node].weight - goal * work[*node].effort;
        if gain > 0.0 {
            net.arc(source, at, gain);
        } else {
            net.arc(at, sink, -gain);
        }
        for needed in before[*node].iter().filter_map(|needed| nodes.binary_search(needed).ok()) {
            net.arc(at, needed, f64::INFINITY);
        }
    }
    let reached = net.cut(source, sink);
    nodes.iter().enumerate().filter(|(at, _)| reached[*at]).map(|(_, node)| *node).collect()
}

struct FlowNet {
    /// (to, capacity left); the way back of arc `i` is arc `i ^ 1`.
    arcs: Vec<(usize, f64)>,
    out: Vec<Vec<usize>>,
}

impl FlowNet {
    fn arc(&mut self, from: usize, to: usize, capacity: f64) {
        self.out[from].push(self.arcs.len());
        self.arcs.push((to, capacity));
        self.out[to].push(self.arcs.len());
        self.arcs.push((from, 0.0));
    }

    /// Saturates the net; says which nodes the source still reaches.
    fn cut(&mut self, source: usize, sink: usize) -> Vec<bool> {
        loop {
            let came = self.search(source);
            if came[sink].is_none() {
                return came.iter().enumerate().map(|(at, arc)| at == source || arc.is_some()).collect();
            }
            let mut path = Vec::new();
            let mut at = sink;
            while let Some(arc) = came[at].filter(|_| at != source) {
                path.push(arc);
                at = self.arcs[arc ^ 1].0;
            }
            let least = path.iter().map(|arc| self.arcs[*arc].1).fold(f64::INFINITY, f64::min);
            for arc in path {
                self.arcs[arc].1 -= least;
                self.arcs[arc ^ 1].1 += least;
            }
        }
    }

    /// The arc by which a breadth-first search comes to each node.
    fn search(&self, source: usize) -> Vec<Option<usize>> {
        let mut came = vec![None; self.out.len()];
        let mut open = VecDeque::from([source]);
        while let Some(node) = open.pop_front() {
            for arc in &self.out[node] {
                let (to, capacity) = self.arcs[*arc];
                if capacity > 0.0 && to != source && came[to].is_none() {
                    came[to] = Some(*arc);
                    open.push_back(to);
                }
            }
        }
        came
    }
}

/// Within a block: the best that is free to start, then each piece moved to where it costs least.
fn arrange(work: &[Work], before: &[BTreeSet<usize>], block: Vec<usize>) -> Vec<usize> {
    const INSERTED: usize = 100;
    let mut left: BTreeSet<usize> = block.into_iter().collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let free = left.iter().copied().filter(|at| before[*at].is_disjoint(&left));
        // The first among equals: what comes later must be strictly better.
        let best = free.reduce(|best, next| if ratio(work, &[next]) > ratio(work, &[best]) { next } else { best });
        let Some(next) = best.or_else(|| left.first().copied()) else { break };
        left.remove(&next);
        order.push(next);
    }
    if order.len() <= INSERTED {
        while insert_once(work, before, &mut order) {}
    }
    order
}

/// Makes the first move of one piece that lowers the cost by more than rounding; false when none does.
fn insert_once(work: &[Work], before: &[BTreeSet<usize>], order: &mut Vec<usize>) -> bool {
    let now = cost(work, order);
    for from in 0..order.len() {
        for to in (0..order.len()).filter(|to| *to != from) {
            let mut tried = order.clone();
            let moved = tried.remove(from);
            tried.insert(to, moved);
            if respects(before, &tried) && cost(work, &tried) < now * (1.0 - 1e-9) {
                *order = tried;
                return true;
            }
        }
    }
    false
}

fn respects(before: &[BTreeSet<usize>], order: &[usize]) -> bool {
    let mut seen = BTreeSet::new();
    let inside: BTreeSet<usize> = order.iter().copied().collect();
    order.iter().all(|at| {
        seen.insert(*at);
        before[*at].iter().all(|needed| seen.contains(needed) || !inside.contains(needed))
    })
}

/// Σ weight × completion.
fn cost(work: &[Work], order: &[usize]) -> f64 {
    let mut done = 0.0;
    let mut total = 0.0;
    for at in order {
        done += work[*at].effort;
        total += work[*at].weight * done;
    }
    total
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn work(pairs: &[(u32, u32)]) -> Vec<Work> {
        pairs.iter().map(|(w, e)| Work { weight: f64::from(*w), effort: f64::from(*e) }).collect()
    }

    fn permutations(items: &[usize]) -> Vec<Vec<usize>> {
        if items.is_empty() {
            return vec![Vec::new()];
        }
        let rest = |first: usize| items.iter().copied().filter(|at| *at != first).collect::<Vec<_>>();
        let with = |first: usize| permutations(&rest(first)).into_iter().map(move |p| [vec![first], p].concat());
        items.iter().flat_map(|first| with(*first)).collect()
    }

    #[test]
    fn a_poor_piece_is_pulled_forward_by_the_rich_one_that_waits_for_it() {
        // 0 alone has ratio 0, but opens the way to 1: together (0+100)/(1+1) = 50 beats 2's 10.
        let work = work(&[(0, 1), (100, 1), (10, 1)]);
        assert_eq!(order(&work, &[BTreeSet::new(), BTreeSet::from([0]), BTreeSet::new()]), [0, 1, 2]);
    }

    #[test]
    fn a_rich_piece_does_not_wait_for_the_poor_ones_beside_it() {
        let work = work(&[(50, 1), (1, 10), (1, 1)]);
        let before = [BTreeSet::new(), BTreeSet::from([0]), BTreeSet::from([0])];
        assert_eq!(order(&work, &before), [0, 2, 1]);
    }

    proptest! {
        #[test]
        fn the_order_respects_what_waits_and_costs_at_most_twice_the_least(
            pairs in proptest::collection::vec((0u32..20, 1u32..10), 1..7),
            arcs in proptest::collection::vec((0usize..7, 0usize..7), 0..8),
        ) {
            let work = work(&pairs);
            let mut before = vec![BTreeSet::new(); work.len()];
            for (a, b) in arcs.into_iter().filter(|(a, b)| a < b && *b < work.len()) {
                before[b].insert(a);
            }
            let found = order(&work, &before);
            prop_assert!(respects(&before, &found));
            prop_assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), work.len());
            let all: Vec<usize> = (0..work.len()).collect();
            let orders = permutations(&all);
            let least = orders.iter().filter(|o| respects(&before, o)).map(|o| cost(&work, o)).fold(f64::MAX, f64::min);
            let free = before.iter().all(BTreeSet::is_empty);
            let most = if free { 1.0 + 1e-9 } else { 2.0 };
            prop_assert!(cost(&work, &found) <= least * most);
        }
    }
}
