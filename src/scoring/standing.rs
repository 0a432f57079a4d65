//! What a rank depends on, and nothing else: two numbers and an effort under two weights.
use crate::{scoring::number::settled, vocab::ServiceName};

/// Below this effort, in person-days, a candidate counts as this dear: nothing is free.
const LEAST_DAYS: f64 = 0.01;

/// One candidate in a ranking.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) name: ServiceName,
    pub(super) frequency: f64,
    pub(super) importance: f64,
    /// Person-days: low, likely, high.
    pub(super) effort: [f64; 3],
}

/// Which end of the effort's range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Low,
    Likely,
    High,
}

impl Standing {
    /// V = λF + (1−λ)I.
    pub(super) fn value(&self, lambda: f64) -> f64 {
        settled(lambda * self.frequency + (1.0 - lambda) * self.importance)
    }

    /// Person-days, never less than 0.01.
    pub(super) fn days(&self, end: End) -> f64 {
        self.effort[end as usize].max(LEAST_DAYS)
    }

    /// ρ = V / effort^α.
    pub(super) fn priority(&self, lambda: f64, alpha: f64, end: End) -> f64 {
        settled(self.value(lambda) / self.days(end).powf(alpha))
    }
}

/// Places in `standings`, the highest priority first, ties by name.
pub(super) fn ranked(standings: &[Standing], lambda: f64, alpha: f64, end: End) -> Vec<usize> {
    let priorities: Vec<f64> = standings.iter().map(|one| one.priority(lambda, alpha, end)).collect();
    by_priority(standings, &priorities)
}

/// The same from priorities worked out before.
pub(super) fn by_priority(standings: &[Standing], priorities: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..standings.len()).collect();
    let highest = |a: usize, b: usize| priorities[b].total_cmp(&priorities[a]);
    order.sort_by(|a, b| highest(*a, *b).then_with(|| standings[*a].name.cmp(&standings[*b].name)));
    order
}
