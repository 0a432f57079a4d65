//! What MySQL's client does to a script before the server sees it: DELIMITER, and comments that only it ignores.
use std::{ops::Range, sync::LazyLock};

use regex::Regex;

static DELIMITER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?im)^[ \t]*delimiter[ \t]+(\S+)[^\n]*$").expect("the pattern is written here and a test runs it")
});

/// `/*!50001 CREATE VIEW …`: MySQL runs what such a comment holds.
static VERSIONED: LazyLock<Regex> = LazyLock::new(|| {
    let begins = "create|definer|algorithm|sql|view|trigger|procedure|function|event|insert|update|delete|replace";
    let form = format!(r"(?i)/\*M?!\d*\s*(?:{begins})\b");
    Regex::new(&form).expect("the pattern is written here and a test runs it")
});

/// `text` as the server reads it, as long as it was; `None` where that is the same.
pub(super) fn plainer(text: &str) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let mut changed = false;
    if text.contains("/*!") || text.contains("/*M!") {
        for range in VERSIONED.find_iter(text).flat_map(|found| marks(text, found.start())) {
            bytes[range].fill(b' ');
            changed = true;
        }
    }
    let lines: Vec<(Range<usize>, &str)> = DELIMITER
        .captures_iter(text)
        .filter_map(|captures| Some((captures.get(0)?.range(), captures.get(1)?.as_str())))
        .collect();
    for (at, (line, delimiter)) in lines.iter().enumerate() {
        bytes[line.clone()].iter_mut().filter(|b| **b != b'\r').for_each(|b| *b = b' ');
        changed = true;
        let end = lines.get(at + 1).map_or(text.len(), |(next, _)| next.start);
        if *delimiter == ";" || line.end >= end {
            continue;
        }
        for (found, _) in text[line.end..end].match_indices(delimiter) {
            let start = line.end + found;
            let behind = text[start + delimiter.len()..].split('\n').next().unwrap_or_default().trim();
            // Within a line it may be part of something else.
            if behind.is_empty() || behind.starts_with("--") || behind.starts_with("/*") {
                bytes[start..start + delimiter.len()].fill(b' ');
                bytes[start] = b';';
            }
        }
    }
    changed.then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// The marks around what the comment at byte `start` holds; none where it does not end.
fn marks(text: &str, start: usize) -> Vec<Range<usize>> {
    let open = text[start + 2..].find('!').map_or(start, |at| start + 2 + at + 1);
    let digits = text[open..].bytes().take_while(u8::is_ascii_digit).count();
    match text[open..].find("*/") {
        Some(end) => vec![start..open + digits, open + end..open + end + 2],
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let plain = plainer(text).unwrap_or_else(|| text.to_owned());
        assert_eq!(plain.len(), text.len());
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_delimiter_of_ones_own_is_a_semicolon() {
        assert_eq!(read("DELIMITER $$\ncreate x\nend$$\nDELIMITER ;\nselect '$$';"), "create x end; select '$$';");
        assert_eq!(read("delimiter //\nselect a // b from t //\n"), "select a // b from t ;");
        assert_eq!(read("delimiter é\nselect 1 é"), "select 1 ;");
    }

    #[test]
    fn what_a_versioned_comment_holds_is_run() {
        assert_eq!(read("/*!50001 CREATE VIEW v AS SELECT 1 */;"), "CREATE VIEW v AS SELECT 1 ;");
        assert_eq!(read("/*!50003 CREATE*/ /*!50017 DEFINER=`a`*/ x"), "CREATE DEFINER=`a` x");
        assert_eq!(read("/*!50100 PARTITION BY x */"), "/*!50100 PARTITION BY x */");
        assert_eq!(read("/*!50001 create"), "/*!50001 create");
    }
}
