//! Names that a script declares: parameters of its routines, and variables. A query says them as it says columns.
use std::{collections::BTreeSet, sync::Arc};

use super::{
    ir::Stmt,
    lexer::{Kind, Token},
    shape::group_end,
};

/// Names that one routine may declare; nobody declares more, machines may.
const MOST: usize = 1_000;

/// What is declared where a script has been read up to.
#[derive(Debug, Default)]
pub(super) struct Declared(Arc<BTreeSet<String>>);

impl Declared {
    /// A routine begins, whose definition `tokens` are from the word PROCEDURE or FUNCTION on: its parameters.
    pub(super) fn routine(&mut self, text: &str, tokens: &[Token]) {
        self.forget();
        let opens = tokens.iter().take(8).position(|token| token.is_sign('('));
        let Some((open, end)) = opens.and_then(|open| Some((open, group_end(tokens, open)?))) else { return };
        let mut depth = 0;
        let items = tokens[open + 1..end - 1].split(|token| {
            depth += i32::from(token.is_sign('('));
            depth -= i32::from(token.is_sign(')'));
            depth == 0 && token.is_sign(',')
        });
        for item in items {
            let modes = ["in", "out", "inout", "variadic"];
            let skip = item.iter().take_while(|token| modes.iter().any(|mode| token.is(text, mode))).count();
            // A type alone has no name.
            if item.len() > skip + 1 {
                self.take(text, item.get(skip));
            }
        }
    }

    /// `DECLARE x, y type …`, or one more line of a DECLARE that has several.
    pub(super) fn declaration(&mut self, text: &str, tokens: &[Token]) {
        // `DECLARE EXIT HANDLER FOR …`, `CURSOR c IS …`, `PRAGMA …`
        const OTHERS: [&str; 10] =
            ["exit", "continue", "undo", "cursor", "type", "subtype", "pragma", "procedure", "function", "begin"];
        let leads = ["declare", "or", "replace", "variable"];
        let lead = tokens.iter().take_while(|token| leads.iter().any(|word| token.is(text, word))).count();
        let mut rest = &tokens[lead..];
        if rest.first().is_none_or(|first| OTHERS.iter().any(|word| first.is(text, word))) {
            return;
        }
        self.take(text, rest.first());
        while let [_, comma, next, ..] = rest
            && comma.is_sign(',')
        {
            self.take(text, Some(next));
            rest = &rest[2..];
        }
    }

    /// `LET x = …`, `FOR x IN …`, `x := …`.
    pub(super) fn glue(&mut self, text: &str, tokens: &[Token]) {
        match tokens {
            [lead, name, ..] if lead.is(text, "let") => self.take(text, Some(name)),
            [lead, name, within, ..] if lead.is(text, "for") && within.is(text, "in") => self.take(text, Some(name)),
            [name, colon, equals, ..] if colon.is_sign(':') && equals.is_sign('=') => self.take(text, Some(name)),
            _ => {}
        }
    }

    /// Nothing is declared where the script goes on.
    pub(super) fn forget(&mut self) {
        if !self.0.is_empty() {
            self.0 = Arc::default();
        }
    }

    /// Tells `stmts`, which have just been read, unless they know better.
    pub(super) fn tell(&self, stmts: &mut [Stmt]) {
        for stmt in stmts.iter_mut().filter(|stmt| stmt.variables.is_none() && !self.0.is_empty()) {
            stmt.variables = Some(self.0.clone());
        }
    }

    fn take(&mut self, text: &str, name: Option<&Token>) {
        let name = name.filter(|token| token.kind == Kind::Word).map(|token| token.of(text));
        if let Some(name) = name.filter(|name| !name.starts_with('@') && self.0.len() < MOST) {
            Arc::make_mut(&mut self.0).insert(name.to_lowercase());
        }
    }
}
