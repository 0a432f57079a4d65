//! Which columns feed a value, and how.
use std::collections::BTreeMap;

use crate::lineage::EdgeKind;

/// Every kind there is, in the order of its bit.
pub(super) const KINDS: [EdgeKind; 9] = [
    EdgeKind::Identity,
    EdgeKind::Transformation,
    EdgeKind::Aggregation,
    EdgeKind::Filter,
    EdgeKind::Join,
    EdgeKind::GroupBy,
    EdgeKind::Sort,
    EdgeKind::Window,
    EdgeKind::Conditional,
];

const DIRECT: u16 = 0b111;

/// Origins (columns, by number) and the kinds in which each feeds something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Flow(BTreeMap<u32, u16>);

impl Flow {
    /// One column as it is.
    pub(super) fn of(origin: u32) -> Self {
        Flow(BTreeMap::from([(origin, bit(EdgeKind::Identity))]))
    }

    /// Takes in what `other` holds.
    pub(super) fn merge(&mut self, other: &Flow) {
        for (origin, kinds) in &other.0 {
            *self.0.entry(*origin).or_default() |= kinds;
        }
    }

    /// This and `other`.
    pub(super) fn and(mut self, other: &Flow) -> Self {
        self.merge(other);
        self
    }

    /// What is left of it behind a function: no value stays as it was.
    pub(super) fn changed(self) -> Self {
        self.mapped(|kinds| match kinds & bit(EdgeKind::Identity) {
            0 => kinds,
            identity => (kinds & !identity) | bit(EdgeKind::Transformation),
        })
    }

    /// What is left of it behind an aggregate.
    pub(super) fn aggregated(self) -> Self {
        self.mapped(|kinds| match kinds & DIRECT {
            0 => kinds,
            _ => (kinds & !DIRECT) | bit(EdgeKind::Aggregation),
        })
    }

    /// What is left of it where it only has influence, of this kind.
    pub(super) fn influence(self, kind: EdgeKind) -> Self {
        self.mapped(|_| bit(kind))
    }

    /// Each origin with each of its kinds.
    pub(super) fn each(&self) -> impl Iterator<Item = (u32, EdgeKind)> + '_ {
        let kinds_of =
            |kinds: u16| KINDS.iter().enumerate().filter(move |(at, _)| kinds & (1 << at) != 0).map(|(_, kind)| *kind);
        self.0.iter().flat_map(move |(origin, kinds)| kinds_of(*kinds).map(|kind| (*origin, kind)))
    }

    /// The one origin that is passed on as it is, where nothing else plays a part.
    pub(super) fn only(&self) -> Option<u32> {
        match self.0.iter().next() {
            Some((origin, kinds)) if self.0.len() == 1 && *kinds == bit(EdgeKind::Identity) => Some(*origin),
            _ => None,
        }
    }

    fn mapped(mut self, map: impl Fn(u16) -> u16) -> Self {
        self.0.values_mut().for_each(|kinds| *kinds = map(*kinds));
        self
    }
}

fn bit(kind: EdgeKind) -> u16 {
    KINDS.iter().position(|known| *known == kind).map_or(0, |at| 1 << at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(flow: &Flow) -> Vec<EdgeKind> {
        flow.each().map(|(_, kind)| kind).collect()
    }

    #[test]
    fn an_aggregate_of_a_function_is_an_aggregate_and_stays_one() {
        assert_eq!(kinds(&Flow::of(1).changed().aggregated()), [EdgeKind::Aggregation]);
        assert_eq!(kinds(&Flow::of(1).aggregated().changed()), [EdgeKind::Aggregation]);
    }

    #[test]
    fn influence_forgets_the_value() {
        let both = Flow::of(1).changed().and(&Flow::of(1).influence(EdgeKind::Conditional));
        assert_eq!(kinds(&both), [EdgeKind::Transformation, EdgeKind::Conditional]);
        assert_eq!(kinds(&both.influence(EdgeKind::Filter)), [EdgeKind::Filter]);
    }
}
