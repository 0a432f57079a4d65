//! DuckDB's `FROM t PIVOT (f(x) FOR c IN (…) GROUP BY g)`: a pivot that keeps only what it groups by.
use std::ops::Range;

use super::{
    lexer::{Kind, Token},
    pivot_statement::{columns, outside},
    shape::group_end,
    splice::Splice,
};

/// The statement of `tokens` with each such pivot as a query that names its columns; `None` where there is none, or
/// where only the rows tell which columns there are.
pub(super) fn grouped(text: &str, tokens: &[Token]) -> Option<Splice> {
    let bytes = |of: Range<usize>| tokens[of.start].at.start..tokens[of.end - 1].at.end;
    let mut splice = Splice::default();
    let mut done = tokens.first()?.at.start;
    for pivot in (1..tokens.len()).filter(|at| tokens[*at].is(text, "pivot")) {
        let Some(one) = Pivot::at(text, tokens, pivot) else { continue };
        let table = relation(text, tokens, pivot)?;
        if tokens[table].at.start < done {
            return None;
        }
        splice.keep(text, done..tokens[table].at.start);
        splice.add("(SELECT ");
        splice.keep(text, bytes(one.kept.clone()));
        one.columns.iter().for_each(|name| splice.add(&format!(", \"{}\"", name.replace('"', "\"\""))));
        splice.add(" FROM ");
        splice.keep(text, bytes(table..one.kept.start - 2));
        splice.add("))");
        done = tokens[one.end - 1].at.end;
    }
    if splice.text.is_empty() {
        return None;
    }
    splice.keep(text, done..tokens[tokens.len() - 1].at.end);
    Some(splice)
}

/// A pivot with its own GROUP BY.
struct Pivot {
    /// What it groups by.
    kept: Range<usize>,
    /// The columns it makes.
    columns: Vec<String>,
    /// The token behind its parentheses.
    end: usize,
}

impl Pivot {
    fn at(text: &str, tokens: &[Token], pivot: usize) -> Option<Self> {
        let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(text, word));
        let end = group_end(tokens, pivot + 1)?;
        let inside = || outside(tokens, pivot + 2).take_while(|at| *at < end - 1);
        let spread = inside().find(|at| is(*at, "for"))?;
        let list = inside().find(|at| *at > spread && is(*at, "in"))? + 1;
        let by = group_end(tokens, list).filter(|by| is(*by, "group") && is(by + 1, "by"))?;
        let kept = by + 2..end - 1;
        let columns = columns(text, tokens, list + 1..by - 1, pivot + 2..spread)?;
        (!kept.is_empty()).then_some(Pivot { kept, columns, end })
    }
}

/// The token that the relation before `pivot` begins with: behind FROM, JOIN or a comma of the same level.
fn relation(text: &str, tokens: &[Token], pivot: usize) -> Option<usize> {
    let mut depth = 0i32;
    for at in (0..pivot).rev() {
        match tokens[at].kind {
            Kind::Sign(')') => depth += 1,
            Kind::Sign('(') => depth -= 1,
            _ => {}
        }
        let leads = tokens[at].is_sign(',') || ["from", "join"].iter().any(|word| tokens[at].is(text, word));
        if depth < 0 || (depth == 0 && leads) {
            return (leads && at + 1 < pivot).then_some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::sql::{dialect::Dialect, lexer::lex};

    fn made(text: &str) -> Option<String> {
        grouped(text, &lex(text, Dialect::named("duckdb").unwrap().rules())).map(|splice| splice.text)
    }

    #[test]
    fn a_pivot_that_groups_becomes_a_query_over_one_that_does_not() {
        assert_eq!(
            made("select * from r, s x pivot (sum(v) for q in ('A', 2) group by g, h) as p where g = 1").as_deref(),
            Some(
                "select * from r, (SELECT g, h, \"a\", \"2\" FROM s x pivot (sum(v) for q in ('A', 2))) as p where g = 1"
            )
        );
        assert_eq!(
            made("from (select 1) pivot (sum(v) as t, max(w) as m for q in ('A') group by g)").as_deref(),
            Some("from (SELECT g, \"a_t\", \"a_m\" FROM (select 1) pivot (sum(v) as t, max(w) as m for q in ('A')))")
        );
    }

    #[test]
    fn what_does_not_group_or_hangs_on_its_rows_is_left() {
        for text in [
            "from s pivot (sum(v) for q in ('A'))",
            "from s pivot (sum(v) for q in (select 1) group by g)",
            "from s pivot (sum(v), max(v) for q in ('A') group by g)",
            "from s pivot (sum(v) for q in ('A') r in ('B') group by g)",
            "pivot (sum(v) for q in ('A') group by g)",
            "from s pivot (",
            "pivot",
        ] {
            assert_eq!(made(text), None, "{text}");
        }
    }
}
