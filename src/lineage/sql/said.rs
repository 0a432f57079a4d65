//! Tables named otherwise than by plain words: `IDENTIFIER('db.t')`, Snowflake's `TABLE($t)`, `input => TABLE(t)`.
use std::ops::Range;

use super::{
    lexer::{Kind, Token},
    scan::name_at,
    script::Reader,
    shape::group_end,
    splice::Splice,
};
use crate::diagnostics::CodeEntry;

/// What a table is called, as far as the script says it.
enum Said {
    /// These bytes are its name.
    Here(Range<usize>),
    /// This is its name, which a variable holds.
    Elsewhere(String),
    /// These bytes name a table given to a function.
    Argument(Range<usize>),
    /// Only the running script knows.
    Nowhere,
}

impl Reader<'_> {
    /// Reads a statement that names tables so; `false` where it names none or is not understood even then.
    pub(super) fn said_plainly(&mut self, tokens: &[Token]) -> bool {
        let Some((splice, unknown)) = self.plainly(tokens) else { return false };
        if unknown {
            let at = tokens[0].at.start..tokens[tokens.len() - 1].at.end;
            self.sql.dynamic += 1;
            self.note(CodeEntry::E032, at, "which table it means is known only when it runs".to_owned());
        }
        self.spliced(tokens, &[splice])
    }

    /// The statement with plain names, and whether one of them is known only at run time; `None` without such names.
    fn plainly(&self, tokens: &[Token]) -> Option<(Splice, bool)> {
        let mut splice = Splice::default();
        let (mut done, mut unknown, mut any) = (tokens.first()?.at.start, false, false);
        for at in 1..tokens.len() {
            let Some((said, end)) = self.said_table(tokens, at) else { continue };
            splice.keep(self.text, done..tokens[at].at.start);
            match said {
                Said::Here(name) => splice.keep(self.text, name),
                Said::Elsewhere(name) => splice.add(&name),
                Said::Argument(name) => {
                    splice.add("(SELECT * FROM ");
                    splice.keep(self.text, name);
                    splice.add(")");
                }
                Said::Nowhere => {
                    // A quoted blank is a name that means no table.
                    splice.add(if self.dialect.name() == "snowflake" { "\" \"" } else { "` `" });
                    unknown = true;
                }
            }
            done = tokens[end - 1].at.end;
            any = true;
        }
        splice.keep(self.text, done..tokens[tokens.len() - 1].at.end);
        any.then_some((splice, unknown))
    }

    /// What the token `at` and the parentheses behind it call a table, and the token behind them.
    fn said_table(&self, tokens: &[Token], at: usize) -> Option<(Said, usize)> {
        let is_table = tokens[at].is(self.text, "table");
        if !is_table && !tokens[at].is(self.text, "identifier") {
            return None;
        }
        let end = group_end(tokens, at + 1)?;
        let inner = &tokens[at + 2..end - 1];
        let before = &tokens[at - 1];
        let leads = |words: &[&str]| words.iter().any(|word| before.is(self.text, word));
        if is_table && before.is_sign('>') && at > 1 && tokens[at - 2].is_sign('=') {
            let whole = name_at(self.text, tokens, at + 2).filter(|(_, behind)| *behind == end - 1);
            return whole.map(|(name, _)| (Said::Argument(name.at), end));
        }
        let wanted = match (self.dialect.name(), is_table) {
            ("snowflake", true) => (leads(&["from", "join"]) || before.is_sign(',')) && self.is_value(inner),
            ("snowflake" | "databricks" | "spark", false) => {
                leads(&["from", "join", "into", "table", "update", "view", "exists", "using", "overwrite"])
            }
            _ => false,
        };
        wanted.then(|| (self.value(inner), end))
    }

    /// Whether `tokens` are a string or a variable and nothing else.
    fn is_value(&self, tokens: &[Token]) -> bool {
        match tokens {
            [one] => one.kind == Kind::Text,
            [sign, name] => matches!(sign.kind, Kind::Sign('$' | ':')) && name.kind == Kind::Word,
            _ => false,
        }
    }

    /// The name that `tokens` come to.
    fn value(&self, tokens: &[Token]) -> Said {
        let tokens = if self.is_value(tokens) && tokens[0].is_sign('$') { &tokens[1..] } else { tokens };
        let names = |text: &str| {
            let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '"' | '`');
            !text.is_empty() && text.chars().all(part)
        };
        match self.literals.fold(self.text, tokens).filter(|folded| names(&folded.text)) {
            Some(folded) => match folded.plain.filter(|_| tokens.len() == 1 && tokens[0].kind == Kind::Text) {
                Some(here) => Said::Here(here),
                None => Said::Elsewhere(folded.text),
            },
            None => Said::Nowhere,
        }
    }
}
