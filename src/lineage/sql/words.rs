//! Lists of words, kept as data.
use std::sync::LazyLock;

/// The words of one list, by first letter and length: a word that is none of them meets hardly one that might be.
type List = Vec<Vec<&'static str>>;

static LISTS: LazyLock<Vec<(&'static str, List)>> = LazyLock::new(|| {
    let mut lists: Vec<(&str, List)> = Vec::new();
    for line in include_str!("../data/words.txt").lines().filter(|line| !line.starts_with('#')) {
        let Some((kind, words)) = line.split_once(':') else { continue };
        let at = lists.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
            lists.push((kind, vec![Vec::new(); 32 * 16]));
            lists.len() - 1
        });
        words.split_whitespace().for_each(|word| lists[at].1[place(word)].push(word));
    }
    lists
});

/// Where in a list `word` stands, whatever its case.
fn place(word: &str) -> usize {
    let first = word.as_bytes().first().copied().unwrap_or_default();
    usize::from(first & 31) * 16 + word.len().min(15)
}

/// Whether `word` is in the list `kind` of `data/words.txt`, whatever its case.
pub(in crate::lineage) fn is_any(kind: &str, word: &str) -> bool {
    let list = LISTS.iter().find(|(known, _)| *known == kind);
    list.is_some_and(|(_, list)| list[place(word)].iter().any(|known| known.eq_ignore_ascii_case(word)))
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
