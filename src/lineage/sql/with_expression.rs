//! ClickHouse's `WITH expression AS name`: the expression becomes a query of one value, as the grammar knows it.
use std::ops::Range;

use super::{
    lexer::{Kind, Token},
    splice::Splice,
};

/// The statement of `tokens` with each named expression as a query; `None` where there is none.
pub(super) fn named_expressions(text: &str, tokens: &[Token]) -> Option<Splice> {
    let mut splice = Splice::default();
    let mut done = tokens.first()?.at.start;
    let bytes = |of: &Range<usize>| tokens[of.start].at.start..tokens[of.end - 1].at.end;
    let withs = (0..tokens.len()).filter(|at| tokens[*at].is(text, "with"));
    for item in withs.flat_map(|at| items(text, tokens, at + 1)) {
        let Some(expression) = expression(text, tokens, &item) else { continue };
        let (name, place) = (&tokens[item.end - 1], bytes(&expression));
        // What stands within an expression that is moved already goes with it.
        if place.start < done {
            continue;
        }
        splice.keep(text, done..place.start);
        splice.keep(text, name.at.clone());
        splice.add(" AS (SELECT ");
        splice.keep(text, place);
        splice.add(")");
        done = name.at.end;
    }
    if splice.text.is_empty() {
        return None;
    }
    splice.keep(text, done..tokens[tokens.len() - 1].at.end);
    Some(splice)
}

/// The items between a WITH and its query, by their tokens; none where it is another WITH.
fn items(text: &str, tokens: &[Token], first: usize) -> Vec<Range<usize>> {
    let first = first + usize::from(tokens.get(first).is_some_and(|token| token.is(text, "recursive")));
    let (mut found, mut start, mut depth) = (Vec::new(), first, 0i32);
    for (at, token) in tokens.iter().enumerate().skip(first) {
        match token.kind {
            Kind::Sign('(' | '[') => depth += 1,
            Kind::Sign(')' | ']') => depth -= 1,
            Kind::Sign(',') if depth == 0 => {
                found.push(start..at);
                start = at + 1;
            }
            Kind::Word if depth == 0 && token.is(text, "select") => {
                found.push(start..at);
                return found;
            }
            _ => {}
        }
        if depth < 0 {
            break;
        }
    }
    Vec::new()
}

/// What `item` names, where it is an expression and no query that stands for a table.
fn expression(text: &str, tokens: &[Token], item: &Range<usize>) -> Option<Range<usize>> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(text, word));
    let query = is(item.start + 1, "as") && tokens.get(item.start + 2).is_some_and(|token| token.is_sign('('));
    let named =
        item.len() > 2 && is(item.end - 2, "as") && matches!(tokens[item.end - 1].kind, Kind::Word | Kind::Quoted);
    (named && !query).then(|| item.start..item.end - 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::sql::{dialect::Dialect, lexer::lex};

    fn made(text: &str) -> Option<String> {
        named_expressions(text, &lex(text, Dialect::named("clickhouse").unwrap().rules())).map(|splice| splice.text)
    }

    #[test]
    fn an_expression_with_a_name_becomes_a_query_and_a_query_stays() {
        assert_eq!(
            made("insert into o with f(a, 1) as x, q as (select 1), (select 2) as y select x").as_deref(),
            Some("insert into o with x AS (SELECT f(a, 1)), q as (select 1), y AS (SELECT (select 2)) select x")
        );
        assert_eq!(
            made("select * from (with 1 as a select a) z").as_deref(),
            Some("select * from (with a AS (SELECT 1) select a) z")
        );
    }

    #[test]
    fn what_names_no_expression_is_left() {
        for text in
            ["with q as (select 1) select 1", "select a from t with totals", "with", "with a as", "with ) select"]
        {
            assert_eq!(made(text), None, "{text}");
        }
    }
}
