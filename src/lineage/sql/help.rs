//! Rewrites that keep positions: clauses which say how data is stored are blanked so that the grammar goes on.
use std::ops::Range;

use super::{
    dialect::Dialect,
    lexer::{Kind, Token},
    words::is_any,
};

/// One step of a pattern.
enum Step {
    Word(&'static str),
    Sign(char),
    Group,
    Text,
    BeforeText,
    BeforeWord(&'static str),
    BeforeAnyWord,
    Number,
    AnyWord,
}

/// `text` with every storage clause of `dialect` blanked; `None` where there is none. `tokens` begin at byte `base`.
pub(in crate::lineage) fn blanked(text: &str, base: usize, tokens: &[Token], dialect: Dialect) -> Option<String> {
    let what = first_two(text, base, tokens);
    let patterns: Vec<(Vec<Step>, &str)> = patterns(dialect, &what).collect();
    let mut bytes = text.as_bytes().to_vec();
    let mut changed = false;
    let mut at = 0;
    while at < tokens.len() {
        if let Some((range, next)) = typed_literal(text, base, tokens, at) {
            blank(&mut bytes, range);
            changed = true;
            at = next;
            continue;
        }
        let found =
            patterns.iter().filter_map(|(steps, instead)| Some((matched(text, base, tokens, at, steps)?, *instead)));
        let Some((end, instead)) = found.max_by_key(|(end, _)| *end) else {
            at += 1;
            continue;
        };
        let range = tokens[at].at.start - base..tokens[end - 1].at.end - base;
        // A query is never what a clause says of storage.
        if !instead.is_empty() && text[range.clone()].to_ascii_lowercase().contains("select") {
            at += 1;
            continue;
        }
        blank(&mut bytes, range.clone());
        if let Some(place) =
            bytes.get_mut(range.start..range.start + instead.len()).filter(|_| instead.len() <= range.len())
        {
            place.copy_from_slice(instead.as_bytes());
        }
        changed = true;
        at = end;
    }
    changed.then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// T-SQL's `DELETE TOP (n) FROM t`, which is taken for a table called TOP: `text` with the clause blanked.
pub(in crate::lineage) fn without_top(text: &str, base: usize, tokens: &[Token]) -> Option<String> {
    let word = |at: usize| tokens.get(at).map(|token| text[token.at.start - base..token.at.end - base].to_lowercase());
    let changes = matches!(word(0)?.as_str(), "delete" | "insert" | "update");
    let end = group(tokens, 2).filter(|_| changes && word(1).as_deref() == Some("top"))?;
    let mut bytes = text.as_bytes().to_vec();
    blank(&mut bytes, tokens[1].at.start - base..tokens[end - 1].at.end - base);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// T-SQL's `DELETE FROM x FROM t AS x …`, which is taken for two statements: `text` with the first FROM blanked.
pub(in crate::lineage) fn without_first_from(text: &str, base: usize, tokens: &[Token]) -> Option<String> {
    let is = |at: usize, word: &str| {
        let token = tokens.get(at)?;
        text[token.at.start - base..token.at.end - base].eq_ignore_ascii_case(word).then_some(())
    };
    is(0, "delete").and_then(|()| is(1, "from"))?;
    // A name: parts with dots between them.
    let dots = tokens.get(3..)?.chunks(2).take_while(|pair| pair[0].is_sign('.')).count();
    is(3 + dots * 2, "from")?;
    let mut bytes = text.as_bytes().to_vec();
    blank(&mut bytes, tokens[1].at.start - base..tokens[1].at.end - base);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether `token` is the word `word`; `text` begins at byte `base`.
fn says(text: &str, base: usize, token: &Token, word: &str) -> bool {
    token.kind == Kind::Word && text[token.at.start - base..token.at.end - base].eq_ignore_ascii_case(word)
}

/// A procedure's `SELECT … FROM t … INTO a, b`, where the variables stand last: `text` with them blanked.
pub(in crate::lineage) fn without_last_into(text: &str, base: usize, tokens: &[Token]) -> Option<String> {
    let is = |token: &Token, word: &str| says(text, base, token, word);
    let queries = tokens.first().is_some_and(|first| is(first, "select") || is(first, "with"));
    let returning = tokens.iter().position(|token| is(token, "returning"));
    let into = tokens.iter().rposition(|token| is(token, "into"));
    let into = into.filter(|into| queries || returning.is_some_and(|returning| returning < *into))?;
    let (before, names) = (&tokens[..into], &tokens[into + 1..]);
    let is_name = |token: &Token| match token.kind {
        Kind::Word => !is(token, "outfile") && !is(token, "dumpfile"),
        Kind::Quoted | Kind::Sign('.' | ',' | '@') => true,
        _ => false,
    };
    let before_it = returning.is_some() || before.iter().any(|token| is(token, "from"));
    let stands_last = !names.is_empty() && names.iter().all(is_name) && before_it;
    let mut bytes = text.as_bytes().to_vec();
    blank(&mut bytes, tokens[into].at.start - base..tokens[tokens.len() - 1].at.end - base);
    stands_last.then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// Databricks' `FROM STREAM t`, where STREAM is taken for a table: `text` with the word blanked. `STREAM(t)` stays.
pub(in crate::lineage) fn without_stream(text: &str, base: usize, tokens: &[Token]) -> Option<String> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| says(text, base, token, word));
    let leads = |at: usize| tokens[at].is_sign(',') || is(at, "from") || is(at, "join");
    let names = |at: usize| match tokens.get(at) {
        Some(next) if next.kind == Kind::Word => {
            let word = &text[next.at.start - base..next.at.end - base];
            !is_any("not_a_name", word) && !["tablesample", "pivot", "window", "qualify"].iter().any(|w| is(at, w))
        }
        next => next.is_some_and(|next| next.kind == Kind::Quoted),
    };
    let found: Vec<usize> =
        (1..tokens.len()).filter(|at| is(*at, "stream") && leads(at - 1) && names(at + 1)).collect();
    if found.is_empty() {
        return None;
    }
    let mut bytes = text.as_bytes().to_vec();
    found.iter().for_each(|at| blank(&mut bytes, tokens[*at].at.start - base..tokens[*at].at.end - base));
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A procedure's `SELECT INTO a, b x, y FROM t` and `SELECT x INTO STRICT a FROM t`: `text` without the variables, or
/// without STRICT.
pub(in crate::lineage) fn without_first_into(text: &str, base: usize, tokens: &[Token]) -> Option<String> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| says(text, base, token, word));
    let sign = |at: usize, sign: char| tokens.get(at).is_some_and(|token| token.is_sign(sign));
    let into = (1..tokens.len()).find(|at| is(*at, "into")).filter(|_| is(0, "select"))?;
    let strict = is(into + 1, "strict");
    let gone = match (into, strict) {
        (1, _) => {
            let first = into + 1 + usize::from(strict);
            let more = (first..tokens.len()).step_by(2).take_while(|at| sign(at + 1, ',') || sign(at + 1, '.')).count();
            into..first + 2 * more + 1
        }
        (_, true) => into + 1..into + 2,
        _ => return None,
    };
    let (first, last) = (tokens.get(gone.start)?, tokens.get(gone.end - 1)?);
    let mut bytes = text.as_bytes().to_vec();
    blank(&mut bytes, first.at.start - base..last.at.end - base);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// `FROM ONLY t`, `UPDATE ONLY t`, `FROM ONLY (t)`, where ONLY is taken for a table: `text` with the word blanked, and
/// the parentheses with it.
pub(in crate::lineage) fn without_only(text: &str, base: usize, tokens: &[Token]) -> Option<String> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| says(text, base, token, word));
    let leads = |at: usize| tokens[at].is_sign(',') || ["from", "join", "update", "using"].iter().any(|w| is(at, w));
    let only: Vec<usize> = (1..tokens.len()).filter(|at| is(*at, "only") && leads(at - 1)).collect();
    if only.is_empty() {
        return None;
    }
    let mut bytes = text.as_bytes().to_vec();
    let mut changed = false;
    for at in only {
        let mut gone = vec![at];
        match tokens.get(at + 1).map(|next| next.kind) {
            Some(Kind::Word | Kind::Quoted) => {}
            Some(Kind::Sign('(')) => gone.extend([at + 1, group(tokens, at + 1)? - 1]),
            _ => continue,
        }
        gone.iter().for_each(|at| blank(&mut bytes, tokens[*at].at.start - base..tokens[*at].at.end - base));
        changed = true;
    }
    changed.then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// The type of `ARRAY<…>[…]` and `STRUCT<…>(…)`, which says nothing about where values come from and whose
/// closing `>>` grammars stumble over: the bytes to blank and the token to go on at.
fn typed_literal(text: &str, base: usize, tokens: &[Token], at: usize) -> Option<(Range<usize>, usize)> {
    let written = |token: &Token| &text[token.at.start - base..token.at.end - base];
    let word = tokens.get(at).filter(|token| token.kind == Kind::Word).map(written)?;
    let is_array = word.eq_ignore_ascii_case("array");
    if !(is_array || word.eq_ignore_ascii_case("struct")) || !tokens.get(at + 1)?.is_sign('<') {
        return None;
    }
    let mut depth = 0;
    for (offset, token) in tokens[at + 1..].iter().enumerate() {
        match token.kind {
            Kind::Sign('<') => depth += 1,
            Kind::Sign('>') => depth -= 1,
            Kind::Word | Kind::Quoted | Kind::Sign(',' | '(' | ')') | Kind::Number => {}
            _ => return None,
        }
        if depth == 0 {
            let next = at + 1 + offset + 1;
            let opens = tokens.get(next)?.is_sign(if is_array { '[' } else { '(' });
            let first = if is_array { at } else { at + 1 };
            return opens.then(|| (tokens[first].at.start - base..token.at.end - base, next));
        }
    }
    None
}

/// Spaces for every byte but line ends; whole tokens are blanked, so no character is cut.
fn blank(bytes: &mut [u8], range: Range<usize>) {
    bytes[range].iter_mut().filter(|b| !matches!(**b, b'\n' | b'\r')).for_each(|b| *b = b' ');
}

/// The first two words of a statement, as patterns name it: `create_table`.
fn first_two(text: &str, base: usize, tokens: &[Token]) -> String {
    let words = tokens.iter().take(2).map(|token| text[token.at.start - base..token.at.end - base].to_lowercase());
    words.collect::<Vec<_>>().join("_")
}

/// The patterns of `dialect` for a statement that begins with the words `what`, and what takes the place of each.
fn patterns<'w>(dialect: Dialect, what: &'w str) -> impl Iterator<Item = (Vec<Step>, &'static str)> + 'w {
    include_str!("../data/helps.txt").lines().filter(|line| !line.starts_with('#')).filter_map(move |line| {
        let (dialects, pattern) = line.split_once(" | ")?;
        let wanted = dialects.split_whitespace().any(|name| match name.split_once('@') {
            Some((name, only)) => name == dialect.name() && only == what,
            None => name == dialect.name(),
        });
        let (pattern, instead) = pattern.split_once(" => ").unwrap_or((pattern, ""));
        wanted.then(|| (pattern.split_whitespace().map(step).collect(), instead))
    })
}

fn step(word: &'static str) -> Step {
    match word {
        "(..)" => Step::Group,
        "'s'" => Step::Text,
        ">'s'" => Step::BeforeText,
        ">w" => Step::BeforeAnyWord,
        "n" => Step::Number,
        "w" => Step::AnyWord,
        "," => Step::Sign(','),
        "=" => Step::Sign('='),
        other => match other.strip_prefix('>') {
            Some(word) => Step::BeforeWord(word),
            None => Step::Word(other),
        },
    }
}

/// The token behind a match of `steps` at token `at`.
fn matched(text: &str, base: usize, tokens: &[Token], at: usize, steps: &[Step]) -> Option<usize> {
    let mut next = at;
    let is_nolock = |at: usize, alone: bool| {
        let inner = &tokens[at];
        alone && text[inner.at.start - base..inner.at.end - base].eq_ignore_ascii_case("nolock")
    };
    for step in steps {
        let token = tokens.get(next)?;
        let written = &text[token.at.start - base..token.at.end - base];
        match step {
            Step::Word("(NOLOCK)") => {
                next = group(tokens, next).filter(|end| is_nolock(*end - 2, next + 3 == *end))? - 1
            }
            Step::Word(word) if written.eq_ignore_ascii_case(word) => {}
            Step::Sign(sign) if token.is_sign(*sign) => {}
            Step::BeforeText if token.kind == Kind::Text => return Some(next),
            Step::BeforeWord(word) if written.eq_ignore_ascii_case(word) => return Some(next),
            Step::BeforeAnyWord if matches!(token.kind, Kind::Word | Kind::Quoted) => return Some(next),
            Step::Text if token.kind == Kind::Text => {}
            Step::Number if token.kind == Kind::Number => {}
            Step::AnyWord if matches!(token.kind, Kind::Word | Kind::Quoted) => {}
            Step::Group => next = group(tokens, next)? - 1,
            _ => return None,
        }
        next += 1;
    }
    Some(next)
}

/// The token behind the parentheses that open at token `at`.
fn group(tokens: &[Token], at: usize) -> Option<usize> {
    if !tokens.get(at)?.is_sign('(') {
        return None;
    }
    let mut depth = 0;
    for (offset, token) in tokens[at..].iter().enumerate() {
        depth += i32::from(token.is_sign('('));
        depth -= i32::from(token.is_sign(')'));
        if depth == 0 {
            return Some(at + offset + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::sql::lexer::lex;

    #[test]
    fn types_of_literals_are_blanked() {
        let text = "select array<struct<a int64, b array<string>>>[(1, ['x'])], struct<a int64>(1), a < b";
        let dialect = Dialect::named("bigquery").unwrap();
        let blanked = blanked(text, 0, &lex(text, dialect.rules()), dialect).unwrap();
        assert_eq!(blanked.len(), text.len());
        assert_eq!(blanked.split_whitespace().collect::<String>(), "select[(1,['x'])],struct(1),a<b");
    }

    #[test]
    fn storage_clauses_become_spaces_of_the_same_length() {
        let text = "create table é.t stored as orc tblproperties ('a'='(') as select 1";
        let hive = Dialect::named("hive").unwrap();
        let blanked = blanked(text, 0, &lex(text, hive.rules()), hive).unwrap();
        assert_eq!(blanked.len(), text.len());
        assert_eq!(blanked.split_whitespace().collect::<Vec<_>>(), ["create", "table", "é.t", "as", "select", "1"]);
    }
}
