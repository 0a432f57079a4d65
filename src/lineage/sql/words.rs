//! Lists of words, kept as data.
use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

static LISTS: LazyLock<HashMap<&'static str, HashSet<&'static str>>> = LazyLock::new(|| {
    let mut lists: HashMap<&str, HashSet<&str>> = HashMap::new();
    for line in include_str!("../data/words.txt").lines().filter(|line| !line.starts_with('#')) {
        if let Some((kind, words)) = line.split_once(':') {
            lists.entry(kind).or_default().extend(words.split_whitespace());
        }
    }
    lists
});

/// Whether `word` is in the list `kind` of `data/words.txt`, whatever its case.
pub(in crate::lineage) fn is_any(kind: &str, word: &str) -> bool {
    LISTS.get(kind).is_some_and(|list| list.contains(word.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case() {
        assert!(is_any("statement", "SELECT") && is_any("aggregate", "Sum"));
        assert!(!is_any("statement", "orders") && !is_any("no such list", "select"));
    }
}
