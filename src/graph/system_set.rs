use std::{collections::BTreeSet, fmt, sync::Arc};

use serde::{Serialize, Serializer};

use crate::graph::label_set::LabelSet;

/// Names of source systems, sorted. Marts of a large lake each come from hundreds of systems, so
/// that the set holds bits over one shared list of names.
#[derive(Clone, Default)]
pub struct SystemSet {
    names: Arc<[String]>,
    bits: LabelSet,
}

impl SystemSet {
    /// The names at the places `bits` of `names`, which are sorted.
    pub(super) fn new(names: Arc<[String]>, bits: LabelSet) -> Self {
        SystemSet { names, bits }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.bits.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first by name.
    pub fn first(&self) -> Option<&String> {
        self.iter().next()
    }

    /// Whether `name` is among them.
    pub fn contains(&self, name: &str) -> bool {
        let at = self.names.binary_search_by(|known| known.as_str().cmp(name));
        at.is_ok_and(|at| self.bits.contains(at as u32))
    }

    /// Each in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.bits.iter().map(|at| &self.names[at as usize])
    }
}

impl FromIterator<String> for SystemSet {
    fn from_iter<T: IntoIterator<Item = String>>(names: T) -> Self {
        let names: Arc<[String]> = names.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let bits = LabelSet::all(names.len() as u32);
        SystemSet { names, bits }
    }
}

impl PartialEq for SystemSet {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for SystemSet {}

impl fmt::Debug for SystemSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for SystemSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_over_different_lists_are_equal_by_their_names() {
        let names: Arc<[String]> = ["a", "b", "c"].map(String::from).into();
        let part = SystemSet::new(names, LabelSet::single(1));
        assert_eq!(part, SystemSet::from_iter(["b".to_owned()]));
        assert!(part.contains("b") && !part.contains("c") && !part.contains("d"));
        assert_eq!(serde_json::to_string(&part).unwrap(), r#"["b"]"#);
    }
}
