//! BigQuery's names with hyphens where the grammar knows none: behind the verbs that change a table.
use super::{
    lexer::{Kind, Token},
    splice::Splice,
};

/// `text` with backticks around each hyphenated name that a verb is followed by; `None` where there is none.
pub(super) fn hyphenated(text: &str, tokens: &[Token]) -> Option<Splice> {
    let mut splice = Splice::default();
    let mut done = tokens.first()?.at.start;
    for at in 0..tokens.len() {
        let leads = ["into", "table", "exists", "insert"].iter().any(|word| tokens[at].is(text, word));
        let Some(end) = leads.then(|| name_end(tokens, at + 1)).flatten() else { continue };
        let name = tokens[at + 1].at.start..tokens[end - 1].at.end;
        if !text[name.clone()].contains('`') {
            splice.keep(text, done..name.start);
            splice.add("`");
            splice.keep(text, name.clone());
            splice.add("`");
            done = name.end;
        }
    }
    if splice.text.is_empty() {
        return None;
    }
    splice.keep(text, done..tokens.last()?.at.end);
    Some(splice)
}

/// The token behind the name at token `at`, where hyphens without blanks join its words.
fn name_end(tokens: &[Token], at: usize) -> Option<usize> {
    let glued = |at: usize| tokens[at - 1].at.end == tokens[at].at.start;
    let is_part = |token: &Token| matches!(token.kind, Kind::Word | Kind::Number | Kind::Sign('-' | '.'));
    tokens.get(at).filter(|token| token.kind == Kind::Word)?;
    let more = (at + 1..tokens.len()).take_while(|at| glued(*at) && is_part(&tokens[*at])).count();
    let end = at + 1 + more;
    tokens[at..end].iter().any(|token| token.is_sign('-')).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::sql::{dialect::Dialect, lexer::lex};

    fn made(text: &str) -> Option<String> {
        hyphenated(text, &lex(text, Dialect::named("bigquery").unwrap().rules())).map(|splice| splice.text)
    }

    #[test]
    fn names_behind_verbs_get_backticks_and_differences_get_none() {
        assert_eq!(
            made("insert into a-b.c.d (x) select y - z, y-z from e-f.g").as_deref(),
            Some("insert into `a-b.c.d` (x) select y - z, y-z from e-f.g")
        );
        assert_eq!(made("insert into a.b select c-d from e"), None);
    }
}
