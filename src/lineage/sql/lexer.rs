//! A small lexer that never fails: it finds words, quotes, strings and comments, byte for byte.
//!
//! The grammar's own tokenizer stops at the first thing it does not know; splitting a script, masking
//! and the fallback scan must go on.
use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lineage) enum Kind {
    /// A bare word: keyword or name.
    Word,
    /// A quoted name.
    Quoted,
    /// A string literal.
    Text,
    /// A `$tag$ … $tag$` body.
    Dollar,
    /// A number.
    Number,
    /// Any other character.
    Sign(char),
}

/// One token: what it is and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lineage) struct Token {
    /// What it is.
    pub(in crate::lineage) kind: Kind,
    /// Its bytes.
    pub(in crate::lineage) at: Range<usize>,
}

impl Token {
    /// Its text, as it stands in `text`.
    pub(in crate::lineage) fn of<'t>(&self, text: &'t str) -> &'t str {
        &text[self.at.clone()]
    }

    /// Whether it is the bare word `word`, whatever its case.
    pub(in crate::lineage) fn is(&self, text: &str, word: &str) -> bool {
        let written = || &text.as_bytes()[self.at.clone()];
        self.kind == Kind::Word && self.at.len() == word.len() && written().eq_ignore_ascii_case(word.as_bytes())
    }

    /// Whether nothing but blanks stands before it on its line. Looks no further back than the token before.
    pub(in crate::lineage) fn begins_line(&self, text: &str) -> bool {
        text[..self.at.start].chars().rev().take_while(|c| *c != '\n').all(char::is_whitespace)
    }

    /// Whether it is the sign `sign`.
    pub(in crate::lineage) fn is_sign(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }
}

/// What differs between dialects before there is any grammar.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::lineage) struct LexRules {
    /// A backslash escapes the next character of a string.
    pub(in crate::lineage) backslash: bool,
    /// `#` begins a comment.
    pub(in crate::lineage) hash_comment: bool,
    /// `//` begins a comment.
    pub(in crate::lineage) slash_comment: bool,
    /// `"…"` is a string, not a name.
    pub(in crate::lineage) double_quoted_text: bool,
    /// `[…]` is a name, `#t` and `@t` are words.
    pub(in crate::lineage) brackets: bool,
    /// `"""…"""` and `'''…'''` are strings.
    pub(in crate::lineage) triple_quotes: bool,
    /// SQL*Plus reads lines of its own: `PROMPT it's done`.
    pub(in crate::lineage) sqlplus: bool,
    /// A client reads lines that begin with `!`.
    pub(in crate::lineage) bang_lines: bool,
}

impl LexRules {
    /// The rules of the dialect called `name`.
    pub(in crate::lineage) fn of(name: &str) -> Self {
        let any = |names: &[&str]| names.contains(&name);
        LexRules {
            backslash: any(&["bigquery", "hive", "spark", "databricks", "mysql", "snowflake", "clickhouse"]),
            hash_comment: any(&["mysql", "bigquery"]),
            slash_comment: any(&["snowflake"]),
            double_quoted_text: any(&["bigquery", "hive", "spark", "databricks", "mysql"]),
            brackets: any(&["tsql"]),
            triple_quotes: any(&["bigquery"]),
            sqlplus: any(&["oracle"]),
            bang_lines: any(&["hive", "spark", "snowflake"]),
        }
    }
}

/// The tokens of `text` without comments and white space. Every byte is looked at once; nothing fails.
pub(in crate::lineage) fn lex(text: &str, rules: LexRules) -> Vec<Token> {
    let tokens = Vec::with_capacity(text.len() / 6);
    let mut lexer = Lexer { text, bytes: text.as_bytes(), at: 0, rules, tokens, no_rows: false };
    while lexer.at < lexer.bytes.len() {
        lexer.step();
    }
    lexer.tokens
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    rules: LexRules,
    tokens: Vec<Token>,
    /// Whether no rows of a COPY end behind this place.
    no_rows: bool,
}

impl Lexer<'_> {
    fn step(&mut self) {
        let c = self.bytes[self.at];
        match c {
            b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c => self.at += 1,
            b'-' if self.starts("--") => self.line_comment(),
            b'#' if self.rules.hash_comment => self.line_comment(),
            b'/' if self.rules.slash_comment && self.starts("//") => self.slashes(),
            b'\\' if self.sends() => self.sent(),
            b'\\' if self.begins_line() && self.starts_copy() => self.psql_copy(),
            b'\\' if self.begins_line() => self.line_comment(),
            b'!' if self.rules.bang_lines && self.begins_line() && self.ends_statement() => self.line_comment(),
            b'@' if self.rules.sqlplus && self.begins_line() && self.ends_statement() => self.line_comment(),
            b'/' if self.starts("/*") => self.block_comment(),
            b'\'' | b'"' if self.rules.triple_quotes && self.starts_triple(c) => self.triple(c),
            b'\'' => self.quoted(b'\'', Kind::Text),
            b'"' if self.rules.double_quoted_text => self.quoted(b'"', Kind::Text),
            b'"' => self.quoted(b'"', Kind::Quoted),
            b'`' => self.quoted(b'`', Kind::Quoted),
            b'[' if self.rules.brackets => self.quoted(b']', Kind::Quoted),
            b'$' if self.dollar_tag().is_some() => self.dollar(),
            b'0'..=b'9' => self.number(),
            b';' => {
                self.at += 1;
                self.push(Kind::Sign(';'), self.at - 1);
                self.inline_rows();
            }
            _ => self.word_or_sign(),
        }
    }

    /// Behind `COPY t FROM STDIN;` stand rows, up to a line of `\\.`.
    fn inline_rows(&mut self) {
        let before = self.tokens.len() - 1;
        let start = self.tokens[..before].iter().rposition(|t| t.is_sign(';')).map_or(0, |at| at + 1);
        let own = &self.tokens[start..before];
        let copies = own.first().is_some_and(|token| token.is(self.text, "copy"));
        if copies && !self.no_rows && own.iter().any(|token| token.is(self.text, "stdin")) {
            let end = self.text[self.at..].find("\n\\.");
            self.no_rows = end.is_none();
            self.at += end.map_or(0, |end| end + 3);
        }
    }

    fn starts(&self, text: &str) -> bool {
        self.bytes[self.at..].starts_with(text.as_bytes())
    }

    /// A comment; behind a colon (`file:///x`) part of an address.
    fn slashes(&mut self) {
        if self.at == 0 || self.bytes[self.at - 1] != b':' {
            return self.line_comment();
        }
        while self.bytes.get(self.at) == Some(&b'/') {
            self.at += 1;
            self.push(Kind::Sign('/'), self.at - 1);
        }
    }

    /// `\g`, `\gset` and their like send what stands before them as a semicolon does: psql's, and MySQL's `\G`.
    fn sends(&self) -> bool {
        let rest = &self.bytes[self.at + 1..];
        let word = &rest[..rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count()];
        let behind = self.tokens.last().is_some_and(|last| !last.is_sign(';'));
        behind && [&b"g"[..], b"G", b"gx", b"gset", b"gexec", b"gdesc", b"crosstabview", b"watch"].contains(&word)
    }

    fn sent(&mut self) {
        self.at += 1;
        self.push(Kind::Sign(';'), self.at - 1);
        self.line_comment();
    }

    /// psql reads `\COPY` as `\copy`.
    fn starts_copy(&self) -> bool {
        self.bytes.get(self.at..self.at + 5).is_some_and(|word| word.eq_ignore_ascii_case(b"\\copy"))
    }

    fn starts_triple(&self, quote: u8) -> bool {
        self.bytes[self.at..].starts_with(&[quote; 3])
    }

    /// psql's own commands stand alone on a line that begins with a backslash.
    fn begins_line(&self) -> bool {
        self.bytes[..self.at].iter().rev().take_while(|b| **b != b'\n').all(|b| matches!(b, b' ' | b'\t'))
    }

    /// psql's `\copy` moves rows as COPY does, and ends with its line.
    fn psql_copy(&mut self) {
        let rest = &self.bytes[self.at..];
        let end = self.at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        self.at += 1;
        while self.at < end {
            self.step();
        }
        let last = self.tokens.last().map_or(end, |token| token.at.end);
        self.tokens.push(Token { kind: Kind::Sign(';'), at: last..last });
    }

    /// Whether a statement may begin here.
    fn ends_statement(&self) -> bool {
        self.tokens.last().is_none_or(|last| matches!(last.kind, Kind::Sign(';' | '/')))
    }

    /// SQL*Plus reads a line that begins with a command of its own by itself: an assignment or a call is none.
    fn is_sqlplus(&self, word: &str, end: usize) -> bool {
        const COMMANDS: [&str; 36] = [
            "rem",
            "remark",
            "prompt",
            "whenever",
            "spool",
            "show",
            "sho",
            "define",
            "def",
            "undefine",
            "undef",
            "column",
            "col",
            "connect",
            "conn",
            "variable",
            "var",
            "exit",
            "quit",
            "pause",
            "host",
            "ttitle",
            "btitle",
            "accept",
            "acc",
            "timing",
            "clear",
            "start",
            "break",
            "compute",
            "password",
            "store",
            "disconnect",
            "describe",
            "desc",
            "archive",
        ];
        let behind = self.text[end..].trim_start();
        COMMANDS.iter().any(|one| word.eq_ignore_ascii_case(one)) && !behind.starts_with([':', '(', '.', '%'])
    }

    fn line_comment(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
    }

    fn block_comment(&mut self) {
        let rest = &self.text[self.at + 2..];
        self.at = rest.find("*/").map_or(self.bytes.len(), |end| self.at + 2 + end + 2);
    }

    fn triple(&mut self, quote: u8) {
        let start = self.at;
        let fence = [quote; 3];
        let rest = &self.bytes[start + 3..];
        let end = rest.windows(3).position(|w| w == fence);
        self.at = end.map_or(self.bytes.len(), |end| start + 3 + end + 3);
        self.push(Kind::Text, start);
    }

    fn quoted(&mut self, close: u8, kind: Kind) {
        let start = self.at;
        // `E'…'` knows backslashes everywhere.
        let escaped = matches!(self.tokens.last(), Some(token) if token.at.end == start && token.is(self.text, "e"));
        self.at += 1;
        while self.at < self.bytes.len() {
            let c = self.bytes[self.at];
            self.at += 1;
            if c == b'\\' && (self.rules.backslash || escaped) && kind == Kind::Text {
                self.at += usize::from(self.at < self.bytes.len());
            } else if c == close {
                if self.bytes.get(self.at) == Some(&close) {
                    self.at += 1;
                } else {
                    break;
                }
            }
        }
        self.round_up();
        self.push(kind, start);
    }

    /// The length of a `$tag$` that begins here.
    fn dollar_tag(&self) -> Option<usize> {
        let rest = &self.bytes[self.at + 1..];
        let name = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        let digit_first = rest.first().is_some_and(u8::is_ascii_digit);
        (rest.get(name) == Some(&b'$') && !digit_first).then_some(name + 2)
    }

    fn dollar(&mut self) {
        let start = self.at;
        let tag_length = self.dollar_tag().unwrap_or(1);
        let tag = &self.text[start..start + tag_length];
        let body = &self.text[start + tag_length..];
        self.at = body.find(tag).map_or(self.bytes.len(), |end| start + tag_length + end + tag_length);
        self.push(Kind::Dollar, start);
    }

    fn number(&mut self) {
        let start = self.at;
        let rest = &self.bytes[start..];
        self.at += rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_')).count();
        self.push(Kind::Number, start);
    }

    fn word_or_sign(&mut self) {
        let start = self.at;
        let rest = &self.text[start..];
        let first = rest.chars().next().unwrap_or(' ');
        let leads = first.is_alphabetic() || first == '_' || (self.rules.brackets && matches!(first, '#' | '@'));
        if !leads {
            self.at += first.len_utf8();
            // A byte order mark is no sign either.
            if !first.is_whitespace() && first != '\u{feff}' {
                self.push(Kind::Sign(first), start);
            }
            return;
        }
        let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '#' | '@');
        let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'#' | b'@');
        let plain = rest.bytes().take_while(|b| plain(b)).count();
        let more = match rest.as_bytes().get(plain) {
            Some(next) if !next.is_ascii() => rest[plain..].find(|c| !inside(c)).unwrap_or(rest.len() - plain),
            _ => 0,
        };
        let end = start + plain + more;
        if self.rules.sqlplus
            && self.ends_statement()
            && self.is_sqlplus(&self.text[start..end], end)
            && self.begins_line()
        {
            return self.line_comment();
        }
        self.at = end;
        self.push(Kind::Word, start);
    }

    fn round_up(&mut self) {
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
    }

    fn push(&mut self, kind: Kind, start: usize) {
        self.tokens.push(Token { kind, at: start..self.at });
    }
}

/// A written name without its quotes: `"a""b"` is `a"b`.
pub(in crate::lineage) fn unquoted(written: &str) -> String {
    let mut chars = written.chars();
    match (chars.next(), chars.next_back()) {
        (Some(open), Some(close)) if matches!((open, close), ('"', '"') | ('`', '`') | ('[', ']')) => {
            let twice: String = [close, close].iter().collect();
            chars.as_str().replace(&twice, &close.to_string())
        }
        _ => written.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, dialect: &str) -> Vec<String> {
        lex(text, LexRules::of(dialect)).iter().map(|t| t.of(text).to_owned()).collect()
    }

    #[test]
    fn comments_and_strings_hide_what_stands_in_them() {
        assert_eq!(words("a -- b\n/* c */ 'it''s; d' e", "ansi"), ["a", "'it''s; d'", "e"]);
        assert_eq!(words(r"'it\'s' x", "mysql"), [r"'it\'s'", "x"]);
        assert_eq!(words(r"E'it\'s' x", "postgres"), ["E", r"'it\'s'", "x"]);
        assert_eq!(words("put file:///x @y // z", "snowflake"), ["put", "file", ":", "/", "/", "/", "x", "@", "y"]);
        assert_eq!(words("\\i other.sql\nselect", "postgres"), ["select"]);
    }

    #[test]
    fn a_dollar_body_is_one_token() {
        assert_eq!(words("$f$ select ';' $f$ x $1", "postgres"), ["$f$ select ';' $f$", "x", "$", "1"]);
    }

    #[test]
    fn unfinished_text_ends_with_the_file() {
        for text in ["'a", "\"a", "/* a", "$$ a", "`", "'é", "'\\"] {
            lex(text, LexRules::of("bigquery"));
            lex(text, LexRules::of("ansi"));
        }
    }

    #[test]
    fn quotes_come_off_names() {
        assert_eq!(unquoted("\"a\"\"b\""), "a\"b");
        assert_eq!(unquoted("[x y]"), "x y");
        assert_eq!(unquoted("plain"), "plain");
    }
}
