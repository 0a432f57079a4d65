//! SQL between the escapes of its file: where each of its bytes is written, and how new ones are.

/// How a text is written in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// The bytes are the text.
    AsIs,
    /// JSON's escapes, which YAML's double quotes share.
    Backslash,
    /// YAML's single quotes.
    Single,
    /// Texts of Power Query.
    M,
}

/// How the text at `start` of `text`, the content of a file with this ending, is written; `None` where that is not known.
pub(super) fn writing(ending: &str, text: &str, start: usize) -> Option<Writing> {
    let before = text.get(..start)?.chars().next_back()?;
    match (ending.to_ascii_lowercase().as_str(), before) {
        ("tmdl", '"') => Some(Writing::M),
        ("json" | "yaml" | "yml", '"') => Some(Writing::Backslash),
        ("yaml" | "yml", '\'') => Some(Writing::Single),
        _ => None,
    }
}

/// The text that `raw` says, and where in `raw` each of its bytes is written, one place more than it has bytes.
/// `None` where it is written over several lines, which may say another text than they show.
pub(super) fn read(raw: &str, writing: Writing) -> Option<(String, Vec<usize>)> {
    let (mut text, mut places, mut at) = (String::new(), Vec::new(), 0);
    while let Some(c) = raw[at..].chars().next() {
        let (sign, length) = match (writing, c) {
            (Writing::AsIs, _) => (c, c.len_utf8()),
            (_, '\n' | '\r') if writing != Writing::M => return None,
            (Writing::Backslash, '\\') => escape(&raw[at..])?,
            (Writing::Single, '\'') => ('\'', 2),
            (Writing::M, '"') => ('"', 2),
            (Writing::M, '#') if raw[at..].starts_with("#(lf)") => ('\n', 5),
            (Writing::M, '#') if raw[at..].starts_with("#(tab)") => ('\t', 6),
            (Writing::M, '#') if raw[at..].starts_with("#(") => return None,
            _ => (c, c.len_utf8()),
        };
        places.extend(std::iter::repeat_n(at, sign.len_utf8()));
        text.push(sign);
        at += length;
        if at > raw.len() || !raw.is_char_boundary(at) {
            return None;
        }
    }
    places.push(raw.len());
    Some((text, places))
}

/// The sign that an escape says, and its length.
fn escape(rest: &str) -> Option<(char, usize)> {
    let sign = match rest.as_bytes().get(1)? {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'u' => {
            let first = u32::from_str_radix(rest.get(2..6)?, 16).ok()?;
            if let Some(sign) = char::from_u32(first) {
                return Some((sign, 6));
            }
            let second = u32::from_str_radix(rest.get(6..12)?.strip_prefix("\\u")?, 16).ok()?;
            let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
            return Some((char::from_u32(0x1_0000 + (first.checked_sub(0xD800)? << 10) + low)?, 12));
        }
        _ => return None,
    };
    Some((sign, 2))
}

/// `text` as it is written there.
pub(super) fn written(text: &str, writing: Writing) -> String {
    match writing {
        Writing::AsIs => text.to_owned(),
        Writing::Backslash => text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t"),
        Writing::Single => text.replace('\'', "''"),
        Writing::M => text.replace('"', "\"\"").replace('\n', "#(lf)").replace('\t', "#(tab)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_found_where_it_is_written() {
        for (raw, writing, text) in [
            ("a\\n\\\"é\\u00e9\\ud83d\\ude00\\\"", Writing::Backslash, "a\n\"éé😀\""),
            ("it''s", Writing::Single, "it's"),
            ("\"\"a\"\"#(lf)b", Writing::M, "\"a\"\nb"),
            ("x\ny", Writing::AsIs, "x\ny"),
        ] {
            let (found, places) = read(raw, writing).unwrap();
            assert_eq!(found, text);
            assert_eq!((places.len(), *places.last().unwrap()), (text.len() + 1, raw.len()));
            let again = written(&found, writing);
            assert_eq!(read(&again, writing).unwrap().0, text);
        }
    }

    #[test]
    fn what_is_folded_or_broken_is_left_to_a_person() {
        for raw in ["a\nb", "\\q", "\\u12", "\\ud83dx", "\\"] {
            assert!(read(raw, Writing::Backslash).is_none(), "{raw}");
        }
        assert!(read("a#(cr)", Writing::M).is_none());
    }
}
