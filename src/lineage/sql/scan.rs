//! Tables of a statement that the grammar rejects, told by the words before their names.
use std::collections::BTreeSet;

use super::{
    ir::{Effect, Name, Stmt},
    lexer::{Kind, Token, unquoted},
    words::is_any,
};
use crate::lineage::Access;

/// What a scan of `tokens` finds, as a statement marked scanned. `base` is where `text` begins in its script.
pub(in crate::lineage) fn scan(text: &str, tokens: &[Token], reads_only: bool, in_body: bool) -> Stmt {
    let at = match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.at.start..last.at.end,
        _ => 0..0,
    };
    let mut scanner = Scanner { text, tokens, ctes: BTreeSet::new(), found: Vec::new(), temps: Vec::new(), in_body };
    scanner.ctes = scanner.cte_names();
    scanner.run();
    let ctes = std::mem::take(&mut scanner.ctes);
    let is_cte = |name: &Name| name.parts.len() == 1 && ctes.contains(&name.parts[0]);
    let mut stmt = Stmt::new("scanned", at);
    stmt.scanned = true;
    stmt.effects = scanner.temps.into_iter().map(|name| Effect::Temp(name, Vec::new())).collect();
    stmt.touches = scanner.found;
    stmt.touches.retain(|(name, access)| !(*access == Access::Read && is_cte(name)));
    stmt.touches.retain(|(_, access)| !reads_only || *access == Access::Read);
    stmt
}

struct Scanner<'t> {
    text: &'t str,
    tokens: &'t [Token],
    ctes: BTreeSet<String>,
    found: Vec<(Name, Access)>,
    temps: Vec<Name>,
    in_body: bool,
}

impl Scanner<'_> {
    fn word(&self, at: usize) -> String {
        match self.tokens.get(at) {
            Some(token) if token.kind == Kind::Word => token.of(self.text).to_ascii_lowercase(),
            _ => String::new(),
        }
    }

    fn before(&self, at: usize) -> String {
        at.checked_sub(1).map(|at| self.word(at)).unwrap_or_default()
    }

    fn is_sign(&self, at: usize, sign: char) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_sign(sign))
    }

    /// Names that stand before `AS (`.
    fn cte_names(&self) -> BTreeSet<String> {
        let opens = |at: usize| self.word(at + 1) == "as" && self.is_sign(at + 2, '(');
        let leads = |at: usize| {
            at == 0 || self.is_sign(at - 1, ',') || matches!(self.before(at).as_str(), "with" | "recursive")
        };
        (0..self.tokens.len())
            .filter(|at| opens(*at) && leads(*at))
            .map(|at| unquoted(self.tokens[at].of(self.text)).to_lowercase())
            .collect()
    }

    fn run(&mut self) {
        let first = self.word(0);
        let words: Vec<String> = (0..self.tokens.len()).map(|at| self.word(at)).collect();
        let fills = words.iter().any(|word| word == "select");
        let changes = matches!(first.as_str(), "merge" | "delete");
        let exchanges = words.iter().any(|word| word == "exchange");
        let temp = words.iter().position(|word| matches!(word.as_str(), "temp" | "temporary" | "volatile"));
        let mut inside_call = Vec::new();
        for (at, word) in words.iter().enumerate() {
            match self.tokens[at].kind {
                Kind::Sign('(') => inside_call.push(is_any("from_inside", &self.before(at))),
                Kind::Sign(')') => {
                    inside_call.pop();
                }
                Kind::Word => {
                    let in_call = inside_call.last().copied().unwrap_or(false);
                    match word.as_str() {
                        "from" if in_call || matches!(self.before(at).as_str(), "distinct") => {}
                        "from" if self.before(at) == "delete" => self.take(at + 1, Access::Write),
                        "from" => self.take_list(at + 1),
                        "using" if !changes => {}
                        "join" | "apply" | "using" => {
                            self.take_read(at + 1);
                        }
                        "into" if self.is_variable_into(at, &first) => {}
                        "into" | "overwrite" => self.take(at + 1, Access::Write),
                        "update" if self.before(at) != "for" => self.take(at + 1, Access::Write),
                        "table" | "view" | "tables" => {
                            let is_temp = temp.is_some_and(|temp| temp < at);
                            self.take_defined(at, &first, is_temp, fills, exchanges);
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    /// In procedures SELECT INTO fills variables.
    fn is_variable_into(&self, at: usize, first: &str) -> bool {
        let after_verb =
            matches!(self.before(at).as_str(), "insert" | "merge" | "copy" | "replace" | "ignore" | "overwrite");
        self.in_body && !after_verb && matches!(first, "select" | "with" | "fetch" | "execute")
    }

    fn take_defined(&mut self, at: usize, first: &str, temp: bool, fills: bool, exchanges: bool) {
        let behind_with = self.before(at) == "with";
        let access = match first {
            "create" | "replace" if temp => {
                if let Some((name, _)) = self.name(self.skip(at + 1)) {
                    self.temps.push(name);
                }
                return;
            }
            "create" | "replace" if at > 6 => return,
            "create" | "replace" if fills => Access::Write,
            "create" | "replace" => Access::Define,
            "drop" => Access::Drop,
            "alter" if behind_with => Access::Read,
            "alter" | "exchange" if exchanges => Access::Write,
            "alter" | "truncate" => Access::Define,
            "refresh" => Access::Write,
            _ => return,
        };
        self.take(at + 1, access);
        if first == "exchange"
            && let Some((_, next)) = self.name(self.skip(at + 1))
        {
            self.take(next + 1, Access::Write);
        }
    }

    /// Past the words that may stand between a verb and the name.
    fn skip(&self, mut at: usize) -> usize {
        while matches!(
            self.word(at).as_str(),
            "table" | "if" | "not" | "exists" | "only" | "into" | "lateral" | "view" | "concurrently"
        ) {
            at += 1;
        }
        at
    }

    fn take(&mut self, at: usize, access: Access) {
        if let Some((name, _)) = self.name(self.skip(at)) {
            self.found.push((name, access));
        }
    }

    fn take_read(&mut self, at: usize) -> usize {
        let start = self.skip(at);
        match self.name(start) {
            Some((name, next)) if !self.is_sign(next, '(') => {
                self.found.push((name, Access::Read));
                next
            }
            _ => start,
        }
    }

    /// `FROM a x, b AS y`.
    fn take_list(&mut self, at: usize) {
        let mut next = self.take_read(at);
        loop {
            if self.word(next) == "as" {
                next += 1;
            }
            let is_alias = self.tokens.get(next).is_some_and(|t| matches!(t.kind, Kind::Word | Kind::Quoted));
            if is_alias && !is_any("not_a_name", &self.word(next)) {
                next += 1;
            }
            if !self.is_sign(next, ',') || self.is_sign(next + 1, '(') {
                return;
            }
            let behind = self.take_read(next + 1);
            if behind == next + 1 {
                return;
            }
            next = behind;
        }
    }

    fn name(&self, at: usize) -> Option<(Name, usize)> {
        name_at(self.text, self.tokens, at)
    }
}

/// The name that begins at token `at`, and the token behind it.
pub(super) fn name_at(text: &str, tokens: &[Token], at: usize) -> Option<(Name, usize)> {
    let mut parts = Vec::new();
    let mut next = at;
    loop {
        let token = tokens.get(next)?;
        let written = token.of(text);
        match token.kind {
            Kind::Word if parts.is_empty() && is_any("not_a_name", written) => return None,
            Kind::Quoted if written.starts_with('`') => {
                parts.extend(unquoted(written).to_lowercase().split('.').map(str::to_owned));
            }
            Kind::Word | Kind::Quoted => parts.push(unquoted(written).to_lowercase()),
            _ => return None,
        }
        next += 1;
        if !tokens.get(next).is_some_and(|token| token.is_sign('.')) {
            break;
        }
        next += 1;
    }
    parts.retain(|part| !part.trim().is_empty());
    let span = tokens[at].at.start..tokens[next - 1].at.end;
    (!parts.is_empty()).then_some((Name { parts, at: span, exact: true }, next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::sql::{dialect::Dialect, lexer::lex};

    fn found(text: &str) -> Vec<String> {
        let tokens = lex(text, Dialect::GENERIC.rules());
        let stmt = scan(text, &tokens, false, false);
        stmt.touches.iter().map(|(name, access)| format!("{access:?} {}", name.parts.join("."))).collect()
    }

    #[test]
    fn tables_are_told_by_the_words_before_them() {
        let text = "merge into a.t using (select extract(day from d) from b.s x, c.u) q on ?? when matched then update set x = 1";
        assert_eq!(found(text), ["Write a.t", "Read b.s", "Read c.u"]);
        assert_eq!(
            found("with z as (select 1 from r) insert overwrite table t select * from z ???"),
            ["Read r", "Write t"]
        );
        assert_eq!(found("alter table t exchange partition (p=1) with table s"), ["Write t", "Read s"]);
        assert_eq!(found("drop table if exists \"A\".\"B\" blah"), ["Drop a.b"]);
    }

    #[test]
    fn functions_and_comparisons_are_no_tables() {
        assert_eq!(found("select * from generate_series(1, 2) where a is distinct from b"), Vec::<String>::new());
        assert_eq!(found("select trim(both 'x' from y) from t ??"), ["Read t"]);
    }
}
