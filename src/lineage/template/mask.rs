//! The last resort: templates become blanks and marked words of the same length, so that every place stays true.

/// `text` with expressions turned into words of underscores and tags into spaces, byte for byte as long.
pub(in crate::lineage) fn mask(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut at = 0;
    let mut skipping: Option<usize> = None;
    while let Some((start, open)) = next_tag(text, at) {
        let end = tag_end(text, start, open);
        let inner = text[(start + 2).min(end)..end].trim_start_matches(['-', '+']).trim_start();
        let word: String = inner.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if open == '%' {
            // Of the branches of an `if` only the first is kept.
            match (word.as_str(), skipping) {
                ("else" | "elif", None) => skipping = Some(start),
                ("endif", Some(from)) => {
                    blank(&mut bytes[from..start], b' ');
                    skipping = None;
                }
                _ => {}
            }
        }
        blank(&mut bytes[start..end], if open == '{' { b'_' } else { b' ' });
        at = end;
    }
    // Every character was kept whole or blanked byte by byte.
    String::from_utf8_lossy(&bytes).into_owned()
}

fn next_tag(text: &str, from: usize) -> Option<(usize, char)> {
    let rest = &text[from..];
    let found = ["{{", "{%", "{#"].iter().filter_map(|mark| Some((rest.find(mark)?, *mark))).min();
    found.map(|(at, mark)| (from + at, mark.chars().nth(1).unwrap_or('{')))
}

/// The byte behind the tag; an unfinished one ends with its line.
fn tag_end(text: &str, start: usize, open: char) -> usize {
    let close = match open {
        '{' => "}}",
        '%' => "%}",
        _ => "#}",
    };
    let rest = &text[start..];
    let end = rest.find(close).map(|end| end + 2).or_else(|| rest.find('\n')).unwrap_or(rest.len());
    start + end
}

fn blank(bytes: &mut [u8], with: u8) {
    // A word must not be broken over lines: an expression of several lines becomes one word and blanks.
    let mut with = with;
    for byte in bytes {
        match byte {
            b'\n' | b'\r' => with = b' ',
            other => *other = with,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_branch_stays_and_places_stay_true() {
        let text = "a {% if x %}b{% else %}c{% endif %} {{ d }} e";
        assert_eq!(mask(text), "a           b                       _______ e");
    }

    proptest! {
        #[test]
        fn masking_keeps_lengths(text in "[a-z{}%# \n\u{e9}]{0,60}") {
            prop_assert_eq!(mask(&text).len(), text.len());
        }
    }
}
