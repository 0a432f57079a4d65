//! Which columns feed a value, and how.
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

const DIRECT: u32 = 0b111;
/// The bit of the first kind.
const IDENTITY: u32 = 0b1;
/// How far up the bits of kinds stand that are one of several possibilities.
const MAYBE: u32 = 16;
/// The bits of kinds that are certain.
const CERTAIN: u32 = (1 << MAYBE) - 1;

/// Origins (columns, by number) and the kinds in which each feeds something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Flow(Few);

/// Origins in ascending order, each with its kinds. Most flows have one: they cost no memory of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
enum Few {
    #[default]
    None,
    One([(u32, u32); 1]),
    /// Two at least.
    Many(Vec<(u32, u32)>),
}

impl Flow {
    /// One column as it is.
    pub(super) fn of(origin: u32) -> Self {
        Flow(Few::One([(origin, IDENTITY)]))
    }

    fn parts(&self) -> &[(u32, u32)] {
        match &self.0 {
            Few::None => &[],
            Few::One(one) => one,
            Few::Many(many) => many,
        }
    }

    fn parts_mut(&mut self) -> &mut [(u32, u32)] {
        match &mut self.0 {
            Few::None => &mut [],
            Few::One(one) => one,
            Few::Many(many) => many,
        }
    }

    /// Whether there are several origins.
    pub(super) fn is_plural(&self) -> bool {
        self.parts().len() > 1
    }

    /// Takes in what `other` holds.
    pub(super) fn merge(&mut self, other: &Flow) {
        let (mine, theirs) = (self.parts_mut(), other.parts());
        if mine.is_empty() {
            self.clone_from(other);
            return;
        }
        let mut missing = 0;
        let mut from = 0;
        for (origin, kinds) in theirs {
            match mine[from..].binary_search_by_key(origin, |(known, _)| *known) {
                Ok(at) => {
                    mine[from + at].1 |= kinds;
                    from += at;
                }
                Err(at) => {
                    missing += 1;
                    from += at;
                }
            }
        }
        if missing > 0 {
            self.0 = Few::Many(united(self.parts(), theirs, missing));
        }
    }

    /// This and `other`.
    pub(super) fn and(mut self, other: &Flow) -> Self {
        self.merge(other);
        self
    }

    /// This and `other`, whichever of them is there already.
    pub(super) fn with(mut self, other: Flow) -> Self {
        if self.0 == Few::None {
            return other;
        }
        self.merge(&other);
        self
    }

    /// What is left of it behind a function: no value stays as it was.
    pub(super) fn changed(self) -> Self {
        let transformation = bit(EdgeKind::Transformation);
        self.mapped(|kinds| match kinds & IDENTITY {
            0 => kinds,
            identity => (kinds & !identity) | transformation,
        })
    }

    /// What is left of it behind an aggregate.
    pub(super) fn aggregated(self) -> Self {
        let aggregation = bit(EdgeKind::Aggregation);
        self.mapped(|kinds| match kinds & DIRECT {
            0 => kinds,
            _ => (kinds & !DIRECT) | aggregation,
        })
    }

    /// What is left of it where it only has influence, of this kind.
    pub(super) fn influence(self, kind: EdgeKind) -> Self {
        let only = bit(kind);
        self.mapped(|kinds| if kinds == 0 { 0 } else { only })
    }

    /// The same, where only one of its origins counts and nobody can say which.
    pub(super) fn ambiguous(mut self) -> Self {
        self.parts_mut().iter_mut().for_each(|(_, kinds)| *kinds = ((*kinds & CERTAIN) | (*kinds >> MAYBE)) << MAYBE);
        self
    }

    /// Each origin with each of its kinds, and whether it is one of several possibilities.
    pub(super) fn each(&self) -> impl Iterator<Item = (u32, EdgeKind, bool)> + '_ {
        let kinds_of = |kinds: u32| {
            let all = (kinds & CERTAIN) | (kinds >> MAYBE);
            let found = KINDS.iter().enumerate().filter(move |(at, _)| all & (1 << at) != 0);
            found.map(move |(at, kind)| (*kind, kinds & (1 << at) == 0))
        };
        self.parts()
            .iter()
            .flat_map(move |(origin, kinds)| kinds_of(*kinds).map(|(kind, ambiguous)| (*origin, kind, ambiguous)))
    }

    /// The one origin that is passed on as it is, where nothing else plays a part.
    pub(super) fn only(&self) -> Option<u32> {
        match self.0 {
            Few::One([(origin, IDENTITY)]) => Some(origin),
            _ => None,
        }
    }

    fn mapped(mut self, map: impl Fn(u32) -> u32) -> Self {
        let both = |kinds: u32| map(kinds & CERTAIN) | (map(kinds >> MAYBE) << MAYBE);
        self.parts_mut().iter_mut().for_each(|(_, kinds)| *kinds = both(*kinds));
        self
    }
}

/// Both of two ordered lists; `more` of `theirs` are not in `mine`, the others' kinds are there already.
fn united(mine: &[(u32, u32)], theirs: &[(u32, u32)], more: usize) -> Vec<(u32, u32)> {
    let mut all = Vec::with_capacity(mine.len() + more);
    let mut mine = mine.iter().copied().peekable();
    for one in theirs {
        while let Some(before) = mine.next_if(|(origin, _)| *origin < one.0) {
            all.push(before);
        }
        all.push(mine.next_if(|(origin, _)| *origin == one.0).unwrap_or(*one));
    }
    all.extend(mine);
    all
}

fn bit(kind: EdgeKind) -> u32 {
    KINDS.iter().position(|known| *known == kind).map_or(0, |at| 1 << at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(flow: &Flow) -> Vec<EdgeKind> {
        flow.each().map(|(_, kind, _)| kind).collect()
    }

    #[test]
    fn an_aggregate_of_a_function_is_an_aggregate_and_stays_one() {
        assert_eq!(kinds(&Flow::of(1).changed().aggregated()), [EdgeKind::Aggregation]);
        assert_eq!(kinds(&Flow::of(1).aggregated().changed()), [EdgeKind::Aggregation]);
    }

    #[test]
    fn a_union_holds_each_origin_once_whatever_came_first() {
        let all = |numbers: &[u32]| numbers.iter().fold(Flow::default(), |flow, at| flow.and(&Flow::of(*at)));
        let even = all(&[8, 2, 6, 4]);
        let both = even.clone().and(&all(&[1, 2, 5, 9]).changed());
        let origins: Vec<u32> = both.parts().iter().map(|(origin, _)| *origin).collect();
        assert_eq!(origins, [1, 2, 4, 5, 6, 8, 9]);
        assert_eq!(both, all(&[9, 5, 2, 1]).changed().and(&even));
        assert_eq!(both.each().filter(|(origin, ..)| *origin == 2).count(), 2);
        assert_eq!(both.clone().and(&even), both);
    }

    #[test]
    fn a_possibility_stays_one_until_it_is_certain_elsewhere() {
        let one = |flow: &Flow| flow.each().map(|(_, kind, ambiguous)| (kind, ambiguous)).collect::<Vec<_>>();
        let maybe = Flow::of(1).ambiguous();
        assert_eq!(one(&maybe), [(EdgeKind::Identity, true)]);
        assert_eq!(one(&maybe.clone().changed()), [(EdgeKind::Transformation, true)]);
        assert_eq!(one(&maybe.clone().aggregated().influence(EdgeKind::Sort)), [(EdgeKind::Sort, true)]);
        assert_eq!(one(&maybe.clone().and(&Flow::of(1))), [(EdgeKind::Identity, false)]);
        assert_eq!(maybe.only(), None);
        let both = maybe.and(&Flow::of(1).influence(EdgeKind::Filter));
        assert_eq!(one(&both), [(EdgeKind::Identity, true), (EdgeKind::Filter, false)]);
    }

    #[test]
    fn influence_forgets_the_value() {
        let both = Flow::of(1).changed().and(&Flow::of(1).influence(EdgeKind::Conditional));
        assert_eq!(kinds(&both), [EdgeKind::Transformation, EdgeKind::Conditional]);
        assert_eq!(kinds(&both.influence(EdgeKind::Filter)), [EdgeKind::Filter]);
    }
}
