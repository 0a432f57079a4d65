//! The grammar: one statement's text into sqlparser's tree, never a panic, with places in bytes.
use std::{
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
};

use sqlparser::{
    ast::{Query, SetExpr, Statement},
    dialect::{self, Dialect as Grammar},
    parser::Parser,
    tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer, Whitespace},
};

use super::{
    dialect::Dialect,
    written::{shifts_are_operators, words_of},
};

/// How deep the grammar may go before it gives up: a subquery takes some four levels of it. The stack of the threads
/// that read SQL (`analysis::STACK_BYTES`) holds this many even where nothing is optimised.
const DEPTH: usize = 1_500;

/// A statement the grammar accepted, and where the text goes on behind it.
pub(in crate::lineage) struct Parsed {
    /// The tree.
    pub(in crate::lineage) statement: Statement,
    /// First byte after the statement where more follows.
    pub(in crate::lineage) rest: Option<usize>,
}

/// Reads one statement at the beginning of `text`; what stops the grammar comes back in its own words.
pub(in crate::lineage) fn parse(text: &str, dialect: Dialect) -> Result<Parsed, String> {
    parse_as(text, dialect, dialect)
}

/// Reads one statement by the grammar of `dialect`, where strings and names are quoted as `written` quotes them.
pub(in crate::lineage) fn parse_as(text: &str, written: Dialect, dialect: Dialect) -> Result<Parsed, String> {
    let attempt = catch_unwind(AssertUnwindSafe(|| parse_unguarded(text, written, dialect)));
    attempt.unwrap_or_else(|_| Err("the grammar failed on this text".to_owned()))
}

fn parse_unguarded(text: &str, written: Dialect, dialect: Dialect) -> Result<Parsed, String> {
    let grammar = grammar(dialect);
    let mut tokens = Vec::with_capacity(text.len() / 3);
    let words = words_of(written, dialect);
    Tokenizer::new(words.as_deref().unwrap_or(&*grammar), text)
        .tokenize_with_location_into_buf(&mut tokens)
        .map_err(|e| e.to_string())?;
    if dialect.name() == "bigquery" {
        shifts_are_operators(&mut tokens);
    }
    drop_blanks(&mut tokens, dialect);
    let mut parser = Parser::new(&*grammar).with_recursion_limit(DEPTH).with_tokens_with_locations(tokens);
    let statement = parser.parse_statement().map_err(|e| e.to_string())?;
    let next = parser.peek_token();
    let rest = match next.token {
        Token::EOF | Token::SemiColon => None,
        _ => Some(Lines::of(text).byte(next.span.start)),
    };
    Ok(Parsed { statement, rest })
}

/// Takes out the blanks that mean nothing: the grammar passes over each of them (one a character) each time it looks
/// at what follows, which it does a dozen times for every word.
fn drop_blanks(tokens: &mut Vec<TokenWithSpan>, dialect: Dialect) {
    // What COPY reads inline is made of blanks, and so does the end of a stage's name show.
    let is_copy = |one: &TokenWithSpan| matches!(&one.token, Token::Word(w) if w.value.eq_ignore_ascii_case("copy"));
    let stages = dialect.name() == "snowflake" && tokens.iter().any(|one| one.token == Token::AtSign);
    if stages || tokens.iter().find(|one| !is_blank(one)).is_some_and(is_copy) {
        return;
    }
    let (mut kept, mut glued) = (0, false);
    for at in 0..tokens.len() {
        if !is_blank(&tokens[at]) {
            // Comments stay, and part nothing.
            if !matches!(tokens[at].token, Token::Whitespace(_)) {
                glued = minds_blanks(&tokens[at].token);
            }
        } else if !glued && !matches!(tokens.get(at + 1), Some(next) if next.token == Token::Minus) {
            continue;
        }
        tokens.swap(kept, at);
        kept += 1;
    }
    tokens.truncate(kept);
}

fn is_blank(one: &TokenWithSpan) -> bool {
    matches!(one.token, Token::Whitespace(Whitespace::Space | Whitespace::Tab | Whitespace::Newline))
}

/// Whether a blank behind `token` means something: `: x` is no placeholder, `a - b` no hyphenated name, and strings on
/// two lines are one.
fn minds_blanks(token: &Token) -> bool {
    let sign = matches!(token, Token::Colon | Token::AtSign | Token::Minus | Token::Number(..));
    sign || matches!(token, Token::SingleQuotedString(_) | Token::DoubleQuotedString(_))
}

/// Whether `text` is a query, and the same one as `query`.
pub(in crate::lineage) fn is_query(text: &str, dialect: Dialect, query: &Query) -> bool {
    match parse(text, dialect) {
        Ok(Parsed { statement: Statement::Query(found), rest: None }) => *found == *query,
        _ => false,
    }
}

/// The tree written out again, in the grammar's own layout.
pub(in crate::lineage) fn canonical(text: &str, dialect: Dialect) -> Option<String> {
    let parsed = parse(text, dialect).ok()?;
    let written = catch_unwind(AssertUnwindSafe(|| parsed.statement.to_string())).ok()?;
    parsed.rest.is_none().then_some(written)
}

/// Whether a query stands in place of rows to insert: `WITH … INSERT INTO …`.
pub(in crate::lineage) fn inner_statement(query: &Query) -> Option<&Statement> {
    match &*query.body {
        SetExpr::Insert(inner) | SetExpr::Update(inner) | SetExpr::Delete(inner) | SetExpr::Merge(inner) => Some(inner),
        _ => None,
    }
}

pub(super) fn grammar(dialect: Dialect) -> Box<dyn Grammar> {
    match dialect.name() {
        "tsql" => Box::new(dialect::MsSqlDialect {}),
        "trino" => Box::new(dialect::GenericDialect),
        name => dialect::dialect_from_str(name).unwrap_or_else(|| Box::new(dialect::GenericDialect)),
    }
}

/// Where lines begin, so that the grammar's line and column become bytes.
pub(in crate::lineage) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    /// Line, characters before it and byte of every 128th character of lines that are not plain ASCII.
    marks: Vec<(usize, usize, usize)>,
}

impl<'t> Lines<'t> {
    /// The lines of `text`.
    pub(in crate::lineage) fn of(text: &'t str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        let starts: Vec<usize> = std::iter::once(0).chain(ends).collect();
        let marks = if text.is_ascii() { Vec::new() } else { marks(text, &starts) };
        Lines { text, starts, marks }
    }

    /// The byte at `place`, which counts lines and characters from 1.
    pub(in crate::lineage) fn byte(&self, place: Location) -> usize {
        let line = (place.line as usize).saturating_sub(1);
        let column = (place.column as usize).saturating_sub(1);
        let Some(start) = self.starts.get(line).copied() else { return self.text.len() };
        if self.marks.is_empty() {
            return (start + column).min(self.text.len());
        }
        let next = self.marks.partition_point(|(at, before, _)| (*at, *before) <= (line, column));
        let (before, from) = match next.checked_sub(1).map(|at| self.marks[at]) {
            Some((at, before, byte)) if at == line => (before, byte),
            _ => (0, start),
        };
        let rest = &self.text[from..];
        from + rest.char_indices().nth(column - before).map_or(rest.len(), |(at, _)| at)
    }

    /// The bytes of `span`; `None` where the grammar keeps no place.
    pub(in crate::lineage) fn bytes(&self, span: Span) -> Option<Range<usize>> {
        if span == Span::empty() {
            return None;
        }
        let (start, end) = (self.byte(span.start), self.byte(span.end));
        (start <= end).then_some(start..end)
    }
}

fn marks(text: &str, starts: &[usize]) -> Vec<(usize, usize, usize)> {
    let mut marks = vec![(0, 0, 0)];
    for (line, start) in starts.iter().enumerate() {
        let end = starts.get(line + 1).copied().unwrap_or(text.len());
        let every = text[*start..end].char_indices().enumerate().step_by(128);
        marks.extend(every.map(|(before, (at, _))| (line, before, start + at)));
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlparser::ast::Spanned;

    #[test]
    fn every_character_of_a_long_wide_line_has_its_byte() {
        let text = format!("ab\n{}\né", "aé😀".repeat(200));
        let lines = Lines::of(&text);
        let (mut line, mut column) = (1, 1);
        for (at, c) in text.char_indices() {
            assert_eq!(lines.byte(Location { line, column }), at);
            (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
    }

    #[test]
    fn places_are_bytes_even_behind_wide_characters() {
        let text = "select 'é😀' as a,\r\n  'ü' , b from t";
        let parsed = parse(text, Dialect::GENERIC).unwrap();
        let Statement::Query(query) = &parsed.statement else { panic!() };
        let SetExpr::Select(select) = &*query.body else { panic!() };
        let at = Lines::of(text).bytes(select.from[0].span()).unwrap();
        assert_eq!(&text[at], "t");
    }

    /// The tokens that are left, each as it is written; a blank shows as `_`.
    fn left(text: &str, dialect: &str) -> Vec<String> {
        let dialect = Dialect::named(dialect).unwrap();
        let mut tokens = Vec::new();
        Tokenizer::new(&*grammar(dialect), text).tokenize_with_location_into_buf(&mut tokens).unwrap();
        drop_blanks(&mut tokens, dialect);
        tokens.iter().map(|one| if is_blank(one) { "_".to_owned() } else { one.token.to_string() }).collect()
    }

    #[test]
    fn blanks_that_mean_nothing_go_and_no_other_token_does() {
        assert_eq!(left("select  a ,\n\tb from t", "generic"), ["select", "a", ",", "b", "from", "t"]);
        // A comment stays, and the blanks beside it mean no more than others.
        assert_eq!(left("a /* c */ b", "generic"), ["a", "/* c */", "b"]);
        assert_eq!(left("  ", "generic"), Vec::<String>::new());
    }

    #[test]
    fn blanks_stay_where_they_part_what_would_mean_something_else_together() {
        // `a-b` is one name in BigQuery, `a - b` a difference.
        assert_eq!(left("a - b", "bigquery"), ["a", "_", "-", "_", "b"]);
        assert_eq!(left("a -b", "bigquery"), ["a", "_", "-", "b"]);
        // `: x` is no placeholder, and behind a number a word is an alias or the end of the number.
        assert_eq!(left(": x", "generic"), [":", "_", "x"]);
        assert_eq!(left("1 d", "generic"), ["1", "_", "d"]);
        // Two strings are one where a line parts them.
        assert_eq!(left("'a'\n'b' c", "postgres"), ["'a'", "_", "'b'", "_", "c"]);
        // A comment between keeps what stands before it in mind.
        assert_eq!(left("'a' -- x\n 'b'", "postgres")[..2], ["'a'", "_"]);
    }

    #[test]
    fn a_statement_whose_blanks_are_data_keeps_them_all() {
        assert_eq!(left("copy t  from", "postgres"), ["copy", "_", "t", "_", "_", "from"]);
        assert_eq!(left("select a from @s x", "snowflake").iter().filter(|one| *one == "_").count(), 4);
        assert_eq!(left("select a from s x", "snowflake").iter().filter(|one| *one == "_").count(), 0);
    }

    #[test]
    fn a_tree_is_the_same_with_blanks_and_without() {
        for (text, dialect) in [
            ("select a - b, a -b, 'x' 'y', 1 as n, t.* from t as  u where a = -1 and b::int > 2", "postgres"),
            ("select `a-b`.c, x - y from p-q.r.s  where date '2024-01-01' > d", "bigquery"),
            ("select a:b.c  , d [ 0 ] from s  t", "snowflake"),
        ] {
            let dialect = Dialect::named(dialect).unwrap();
            let grammar = grammar(dialect);
            let mut whole = Parser::new(&*grammar).with_recursion_limit(DEPTH).try_with_sql(text).unwrap();
            assert_eq!(parse(text, dialect).unwrap().statement, whole.parse_statement().unwrap(), "{text}");
        }
    }

    #[test]
    fn what_follows_a_statement_is_told() {
        let parsed = parse("select 1 from t  select 2", Dialect::named("tsql").unwrap()).unwrap();
        assert_eq!(parsed.rest, Some(17));
    }
}
