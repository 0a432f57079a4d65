//! The little of SQL's spelling that is read here: identifiers, white space, comments.

/// The first identifier of `text`, without its quotes, and what follows it.
pub(super) fn identifier(text: &str) -> Option<(String, &str)> {
    let text = skip_blank(text);
    let close = match text.chars().next()? {
        '"' => '"',
        '`' => '`',
        '\'' => '\'',
        '[' => ']',
        _ => {
            let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$'))).unwrap_or(text.len());
            return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
        }
    };
    let mut name = String::new();
    let mut rest = text[1..].char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if c != close {
            name.push(c);
        } else if close != ']' && rest.peek().is_some_and(|(_, next)| *next == close) {
            name.push(c);
            rest.next();
        } else {
            return Some((name, &text[1 + at + c.len_utf8()..]));
        }
    }
    None
}

/// `text` without the white space and comments it begins with.
pub(super) fn skip_blank(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        rest = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after).trim_start()
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, after)| after).trim_start()
        } else {
            return rest;
        };
    }
}

/// Whether the keyword `word` stands in `sql`, outside of names in quotes, strings and comments.
pub(super) fn has_word(sql: &str, word: &str) -> bool {
    let mut rest = skip_blank(sql);
    while let Some(first) = rest.chars().next() {
        rest = match identifier(rest) {
            Some((found, _)) if !matches!(first, '"' | '`' | '\'' | '[') && found.eq_ignore_ascii_case(word) => {
                return true;
            }
            Some((_, after)) => skip_blank(after),
            None => skip_blank(&rest[first.len_utf8()..]),
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_is_found_where_it_is_one() {
        assert!(has_word("CREATE TABLE t (a, \"b\" check(a>0))", "CHECK"));
        for sql in [
            "CREATE TABLE \"check\" (a 'check', [check], `check`)",
            "t (checked) -- check",
            "/* check */ t",
            "'it''s' \"",
            "",
        ] {
            assert!(!has_word(sql, "CHECK"), "{sql}");
        }
    }
}
