//! The statements of a script, for engines that are handed them one by one.

/// Why ROLLBACK is refused.
pub(super) const NO_ROLLBACK: &str =
    "a script runs in one transaction, so it cannot roll back a part of itself: take ROLLBACK out";

/// What a statement does to the transaction.
pub(super) enum Control {
    /// Nothing.
    None,
    /// BEGIN, COMMIT, END: the whole script is one transaction already.
    Bracket,
    /// It would take back what came before it.
    Rollback,
}

/// Reads the first words of `statement`.
pub(super) fn control(statement: &str) -> Control {
    let mut words = statement.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default().to_ascii_uppercase();
    let alone = |mut words: &mut dyn Iterator<Item = &str>| {
        (&mut words).all(|word| ["WORK", "TRANSACTION"].contains(&word.to_ascii_uppercase().as_str()))
    };
    match first.as_str() {
        "BEGIN" | "COMMIT" | "END" if alone(&mut words) => Control::Bracket,
        "ROLLBACK" | "ABORT" if !words.any(|word| word.eq_ignore_ascii_case("to")) => Control::Rollback,
        _ => Control::None,
    }
}

/// The statements of `script` and where each begins, comments and blanks before them left out.
pub(super) fn statements(script: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut begins, mut at) = (None, 0);
    while at < script.len() {
        let rest = &script[at..];
        let c = rest.chars().next().unwrap_or(' ');
        let skipped = comment(rest);
        if skipped == 0 && c == ';' {
            found.extend(begins.take().map(|from| (from, &script[from..at])));
        } else if skipped == 0 && !c.is_whitespace() && begins.is_none() {
            begins = Some(at);
        }
        at += skipped.max(literal_length(script, at)).max(c.len_utf8());
    }
    found.extend(begins.map(|from| (from, script[from..].trim_end())));
    found
}

/// Bytes of the comment that `text` begins with; comments nest.
fn comment(text: &str) -> usize {
    if text.starts_with("--") {
        return text.find('\n').unwrap_or(text.len());
    }
    if !text.starts_with("/*") {
        return 0;
    }
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        at += match rest {
            _ if rest.starts_with("/*") => {
                depth += 1;
                2
            }
            _ if rest.starts_with("*/") => {
                depth -= 1;
                2
            }
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        if depth == 0 {
            break;
        }
    }
    at
}

/// Bytes of the quoted text or name that begins at `at`.
fn literal_length(script: &str, at: usize) -> usize {
    let text = &script[at..];
    match text.as_bytes().first() {
        Some(b'"') => closed(text, '"', false),
        Some(b'\'') => closed(text, '\'', escapes(&script[..at])),
        Some(b'$') => dollar(script, at).unwrap_or(0),
        _ => 0,
    }
}

/// Whether the text that begins here is written `E'…'`.
fn escapes(before: &str) -> bool {
    let mut last = before.chars().rev();
    matches!(last.next(), Some('e' | 'E')) && !last.next().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

fn closed(text: &str, quote: char, escapes: bool) -> usize {
    let mut characters = text.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        if escapes && c == '\\' {
            characters.next();
        } else if c == quote {
            return at + 1;
        }
    }
    text.len()
}

/// `$$ … $$`, `$body$ … $body$`; a `$1` or a `$` within a name is none.
fn dollar(script: &str, at: usize) -> Option<usize> {
    if script[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let text = &script[at..];
    let end = text[1..].find('$')? + 2;
    let tag = &text[..end];
    let name = &tag[1..end - 1];
    let is_tag =
        name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    is_tag.then(|| text[end..].find(tag).map_or(text.len(), |close| end + close + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_ends_a_statement_only_where_it_is_one() {
        let script =
            "-- no; \n SELECT ';', E'\\';', \"a;b\", $$;$$, $f$ ; $$ ; $f$; /* ; /* ; */ ; */ COMMIT ;\n\nSELECT $1";
        let found: Vec<&str> = statements(script).into_iter().map(|(_, text)| text).collect();
        assert_eq!(found, ["SELECT ';', E'\\';', \"a;b\", $$;$$, $f$ ; $$ ; $f$", "COMMIT ", "SELECT $1"]);
        assert!(statements("-- nothing\n;;").is_empty());
    }

    #[test]
    fn what_brackets_a_transaction_is_told_from_what_ends_it() {
        assert!(matches!(control("begin work"), Control::Bracket));
        assert!(matches!(control("ROLLBACK"), Control::Rollback));
        assert!(matches!(control("ROLLBACK TO SAVEPOINT a"), Control::None));
        assert!(matches!(control("SELECT 'rollback'"), Control::None));
    }
}
