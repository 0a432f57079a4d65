//! DuckDB's `PIVOT t ON c IN (…) USING f(x) GROUP BY g`: a statement of its own becomes a query with a pivot in it.
use std::ops::Range;

use super::{
    lexer::{Kind, Token},
    scan::name_at,
    shape::group_end,
    splice::Splice,
};

/// The query that `tokens` stand for; `None` where they pivot nothing, or where only the rows tell the columns.
pub(super) fn pivoted(text: &str, tokens: &[Token]) -> Option<Splice> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(text, word));
    let pivot = tokens.iter().position(|token| token.is(text, "pivot"))?;
    let stands = pivot == 0 || (is(0, "create") && is(pivot - 1, "as"));
    let table = pivot + 1..relation(text, tokens, pivot + 1)?;
    let (_, by) = name_at(text, tokens, table.end + 1).filter(|_| stands && is(table.end, "on"))?;
    let list = by + 1..group_end(tokens, by + 1).filter(|_| is(by, "in"))?;
    let end = |from: usize, words: &[&str]| {
        let stops = |at: &usize| words.iter().any(|word| is(*at, word));
        outside(tokens, from).find(stops).unwrap_or(tokens.len())
    };
    let folds = list.end + 1..end(list.end, &["group", "order", "limit"]);
    if !is(list.end, "using") {
        return None;
    }
    let made = columns(text, tokens, list.start + 1..list.end - 1, folds.clone())?;
    let bytes = |of: Range<usize>| tokens[of.start].at.start..tokens[of.end - 1].at.end;
    let mut splice = Splice::default();
    if pivot > 0 {
        splice.keep(text, bytes(0..pivot));
    }
    splice.add(" SELECT ");
    if is(folds.end, "group") && is(folds.end + 1, "by") {
        let kept = folds.end + 2..end(folds.end, &["order", "limit"]);
        if kept.is_empty() {
            return None;
        }
        splice.keep(text, bytes(kept));
        made.iter().for_each(|name| splice.add(&format!(", \"{}\"", name.replace('"', "\"\""))));
    } else {
        splice.add("*");
    }
    splice.add(" FROM ");
    splice.keep(text, bytes(table.clone()));
    splice.add(" PIVOT (");
    splice.keep(text, bytes(folds.clone()));
    splice.add(" FOR ");
    splice.keep(text, bytes(table.end + 1..list.end));
    splice.add(")");
    Some(splice)
}

/// The columns that a pivot makes of the aggregates `folds` for each of `values`; `None` where only the rows tell.
pub(super) fn columns(text: &str, tokens: &[Token], values: Range<usize>, folds: Range<usize>) -> Option<Vec<String>> {
    let named = || parts(tokens, folds.clone());
    if folds.is_empty() || (named().count() > 1 && named().any(|one| alias(text, tokens, one).is_none())) {
        return None;
    }
    let mut made = Vec::new();
    for value in parts(tokens, values) {
        let value = literal(text, tokens, value)?;
        let behind = |fold| alias(text, tokens, fold).map(|alias| format!("_{alias}")).unwrap_or_default();
        made.extend(named().map(|fold| format!("{value}{}", behind(fold))));
    }
    Some(made)
}

/// The token behind the table or the query in parentheses that begins at token `at`.
fn relation(text: &str, tokens: &[Token], at: usize) -> Option<usize> {
    group_end(tokens, at).or_else(|| Some(name_at(text, tokens, at)?.1))
}

/// The numbers of the tokens from `from` on that stand in no parentheses that open there; the one that closes more than
/// open is the last.
pub(super) fn outside(tokens: &[Token], from: usize) -> impl Iterator<Item = usize> {
    let mut depth = 0i32;
    (from..tokens.len()).filter(move |at| {
        depth -= i32::from(tokens[*at].is_sign(')'));
        let stands = depth <= 0;
        depth += i32::from(tokens[*at].is_sign('('));
        stands
    })
}

/// The parts of `range` between its commas.
fn parts(tokens: &[Token], range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let commas =
        outside(tokens, range.start).take_while(move |at| *at < range.end).filter(|at| tokens[*at].is_sign(','));
    let ends: Vec<usize> = commas.chain([range.end]).collect();
    let starts = std::iter::once(range.start).chain(ends.clone().into_iter().map(|end| end + 1));
    starts.zip(ends).map(|(start, end)| start..end)
}

/// What a value is called: it is one string or one number.
fn literal(text: &str, tokens: &[Token], one: Range<usize>) -> Option<String> {
    let token = tokens.get(one.start).filter(|_| one.len() == 1)?;
    match token.kind {
        Kind::Text => Some(token.of(text).trim_matches('\'').to_lowercase()),
        Kind::Number => Some(token.of(text).to_owned()),
        _ => None,
    }
}

/// The alias of an aggregate.
fn alias<'t>(text: &'t str, tokens: &[Token], one: Range<usize>) -> Option<&'t str> {
    let said = one.len() > 2 && tokens[one.end - 2].is(text, "as");
    said.then(|| tokens[one.end - 1].of(text).trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::sql::{dialect::Dialect, lexer::lex};

    fn made(text: &str) -> Option<String> {
        let tokens = lex(text, Dialect::named("duckdb").unwrap().rules());
        pivoted(text, &tokens).map(|splice| splice.text.trim().to_owned())
    }

    #[test]
    fn a_pivot_becomes_a_query_that_names_its_columns() {
        assert_eq!(
            made("pivot s on q in ('A', 2) using sum(x), max(y) as m").as_deref(),
            None,
            "what an aggregate without alias is called beside another is DuckDB's own"
        );
        assert_eq!(
            made("pivot s on q in ('A', 2) using sum(f(x, 1)) as t, max(y) as m group by g, h order by g").as_deref(),
            Some(
                "SELECT g, h, \"a_t\", \"a_m\", \"2_t\", \"2_m\" FROM s PIVOT (sum(f(x, 1)) as t, max(y) as m FOR q in ('A', 2))"
            )
        );
        assert_eq!(
            made("create table o as pivot (select 1) on q in ('A') using sum(x)").as_deref(),
            Some("create table o as SELECT * FROM (select 1) PIVOT (sum(x) FOR q in ('A'))")
        );
    }

    #[test]
    fn a_pivot_whose_columns_hang_on_its_rows_is_left() {
        for text in [
            "pivot s on q using sum(x)",
            "pivot s on q in e using sum(x)",
            "pivot s on q in (f(1)) using sum(x)",
            "pivot",
            "pivot s on q in (",
            "select pivot from s",
        ] {
            assert_eq!(made(text), None, "{text}");
        }
    }
}
