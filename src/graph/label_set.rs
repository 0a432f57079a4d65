//! Sets of small numbers, each distinct set stored once.
use std::{collections::HashMap, sync::Arc};

/// A set of small numbers as bits, the highest word never 0. Shared, so that a clone is free.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct LabelSet(Arc<[u64]>);

impl LabelSet {
    pub(super) fn single(label: u32) -> Self {
        let mut words = vec![0; label as usize / 64 + 1];
        words[label as usize / 64] = 1 << (label % 64);
        LabelSet(words.into())
    }

    /// 0 to `count`, without it.
    pub(super) fn all(count: u32) -> Self {
        (0..count).fold(LabelSet::default(), |set, label| set.union(&LabelSet::single(label)))
    }

    fn union(&self, other: &LabelSet) -> Self {
        let (long, short) = if self.0.len() >= other.0.len() { (self, other) } else { (other, self) };
        let short = short.0.iter().copied().chain(std::iter::repeat(0));
        LabelSet(long.0.iter().zip(short).map(|(a, b)| a | b).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(super) fn contains(&self, label: u32) -> bool {
        self.0.get(label as usize / 64).is_some_and(|word| word & (1 << (label % 64)) != 0)
    }

    /// Ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        self.0.iter().zip(0u32..).flat_map(|(word, at)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(at * 64 + bit)
            })
        })
    }
}

/// Every distinct set once, with a number; unions of two numbers are worked out once.
pub(super) struct SetStore {
    sets: Vec<LabelSet>,
    known: HashMap<LabelSet, u32>,
    unions: HashMap<(u32, u32), u32>,
}

/// The number of the set that holds nothing.
pub(super) const EMPTY: u32 = 0;

impl Default for SetStore {
    fn default() -> Self {
        let empty = LabelSet::default();
        SetStore { sets: vec![empty.clone()], known: HashMap::from([(empty, EMPTY)]), unions: HashMap::new() }
    }
}

impl SetStore {
    pub(super) fn get(&self, id: u32) -> &LabelSet {
        &self.sets[id as usize]
    }

    pub(super) fn intern(&mut self, set: LabelSet) -> u32 {
        if let Some(id) = self.known.get(&set) {
            return *id;
        }
        let id = self.sets.len() as u32;
        self.sets.push(set.clone());
        self.known.insert(set, id);
        id
    }

    pub(super) fn union(&mut self, a: u32, b: u32) -> u32 {
        if a == b || b == EMPTY {
            return a;
        }
        if a == EMPTY {
            return b;
        }
        let pair = (a.min(b), a.max(b));
        if let Some(id) = self.unions.get(&pair) {
            return *id;
        }
        let id = self.intern(self.get(a).union(self.get(b)));
        self.unions.insert(pair, id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_holds_both_and_equal_sets_have_one_number() {
        let mut store = SetStore::default();
        let [a, b, c] = [3, 64, 200].map(|label| store.intern(LabelSet::single(label)));
        let ab = store.union(a, b);
        let all = store.union(ab, c);
        let bc = store.union(b, c);
        assert_eq!(store.union(bc, a), all);
        assert_eq!(store.get(all).iter().collect::<Vec<_>>(), [3, 64, 200]);
        assert_eq!((store.get(all).len(), store.get(all).contains(64), store.get(all).contains(65)), (3, true, false));
        assert_eq!(store.union(EMPTY, c), c);
    }
}
