//! Many words looked for in one walk over a text. The one file that knows aho-corasick.
use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// Words up to which the quickest automaton is built, which takes the most memory.
const FEW: usize = 1_000;

/// Finds which of some words stand in a text, ASCII case aside.
#[derive(Clone, Debug)]
pub struct WordFinder {
    automaton: AhoCorasick,
    words: usize,
}

impl WordFinder {
    /// For these words; `None` where they are more than an automaton holds (some gigabytes of them).
    pub fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<Self> {
        let words: Vec<&str> = words.into_iter().collect();
        let kind = (words.len() <= FEW).then_some(AhoCorasickKind::DFA);
        let automaton = AhoCorasick::builder().kind(kind).ascii_case_insensitive(true).build(&words).ok()?;
        Some(WordFinder { automaton, words: words.len() })
    }

    /// Which words stand anywhere in `text`, by their place in the list, rising. They may overlap.
    pub fn found_in(&self, text: &str) -> impl Iterator<Item = usize> + use<> {
        let mut seen = vec![false; self.words];
        for found in self.automaton.find_overlapping_iter(text) {
            seen[found.pattern().as_usize()] = true;
        }
        seen.into_iter().enumerate().filter_map(|(at, seen)| seen.then_some(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case_and_where_they_overlap() {
        let finder = WordFinder::new(["raw.orders", "orders", "raw.x"]).unwrap();
        assert_eq!(finder.found_in("select * from RAW.Orders").collect::<Vec<_>>(), [0, 1]);
        assert_eq!(finder.found_in("").count(), 0);
    }
}
