//! Statements that run strings: read where the script writes the string down, told where it does not.
use super::{
    ir::Stmt,
    lexer::{Kind, Token, lex},
    literals::{Folded, body},
    lower::Lower,
    scan::scan,
    script::{MAX_BODIES, Reader, too_deep},
    split::{Piece, pieces},
    words::is_any,
};
use crate::diagnostics::CodeEntry;

impl Reader<'_> {
    /// EXECUTE IMMEDIATE, EXEC('…'), sp_executesql, EXECUTE.
    pub(super) fn dynamic(&mut self, tokens: &[Token], depth: usize) {
        let known = self.run_text(tokens).filter(|_| depth < MAX_BODIES);
        let known = known.filter(|folded| self.literals.may_run(folded, tokens));
        if !known.is_some_and(|folded| self.folded(&folded, depth)) {
            self.opaque(tokens);
        }
    }

    /// The text that a statement runs, where the script says it.
    fn run_text(&self, tokens: &[Token]) -> Option<Folded> {
        let by_procedure = tokens.iter().take(5).position(|token| token.is(self.text, "sp_executesql"));
        // MySQL: PREPARE name FROM text.
        let first = if tokens[0].is(self.text, "prepare") { 3 } else { 1 };
        let mut from = by_procedure.map_or(first, |at| at + 1);
        let named = |from: usize| tokens.get(from + 1).is_some_and(|token| token.is_sign('='));
        from += usize::from(tokens.get(from)?.is(self.text, "immediate"));
        from += if by_procedure.is_some() && named(from) { 2 } else { 0 };
        let tail = tokens.get(from..)?;
        let behind = ["into", "using", "at"];
        let mut level = 0;
        let end = tail.iter().position(|token| {
            level += i32::from(token.is_sign('('));
            level -= i32::from(token.is_sign(')'));
            level == 0 && (token.is_sign(',') || behind.iter().any(|word| token.is(self.text, word)))
        });
        // A string that runs on another server reads that server's tables.
        let elsewhere = end.is_some_and(|at| tail[at].is(self.text, "at"));
        self.literals.fold(self.text, &tail[..end.unwrap_or(tail.len())]).filter(|_| !elsewhere)
    }

    /// Reads text that is run; `false` where not all of it is understood.
    pub(super) fn folded(&mut self, folded: &Folded, depth: usize) -> bool {
        let first = self.sql.stmts.len();
        match &folded.plain {
            Some(inner) => self.range(inner.clone(), false, depth + 1),
            None => match self.quoted(folded) {
                Some(mut stmts) => self.sql.stmts.append(&mut stmts),
                None => return false,
            },
        }
        // What such a query yields goes to whoever runs it.
        for stmt in self.sql.stmts[first..].iter_mut().filter(|stmt| stmt.kind == "select") {
            stmt.kind = "query";
        }
        true
    }

    /// The statements of a text that stands escaped or in several strings: all of them, or none.
    fn quoted(&mut self, folded: &Folded) -> Option<Vec<Stmt>> {
        let tokens = lex(&folded.text, self.dialect.rules());
        let mut stmts = Vec::new();
        for piece in pieces(&folded.text, &tokens, false, self.dialect.semicolon_free()) {
            let Piece::Statement(run, _) = piece else { return None };
            if too_deep(&folded.text, &tokens[run.clone()]).is_some() {
                return None;
            }
            let own = tokens[run.start].at.start..tokens[run.end - 1].at.end;
            let text = &folded.text[own];
            let (parsed, dialect) =
                self.attempt(text, self.dialect).ok().filter(|(parsed, _)| parsed.rest.is_none())?;
            let lower = Lower::quoted(text, folded.at.clone(), dialect);
            stmts.push(lower.statement(&parsed.statement, folded.at.clone()));
        }
        self.sql.coverage.statements += stmts.len() as u64;
        self.sql.coverage.parsed += stmts.len() as u64;
        Some(stmts)
    }

    /// What is put together at run time is told; tables that its strings name are inferred.
    fn opaque(&mut self, tokens: &[Token]) {
        let at = tokens[0].at.start..tokens[tokens.len() - 1].at.end;
        self.sql.dynamic += 1;
        self.note(CodeEntry::E032, at.clone(), "the statement is put together when it runs".to_owned());
        self.strings_of(self.text, tokens, &at);
    }

    /// A body in another language: what its strings say is inferred.
    pub(super) fn foreign_body(&mut self, token: &Token, language: &str) {
        self.sql.dynamic += 1;
        self.note(CodeEntry::E032, token.at.clone(), format!("the body is written in {language}"));
        let inner = body(self.text, token);
        let mut tokens = lex(&self.text[inner.clone()], super::dialect::Dialect::GENERIC.rules());
        for token in &mut tokens {
            token.at = token.at.start + inner.start..token.at.end + inner.start;
        }
        self.strings_of(self.text, &tokens, &token.at);
    }

    fn strings_of(&mut self, text: &str, tokens: &[Token], at: &super::ir::Bytes) {
        for token in tokens.iter().filter(|t| matches!(t.kind, Kind::Text | Kind::Dollar | Kind::Quoted)) {
            let inner = token.of(text).trim_matches(|c| matches!(c, '\'' | '"' | '$' | '`'));
            let first = inner.split_whitespace().next().unwrap_or_default();
            if is_any("statement", first) {
                let mut stmt = scan(inner, &lex(inner, self.dialect.rules()), false, false);
                stmt.at = at.clone();
                for (name, _) in &mut stmt.touches {
                    (name.at, name.exact) = (token.at.clone(), false);
                }
                self.sql.stmts.push(stmt);
            }
        }
    }
}
