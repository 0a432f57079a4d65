//! Cuts a script into pieces of one statement each, and opens what surrounds statements in procedures.
use std::ops::Range;

use super::{
    lexer::{Kind, Token},
    words::is_any,
};

/// A run of tokens that holds one statement, or something that surrounds statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lineage) enum Piece {
    /// One statement: its tokens. Whether it stands in a procedure's body, where SELECT INTO fills variables.
    Statement(Range<usize>, bool),
    /// Conditions and assignments: their subqueries may read tables.
    Glue(Range<usize>),
    /// What declares variables: glue too.
    Declaration(Range<usize>),
    /// A routine begins: its definition from the word that says so on.
    Routine(Range<usize>),
    /// A statement that is put together when it runs.
    Dynamic(Range<usize>),
    /// A quoted body, to be read as a script of its own: the token that holds it.
    Body(usize),
    /// A quoted body in another language, which is named.
    Foreign(usize, String),
}

/// Words that begin a line of a procedure without moving rows themselves.
const BLOCKS: [&str; 17] = [
    "begin",
    "end",
    "if",
    "while",
    "for",
    "loop",
    "repeat",
    "case",
    "else",
    "set",
    "print",
    "return",
    "fetch",
    "open",
    "close",
    "deallocate",
    "commit",
];

/// The pieces of a script, in order.
/// `free` says that statements may follow each other without semicolons.
pub(in crate::lineage) fn pieces(text: &str, tokens: &[Token], in_body: bool, free: bool) -> Vec<Piece> {
    let dollars = tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Dollar).map(|(at, _)| at).collect();
    let mut splitter = Splitter {
        text,
        tokens,
        pieces: Vec::new(),
        in_body,
        free,
        declaring: false,
        in_package: false,
        dollars,
        unended: None,
    };
    for run in runs(text, tokens, free) {
        if !free || run.len() <= LONG_RUN {
            splitter.open(run);
            continue;
        }
        for chunk in chunks(text, tokens, run, false) {
            match chunk.len() > FAR_TOO_LONG {
                true => chunks(text, tokens, chunk, true).into_iter().for_each(|part| splitter.open(part)),
                false => splitter.open(chunk),
            }
        }
    }
    splitter.pieces
}

/// Tokens without a semicolon beyond which a run is cut where a statement certainly begins: each reading of a
/// statement looks at all that follows it.
const LONG_RUN: usize = 400;
/// Tokens of a chunk beyond which it is cut within its lines too: nobody writes such scripts, machines may.
const FAR_TOO_LONG: usize = 2_000;
/// Tokens that a chunk of a long run has at least.
const CHUNK: usize = 100;

/// A long run, cut at lines (or `anywhere`) that begin a statement behind a statement which cannot hold it.
fn chunks(text: &str, tokens: &[Token], run: Range<usize>, anywhere: bool) -> Vec<Range<usize>> {
    let (mut chunks, mut start, mut depth) = (Vec::new(), run.start, 0i32);
    let mut statement = "";
    for at in run.clone() {
        let token = &tokens[at];
        depth += i32::from(token.is_sign('('));
        depth -= i32::from(token.is_sign(')'));
        depth += i32::from(token.is(text, "case"));
        depth -= i32::from(depth > 0 && token.is(text, "end"));
        if anywhere {
            depth = depth.max(0);
        }
        if depth != 0 || !(anywhere || token.begins_line(text)) {
            continue;
        }
        let Some((next, begins)) = beginning(text, &tokens[run.start..run.end], at - run.start) else { continue };
        // What an INSERT, a DECLARE or a WITH takes may be a SELECT or an EXEC of the next line.
        let takes = matches!(statement, "insert" | "declare") && matches!(next, "select" | "exec" | "execute");
        let holds = takes || matches!(statement, "" | "with" | "create" | "alter");
        if begins && !holds && at - start >= CHUNK {
            chunks.push(start..at);
            start = at;
        }
        statement = next;
    }
    chunks.push(start..run.end);
    chunks
}

/// The word of token `at` where a T-SQL statement may begin with it, and whether one does; `None` for any other word.
fn beginning(text: &str, tokens: &[Token], at: usize) -> Option<(&'static str, bool)> {
    const BEGINS: [&str; 14] = [
        "select", "insert", "update", "delete", "drop", "truncate", "exec", "execute", "declare", "print", "merge",
        "create", "alter", "with",
    ];
    // `UNION SELECT`, `WHEN MATCHED THEN UPDATE`, `ON DELETE CASCADE`, `AFTER INSERT`, `GRANT SELECT`, `BULK INSERT`.
    const GOES_ON: [&str; 17] = [
        "union",
        "all",
        "except",
        "intersect",
        "as",
        "then",
        "on",
        "for",
        "after",
        "of",
        "grant",
        "revoke",
        "deny",
        "bulk",
        "with",
        "or",
        "alter",
    ];
    let token = &tokens[at];
    let word = BEGINS.into_iter().find(|word| token.is(text, word))?;
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    let goes_on = |before: &Token| before.is_sign(',') || GOES_ON.iter().any(|word| before.is(text, word));
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(text, word));
    let opens = |at: usize| tokens.get(at).is_some_and(|token| token.is_sign('('));
    if before.is_some_and(goes_on) {
        return (word == "select").then_some((word, false));
    }
    match word {
        // `WITH (NOLOCK)`, `WITH RECOMPILE` and their like say how.
        "with" => (opens(at + 2) || (is(at + 2, "as") && opens(at + 3))).then_some((word, true)),
        // `IF UPDATE(column)` asks.
        "update" if opens(at + 1) => None,
        // What it makes has no statements in it.
        "create" if is(at + 1, "table") => Some(("create table", true)),
        word => Some((word, true)),
    }
}

/// Token runs between semicolons, and between lines that hold nothing but GO.
fn runs(text: &str, tokens: &[Token], free: bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    for (at, token) in tokens.iter().enumerate() {
        if at < start {
            continue;
        }
        let runs_it = token.is(text, "go") || (token.is_sign('/') && begins(text, tokens.get(at + 1)));
        if token.is_sign(';') || (runs_it && alone_on_line(text, token)) {
            runs.push(start..at);
            // GO may say how often.
            let counted = |next: &Token| next.kind == Kind::Number && !text[token.at.end..next.at.start].contains('\n');
            start = at + 1 + usize::from(tokens.get(at + 1).is_some_and(counted));
        } else if fetches(text, &tokens[at..])
            || (at > start && tries(text, &tokens[at - 1..]))
            || (free && at > start && stands_alone(text, &tokens[at - 1..]))
        {
            runs.push(start..at);
            start = at;
        }
    }
    runs.push(start..tokens.len());
    // Oracle's `/` and MySQL's `//` stand for a semicolon and say nothing.
    runs.retain(|run| !run.clone().all(|at| tokens[at].is_sign('/')));
    runs
}

/// Whether a statement may begin with `next`, or nothing follows: what stands before a slash is no dividend then.
fn begins(text: &str, next: Option<&Token>) -> bool {
    next.is_none_or(|next| next.kind == Kind::Word && is_any("statement", next.of(text)))
}

/// `FETCH NEXT FROM cursor`, which a grammar takes for the end of the statement before it.
fn fetches(text: &str, tokens: &[Token]) -> bool {
    const WHICH: [&str; 4] = ["next", "prior", "first", "last"];
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(text, word));
    is(0, "fetch") && WHICH.iter().any(|word| is(1, word)) && is(2, "from")
}

/// `BEGIN TRY` behind a statement, where a grammar takes BEGIN for an alias; behind AS it is a procedure's body.
fn tries(text: &str, tokens: &[Token]) -> bool {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(text, word));
    !is(0, "as") && is(1, "begin") && (is(2, "try") || is(2, "catch"))
}

/// A line of T-SQL whose first word a grammar takes for an alias of what stands before it: the second of `tokens`.
fn stands_alone(text: &str, tokens: &[Token]) -> bool {
    let is =
        |at: usize, words: &[&str]| tokens.get(at).is_some_and(|token| words.iter().any(|word| token.is(text, word)));
    let ends_line = || tokens.get(2).is_none_or(|next| next.begins_line(text));
    let transaction = ["tran", "transaction", "work", "distributed"];
    let holds = tokens[0].is_sign(',') || is(0, &["with", "revoke", "grant", "deny", "as"]);
    let begins = match tokens[1].of(text).to_ascii_lowercase().as_str() {
        "commit" | "rollback" => ends_line() || is(2, &transaction),
        "save" | "begin" => is(2, &transaction),
        "waitfor" => is(2, &["delay", "time"]),
        "update" => is(2, &["statistics"]),
        "return" | "checkpoint" => ends_line(),
        "goto" | "grant" | "revoke" | "deny" => tokens.get(2).is_some_and(|next| next.kind == Kind::Word),
        "kill" => tokens.get(2).is_some_and(|next| next.kind == Kind::Number),
        _ => false,
    };
    begins && !holds && tokens[1].kind == Kind::Word && tokens[1].begins_line(text)
}

/// Whether a T-SQL statement that moves rows certainly begins with token `at`, wherever in a line it stands.
pub(super) fn begins_moving(text: &str, tokens: &[Token], at: usize) -> bool {
    let moves = |word: &str| matches!(word, "select" | "insert" | "update" | "delete" | "merge" | "truncate");
    beginning(text, tokens, at).is_some_and(|(word, begins)| begins && moves(word))
}

/// The tokens in which a definition says what it defines: those of what it holds may be very many.
fn head(run: &Range<usize>) -> Range<usize> {
    const HEAD: usize = 1_000;
    run.start..run.end.min(run.start + HEAD)
}

fn alone_on_line(text: &str, token: &Token) -> bool {
    let after = || text[token.at.end..].split('\n').next().unwrap_or("");
    token.begins_line(text) && after().trim().chars().all(|c| c.is_ascii_digit())
}

struct Splitter<'t> {
    text: &'t str,
    tokens: &'t [Token],
    pieces: Vec<Piece>,
    in_body: bool,
    /// Whether statements may follow each other without semicolons.
    free: bool,
    declaring: bool,
    /// Inside an Oracle package, whose routines stand without CREATE.
    in_package: bool,
    /// The tokens that are bodies in dollars.
    dollars: Vec<usize>,
    /// The last condition that no THEN ends, up to the end of its run.
    unended: Option<Unended>,
}

/// A condition that nothing ends before token `end`; token `at` stands `depth` levels deep as seen from it.
struct Unended {
    end: usize,
    at: usize,
    depth: i32,
}

impl Splitter<'_> {
    fn word(&self, at: usize) -> String {
        match self.tokens.get(at) {
            Some(token) if token.kind == Kind::Word => token.of(self.text).to_ascii_lowercase(),
            _ => String::new(),
        }
    }

    /// Takes off what surrounds a statement until the statement itself is left.
    fn open(&mut self, run: Range<usize>) {
        let mut rest = run;
        while let Some(next) = self.take_off(&rest) {
            rest = next;
        }
    }

    /// One layer less; `None` when nothing is left to take off.
    fn take_off(&mut self, run: &Range<usize>) -> Option<Range<usize>> {
        if run.is_empty() {
            return None;
        }
        let after = |count: usize| Some((run.start + count).min(run.end)..run.end);
        // Oracle's and MySQL's end of a block.
        if self.tokens[run.start].is_sign('/') {
            return after(1);
        }
        let (first, second) = (self.word(run.start), self.word(run.start + 1));
        if self.declaring && !BLOCKS.contains(&first.as_str()) && !is_any("statement", &first) {
            self.pieces.push(Piece::Declaration(run.clone()));
            return None;
        }
        self.declaring = false;
        match first.as_str() {
            "begin" if matches!(second.as_str(), "transaction" | "tran" | "work" | "distributed") => {
                self.next_beginning(run).map(|at| at..run.end)
            }
            _ if self.free && self.tokens.get(run.start + 1).is_some_and(|t| t.is_sign(':')) => after(2),
            "begin" if matches!(second.as_str(), "try" | "catch" | "not" | "atomic") => after(2),
            "begin" | "else" | "loop" | "repeat" => after(1),
            "do" if self.dollar(run).is_none() => after(1),
            "end" => after(if matches!(second.as_str(), "if" | "loop" | "while" | "case" | "try" | "catch" | "for") {
                2
            } else {
                1
            }),
            "if" | "elseif" | "elsif" | "while" | "when" | "exception" | "for" | "until" | "case" => {
                self.condition(run)
            }
            "explain" if self.explained(run).is_some() => self.explained(run),
            "return" if second == "query" => after(2),
            "declare" if !self.tokens[run.clone()].iter().any(|t| t.is(self.text, "table")) => self.declaration(run),
            "do" => self.bodies(run),
            "create" | "alter" => self.definition(run),
            "procedure" | "function" if self.in_package => self.routine(run, run.start),
            "set" if self.sets_schema(run) => {
                self.pieces.push(Piece::Statement(run.clone(), self.in_body));
                None
            }
            "execute" | "exec" => self.execution(run),
            "prepare" if self.word(run.start + 2) == "from" => {
                self.pieces.push(Piece::Dynamic(run.clone()));
                None
            }
            "prepare" if self.prepared(run).is_some() => self.prepared(run),
            // T-SQL needs no semicolon behind these.
            "delimiter" | "set" | "print" | "raiserror" | "throw" | "commit" | "rollback" | "close" | "deallocate"
            | "fetch" | "open" => {
                let next = self.next_line_statement(run);
                self.pieces.push(Piece::Glue(run.start..next.unwrap_or(run.end)));
                next.map(|at| at..run.end)
            }
            "save" | "goto" if self.free => self.idle(run),
            word if is_any("idle", word) && self.free => self.idle(run),
            word if is_any("idle", word) || self.is_assignment(run) || self.is_end_label(run) => {
                self.pieces.push(Piece::Glue(run.clone()));
                None
            }
            _ => {
                self.pieces.push(Piece::Statement(run.clone(), self.in_body));
                None
            }
        }
    }

    /// `EXPLAIN ANALYZE INSERT …` runs what it explains.
    fn explained(&self, run: &Range<usize>) -> Option<Range<usize>> {
        let changes = |word: &str| matches!(word, "insert" | "update" | "delete" | "merge" | "create");
        let inner = self.outer_word(run, 1, changes)?;
        let head = run.start + 1..inner;
        let runs = head.clone().any(|at| matches!(self.word(at).as_str(), "analyze" | "analyse"));
        let directly = head.len() <= 2 || self.tokens[inner - 1].is_sign(')');
        (runs && directly).then_some(inner..run.end)
    }

    /// PostgreSQL's `PREPARE q (types) AS INSERT …` holds a statement that changes a table.
    fn prepared(&self, run: &Range<usize>) -> Option<Range<usize>> {
        let inner = self.outer_word(run, 2, |word| word == "as").filter(|at| *at < run.start + 40)? + 1;
        let changes = matches!(self.word(inner).as_str(), "insert" | "update" | "delete" | "merge");
        changes.then_some(inner..run.end)
    }

    /// `SET search_path = …` says where unqualified tables lie.
    fn sets_schema(&self, run: &Range<usize>) -> bool {
        (run.start + 1..run.end.min(run.start + 3)).any(|at| self.word(at) == "search_path")
    }

    fn dollar(&self, run: &Range<usize>) -> Option<usize> {
        let next = self.dollars.partition_point(|at| *at < run.start);
        self.dollars.get(next).copied().filter(|at| *at < run.end)
    }

    fn is_assignment(&self, run: &Range<usize>) -> bool {
        let sign = |at: usize, c| self.tokens.get(at).is_some_and(|t: &Token| t.is_sign(c));
        let named = self.tokens[run.start].kind == Kind::Word && !is_any("statement", &self.word(run.start));
        let plain = sign(run.start + 1, '=') || (sign(run.start + 1, ':') && sign(run.start + 2, '='));
        named && self.in_body && plain && run.len() > 2
    }

    fn is_end_label(&self, run: &Range<usize>) -> bool {
        run.len() == 1 && self.tokens[run.start].kind == Kind::Word && !is_any("statement", &self.word(run.start))
    }

    /// `IF … THEN rest`, `WHILE … DO rest`, and T-SQL's `IF … SELECT`.
    fn condition(&mut self, run: &Range<usize>) -> Option<Range<usize>> {
        let end = self.condition_end(run);
        // Looked for only where it matters: conditions may stand within each other by the thousand.
        let statement =
            || self.outer_word(run, 1, |word| word != "table" && is_any("statement", word)).unwrap_or(run.end);
        let cut = match end {
            // T-SQL's `WHILE x DELETE …` may be followed by a block that is not its own.
            Some(at) if self.word(at) == "begin" => at.min(statement()),
            Some(at) => at + 1,
            None => statement(),
        };
        self.pieces.push(Piece::Glue(run.start..cut));
        Some(cut..run.end)
    }

    /// The THEN of a condition. Where one has none, those on its level behind it have none either: they may be
    /// thousands, and none of them looks again.
    fn condition_end(&mut self, run: &Range<usize>) -> Option<usize> {
        if let Some(mut last) = self.unended.take().filter(|last| last.end == run.end && last.at <= run.start) {
            let before = &self.tokens[last.at..run.start];
            last.depth = before.iter().fold(last.depth, |depth, token| self.depth_behind(token, depth));
            last.at = run.start;
            if last.depth == 0 {
                self.unended = Some(last);
                return None;
            }
        }
        let end = self.outer_word(run, 1, |word| matches!(word, "then" | "do" | "loop" | "begin"));
        if end.is_none() {
            self.unended = Some(Unended { end: run.end, at: run.start, depth: 0 });
        }
        end
    }

    /// How deep in parentheses and CASEs the text is behind `token`.
    fn depth_behind(&self, token: &Token, depth: i32) -> i32 {
        match token.kind {
            Kind::Sign('(') => depth + 1,
            Kind::Sign(')') => depth - 1,
            Kind::Word if token.is(self.text, "case") => depth + 1,
            Kind::Word if token.is(self.text, "end") && depth > 0 => depth - 1,
            _ => depth,
        }
    }

    fn declaration(&mut self, run: &Range<usize>) -> Option<Range<usize>> {
        let begin = self.outer_word(run, 1, |word| word == "begin");
        let next = begin.or_else(|| self.next_line_statement(run));
        self.declaring = next.is_none();
        self.pieces.push(Piece::Declaration(run.start..next.unwrap_or(run.end)));
        next.map(|at| at..run.end)
    }

    /// T-SQL goes on without a semicolon: the first line of `run` behind its first that begins a statement.
    fn next_line_statement(&self, run: &Range<usize>) -> Option<usize> {
        let mut depth = 0i32;
        (run.start + 1..run.end).find(|at| {
            depth += i32::from(self.tokens[*at].is_sign('(')) - i32::from(self.tokens[*at].is_sign(')'));
            if depth > 0 {
                return false;
            }
            let word = self.word(*at);
            self.tokens[*at].begins_line(self.text) && (is_any("statement", &word) || BLOCKS.contains(&word.as_str()))
        })
    }

    /// A statement that moves no rows, which the next one may follow without a semicolon.
    fn idle(&mut self, run: &Range<usize>) -> Option<Range<usize>> {
        let next = self.next_beginning(run);
        self.pieces.push(Piece::Glue(run.start..next.unwrap_or(run.end)));
        next.map(|at| at..run.end)
    }

    /// The first line of `run` behind its first that certainly begins a statement: what is granted may stand there too.
    fn next_beginning(&self, run: &Range<usize>) -> Option<usize> {
        let begins = |at: usize| {
            let word = self.word(at);
            let other = BLOCKS.contains(&word.as_str())
                || (is_any("idle", &word) && word != "set")
                || ["use", "disable", "enable", "dbcc", "backup", "restore"].contains(&word.as_str());
            beginning(self.text, self.tokens, at).is_some_and(|(_, begins)| begins) || other
        };
        (run.start + 1..run.end).find(|at| self.tokens[*at].begins_line(self.text) && begins(*at))
    }

    fn bodies(&mut self, run: &Range<usize>) -> Option<Range<usize>> {
        let language = self.language(run);
        let mut bodies: Vec<usize> = self.dollars.iter().copied().filter(|at| run.contains(at)).collect();
        if bodies.is_empty() {
            bodies.extend(self.quoted_body(run));
        }
        for at in bodies {
            self.pieces.push(match &language {
                Some(language) => Piece::Foreign(at, language.clone()),
                None => Piece::Body(at),
            });
        }
        None
    }

    /// The language of a routine, where it is none that SQL is read in.
    fn language(&self, run: &Range<usize>) -> Option<String> {
        let at = run.clone().find(|at| self.word(*at) == "language")?;
        let language = match self.tokens.get(at + 1)?.kind {
            Kind::Text => self.tokens[at + 1].of(self.text).trim_matches('\'').to_lowercase(),
            _ => self.word(at + 1),
        };
        (!matches!(language.as_str(), "" | "sql" | "plpgsql" | "plsql" | "pltsql" | "sql_scalar")).then_some(language)
    }

    /// `AS 'begin … end'`: a body in plain quotes; one word is the name of a class.
    fn quoted_body(&self, run: &Range<usize>) -> Option<usize> {
        let says = |token: &Token| token.kind == Kind::Text && token.of(self.text).trim().contains(char::is_whitespace);
        let text = |at: usize| self.tokens.get(at).is_some_and(says);
        head(run).find(|at| self.tokens[*at].is(self.text, "as") && text(at + 1)).map(|at| at + 1)
    }

    /// CREATE PROCEDURE, FUNCTION, TRIGGER and TASK hold statements; the rest are statements.
    fn definition(&mut self, run: &Range<usize>) -> Option<Range<usize>> {
        if let Some(next) = self.package(run) {
            return Some(next);
        }
        let head = (run.start + 1..run.end.min(run.start + 6)).find(|at| {
            matches!(
                self.word(*at).as_str(),
                "procedure" | "proc" | "function" | "trigger" | "task" | "macro" | "event"
            )
        });
        let other = (run.start + 1..run.end.min(run.start + 6)).find(|at| {
            matches!(self.word(*at).as_str(), "table" | "view" | "schema" | "database" | "stream" | "index")
        });
        match (head, other) {
            (Some(head), other) if other.is_none_or(|other| other > head) && !self.makes_rows(run) => {
                self.routine(run, head)
            }
            _ => {
                self.pieces.push(Piece::Statement(run.clone(), self.in_body));
                None
            }
        }
    }

    /// `CREATE PACKAGE [BODY] name AS`: what follows are its routines.
    fn package(&mut self, run: &Range<usize>) -> Option<Range<usize>> {
        let between = |word: &str| matches!(word, "or" | "replace" | "editionable" | "noneditionable");
        let at = (run.start + 1..run.end).find(|at| !between(&self.word(*at)))?;
        if self.word(at) != "package" {
            return None;
        }
        let at = (run.start..run.end).find(|at| matches!(self.word(*at).as_str(), "as" | "is"))?;
        (self.in_package, self.in_body) = (true, true);
        Some(at + 1..run.end)
    }

    /// A function whose rows are those of one query: `AS TABLE SELECT …`, `RETURNS TABLE AS RETURN (SELECT …)`.
    fn makes_rows(&self, run: &Range<usize>) -> bool {
        let is = |at: usize, word: &str| self.tokens.get(at).is_some_and(|token| token.is(self.text, word));
        let behind = |word: &str, next: &str| head(run).any(|at| is(at, word) && is(at + 1, next));
        behind("as", "table") || (behind("returns", "table") && behind("as", "return"))
    }

    fn routine(&mut self, run: &Range<usize>, head: usize) -> Option<Range<usize>> {
        self.pieces.push(Piece::Routine(head..run.end));
        if self.dollar(run).is_some() || self.quoted_body(run).is_some() {
            return self.bodies(run);
        }
        if let Some(only) = self.only_statement(run, head) {
            self.in_body = true;
            return Some(only);
        }
        let opens = |at: usize| matches!(self.word(at).as_str(), "as" | "is" | "do");
        let begins = |at: usize| is_any("statement", &self.word(at)) || BLOCKS.contains(&self.word(at).as_str());
        let begin = self.outer_word(run, head - run.start, |word| word == "begin");
        // What stands behind BEGIN is the body, whatever it says of its own with AS.
        let body = (head..begin.unwrap_or(run.end)).find(|at| opens(*at) && begins(at + 1));
        // MySQL's and Oracle's SELECT INTO fills variables; T-SQL, whose procedures say AS BEGIN, makes tables by it.
        self.in_body |= body.is_none_or(|at| self.word(at) == "is");
        if let Some(at) = body {
            return Some(at + 1..run.end);
        }
        if let Some(at) = begin.or_else(|| self.plain_body(run, head)) {
            return Some(at..run.end);
        }
        // Oracle declares variables between IS and BEGIN.
        let is = (head..run.end).find(|at| matches!(self.word(*at).as_str(), "as" | "is"));
        self.declaring = is.is_some();
        self.pieces.push(Piece::Glue(run.start..is.unwrap_or(run.end)));
        self.pieces.extend(is.map(|is| Piece::Declaration(is + 1..run.end)));
        None
    }

    /// MySQL's `CREATE PROCEDURE p() INSERT …`: one statement without BEGIN.
    fn plain_body(&self, run: &Range<usize>, head: usize) -> Option<usize> {
        let changes = |word: &str| matches!(word, "insert" | "update" | "delete" | "replace" | "truncate");
        let says_as = || (head..run.end).any(|at| matches!(self.word(at).as_str(), "is" | "returns"));
        if self.word(head) != "procedure" || says_as() {
            return None;
        }
        self.outer_word(run, head - run.start + 1, changes)
    }

    /// MySQL's `CREATE TRIGGER … FOR EACH ROW [FOLLOWS other] INSERT …`: one statement without BEGIN.
    fn only_statement(&self, run: &Range<usize>, trigger: usize) -> Option<Range<usize>> {
        if self.word(trigger) != "trigger" {
            return None;
        }
        let each = (trigger..run.end.min(trigger + 40)).find(|at| self.word(*at) == "each")?;
        let orders = matches!(self.word(each + 2).as_str(), "follows" | "precedes");
        let first = each + if orders { 4 } else { 2 };
        let changes = matches!(self.word(first).as_str(), "insert" | "update" | "delete" | "replace");
        changes.then_some(first..run.end)
    }

    /// EXEC of a string is dynamic; EXEC of a procedure is a call.
    fn execution(&mut self, run: &Range<usize>) -> Option<Range<usize>> {
        if (run.start + 1..run.end.min(run.start + 4)).any(|at| self.word(at) == "sp_rename") {
            self.pieces.push(Piece::Statement(run.clone(), self.in_body));
            return None;
        }
        let tail = &self.tokens[run.start + 1..run.end];
        let immediate = self.word(run.start + 1) == "immediate";
        // `EXEC (…)` runs a text, whatever it is put together of: a call has no parentheses.
        let in_parentheses = tail.first().is_some_and(|first| first.is_sign('('));
        let text_first = tail.iter().find(|t| !t.is_sign('(')).is_some_and(|t| {
            let word = t.of(self.text);
            t.kind == Kind::Text || t.kind == Kind::Dollar || word.starts_with('@') || t.is(self.text, "format")
        });
        let by_procedure = tail.iter().any(|t| t.is(self.text, "sp_executesql"));
        let in_plpgsql = self.in_body && !tail.iter().any(|t| t.is(self.text, "procedure"));
        let dynamic = immediate || in_parentheses || text_first || by_procedure || in_plpgsql;
        // A call may be followed by further statements where no semicolon is needed.
        let next = self.next_line_statement(run);
        let end = next.unwrap_or(run.end);
        self.pieces.push(if dynamic { Piece::Dynamic(run.start..end) } else { Piece::Glue(run.start..end) });
        next.map(|at| at..run.end)
    }

    /// The first word outside parentheses and CASE, `skip` tokens in, that `wanted` accepts.
    fn outer_word(&self, run: &Range<usize>, skip: usize, wanted: impl Fn(&str) -> bool) -> Option<usize> {
        let mut depth = 0i32;
        for at in (run.start + skip).min(run.end)..run.end {
            let token = &self.tokens[at];
            // `IF UPDATE(column)` of a trigger asks, it changes nothing.
            let asks = |word: &str| word == "update" && self.tokens.get(at + 1).is_some_and(|next| next.is_sign('('));
            if depth == 0 && token.kind == Kind::Word {
                let word = self.word(at);
                if !asks(&word) && wanted(&word) {
                    return Some(at);
                }
            }
            depth = self.depth_behind(token, depth);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::sql::{dialect::Dialect, lexer::lex};

    fn shown(text: &str, dialect: &str) -> Vec<String> {
        let tokens = lex(text, Dialect::named(dialect).unwrap().rules());
        let cut = |run: &Range<usize>| text[tokens[run.start].at.start..tokens[run.end - 1].at.end].to_owned();
        let show = |piece: &Piece| match piece {
            Piece::Statement(run, _) => cut(run),
            Piece::Glue(run) | Piece::Declaration(run) => format!("glue: {}", cut(run)),
            Piece::Routine(_) => String::new(),
            Piece::Dynamic(run) => format!("dynamic: {}", cut(run)),
            Piece::Body(at) => format!("body: {}", tokens[*at].of(text)),
            Piece::Foreign(at, language) => format!("{language}: {}", tokens[*at].of(text)),
        };
        pieces(text, &tokens, false, false)
            .iter()
            .filter(|p| !matches!(p, Piece::Glue(r) | Piece::Declaration(r) if r.is_empty()))
            .filter(|p| !matches!(p, Piece::Routine(_)))
            .map(show)
            .collect()
    }

    #[test]
    fn semicolons_in_strings_cut_nothing() {
        assert_eq!(shown("select ';' ; -- ;\n select 2", "ansi"), ["select ';'", "select 2"]);
    }

    #[test]
    fn a_procedure_is_opened() {
        let text = "create or replace procedure p() begin insert into a select 1; if x then delete from b; end if; end";
        assert_eq!(shown(text, "bigquery"), ["insert into a select 1", "glue: if x then", "delete from b"]);
        let text = "create function f() returns void as $$ insert into a select 1 $$ language sql";
        assert_eq!(shown(text, "postgres"), ["body: $$ insert into a select 1 $$"]);
    }

    #[test]
    fn a_text_in_dollars_within_a_block_is_no_body_of_it() {
        let text = "create procedure p() as $b$ begin execute format($n$ select 1 from %s $n$, t) into v; if v then \
                    execute v; else execute format($n$ delete from a $n$); end if; end $b$ language plpgsql";
        let body =
            "begin execute format($n$ x $n$, t) into v; if v then f(); else execute format($n$ y $n$); end if; end";
        assert_eq!(shown(text, "postgres").len(), 1, "the procedure is one body");
        assert_eq!(
            shown(body, "postgres"),
            [
                "dynamic: execute format($n$ x $n$, t) into v",
                "glue: if v then",
                "f()",
                "dynamic: execute format($n$ y $n$)"
            ]
        );
    }

    #[test]
    fn a_long_run_is_cut_where_statements_certainly_begin() {
        let one = "insert into a.b (c)\nselect d from e\nwith f as (\nselect 1 x\n)\ninsert into g select x from f\n";
        let text = one.repeat(60);
        let tokens = lex(&text, Dialect::named("tsql").unwrap().rules());
        let cut = chunks(&text, &tokens, 0..tokens.len(), false);
        assert!(cut.len() > 5, "{}", cut.len());
        assert!(cut.iter().all(|chunk| tokens[chunk.start].is(&text, "insert") && chunk.len() < 2 * CHUNK));
        assert!(cut.iter().all(|chunk| tokens[chunk.start + 3].of(&text) == "." || chunk.start == 0));
    }

    /// The first words of the chunks that `one`, written `times` over, is cut into.
    fn cut_anywhere(one: &str, times: usize) -> Vec<String> {
        let text = one.repeat(times);
        let tokens = lex(&text, Dialect::named("tsql").unwrap().rules());
        let cut = chunks(&text, &tokens, 0..tokens.len(), true);
        assert!(cut.iter().all(|chunk| chunk.len() < 2 * CHUNK), "{one}");
        cut.iter().map(|chunk| tokens[chunk.start].of(&text).to_owned()).collect()
    }

    #[test]
    fn statements_of_one_line_are_cut_whatever_they_hold() {
        for one in [
            "select a from t where b = 1 ",
            "insert into x select a from t ",
            "insert into t values (1, 2) ",
            "with c as (select a from t) insert into x select a from c ",
            "create table t (a int) ",
            "merge t using u on t.a = u.a when matched then update set b = 1 when not matched then insert (a) values (1) ",
        ] {
            let firsts = cut_anywhere(one, 100);
            assert!(firsts.len() > 3, "{one}: {}", firsts.len());
            assert!(firsts.iter().all(|first| one.starts_with(first)), "{one}: {firsts:?}");
        }
    }

    #[test]
    fn what_goes_on_with_a_word_that_begins_statements_is_not_cut() {
        for one in [
            "grant select, insert, update, delete on t to u ",
            "alter table t add constraint f foreign key (a) references u (a) on delete cascade on update cascade ",
            "select a from t union all select b from u with (nolock) ",
        ] {
            let text = format!("select 1 {}", one.repeat(60));
            let tokens = lex(&text, Dialect::named("tsql").unwrap().rules());
            let cut = chunks(&text, &tokens, 0..tokens.len(), true);
            let begins = |chunk: &Range<usize>| chunk.start == 0 || tokens[chunk.start].is(&text, one[..6].trim_end());
            assert!(cut.iter().all(begins), "{one}");
        }
    }

    #[test]
    fn a_package_is_opened_and_a_table_called_so_is_none() {
        let text =
            "create or replace package body p as procedure q is begin insert into a select 1 from b; end q; end p;";
        assert_eq!(shown(text, "oracle"), ["insert into a select 1 from b", "glue: q", "glue: p"]);
        let text = "create table package as select 1 x";
        assert_eq!(shown(text, "oracle"), [text]);
    }

    #[test]
    fn what_is_built_at_run_time_is_dynamic() {
        assert_eq!(
            shown("execute immediate 'drop table x'", "bigquery"),
            ["dynamic: execute immediate 'drop table x'"]
        );
        assert_eq!(shown("exec(@sql)", "tsql"), ["dynamic: exec(@sql)"]);
        assert_eq!(shown("exec dbo.load_orders", "tsql"), ["glue: exec dbo.load_orders"]);
    }
}
