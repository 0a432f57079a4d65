//! Triggers and rules: their statements take the changed rows of the table they watch.
use super::{
    ir::{Bytes, Name, Stmt},
    lexer::Token,
    scan::name_at,
};

/// Marks the statements within triggers that take the changed rows: `NEW.a`, `OLD.a`, `FROM inserted`.
pub(super) fn mark_triggers(text: &str, tokens: &[Token], stmts: &mut [Stmt]) {
    let watched = watched(text, tokens);
    if watched.is_empty() {
        return;
    }
    for stmt in stmts {
        let found = watched.iter().find(|(at, _)| at.contains(&stmt.at.start));
        stmt.trigger = found.filter(|_| takes_rows(text, tokens, &stmt.at)).map(|(_, table)| table.clone());
    }
}

/// The table of each trigger, and the bytes up to the next one.
fn watched(text: &str, tokens: &[Token]) -> Vec<(Bytes, Name)> {
    let found: Vec<(usize, Name)> =
        (0..tokens.len()).filter_map(|at| Some((tokens[at].at.start, table(text, tokens, at)?))).collect();
    let ends = found.iter().skip(1).map(|(start, _)| *start).chain([text.len()]);
    found.iter().zip(ends).map(|((start, name), end)| (*start..end, name.clone())).collect()
}

/// The table that the trigger or rule made at token `at` watches.
fn table(text: &str, tokens: &[Token], at: usize) -> Option<Name> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(text, word));
    let any = |at: usize, words: &[&str]| words.iter().any(|word| is(at, word));
    if !any(at, &["create", "alter"]) {
        return None;
    }
    let what = (at + 1..at + 9).find(|at| any(*at, &["trigger", "rule", "table", "view", "function", "procedure"]))?;
    let leads = match (is(what, "trigger"), is(what, "rule")) {
        (true, _) => "on",
        (_, true) => "to",
        _ => return None,
    };
    let lead = (what + 1..what + 40).find(|at| is(*at, leads))?;
    let of_all = any(lead + 1, &["database", "all"]);
    name_at(text, tokens, lead + 1).map(|(name, _)| name).filter(|_| !of_all)
}

fn takes_rows(text: &str, tokens: &[Token], stmt: &Bytes) -> bool {
    let first = tokens.partition_point(|token| token.at.start < stmt.start);
    let own = tokens[first..].iter().take_while(|token| token.at.end <= stmt.end);
    let mut own = own.peekable();
    while let Some(token) = own.next() {
        let is_row = token.is(text, "new") || token.is(text, "old");
        if is_row && own.peek().is_some_and(|next| next.is_sign('.')) {
            return true;
        }
        if token.is(text, "inserted") || token.is(text, "deleted") {
            return true;
        }
    }
    false
}
