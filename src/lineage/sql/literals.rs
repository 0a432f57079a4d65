//! SQL in strings: what a statement that runs a string says, as far as the script writes it down.
use std::collections::HashMap;

use super::{
    ir::Bytes,
    lexer::{Kind, Token},
    shape::{group_end, string_of},
    words::is_any,
};
use crate::vocab::{FoldBudget, MAX_FOLDED_BYTES};

/// Calls of `format` within each other that are followed.
const MAX_FORMATS: usize = 16;
/// Bytes of texts put together that are read as SQL in one script: each of them may be run a thousand times.
const MAX_RUN_BYTES: usize = 4 * 1024 * 1024;

/// Text that is run, folded from strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folded {
    /// The text.
    pub(super) text: String,
    /// Where it is written.
    pub(super) at: Bytes,
    /// The bytes that are the text as it stands, where they are in one piece and nothing in them is escaped.
    pub(super) plain: Option<Bytes>,
}

/// Variables of a script that hold a string which the script itself writes down.
#[derive(Clone, Debug)]
pub(super) struct Literals {
    known: HashMap<String, Folded>,
    /// What may still be put together.
    made: FoldBudget,
    /// What of it may still be run.
    run: FoldBudget,
}

impl Default for Literals {
    fn default() -> Self {
        Literals { known: HashMap::new(), made: FoldBudget::default(), run: FoldBudget::of(MAX_RUN_BYTES) }
    }
}

impl Literals {
    /// Takes note of `DECLARE x … = 'text'`, `SET x = x + 'more'`, `x := 'text'`; any other value makes x unknown.
    pub(super) fn assign(&mut self, text: &str, tokens: &[Token]) {
        let leads = ["declare", "set", "let", "var"];
        let leading = tokens.first().is_some_and(|token| leads.iter().any(|word| token.is(text, word)));
        for item in parts(&tokens[usize::from(leading)..]) {
            let Some((name, behind)) = variable(text, item) else { continue };
            let Some(equals) = behind.iter().position(|token| token.is_sign('=') || token.is(text, "default")) else {
                continue;
            };
            let appends = equals > 0 && behind[equals - 1].is_sign('+');
            // Where semicolons may be missing the next statement follows at once.
            let value = &behind[equals + 1..];
            let end = value.iter().position(|t| t.kind == Kind::Word && is_any("statement", t.of(text)));
            let value = self.fold(text, &value[..end.unwrap_or(value.len())]);
            let value = match appends {
                true => self.known.remove(&name).zip(value).and_then(|(old, more)| joined(old, &more)),
                false => value,
            };
            match value {
                Some(value) => self.known.insert(name, value),
                None => self.known.remove(&name),
            };
        }
    }

    /// Whether the statement of `tokens` may run `folded` too: what it says itself is read once, variables hold texts
    /// that any number of statements may run.
    pub(super) fn may_run(&self, folded: &Folded, tokens: &[Token]) -> bool {
        let own = tokens.first().is_some_and(|first| first.at.start <= folded.at.start);
        own || self.run.takes(folded.text.len())
    }

    /// The text that the expression `tokens` comes to; `None` where some of it is known only at run time.
    pub(super) fn fold(&self, text: &str, tokens: &[Token]) -> Option<Folded> {
        self.fold_in(text, tokens, 0)
    }

    /// The same within `depth` calls of `format`.
    fn fold_in(&self, text: &str, tokens: &[Token], depth: usize) -> Option<Folded> {
        let tokens = unwrapped(tokens);
        let mut folded: Option<Folded> = None;
        let mut at = 0;
        while at < tokens.len() {
            let (one, next) = self.operand(text, tokens, at, depth)?;
            folded = Some(match folded {
                None => one,
                Some(before) => joined(before, &one)?,
            });
            at = next;
            if at == tokens.len() {
                break;
            }
            let signs = tokens[at..].iter().take_while(|token| matches!(token.kind, Kind::Sign('+' | '|'))).count();
            if signs == 0 || at + signs == tokens.len() {
                return None;
            }
            at += signs;
        }
        folded
    }

    /// `format('…', a, b)` whose parentheses open at token `at`.
    fn formatted(&self, text: &str, tokens: &[Token], at: usize, depth: usize) -> Option<(Folded, usize)> {
        let end = group_end(tokens, at).filter(|_| depth < MAX_FORMATS)?;
        let (mut values, mut bytes) = (Vec::new(), 0);
        for one in parts(&tokens[at + 1..end - 1]) {
            let value = self.fold_in(text, one, depth + 1).filter(|_| !one.is_empty())?;
            bytes += value.text.len();
            if bytes > MAX_FOLDED_BYTES {
                return None;
            }
            values.push(value);
        }
        let (pattern, values) = values.split_first()?;
        let place = tokens[at].at.start..tokens[end - 1].at.end;
        let filled = filled(&pattern.text, values).filter(|text| text.len() <= MAX_FOLDED_BYTES)?;
        if !self.made.takes(filled.len()) {
            return None;
        }
        Some((Folded { text: filled, at: place, plain: None }, end))
    }

    /// `concat(a, b)` whose parentheses open at token `at`.
    fn concatenated(&self, text: &str, tokens: &[Token], at: usize, depth: usize) -> Option<(Folded, usize)> {
        let end = group_end(tokens, at).filter(|_| depth < MAX_FORMATS)?;
        let mut values = parts(&tokens[at + 1..end - 1]).map(|one| self.fold_in(text, one, depth + 1));
        let first = values.next()??;
        let whole = values.try_fold(first, |whole, value| joined(whole, &value?))?;
        Some((whole, end))
    }

    fn operand(&self, text: &str, tokens: &[Token], at: usize, depth: usize) -> Option<(Folded, usize)> {
        let token = tokens.get(at)?;
        match token.kind {
            Kind::Text => Some((literal(text, token), at + 1)),
            Kind::Dollar => Some((dollar(text, token), at + 1)),
            Kind::Word if token.is(text, "format") && tokens.get(at + 1).is_some_and(|next| next.is_sign('(')) => {
                self.formatted(text, tokens, at + 1, depth)
            }
            Kind::Word if token.is(text, "concat") && tokens.get(at + 1).is_some_and(|next| next.is_sign('(')) => {
                self.concatenated(text, tokens, at + 1, depth)
            }
            Kind::Word if token.is(text, "quotename") && tokens.get(at + 1).is_some_and(|next| next.is_sign('(')) => {
                let (name, end) = self.concatenated(text, tokens, at + 1, depth)?;
                if tokens[at + 2..end].iter().any(|token| token.is_sign(',')) {
                    return None;
                }
                let quoted = format!("[{}]", name.text.replace(']', "]]"));
                Some((Folded { text: quoted, plain: None, ..name }, end))
            }
            Kind::Word if token.is(text, "n") && tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Text) => {
                Some((literal(text, &tokens[at + 1]), at + 2))
            }
            _ => {
                let (name, behind) = variable(text, &tokens[at..])?;
                let known = self.known.get(&name).filter(|known| self.made.takes(known.text.len()))?;
                Some((known.clone(), tokens.len() - behind.len()))
            }
        }
    }
}

/// The text of PL/pgSQL's format string with its arguments in place; `None` where it asks for more.
fn filled(pattern: &str, values: &[Folded]) -> Option<String> {
    let mut text = String::new();
    let mut values = values.iter();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        match chars.next()? {
            '%' => text.push('%'),
            's' => text.push_str(&values.next()?.text),
            'I' => text.push_str(&identifier(&values.next()?.text)),
            'L' => text.push_str(&format!("'{}'", values.next()?.text.replace('\'', "''"))),
            _ => return None,
        }
    }
    Some(text)
}

fn identifier(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// `@name`, `:name` or `name`, and what stands behind it.
fn variable<'t>(text: &str, tokens: &'t [Token]) -> Option<(String, &'t [Token])> {
    let signs = tokens.iter().take_while(|token| matches!(token.kind, Kind::Sign('@' | ':'))).count();
    let name = tokens.get(signs).filter(|token| token.kind == Kind::Word)?;
    Some((name.of(text).trim_start_matches('@').to_lowercase(), &tokens[signs + 1..]))
}

/// The parts between commas outside parentheses.
fn parts(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    let mut depth = 0;
    tokens.split(move |token| {
        depth += i32::from(token.is_sign('('));
        depth -= i32::from(token.is_sign(')'));
        depth == 0 && token.is_sign(',')
    })
}

/// Without the parentheses around all of it.
fn unwrapped(mut tokens: &[Token]) -> &[Token] {
    for _ in 0..MAX_FORMATS {
        match tokens {
            [first, inner @ .., _] if first.is_sign('(') && group_end(tokens, 0) == Some(tokens.len()) => {
                tokens = inner
            }
            _ => break,
        }
    }
    tokens
}

fn literal(text: &str, token: &Token) -> Folded {
    let written = token.of(text);
    let said = string_of(written);
    let fence = if written.starts_with("'''") || written.starts_with("\"\"\"") { 3 } else { 1 };
    let inner = token.at.start + fence..token.at.end.saturating_sub(fence);
    let plain = text.get(inner.clone()).is_some_and(|inner| inner == said && !said.contains('\\'));
    Folded { text: said, at: token.at.clone(), plain: plain.then_some(inner) }
}

fn dollar(text: &str, token: &Token) -> Folded {
    let inner = body(text, token);
    Folded { text: text[inner.clone()].to_owned(), at: token.at.clone(), plain: Some(inner) }
}

/// The bytes between the fences of a dollar-quoted body.
pub(super) fn body(text: &str, token: &Token) -> Bytes {
    let at = &token.at;
    let tag = text[at.start + 1..at.end].find('$').map_or(2, |end| end + 2);
    let start = (at.start + tag).min(at.end);
    let end = at.end.saturating_sub(tag).max(start);
    match text.is_char_boundary(start) && text.is_char_boundary(end) {
        true => start..end,
        false => at.end..at.end,
    }
}

/// Both, one behind the other; `None` where that is too long to be kept.
fn joined(before: Folded, more: &Folded) -> Option<Folded> {
    if before.text.len() + more.text.len() > MAX_FOLDED_BYTES {
        return None;
    }
    let at = before.at.start.min(more.at.start)..before.at.end.max(more.at.end);
    Some(Folded { text: before.text + &more.text, at, plain: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::sql::{dialect::Dialect, lexer::lex};

    fn folded(assigned: &[&str], run: &str) -> Option<String> {
        let rules = Dialect::named("tsql").unwrap().rules();
        let mut literals = Literals::default();
        for text in assigned {
            literals.assign(text, &lex(text, rules));
        }
        literals.fold(run, &lex(run, rules)).map(|folded| folded.text)
    }

    #[test]
    fn strings_and_variables_that_hold_strings_come_to_a_text() {
        assert_eq!(folded(&[], "(N'it''s' + ' so')").as_deref(), Some("it's so"));
        let assigned =
            ["DECLARE @s nvarchar(max) = N'select ', @n int = 3", "SET @s = @s + 'a'", "set @s += ' from b'"];
        assert_eq!(folded(&assigned, "@s").as_deref(), Some("select a from b"));
    }

    #[test]
    fn a_string_that_doubles_without_end_is_known_only_at_run_time() {
        let doubled = |line: &'static str, times: usize| {
            let mut assigned = vec!["declare @s nvarchar(max) = N'x'"];
            assigned.extend(std::iter::repeat_n(line, times));
            folded(&assigned, "@s").map(|text| text.len())
        };
        for line in ["set @s = @s + @s", "set @s += @s", "set @s = format('%s%s', @s, @s)"] {
            assert_eq!((doubled(line, 3), doubled(line, 60)), (Some(8), None), "{line}");
        }
    }

    #[test]
    fn copies_of_one_long_string_do_not_add_up_without_end() {
        let rules = Dialect::named("tsql").unwrap().rules();
        let mut literals = Literals { made: FoldBudget::of(1_000), ..Literals::default() };
        let first = format!("declare @s nvarchar(max) = N'{}'", "x".repeat(300));
        literals.assign(&first, &lex(&first, rules));
        let known = |number: usize, literals: &mut Literals| {
            let line = format!("set @v{number} = @s");
            literals.assign(&line, &lex(&line, rules));
            literals.known.contains_key(&format!("v{number}"))
        };
        assert_eq!([1, 2, 3, 4].map(|number| known(number, &mut literals)), [true, true, true, false]);
        let folded = literals.known["s"].clone();
        literals.run = FoldBudget::of(700);
        let later = [Token { kind: Kind::Word, at: 900..904 }];
        assert_eq!([(), (), ()].map(|()| literals.may_run(&folded, &later)), [true, true, false]);
        let itself = [Token { kind: Kind::Word, at: 0..4 }];
        assert!(literals.may_run(&folded, &itself), "a statement's own words are read once");
    }

    #[test]
    fn formats_within_each_other_are_followed_to_a_depth() {
        let nested = |depth: usize| format!("{}'x'{}", "format('%s', ".repeat(depth), ")".repeat(depth));
        assert_eq!(folded(&[], &nested(3)).as_deref(), Some("x"));
        assert_eq!(folded(&[], &nested(5_000)), None);
    }

    #[test]
    fn what_is_known_only_at_run_time_folds_to_nothing() {
        assert_eq!(folded(&[], "'select * from ' + @t"), None);
        assert_eq!(folded(&["set @s = 'a'", "set @s = 'b' + @t"], "@s"), None);
        assert_eq!(folded(&[], "format('select %s', x)"), None);
        assert_eq!(folded(&[], "format('%I.%I %L %%', 'a', 'B', 'it''s')").as_deref(), Some("a.\"B\" 'it''s' %"));
        assert_eq!(folded(&[], "format('%1$s', 'a')"), None);
    }
}
