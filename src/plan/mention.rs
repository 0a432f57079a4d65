//! Where a name is mentioned in a text, comments left out: the way back to a place whose bytes have moved.
use std::ops::Range;

/// First bytes of every whole mention of `name` in `text`, in order. What looks like a comment in SQL, Jinja or
/// YAML is passed over; a comment sign inside a string costs mentions, never adds one.
pub(super) fn mentions(text: &str, name: &str) -> Vec<usize> {
    if name.is_empty() || !text.contains(name) {
        return Vec::new();
    }
    let comments = comments(text);
    let in_comment = |at: usize| {
        let after = comments.partition_point(|comment| comment.start <= at);
        after.checked_sub(1).is_some_and(|before| comments[before].end > at)
    };
    text.match_indices(name).map(|(at, _)| at).filter(|at| !in_comment(*at) && is_whole(text, *at, name)).collect()
}

/// Which mention of `name` begins at `at`, counted from 1; 0 where none does.
pub(super) fn number(text: &str, name: &str, at: usize) -> u32 {
    let found = mentions(text, name).iter().position(|start| *start == at);
    found.map_or(0, |before| before as u32 + 1)
}

fn is_whole(text: &str, at: usize, name: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
    let cut = |outside: Option<char>, inside: Option<char>| word(outside) && word(inside);
    let end = at + name.len();
    !cut(text[..at].chars().next_back(), name.chars().next()) && !cut(text[end..].chars().next(), name.chars().last())
}

/// Comments from their sign to the end of their line (without it) or to their closing sign; in order.
fn comments(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = match rest {
            [b'-', b'-', ..] => Some(line_end(bytes, at)),
            [b'#', ..] if at == 0 || bytes[at - 1].is_ascii_whitespace() => Some(line_end(bytes, at)),
            [b'/', b'*', ..] => text[at..].find("*/").map(|length| at + length + 2),
            [b'{', b'#', ..] => text[at..].find("#}").map(|length| at + length + 2),
            _ => None,
        };
        if let Some(end) = end {
            found.push(at..end);
        }
        at = end.unwrap_or(at + 1).max(at + 1);
    }
    found
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|b| matches!(b, b'\r' | b'\n')).map_or(bytes.len(), |length| at + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_outside_comments_are_mentions() {
        let text = "-- raw.a\nfrom raw.a, raw.ab, xraw.a /* raw.a */ join raw.a # raw.a\n{# raw.a #}where raw.a.id";
        let found = mentions(text, "raw.a");
        assert_eq!(
            found,
            [text.find("raw.a,").unwrap(), text.find("raw.a #").unwrap(), text.find("raw.a.id").unwrap()]
        );
        assert_eq!(number(text, "raw.a", found[1]), 2);
        assert_eq!((number(text, "raw.a", 3), number(text, "", 0)), (0, 0), "in a comment, and nothing at all");
    }

    #[test]
    fn a_sign_that_never_closes_hides_nothing() {
        assert_eq!(mentions("path: s3://x/*\ninto: raw.é", "raw.é"), [21]);
    }
}
