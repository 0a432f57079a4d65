//! ClickHouse's words around joins and tables that change no table and no column: blanked, or put in the order that
//! grammars know.
use std::ops::Range;

use super::lexer::{Kind, Token};

/// `text` without FINAL, without the strictness of joins, and with `SEMI LEFT JOIN` as `LEFT SEMI JOIN`; as long as it
/// was. `None` where there is nothing of it.
pub(super) fn plainer(text: &str, tokens: &[Token]) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let mut changed = false;
    let mut blank = |range: Range<usize>| {
        bytes[range].iter_mut().filter(|b| !matches!(**b, b'\n' | b'\r')).for_each(|b| *b = b' ');
    };
    let mut swaps = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let words = Words { text, tokens, at };
        match token.kind {
            Kind::Word if token.is(text, "final") && words.ends_table() => blank(token.at.clone()),
            Kind::Word if words.is_strictness() => blank(token.at.clone()),
            Kind::Word if words.is_any(0, &["semi", "anti"]) && words.leads_join() => swaps.push(at),
            Kind::Number if words.is_element() => blank(tokens[at - 1].at.start..token.at.end),
            _ => continue,
        }
        changed = true;
    }
    for at in swaps {
        let (kind, side) = (tokens[at].at.clone(), tokens[at + 1].at.clone());
        let swapped = [&text[side.clone()], &text[kind.end..side.start], &text[kind.clone()]].concat();
        bytes[kind.start..side.end].copy_from_slice(swapped.as_bytes());
    }
    changed.then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// The tokens around the one at `at`.
struct Words<'t> {
    text: &'t str,
    tokens: &'t [Token],
    at: usize,
}

impl Words<'_> {
    /// Whether the token `by` behind the one in question is one of `words`.
    fn is_any(&self, by: isize, words: &[&str]) -> bool {
        let token = self.at.checked_add_signed(by).and_then(|at| self.tokens.get(at));
        token.is_some_and(|token| words.iter().any(|word| token.is(self.text, word)))
    }

    fn is_sign(&self, by: isize, sign: char) -> bool {
        self.at.checked_add_signed(by).and_then(|at| self.tokens.get(at)).is_some_and(|token| token.is_sign(sign))
    }

    /// `LEFT JOIN`, `INNER JOIN` and their like behind the word in question.
    fn leads_join(&self) -> bool {
        let sides = ["left", "right"];
        self.is_any(1, &sides)
            && (self.is_any(2, &["join"]) || (self.is_any(2, &["outer"]) && self.is_any(3, &["join"])))
    }

    /// ANY and ALL say how many rows of a join may match: `ANY LEFT JOIN`, `LEFT ANY JOIN`, `ANY JOIN`. ASOF says its
    /// side twice.
    fn is_strictness(&self) -> bool {
        let sides = ["left", "right", "inner", "full"];
        if self.is_any(0, &["left"]) {
            let behind = self.is_any(-1, &["asof"]) && self.is_any(1, &["join"]);
            return behind || (self.is_any(1, &["asof"]) && self.is_any(2, &["join"]));
        }
        let before = self.is_any(1, &sides) && (self.is_any(2, &["join", "outer"]));
        let between = self.is_any(-1, &sides) && self.is_any(1, &["join"]);
        self.is_any(0, &["any", "all"]) && (before || between || self.is_any(1, &["join"]))
    }

    /// `FROM db.t AS x FINAL`: behind a table's name, or behind its alias.
    fn ends_table(&self) -> bool {
        let named = |by: isize| {
            let token = self.at.checked_add_signed(by).and_then(|at| self.tokens.get(at));
            token.is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Quoted))
        };
        let leads = |by: isize| self.is_sign(by, ',') || self.is_any(by, &["from", "join"]);
        // A name ends before token `by`: parts with dots between them.
        let behind_name = |by: isize| {
            [1, 3].into_iter().any(|length| {
                let dots = (1..length).step_by(2).all(|part| self.is_sign(by - length + part, '.'));
                named(by - 1) && dots && leads(by - length - 1)
            })
        };
        let behind_alias = named(-1) && if self.is_any(-2, &["as"]) { behind_name(-2) } else { behind_name(-1) };
        behind_name(0) || behind_alias
    }

    /// `tuple.1`: an element by its number.
    fn is_element(&self) -> bool {
        let [.., owner, dot, number] = &self.tokens[..=self.at] else { return false };
        let adjacent = owner.at.end == dot.at.start && dot.at.end == number.at.start;
        let names = matches!(owner.kind, Kind::Word | Kind::Quoted | Kind::Sign(')' | ']'));
        let digits = number.of(self.text).bytes().all(|b| b.is_ascii_digit() || b == b'.');
        adjacent && names && digits && dot.is_sign('.')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::sql::{dialect::Dialect, lexer::lex};

    /// The words that are left.
    fn left(text: &str) -> String {
        let plain = plainer(text, &lex(text, Dialect::named("clickhouse").unwrap().rules()));
        let plain = plain.unwrap_or_else(|| text.to_owned());
        assert_eq!(plain.len(), text.len());
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn final_goes_behind_a_table_and_behind_its_alias() {
        assert_eq!(left("select a from d.t final"), "select a from d.t");
        assert_eq!(left("from d.t as x final left join u y final on"), "from d.t as x left join u y on");
        assert_eq!(left("from t final as x"), "from t as x");
        assert_eq!(left("select final from t"), "select final from t");
        assert_eq!(left("select a as final from t"), "select a as final from t");
    }

    #[test]
    fn how_many_rows_a_join_matches_goes() {
        assert_eq!(left("from s any left join u using (k)"), "from s left join u using (k)");
        assert_eq!(left("from s all inner join u"), "from s inner join u");
        assert_eq!(left("from s left any join u"), "from s left join u");
        assert_eq!(left("from s semi left join u"), "from s left semi join u");
        assert_eq!(left("from s anti  right join u"), "from s right anti join u");
        assert_eq!(left("from s asof left join u"), "from s asof join u");
        assert_eq!(left("where a = any (1) and b > all (2)"), "where a = any (1) and b > all (2)");
    }

    #[test]
    fn an_element_by_number_is_its_tuple() {
        assert_eq!(left("select t.1, f(x).2, 1.5, a.b from s"), "select t , f(x) , 1.5, a.b from s");
    }
}
