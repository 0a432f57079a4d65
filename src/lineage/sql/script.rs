//! A whole script's text into statements: each is read by itself, so that one failure costs one statement.
use std::ops::Range;

use super::{
    address::file_of,
    clickhouse_words::plainer,
    dialect::Dialect,
    doing::{Doing, Rest, Target},
    harmless::is_harmless,
    help::{
        blanked, without_first_from, without_first_into, without_last_into, without_only, without_stream, without_top,
    },
    hyphens::hyphenated,
    ir::{Bytes, Fill, Stmt},
    lexer::{Kind, Token, lex},
    literals::{Literals, body},
    lower::Lower,
    mysql_client,
    parse::{Parsed, parse_as},
    pivot_group::grouped,
    pivot_statement::pivoted,
    quoted_body::undoubled,
    rearrange::{outfile, rearranged},
    scan::scan,
    shape::{shaped, string_of},
    splice::Splice,
    split::{Piece, pieces},
    triggers::mark_triggers,
    variables::Declared,
    with_expression::named_expressions,
    words::is_any,
};
use crate::{
    diagnostics::{Code, CodeEntry},
    lineage::{Access, Coverage},
    vocab::shortened,
};

/// Parentheses and CASEs within each other beyond which a statement is only scanned.
const MAX_NESTING: usize = 250;
/// Characters of a complaint that are told.
const SHOWN: usize = 120;
/// Operators in one statement beyond which it is only scanned.
const MAX_OPERATORS: usize = 20_000;
/// Scripts quoted in scripts beyond which a body is not opened.
pub(super) const MAX_BODIES: usize = 4;

/// What reading one script's text yields.
#[derive(Clone, Debug)]
pub(in crate::lineage) struct ScriptSql {
    /// The statements, in order.
    pub(in crate::lineage) stmts: Vec<Stmt>,
    /// Faults, placed in the rendered text.
    pub(in crate::lineage) notes: Vec<Note>,
    /// How much was understood.
    pub(in crate::lineage) coverage: Coverage,
    /// The statements that a grammar took only after a rewrite, by their bytes in the rendered text.
    pub(in crate::lineage) helped: Vec<Bytes>,
    /// Statements put together at run time.
    pub(in crate::lineage) dynamic: u32,
    /// The dialect it was read in.
    pub(in crate::lineage) dialect: Dialect,
}

impl ScriptSql {
    /// Nothing read yet.
    fn new(dialect: Dialect) -> Self {
        ScriptSql {
            stmts: Vec::new(),
            notes: Vec::new(),
            coverage: Coverage::default(),
            helped: Vec::new(),
            dynamic: 0,
            dialect,
        }
    }
}

/// A fault placed in the rendered text.
#[derive(Clone, Debug)]
pub(in crate::lineage) struct Note {
    /// Which fault.
    pub(in crate::lineage) code: Code,
    /// Where.
    pub(in crate::lineage) at: Bytes,
    /// What is wrong here.
    pub(in crate::lineage) here: String,
}

/// Reads `text` in the dialect `declared`, or in the one its signs tell.
pub(in crate::lineage) fn read_text(text: &str, declared: Option<Dialect>) -> ScriptSql {
    let dialect = declared.unwrap_or_else(|| Dialect::detected(text));
    let plain = match dialect.name() {
        "clickhouse" => plainer(text, &lex(text, dialect.rules())),
        "mysql" | "generic" => mysql_client::plainer(text),
        _ => None,
    };
    let text = plain.as_deref().unwrap_or(text);
    let mut sql = ScriptSql::new(dialect);
    sql.coverage.scripts = 1;
    let (literals, declared) = (Literals::default(), Declared::default());
    Reader { text, dialect, sql: &mut sql, literals, declared }.range(0..text.len(), false, 0);
    sql
}

/// The statements of `text`, where it holds nothing but statements; `None` where blocks surround some of them.
pub(in crate::lineage) fn whole_statements(text: &str, dialect: Dialect) -> Option<Vec<Bytes>> {
    let tokens = lex(text, dialect.rules());
    let mut seen = tokens.iter().filter(|token| token.is_sign(';')).count();
    let mut ranges = Vec::new();
    for piece in pieces(text, &tokens, false, dialect.semicolon_free()) {
        let (Piece::Statement(run, _) | Piece::Glue(run) | Piece::Declaration(run)) = piece else { return None };
        if run.is_empty() || too_deep(text, &tokens[run.clone()]).is_some() {
            return None;
        }
        seen += run.len();
        ranges.push(tokens[run.start].at.start..tokens[run.end - 1].at.end);
    }
    (seen == tokens.len()).then_some(ranges)
}

/// Reads one text, piece by piece.
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) dialect: Dialect,
    pub(super) sql: &'t mut ScriptSql,
    /// Strings that the script gives to variables.
    pub(super) literals: Literals,
    /// Variables and parameters.
    pub(super) declared: Declared,
}

impl Reader<'_> {
    pub(super) fn range(&mut self, range: Range<usize>, in_body: bool, depth: usize) {
        let mut tokens = lex(&self.text[range.clone()], self.dialect.rules());
        for token in &mut tokens {
            token.at = token.at.start + range.start..token.at.end + range.start;
        }
        let first = self.sql.stmts.len();
        for piece in pieces(self.text, &tokens, in_body, self.dialect.semicolon_free()) {
            let read = self.sql.stmts.len();
            self.piece(piece, &tokens, depth);
            self.declared.tell(&mut self.sql.stmts[read..]);
        }
        mark_triggers(self.text, &tokens, &mut self.sql.stmts[first..]);
        let inside = if in_body { Some(range) } else { procedure(self.text, &tokens) };
        let Some(inside) = inside else { return };
        // The rows that a procedure's query yields go to whoever calls it.
        let queries = self.sql.stmts[first..].iter_mut().filter(|stmt| inside.contains(&stmt.at.start));
        for stmt in queries.filter(|stmt| stmt.kind == "select" || (stmt.scanned && !stmt.writes())) {
            stmt.kind = "query";
        }
    }

    fn piece(&mut self, piece: Piece, tokens: &[Token], depth: usize) {
        match piece {
            Piece::Statement(run, in_body) => self.statements(&tokens[run], in_body),
            Piece::Routine(run) => self.declared.routine(self.text, &tokens[run]),
            Piece::Declaration(run) => {
                self.declared.declaration(self.text, &tokens[run.clone()]);
                self.piece(Piece::Glue(run), tokens, depth);
            }
            Piece::Glue(run) => {
                self.declared.glue(self.text, &tokens[run.clone()]);
                self.literals.assign(self.text, &tokens[run.clone()]);
                // FETCH reads a cursor, whose query was read where it is declared; REVOKE takes rights from people.
                let unread = tokens.get(run.start).is_some_and(|token| is_any("unread", token.of(self.text)));
                let stmt = scan(self.text, if unread { &[] } else { &tokens[run] }, true, false);
                if !stmt.touches.is_empty() {
                    self.sql.stmts.push(stmt);
                }
            }
            Piece::Dynamic(run) => self.dynamic(&tokens[run], depth),
            Piece::Foreign(at, language) => self.foreign_body(&tokens[at], &language),
            Piece::Body(at) if depth < MAX_BODIES => {
                let token = &tokens[at];
                match token.kind {
                    Kind::Dollar => self.body(body(self.text, token), depth),
                    _ => {
                        let folded = self.literals.fold(self.text, std::slice::from_ref(token));
                        match folded.as_ref().and_then(|folded| folded.plain.clone()) {
                            Some(inner) => self.body(inner, depth),
                            None if self.doubled_body(token, depth) => {}
                            None => self.dynamic(&tokens[at..at + 1], MAX_BODIES),
                        }
                    }
                }
            }
            Piece::Body(_) => {}
        }
    }

    /// The body of a routine, or of a block that is one.
    fn body(&mut self, inner: Range<usize>, depth: usize) {
        self.range(inner, true, depth + 1);
        self.declared.forget();
    }

    /// A body in which quotes are doubled; `false` where it is quoted in another way.
    fn doubled_body(&mut self, token: &Token, depth: usize) -> bool {
        let written = token.of(self.text);
        let plain = written.len() > 2 && written.starts_with('\'') && !written.starts_with("'''");
        let inner = token.at.start + 1..token.at.end - 1;
        let Some(body) = plain.then(|| undoubled(&self.text[inner.clone()])).flatten() else { return false };
        // Every byte is where it was, so that places in it are places in the script.
        let text = [&self.text[..inner.start], &body, &self.text[inner.end..]].concat();
        let (literals, declared) = (std::mem::take(&mut self.literals), std::mem::take(&mut self.declared));
        let mut reader = Reader { text: &text, dialect: self.dialect, sql: &mut *self.sql, literals, declared };
        reader.body(inner, depth);
        (self.literals, self.declared) = (reader.literals, reader.declared);
        true
    }

    /// One statement, or several where no semicolon parts them.
    fn statements(&mut self, mut tokens: &[Token], in_body: bool) {
        while !tokens.is_empty() {
            let behind = self.statement(tokens, in_body);
            let next = tokens.iter().position(|t| t.at.start >= behind).unwrap_or(tokens.len());
            let (_, rest) = tokens.split_at(next.max(1).min(tokens.len()));
            if rest.is_empty() {
                return;
            }
            // What follows may be wrapped in IF or BEGIN again.
            for piece in pieces(self.text, rest, in_body, self.dialect.semicolon_free()) {
                match piece {
                    Piece::Statement(run, body) if run.len() < tokens.len() => self.statements(&rest[run], body),
                    Piece::Statement(..) | Piece::Body(_) => {}
                    other => self.piece(other, rest, 0),
                }
            }
            tokens = &[];
        }
    }

    /// Reads the statement at the beginning of `tokens`; the byte behind what was read.
    fn statement(&mut self, tokens: &[Token], in_body: bool) -> usize {
        let at = tokens[0].at.start..tokens[tokens.len() - 1].at.end;
        self.sql.coverage.statements += 1;
        if let Some(why) = too_deep(self.text, tokens) {
            self.note(CodeEntry::E036, at.clone(), why);
            return self.scanned(tokens, in_body, None);
        }
        if tokens[0].is(self.text, "select") && tokens.get(1).is_some_and(|next| next.of(self.text).starts_with('@')) {
            self.literals.assign(self.text, &tokens[1..]);
        }
        if tokens[0].is(self.text, "refresh") {
            return self.refresh(tokens);
        }
        // The grammar loses the rows of `WITH … FROM x INSERT …`.
        let hive = matches!(self.dialect.name(), "hive" | "spark" | "databricks") && tokens[0].is(self.text, "with");
        if self.said_plainly(tokens) || (hive && self.rearranged(tokens)) || self.pivoted(tokens) {
            return at.end;
        }
        if let Some(end) = self.shaped(tokens, in_body, false) {
            return end;
        }
        if self.dialect.name() == "bigquery" && self.hyphenated(tokens) {
            return at.end;
        }
        if self.dialect.name() == "clickhouse" && self.named_expressions(tokens) {
            return at.end;
        }
        let plain = &self.text[at.clone()];
        // Oracle fills variables by INTO wherever it stands.
        let in_body = in_body || self.dialect.name() == "oracle";
        let plainer = self.plain_words(plain, at.start, tokens, in_body);
        let text = plainer.as_deref().unwrap_or(plain);
        match self.attempt(text, self.dialect) {
            Ok((parsed, dialect)) => {
                let stmt = self.lowered(text, &at, &parsed, dialect, in_body);
                if stmt.is_empty() && !is_harmless(&parsed.statement) {
                    return self.scanned(tokens, in_body, Some("what it does to tables is not known".to_owned()));
                }
                self.sql.coverage.parsed += 1;
                self.take(&at, parsed, stmt)
            }
            Err(why) => {
                for name in std::iter::once(self.dialect.name()).chain(self.dialect.neighbours().iter().copied()) {
                    let Some(dialect) = Dialect::named(name) else { continue };
                    let helped = blanked(text, at.start, tokens, dialect);
                    if let Some(helped) = helped
                        && let Ok((parsed, dialect)) = self.attempt(&helped, dialect)
                    {
                        self.sql.coverage.helped += 1;
                        let stmt = self.lowered(&helped, &at, &parsed, dialect, in_body);
                        self.sql.helped.push(stmt.at.clone());
                        return self.take(&at, parsed, stmt);
                    }
                }
                if self.rearranged(tokens) || self.grouped(tokens) {
                    return at.end;
                }
                match self.shaped(tokens, in_body, true) {
                    Some(end) => end,
                    None => self.scanned(tokens, in_body, Some(why)),
                }
            }
        }
    }

    /// `text`, which begins at byte `base`, with words blanked that a grammar takes for names.
    fn plain_words(&self, text: &str, base: usize, tokens: &[Token], in_body: bool) -> Option<String> {
        let plainer = without_top(text, base, tokens).or_else(|| without_first_from(text, base, tokens));
        let own = || match self.dialect.name() {
            "postgres" | "ansi" | "generic" => without_only(text, base, tokens),
            "databricks" | "spark" => without_stream(text, base, tokens),
            _ => None,
        };
        let filled = || without_last_into(text, base, tokens).or_else(|| without_first_into(text, base, tokens));
        plainer.or_else(own).or_else(|| in_body.then(filled).flatten())
    }

    /// A statement whose words are moved so that a grammar knows them; `false` where that does not help.
    fn rearranged(&mut self, tokens: &[Token]) -> bool {
        self.spliced(tokens, &rearranged(self.text, tokens))
    }

    /// A PIVOT that is a statement and lists its values; `false` for any other.
    fn pivoted(&mut self, tokens: &[Token]) -> bool {
        let may = matches!(self.dialect.name(), "duckdb" | "generic");
        let splice = may.then(|| pivoted(self.text, tokens)).flatten();
        splice.is_some_and(|splice| self.spliced(tokens, &[splice]))
    }

    /// DuckDB's pivots that say what they group by; `false` for any other statement.
    fn grouped(&mut self, tokens: &[Token]) -> bool {
        let may = matches!(self.dialect.name(), "duckdb" | "generic");
        let splice = may.then(|| grouped(self.text, tokens)).flatten();
        splice.is_some_and(|splice| self.spliced(tokens, &[splice]))
    }

    /// A statement that gives names to expressions before its SELECT; `false` for any other.
    fn named_expressions(&mut self, tokens: &[Token]) -> bool {
        let splice = named_expressions(self.text, tokens);
        splice.is_some_and(|splice| self.spliced(tokens, &[splice]))
    }

    /// A statement that changes a table with hyphens in its name; `false` for any other.
    fn hyphenated(&mut self, tokens: &[Token]) -> bool {
        let splice = hyphenated(self.text, tokens);
        splice.is_some_and(|splice| self.spliced(tokens, &[splice]))
    }

    /// Reads what a statement was put together to; `false` where not all of it is understood.
    pub(super) fn spliced(&mut self, tokens: &[Token], splices: &[Splice]) -> bool {
        let mut stmts = Vec::new();
        for splice in splices {
            let tokens = lex(&splice.text, self.dialect.rules());
            let mut nothing = ScriptSql::new(self.dialect);
            let (literals, declared) = (Literals::default(), Declared::default());
            let reader = Reader { text: &splice.text, dialect: self.dialect, sql: &mut nothing, literals, declared };
            let Some((text, parsed, dialect)) = reader.understood(&tokens, &(0..splice.text.len())) else {
                return false;
            };
            let own = splice.place(&(0..splice.text.len())).0;
            let helped = splice.with_text(text);
            stmts.push(Lower::spliced(&helped, dialect).statement(&parsed.statement, own));
        }
        if let (Some(at), [stmt]) = (outfile(self.text, tokens), stmts.as_mut_slice()) {
            let file = file_of(&string_of(tokens[at].of(self.text)));
            stmt.kind = "unload";
            stmt.files.extend(file.map(|file| (file, Access::Write, tokens[at].at.clone())));
        }
        self.sql.coverage.helped += u64::from(!stmts.is_empty());
        self.sql.helped.extend(stmts.iter().map(|stmt| stmt.at.clone()));
        self.sql.stmts.append(&mut stmts);
        !splices.is_empty()
    }

    /// A statement told by its words; `None` where it is of no known shape.
    fn shaped(&mut self, tokens: &[Token], in_body: bool, late: bool) -> Option<usize> {
        for one in shaped(self.text, tokens, self.dialect, late) {
            let own = &tokens[..one.end.max(1)];
            let mut stmt = Stmt::new("other", own[0].at.start..own[own.len() - 1].at.end);
            let doing = Doing { text: self.text, tokens, dialect: self.dialect, shaped: &one };
            let Some(rest) = doing.run(&mut stmt) else { continue };
            let end = stmt.at.end;
            let behind = &tokens[one.rest.unwrap_or(tokens.len())..];
            match rest {
                Rest::Statement => {
                    // The statement inside is the one that counts.
                    self.sql.coverage.statements -= 1;
                    if !stmt.is_empty() {
                        self.sql.stmts.push(stmt);
                    }
                    self.statements(behind, in_body);
                    return Some(end);
                }
                Rest::Nothing => self.sql.coverage.parsed += 1,
                Rest::Out => self.rest(&mut stmt, behind, None)?,
                Rest::Within(range, target) => self.rest(&mut stmt, &tokens[range], target.map(|target| *target))?,
                Rest::Said(range, target) => {
                    let Some(()) = self.said(&mut stmt, &tokens[range], *target) else { continue };
                }
                Rest::Fill(target) => self.rest(&mut stmt, behind, Some(*target))?,
            }
            self.sql.stmts.push(stmt);
            return Some(end);
        }
        None
    }

    /// The query at the end of a statement of known shape; `None` where the grammar refuses that too.
    fn rest(&mut self, stmt: &mut Stmt, tokens: &[Token], target: Option<Target>) -> Option<()> {
        let at = tokens.first()?.at.start..tokens.last()?.at.end;
        let (text, parsed, dialect) = self.understood(tokens, &at)?;
        let mut inner = Lower::new(&text, at.start, dialect, false).statement(&parsed.statement, at);
        let mut fill = inner.fills.pop().filter(|fill| fill.target.is_none())?;
        if let Some(target) = target {
            (fill.columns, fill.temp, fill.makes) = (target.columns, target.temp, target.makes);
            fill.by_name = target.by_name;
            fill.target = Some(target.name);
        }
        stmt.fills.append(&mut inner.fills);
        stmt.fills.push(fill);
        stmt.unnamed.append(&mut inner.unnamed);
        self.sql.coverage.helped += 1;
        self.sql.helped.push(stmt.at.clone());
        Some(())
    }

    /// The query that a string at `tokens` says, whose rows go to `target`; `None` where it is put together.
    fn said(&self, stmt: &mut Stmt, tokens: &[Token], target: Target) -> Option<()> {
        let folded = self.literals.fold(self.text, tokens)?;
        let deep = || too_deep(&folded.text, &lex(&folded.text, self.dialect.rules())).is_some();
        if !self.literals.may_run(&folded, tokens) || deep() {
            return None;
        }
        let (parsed, dialect) = self.attempt(&folded.text, self.dialect).ok()?;
        let mut inner = Lower::quoted(&folded.text, folded.at.clone(), dialect).statement(&parsed.statement, folded.at);
        let fill = inner.fills.pop().filter(|fill| fill.target.is_none() && parsed.rest.is_none())?;
        let Target { name, columns, temp, makes, .. } = target;
        stmt.fills.push(Fill { target: Some(name), columns, temp, makes, ..fill });
        Some(())
    }

    /// The tree of `tokens`, as they stand or with storage clauses blanked.
    fn understood(&self, tokens: &[Token], at: &Bytes) -> Option<(String, Parsed, Dialect)> {
        let text = &self.text[at.clone()];
        let plainer = self.plain_words(text, at.start, tokens, false);
        let text = plainer.as_deref().unwrap_or(text);
        if let Ok((parsed, dialect)) = self.attempt(text, self.dialect) {
            return Some((text.to_owned(), parsed, dialect));
        }
        let names = std::iter::once(self.dialect.name()).chain(self.dialect.neighbours().iter().copied());
        names.filter_map(Dialect::named).find_map(|dialect| {
            let helped = blanked(text, at.start, tokens, dialect)?;
            let (parsed, dialect) = self.attempt(&helped, dialect).ok()?;
            Some((helped, parsed, dialect))
        })
    }

    /// The grammar of `first`, then of its neighbours; the first one's complaint if none accepts.
    pub(super) fn attempt(&self, text: &str, first: Dialect) -> Result<(Parsed, Dialect), String> {
        let neighbours = || first.neighbours().iter().copied().filter_map(Dialect::named);
        // A neighbour may take for a name what is a string here, or find another end of it: it is told first.
        let minds = first.rules().double_quoted_text && text.contains(['"', '\\']);
        let told = |near: Dialect| if minds && !near.rules().double_quoted_text { first } else { near };
        let attempts = std::iter::once((first, first)).chain(neighbours().map(|near| (told(near), near)));
        let untold = neighbours().filter(|near| told(*near) != *near).map(|near| (near, near));
        let mut complaint = None;
        for (written, dialect) in attempts.chain(untold) {
            match parse_as(text, written, dialect) {
                Ok(parsed) if self.goes_on(text, &parsed) => return Ok((parsed, dialect)),
                Ok(parsed) => {
                    let rest = parsed.rest.unwrap_or(text.len());
                    let word = text[rest..].split_whitespace().next().unwrap_or_default();
                    complaint.get_or_insert(format!("unexpected `{}`", first_line(word)));
                }
                Err(why) => {
                    complaint.get_or_insert(why);
                }
            }
        }
        Err(complaint.unwrap_or_default())
    }

    /// Whether what follows the parsed statement may be another one.
    fn goes_on(&self, text: &str, parsed: &Parsed) -> bool {
        let Some(rest) = parsed.rest else { return true };
        let word: String = text[rest..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let options = word.eq_ignore_ascii_case("with") && !begins_with_query(&text[rest..]);
        let begins = !options && (is_any("statement", &word) || is_any("idle", &word));
        let glue = matches!(word.to_ascii_lowercase().as_str(), "if" | "begin" | "end" | "while" | "else");
        self.dialect.semicolon_free() && rest > 0 && (begins || glue)
    }

    fn lowered(&self, text: &str, at: &Bytes, parsed: &Parsed, dialect: Dialect, in_body: bool) -> Stmt {
        let end = parsed.rest.map_or(at.end, |rest| at.start + rest);
        let own = at.start..at.start + self.text[at.start..end].trim_end().len();
        Lower::new(text, at.start, dialect, in_body).statement(&parsed.statement, own)
    }

    fn take(&mut self, at: &Bytes, parsed: Parsed, mut stmt: Stmt) -> usize {
        // A clause that the grammar does not know lets the target take columns it lacks.
        if stmt.fills.iter().any(|fill| fill.only_known) {
            let evolves = self.text[at.clone()].to_ascii_lowercase().contains("with schema evolution");
            stmt.fills.iter_mut().for_each(|fill| fill.only_known &= !evolves);
        }
        self.sql.stmts.push(stmt);
        parsed.rest.map_or(at.end, |rest| at.start + rest)
    }

    /// REFRESH MATERIALIZED VIEW: no grammar knows it, and its words say all there is to say. What is refreshed of a
    /// table is what is remembered of it.
    fn refresh(&mut self, tokens: &[Token]) -> usize {
        let fills = |token: &Token| ["materialized", "streaming", "view"].iter().any(|word| token.is(self.text, word));
        if !tokens.get(1).is_some_and(fills) {
            self.sql.coverage.parsed += 1;
            return tokens[tokens.len() - 1].at.end;
        }
        let mut stmt = scan(self.text, tokens, false, false);
        (stmt.scanned, stmt.kind) = (false, "refresh");
        let end = stmt.at.end;
        self.sql.coverage.parsed += 1;
        self.sql.stmts.push(stmt);
        end
    }

    fn scanned(&mut self, tokens: &[Token], in_body: bool, why: Option<String>) -> usize {
        let stmt = scan(self.text, tokens, false, in_body);
        let (at, empty) = (stmt.at.clone(), stmt.touches.is_empty() && stmt.effects.is_empty());
        match empty {
            true => self.sql.coverage.not_understood += 1,
            false => self.sql.coverage.scanned += 1,
        }
        if let Some(why) = why {
            self.note(CodeEntry::E030, at.clone(), first_line(why.trim_start_matches("sql parser error: ")));
        }
        self.sql.stmts.push(stmt);
        at.end
    }

    pub(super) fn note(&mut self, code: Code, at: Bytes, here: String) {
        self.sql.notes.push(Note { code, at, here });
    }
}

/// Whether `WITH …` names a query, as `WITH a AS (…)` does, rather than options.
fn begins_with_query(text: &str) -> bool {
    let behind = text.get(4..).unwrap_or_default().trim_start();
    if behind.get(..10).is_some_and(|word| word.eq_ignore_ascii_case("recursive ")) {
        return true;
    }
    let name_end = match behind.strip_prefix('[') {
        Some(quoted) => quoted.find(']').map_or(behind.len(), |end| end + 2),
        None => behind.find(|c: char| c.is_whitespace() || "(,;".contains(c)).unwrap_or(behind.len()),
    };
    let after = behind[name_end.min(behind.len())..].trim_start();
    name_end > 0 && (after.starts_with('(') || after.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("as")))
}

/// The bytes of the procedure that `tokens` define, up to the GO behind it.
fn procedure(text: &str, tokens: &[Token]) -> Option<Bytes> {
    let is =
        |at: usize, words: &[&str]| tokens.get(at).is_some_and(|token| words.iter().any(|word| token.is(text, word)));
    if !(0..tokens.len()).any(|at| is(at, &["procedure", "proc"])) {
        return None;
    }
    let begins = |at: &usize| {
        let verb = (*at..at + 3).take_while(|at| is(*at, &["create", "alter", "or", "replace"])).count();
        verb > 0 && is(at + verb, &["procedure", "proc"])
    };
    let first = (0..tokens.len()).find(begins)?;
    let end = (first..tokens.len()).find(|at| is(*at, &["go"])).unwrap_or(tokens.len() - 1);
    Some(tokens[first].at.start..tokens[end].at.end)
}

/// Why a statement is too much for the grammar.
pub(super) fn too_deep(text: &str, tokens: &[Token]) -> Option<String> {
    let (mut depth, mut deepest, mut operators) = (0usize, 0usize, 0usize);
    let mut behind_value = false;
    for token in tokens {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
            Kind::Sign(
                '+' | '-' | '*' | '/' | '|' | '=' | '<' | '>' | '%' | '^' | '&' | '~' | '!' | '#' | '@' | '?' | ':',
            ) if behind_value => operators += 1,
            Kind::Word if token.is(text, "case") => depth += 1,
            Kind::Word if token.is(text, "end") => depth = depth.saturating_sub(1),
            Kind::Word if is_any("chain", token.of(text)) => operators += 1,
            _ => {}
        }
        deepest = deepest.max(depth);
        behind_value = !matches!(token.kind, Kind::Sign(c) if !matches!(c, ')' | ']' | '}'));
    }
    if deepest > MAX_NESTING {
        return Some(format!("{deepest} levels within each other, {MAX_NESTING} are read"));
    }
    (operators > MAX_OPERATORS).then(|| format!("{operators} operators in one statement, {MAX_OPERATORS} are read"))
}

fn first_line(text: &str) -> String {
    shortened(text.lines().next().unwrap_or_default(), SHOWN)
}
