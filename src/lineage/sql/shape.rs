//! Statements told by their words, one pattern a line of `data/shapes.txt`: what no grammar reads, or not every one.
use std::{collections::HashMap, ops::Range, sync::LazyLock};

use super::{
    dialect::Dialect,
    ir::Name,
    lexer::{Kind, Token},
    scan::name_at,
    split::begins_moving,
    words::is_any,
};

/// One line of the list.
#[derive(Debug)]
pub(super) struct Shape {
    dialects: Vec<&'static str>,
    late: bool,
    /// Words without which nothing has this shape: of each entry the marks of one word at least.
    needs: Vec<u64>,
    steps: Vec<Step>,
    /// What it does, word by word.
    pub(super) doings: Vec<Vec<&'static str>>,
}

#[derive(Debug)]
enum Step {
    Words(Vec<&'static str>),
    Exactly(&'static str),
    Sign(char),
    Name(&'static str),
    Text(&'static str),
    Group(&'static str),
    Maybe(Vec<Step>),
    Any,
    Rest,
}

/// What a pattern caught.
#[derive(Clone, Debug)]
pub(super) enum Caught {
    /// A name.
    Name(Name),
    /// A string: its token.
    Text(usize),
    /// Tokens within parentheses.
    Group(Range<usize>),
}

/// A statement that has a known shape.
#[derive(Debug)]
pub(super) struct Shaped {
    /// Which.
    pub(super) shape: &'static Shape,
    /// What was caught, by key.
    pub(super) caught: HashMap<&'static str, Caught>,
    /// Where the rest begins.
    pub(super) rest: Option<usize>,
    /// The token behind it all.
    pub(super) end: usize,
}

static SHAPES: LazyLock<HashMap<&'static str, Vec<Shape>>> = LazyLock::new(|| {
    let mut shapes: HashMap<&str, Vec<Shape>> = HashMap::new();
    for line in include_str!("../data/shapes.txt").lines().filter(|line| !line.starts_with('#')) {
        if let Some((firsts, line)) = first_words(line).zip(Some(line)) {
            for first in firsts {
                shapes.entry(first).or_default().extend(shape_of(line));
            }
        }
    }
    shapes
});

/// The words a line may begin with.
fn first_words(line: &'static str) -> Option<Vec<&'static str>> {
    Some(line.split(" | ").nth(1)?.split_whitespace().next()?.split('|').collect())
}

fn shape_of(line: &'static str) -> Option<Shape> {
    let mut fields = line.splitn(3, " | ");
    let mut dialects: Vec<&str> = fields.next()?.split_whitespace().collect();
    let late = dialects.first() == Some(&"late");
    dialects.retain(|name| *name != "late");
    let mut words = fields.next()?.split_whitespace();
    let steps = steps_of(&mut words);
    let doings = fields.next()?.split(';').map(|doing| doing.split_whitespace().collect()).collect();
    Some(Shape { dialects, late, needs: needs_of(&steps), steps, doings })
}

fn steps_of(words: &mut dyn Iterator<Item = &'static str>) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some(word) = words.next() {
        let inner = |open: char, close: char| word.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        steps.push(match word {
            "]" => return steps,
            "[" => Step::Maybe(steps_of(words)),
            ".." => Step::Any,
            "*" => Step::Rest,
            _ => match (inner('{', '}'), inner('<', '>'), inner('(', ')'), inner('\'', '\'')) {
                (Some(key), ..) => Step::Name(key),
                (_, Some(key), ..) => Step::Text(key),
                (_, _, Some(key), _) => Step::Group(key),
                (.., Some(text)) => Step::Exactly(text),
                _ => match word.chars().next() {
                    Some(sign) if word.len() == 1 && !sign.is_alphanumeric() => Step::Sign(sign),
                    _ => Step::Words(word.split('|').collect()),
                },
            },
        });
    }
    steps
}

/// One bit of 64 for `word`, whatever its case: what has not the bit of a word does not hold the word.
fn mark(word: &str) -> u64 {
    let letter = |byte: Option<&u8>| usize::from(byte.copied().unwrap_or_default() | 0x20);
    let bytes = word.as_bytes();
    1 << ((letter(bytes.first()) * 5 + letter(bytes.last()) * 11 + bytes.len() * 17) % 64)
}

/// What every match of `steps` holds: their words outside optional groups, before the rest that may be anything.
fn needs_of(steps: &[Step]) -> Vec<u64> {
    let sure = steps.iter().take_while(|step| !matches!(step, Step::Rest));
    let needs = sure.filter_map(|step| match step {
        Step::Words(words) => Some(words.iter().fold(0, |marks, word| marks | mark(word))),
        _ => None,
    });
    needs.collect()
}

/// The shape of the statement that `tokens` begin with; `late` ones only where every grammar has refused.
pub(super) fn shaped(text: &str, tokens: &[Token], dialect: Dialect, late: bool) -> Vec<Shaped> {
    let Some(first) = tokens.first().filter(|token| token.kind == Kind::Word) else { return Vec::new() };
    let first = first.of(text).to_ascii_uppercase();
    let shapes = SHAPES.get(first.as_str()).map(Vec::as_slice).unwrap_or_default();
    if shapes.is_empty() {
        return Vec::new();
    }
    let words = tokens.iter().filter(|token| token.kind == Kind::Word);
    let marks = words.fold(0, |marks, token| marks | mark(token.of(text)));
    let wanted = |shape: &&Shape| {
        shape.late == late
            && shape.needs.iter().all(|need| need & marks != 0)
            && shape.dialects.iter().any(|name| *name == "*" || *name == dialect.name())
    };
    shapes.iter().filter(wanted).filter_map(|shape| matched(text, tokens, dialect, shape)).collect()
}

fn matched(text: &str, tokens: &[Token], dialect: Dialect, shape: &'static Shape) -> Option<Shaped> {
    let any_statement = shape.doings.iter().any(|doing| doing.as_slice() == ["do"]);
    let free = dialect.semicolon_free();
    let mut matcher = Matcher { text, tokens, free, any_statement, caught: Vec::new(), rest: None };
    let end = matcher.run(Steps { own: &shape.steps, then: None }, 0)?;
    let end = if matcher.free { matcher.next_statement(end, shape.late) } else { tokens.len() };
    Some(Shaped { shape, caught: matcher.caught.into_iter().collect(), rest: matcher.rest, end })
}

/// Steps still to go: those of a group, then those behind it.
#[derive(Clone, Copy)]
struct Steps<'s> {
    own: &'static [Step],
    then: Option<&'s Steps<'s>>,
}

impl Steps<'_> {
    /// The next step and those behind it.
    fn split(self) -> Option<(&'static Step, Self)> {
        match self.own.split_first() {
            Some((step, own)) => Some((step, Steps { own, ..self })),
            None => (*self.then?).split(),
        }
    }
}

struct Matcher<'t> {
    text: &'t str,
    tokens: &'t [Token],
    /// Whether the next statement may follow without a semicolon.
    free: bool,
    /// Whether the rest may be any statement rather than a query.
    any_statement: bool,
    caught: Vec<(&'static str, Caught)>,
    rest: Option<usize>,
}

impl Matcher<'_> {
    /// The token behind a match of `steps` at token `at`.
    fn run(&mut self, steps: Steps<'_>, at: usize) -> Option<usize> {
        let Some((step, others)) = steps.split() else { return self.may_end(at).then_some(at) };
        match step {
            Step::Maybe(inner) => {
                let caught = self.caught.len();
                let with = Steps { own: inner, then: Some(&others) };
                self.run(with, at).or_else(|| {
                    self.caught.truncate(caught);
                    self.run(others, at)
                })
            }
            Step::Any => self.anything(others, at),
            Step::Rest => {
                self.rest = self.begins_query(at).then_some(at);
                self.rest.map(|_| self.tokens.len())
            }
            one => {
                let next = self.step(one, at)?;
                self.run(others, next)
            }
        }
    }

    fn may_end(&self, at: usize) -> bool {
        match self.tokens.get(at) {
            None => true,
            Some(token) => {
                let word = token.of(self.text);
                self.free && (self.begins(at) || token.is(self.text, "end")) && !word.eq_ignore_ascii_case("add")
            }
        }
    }

    /// Skips what stands outside parentheses until the other steps fit.
    fn anything(&mut self, others: Steps<'_>, mut at: usize) -> Option<usize> {
        if others.split().is_none() {
            return Some(at);
        }
        while at <= self.tokens.len() {
            let caught = self.caught.len();
            if let Some(end) = self.run(others, at) {
                return Some(end);
            }
            self.caught.truncate(caught);
            at = group_end(self.tokens, at).unwrap_or(at + 1);
        }
        None
    }

    fn step(&mut self, step: &Step, at: usize) -> Option<usize> {
        let token = self.tokens.get(at)?;
        match step {
            Step::Words(words) => words.iter().any(|word| token.is(self.text, word)).then_some(at + 1),
            Step::Sign(sign) => token.is_sign(*sign).then_some(at + 1),
            Step::Exactly(text) => {
                let at = self.string(at)?;
                string_of(self.tokens[at].of(self.text)).eq_ignore_ascii_case(text).then_some(at + 1)
            }
            Step::Name("x") if token.kind == Kind::Text => Some(at + 1),
            Step::Name(key) => {
                let (name, next) = name_at(self.text, self.tokens, at)?;
                self.caught.push((key, Caught::Name(name)));
                Some(next)
            }
            Step::Text(key) => {
                let at = self.string(at)?;
                self.caught.push((key, Caught::Text(at)));
                Some(at + 1)
            }
            Step::Group(key) => {
                let end = group_end(self.tokens, at)?;
                self.caught.push((key, Caught::Group(at + 1..end - 1)));
                Some(end)
            }
            Step::Maybe(_) | Step::Any | Step::Rest => None,
        }
    }

    /// The string at token `at`, where T-SQL may write an N before it.
    fn string(&self, at: usize) -> Option<usize> {
        let is_text = |at: usize| self.tokens.get(at).is_some_and(|token| token.kind == Kind::Text);
        let national = self.tokens.get(at)?.is(self.text, "n") && is_text(at + 1);
        (national || is_text(at)).then_some(at + usize::from(national))
    }

    fn begins_query(&self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at) else { return false };
        let next = self.tokens.get(at + 1);
        if token.is_sign('(') {
            return next.is_some_and(|next| ["select", "with"].iter().any(|w| next.is(self.text, w)));
        }
        if token.is(self.text, "with") {
            let named = next.is_some_and(|next| matches!(next.kind, Kind::Word | Kind::Quoted));
            return named && !next.is_some_and(|next| next.is(self.text, "serdeproperties"));
        }
        let queries = ["select", "from", "values", "table"];
        let statement = self.any_statement && is_any("statement", token.of(self.text));
        token.kind == Kind::Word && (statement || queries.iter().any(|word| token.is(self.text, word)))
    }

    /// Whether token `at` begins a statement; WITH in front of options does not.
    fn begins(&self, at: usize) -> bool {
        let word = self.tokens[at].of(self.text);
        let next = |by: usize| self.tokens.get(at + by);
        if word.eq_ignore_ascii_case("with") {
            let named = next(1).is_some_and(|name| matches!(name.kind, Kind::Word | Kind::Quoted));
            let recursive = next(1).is_some_and(|word| word.is(self.text, "recursive"));
            let query = next(2).is_some_and(|behind| behind.is_sign('(') || behind.is(self.text, "as"));
            return named && (recursive || query);
        }
        is_any("statement", word) || is_any("idle", word)
    }

    /// Where semicolons may be missing: the first token behind `at` that begins a line and a statement; `moving` says
    /// that one which moves rows may begin within a line too.
    fn next_statement(&self, at: usize, moving: bool) -> usize {
        let mut depth = 0i32;
        let found = (at..self.tokens.len()).find(|at| {
            let token = &self.tokens[*at];
            depth += i32::from(token.is_sign('(')) - i32::from(token.is_sign(')'));
            let adds = token.is(self.text, "add");
            let begins = || token.begins_line(self.text) && self.begins(*at);
            depth <= 0 && !adds && (begins() || (moving && begins_moving(self.text, self.tokens, *at)))
        });
        found.unwrap_or(self.tokens.len())
    }
}

/// The token behind the parentheses that open at token `at`.
pub(super) fn group_end(tokens: &[Token], at: usize) -> Option<usize> {
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

/// What a written string says.
pub(super) fn string_of(written: &str) -> String {
    for fence in ["'''", "\"\"\""] {
        if let Some(inner) = written.strip_prefix(fence).and_then(|rest| rest.strip_suffix(fence)) {
            return inner.to_owned();
        }
    }
    let quote = written.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let Some(quote) = quote else { return written.to_owned() };
    let inner = &written[1..];
    let inner = inner.strip_suffix(quote).unwrap_or(inner);
    inner.replace(&format!("{quote}{quote}"), &quote.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::sql::lexer::lex;

    fn doings(text: &str, dialect: &str) -> Vec<Vec<&'static str>> {
        let dialect = Dialect::named(dialect).unwrap();
        let found = shaped(text, &lex(text, dialect.rules()), dialect, false);
        found.first().map(|one| one.shape.doings.clone()).unwrap_or_default()
    }

    #[test]
    fn every_line_is_a_shape_that_does_something_with_what_it_catches() {
        let lines = include_str!("../data/shapes.txt").lines().filter(|l| !l.starts_with('#') && !l.is_empty());
        for line in lines {
            let shape = shape_of(line).unwrap_or_else(|| panic!("{line}"));
            assert!(!shape.steps.is_empty() && !shape.doings.is_empty(), "{line}");
        }
    }

    #[test]
    fn a_shape_is_told_by_its_words() {
        assert_eq!(doings("exchange tables a.b and c.d on cluster x", "clickhouse"), [["swap", "a", "b"]]);
        assert_eq!(doings("exec dbo.sp_rename N'a', 'b', 'OBJECT'", "tsql"), [["rename", "a", "b"]]);
        assert_eq!(doings("alter table a rename column b to c", "postgres"), Vec::<Vec<&str>>::new());
        assert_eq!(doings("create table a (b int)", "postgres"), Vec::<Vec<&str>>::new());
    }

    #[test]
    fn the_next_statement_is_left_where_no_semicolon_parts_them() {
        let text = "bulk insert a.b from 'x.csv' with (firstrow = 2)\nselect 1 from c";
        let dialect = Dialect::named("tsql").unwrap();
        let tokens = lex(text, dialect.rules());
        let found = shaped(text, &tokens, dialect, false);
        assert_eq!(tokens[found[0].end].of(text), "select");
    }

    #[test]
    fn strings_say_what_stands_between_their_quotes() {
        assert_eq!(string_of("'it''s'"), "it's");
        assert_eq!(string_of("'''a'''"), "a");
        assert_eq!(string_of("\"x\""), "x");
    }
}
