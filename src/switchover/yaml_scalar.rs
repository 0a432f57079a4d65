//! Finds a scalar of a YAML file's top level, so that it can be edited where it stands.
use std::ops::Range;

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    Plain,
    Single,
    Double,
}

/// A one-line scalar: the bytes between its quotes, where it has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scalar {
    pub(super) bytes: Range<usize>,
    pub(super) quotes: Quotes,
}

/// The one-line scalar of top-level `key`; `None` where it is not there, or written in another way.
pub(super) fn scalar(text: &str, key: &str) -> Option<Scalar> {
    let value = value_of(text, key)?;
    let line_end = text[value.start..].find('\n').map_or(text.len(), |at| value.start + at);
    let line = text[value.start..line_end].trim_end();
    let start = value.start + (line.len() - line.trim_start().len());
    let written = line.trim_start();
    match written.as_bytes().first() {
        Some(quote @ (b'"' | b'\'')) => quoted(text, start, line_end, *quote),
        Some(b'|' | b'>' | b'&' | b'*' | b'!' | b'{' | b'[' | b'#') | None => None,
        Some(_) => {
            let end = written.find(" #").map_or(written.len(), |at| written[..at].trim_end().len());
            Some(Scalar { bytes: start..start + end, quotes: Quotes::Plain })
        }
    }
}

fn quoted(text: &str, start: usize, line_end: usize, quote: u8) -> Option<Scalar> {
    let inner = &text[start + 1..line_end];
    let end = inner.find(char::from(quote))?;
    // An escape inside would make the bytes differ from the value: leave such a name to a person.
    let body = &inner[..end];
    if body.contains('\\') || inner[end + 1..].starts_with(char::from(quote)) {
        return None;
    }
    let quotes = if quote == b'"' { Quotes::Double } else { Quotes::Single };
    Some(Scalar { bytes: start + 1..start + 1 + end, quotes })
}

/// Everything that belongs to top-level `key`: from behind its colon to the next key of the top level.
pub(super) fn value_of(text: &str, key: &str) -> Option<Range<usize>> {
    let mut at = 0;
    let mut start = None;
    for line in text.split_inclusive('\n') {
        let is_top = line.starts_with(|c: char| !c.is_whitespace() && c != '#');
        // A list may stand in the column of its key.
        let is_item = line.starts_with("- ");
        match start {
            Some(start) if is_top && !is_item => return Some(start..at),
            None => start = line.strip_prefix(key).filter(|rest| rest.starts_with(':')).map(|_| at + key.len() + 1),
            Some(_) => {}
        }
        at += line.len();
    }
    start.map(|start| start..text.len())
}

/// How the value that starts at `range` is written.
pub(super) fn quotes_of(text: &str, range: &Range<usize>) -> Quotes {
    match text[range.clone()].trim_start().as_bytes().first() {
        Some(b'"') => Quotes::Double,
        Some(b'\'') => Quotes::Single,
        _ => Quotes::Plain,
    }
}

/// `text` as it stands between quotes of that kind.
pub(super) fn escaped(text: &str, quotes: Quotes) -> String {
    match quotes {
        Quotes::Plain => text.to_owned(),
        Quotes::Single => text.replace('\'', "''"),
        Quotes::Double => text.replace('\\', "\\\\").replace('"', "\\\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'t>(text: &'t str, key: &str) -> Option<&'t str> {
        scalar(text, key).map(|s| &text[s.bytes])
    }

    #[test]
    fn a_scalar_is_found_between_its_quotes_and_before_its_comment() {
        let text = "table_name: orders  # old\nschema: 'raw'\nsql: null\nx:\n  schema: inner\n";
        assert_eq!(found(text, "table_name"), Some("orders"));
        assert_eq!(found(text, "schema"), Some("raw"));
        assert_eq!(found(text, "sql"), Some("null"));
        assert_eq!(found(text, "inner"), None);
    }

    #[test]
    fn a_block_or_an_escaped_name_is_no_plain_scalar() {
        assert_eq!(found("sql: |\n  SELECT 1\n", "sql"), None);
        assert_eq!(found("schema: \"a\\tb\"\n", "schema"), None);
        assert_eq!(found("schema: 'a''b'\n", "schema"), None);
        assert_eq!(found("schema:\n", "schema"), None);
    }

    #[test]
    fn a_value_ends_at_the_next_key() {
        let text = "sql: 'SELECT 1\n\n  FROM x'\nmetrics:\n- a\n";
        assert_eq!(&text[value_of(text, "sql").unwrap()], " 'SELECT 1\n\n  FROM x'\n");
        assert_eq!(&text[value_of(text, "metrics").unwrap()], "\n- a\n");
    }
}
