//! Where the tags of a template stand, found without its grammar.

/// The first tag from byte `from` on, and its second character.
pub(super) fn next_tag(text: &str, from: usize) -> Option<(usize, char)> {
    let rest = &text[from..];
    let found = ["{{", "{%", "{#"].iter().filter_map(|mark| Some((rest.find(mark)?, *mark))).min();
    found.map(|(at, mark)| (from + at, mark.chars().nth(1).unwrap_or('{')))
}

/// The byte behind the tag; an unfinished one ends with its line.
pub(super) fn tag_end(text: &str, start: usize, open: char) -> usize {
    let close = match open {
        '{' => "}}",
        '%' => "%}",
        _ => "#}",
    };
    let rest = &text[start..];
    let end = rest.find(close).map(|end| end + 2).or_else(|| rest.find('\n')).unwrap_or(rest.len());
    start + end
}
