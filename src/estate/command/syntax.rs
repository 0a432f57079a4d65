//! Words into commands: lists, pipes, loops and functions. Conditions are read as if both ways were taken.
use super::words::{Token, Word, tokens};

/// Blocks within each other, beyond which they are read as one.
const MAX_DEPTH: usize = 40;

/// One piece of a script.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Commands joined by `|`.
    Pipe(Vec<Simple>),
    For {
        name: String,
        items: Vec<Word>,
        body: Vec<Step>,
    },
    Function {
        name: String,
        body: Vec<Step>,
    },
}

/// One command.
#[derive(Clone, Debug, Default)]
pub(super) struct Simple {
    /// `A=b` in front of it.
    pub(super) assigns: Vec<(String, Word)>,
    /// `A=(b c)` and `A+=(d)`: the name, whether it goes on, the items.
    pub(super) arrays: Vec<(String, bool, Vec<Word>)>,
    pub(super) words: Vec<Word>,
    /// `< file`.
    pub(super) input_file: Option<Word>,
    /// A here-document or `<<< text`.
    pub(super) input_text: Option<Word>,
}

impl Simple {
    fn is_empty(&self) -> bool {
        self.assigns.is_empty()
            && self.arrays.is_empty()
            && self.words.is_empty()
            && self.input_file.is_none()
            && self.input_text.is_none()
    }

    fn first(&self) -> Option<&str> {
        self.words.first().and_then(Word::literal)
    }
}

/// The steps of `text`.
pub(super) fn steps(text: &str) -> Vec<Step> {
    let tokens = tokens(text);
    let mut parser = Parser { tokens: &tokens, at: 0 };
    let mut steps = Vec::new();
    while parser.at < tokens.len() {
        steps.extend(parser.list(&[], 0));
        // A word that closes nothing.
        parser.at += 1;
    }
    steps
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
}

impl Parser<'_> {
    fn keyword(&self) -> Option<&str> {
        match self.tokens.get(self.at)? {
            Token::Word(word) if word.bare => word.literal(),
            Token::Operator(operator) => Some(operator),
            _ => None,
        }
    }

    /// Steps up to one of the words `until`, which is left to the caller.
    fn list(&mut self, until: &[&str], depth: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        while self.at < self.tokens.len() {
            let here = self.keyword().unwrap_or_default().to_owned();
            if until.contains(&here.as_str()) {
                break;
            }
            match here.as_str() {
                "for" | "select" if depth < MAX_DEPTH => steps.extend(self.for_loop(depth)),
                "function" if depth < MAX_DEPTH => {
                    self.at += 1;
                    steps.extend(self.function(depth));
                }
                _ if self.is_function() && depth < MAX_DEPTH => steps.extend(self.function(depth)),
                // Conditions and groups: what is in them is read straight on.
                "if" | "then" | "elif" | "else" | "fi" | "while" | "until" | "do" | "done" | "{" | "}" | "!" | "("
                | ")" | "esac" | "\n" | ";" | "&" | "&&" | "||" => self.at += 1,
                "case" => {
                    self.skip_to("in");
                    self.skip_pattern();
                }
                ";;" => {
                    self.at += 1;
                    self.skip_pattern();
                }
                _ => {
                    let pipe = self.pipe();
                    if !pipe.is_empty() {
                        steps.push(Step::Pipe(pipe));
                    }
                }
            }
        }
        steps
    }

    fn skip_to(&mut self, word: &str) {
        while self.at < self.tokens.len() && self.keyword() != Some(word) {
            self.at += 1;
        }
        self.at += 1;
    }

    /// Skips `a | b)` in front of an arm of a `case`: a pattern is no command.
    fn skip_pattern(&mut self) {
        let mut at = self.at;
        while let Some(Token::Operator("&" | "\n" | "(")) = self.tokens.get(at) {
            at += 1;
        }
        while let Some(Token::Word(_) | Token::Operator("|")) = self.tokens.get(at) {
            at += 1;
        }
        if let Some(Token::Operator(")")) = self.tokens.get(at) {
            self.at = at + 1;
        }
    }

    fn is_function(&self) -> bool {
        let next = |by: usize| matches!(self.tokens.get(self.at + by), Some(Token::Operator("(" | ")")));
        matches!(self.tokens.get(self.at), Some(Token::Word(_))) && next(1) && next(2)
    }

    fn function(&mut self, depth: usize) -> Option<Step> {
        let name = self.keyword()?.to_owned();
        self.at += 1;
        while matches!(self.keyword(), Some("(" | ")" | "\n")) {
            self.at += 1;
        }
        let body = self.braces(depth);
        Some(Step::Function { name, body })
    }

    /// The steps between `{` and its `}`.
    fn braces(&mut self, depth: usize) -> Vec<Step> {
        if self.keyword() != Some("{") {
            return Vec::new();
        }
        self.at += 1;
        let mut body = self.list(&["}", "{"], depth + 1);
        while self.keyword() == Some("{") {
            body.extend(self.braces(depth + 1));
            body.extend(self.list(&["}", "{"], depth + 1));
        }
        self.at += 1;
        body
    }

    fn for_loop(&mut self, depth: usize) -> Option<Step> {
        self.at += 1;
        let name = self.keyword()?.to_owned();
        self.at += 1;
        let mut items = Vec::new();
        while self.keyword() == Some("\n") {
            self.at += 1;
        }
        if self.keyword() == Some("in") {
            self.at += 1;
            while let Some(Token::Word(word)) = self.tokens.get(self.at) {
                items.push(word.clone());
                self.at += 1;
            }
        }
        while self.at < self.tokens.len() && self.keyword() != Some("do") {
            self.at += 1;
        }
        self.at += 1;
        let body = self.loop_body(depth);
        Some(Step::For { name, items, body })
    }

    /// Steps up to the `done` of this loop, past those of `while` loops within.
    fn loop_body(&mut self, depth: usize) -> Vec<Step> {
        let mut body = Vec::new();
        let mut open = 1usize;
        while self.at < self.tokens.len() && open > 0 {
            body.extend(self.list(&["done", "while", "until"], depth + 1));
            match self.keyword() {
                Some("done") => open -= 1,
                Some("while" | "until") => open += 1,
                _ => {}
            }
            self.at += 1;
        }
        body
    }

    fn pipe(&mut self) -> Vec<Simple> {
        let mut commands = vec![Simple::default()];
        while let Some(token) = self.tokens.get(self.at) {
            let current = commands.last_mut().expect("it begins with one and only grows");
            match token {
                Token::Operator("|" | "|&") => {
                    self.at += 1;
                    commands.push(Simple::default());
                    continue;
                }
                // The here-document stands behind its line's end.
                Token::Operator("\n") => match self.tokens.get(self.at + 1) {
                    Some(Token::Here(word)) => {
                        let text = word.clone();
                        self.at += 2;
                        let waiting = commands.iter_mut().rev().find(|one| one.input_text.is_none());
                        if let Some(waiting) = waiting {
                            waiting.input_text = Some(text);
                        }
                        break;
                    }
                    _ => break,
                },
                Token::Operator("<") => current.input_file = self.redirected(),
                Token::Operator("<<<") => current.input_text = self.redirected(),
                Token::Operator("<<" | "<<-") => {}
                Token::Operator(">" | ">>" | ">&" | "<&" | "&>" | "&>>" | ">|") => drop(self.redirected()),
                Token::Operator("(") => match array_begun(current) {
                    Some((name, goes_on)) => {
                        let items = self.array_items();
                        commands
                            .last_mut()
                            .expect("it begins with one and only grows")
                            .arrays
                            .push((name, goes_on, items));
                    }
                    None => break,
                },
                Token::Operator(_) => break,
                Token::Here(_) => {}
                Token::Word(word) => match assignment(word).filter(|_| current.words.is_empty()) {
                    Some(assign) => current.assigns.push(assign),
                    None => current.words.push(word.clone()),
                },
            }
            self.at += 1;
        }
        commands.retain(|command| !command.is_empty());
        // `2>&1` leaves the number of a channel behind.
        for command in &mut commands {
            if command.words.len() > 1
                && command.words.last().and_then(Word::literal).is_some_and(|w| matches!(w, "1" | "2"))
                && command.first() != Some("exit")
            {
                command.words.pop();
            }
        }
        commands
    }

    /// The words of `(a b c)`, up to the token that closes it.
    fn array_items(&mut self) -> Vec<Word> {
        let mut items = Vec::new();
        while let Some(token) = self.tokens.get(self.at + 1) {
            self.at += 1;
            match token {
                Token::Word(word) => items.push(word.clone()),
                Token::Operator(")") => break,
                _ => {}
            }
        }
        items
    }

    /// The word behind a redirection.
    fn redirected(&mut self) -> Option<Word> {
        match self.tokens.get(self.at + 1)? {
            Token::Word(word) => {
                self.at += 1;
                Some(word.clone())
            }
            _ => None,
        }
    }
}

/// The array that a bracket behind `NAME=` or `declare -a NAME=` begins, and whether it goes on with one there is.
fn array_begun(command: &mut Simple) -> Option<(String, bool)> {
    const DECLARING: [&str; 5] = ["declare", "local", "readonly", "export", "typeset"];
    let name = |text: &str| {
        let name = text.strip_suffix('=')?;
        let (name, goes_on) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        is_name.then(|| (name.to_owned(), goes_on))
    };
    if command.words.is_empty() {
        let (own, value) = command.assigns.last()?;
        if value.literal() != Some("") {
            return None;
        }
        let own = own.clone();
        command.assigns.pop();
        return Some((own, false));
    }
    let declared = DECLARING.iter().any(|word| command.first() == Some(word));
    let goes_on = command.words.len() == 1;
    let begun = command.words.last().and_then(Word::literal).and_then(name)?;
    (declared || (goes_on && begun.1)).then(|| {
        command.words.clear();
        begun
    })
}

/// `NAME=value` as a name and the word behind it.
fn assignment(word: &Word) -> Option<(String, Word)> {
    use super::words::Piece;
    let Some(Piece::Text(text)) = word.pieces.first() else { return None };
    let (name, value) = text.split_once('=')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let starts_well = !name.starts_with(|c: char| c.is_ascii_digit());
    if !is_name || !starts_well {
        return None;
    }
    let mut rest = word.clone();
    rest.pieces[0] = Piece::Text(value.to_owned());
    // The quotes, if any, stand behind the equals sign.
    rest.exact = false;
    Some((name.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(steps: &[Step]) -> Vec<String> {
        let words = |simple: &Simple| simple.words.iter().filter_map(Word::literal).collect::<Vec<_>>().join(" ");
        let one = |step: &Step| match step {
            Step::Pipe(all) => all.iter().map(words).collect::<Vec<_>>().join(" | "),
            Step::For { name, items, body } => format!("for {name} {}: {:?}", items.len(), shown(body)),
            Step::Function { name, body } => format!("fn {name}: {:?}", shown(body)),
        };
        steps.iter().map(one).collect()
    }

    #[test]
    fn loops_functions_and_conditions_give_their_commands() {
        let text = "load() {\n  psql -f $1\n}\nif [ -f x ]; then a | b; else c; fi\nfor t in x y; do\n  while read l; do d; done\n  e\ndone\nf";
        assert_eq!(
            shown(&steps(text)),
            ["fn load: [\"psql -f\"]", "[ -f x ]", "a | b", "c", "for t 2: [\"read l\", \"d\", \"e\"]", "f"]
        );
    }

    #[test]
    fn an_array_is_no_command() {
        let all = steps("a=(x 'y z')\ndeclare -a b=(\n  c\n  d\n)\na+=(w)\ne");
        let arrays: Vec<(String, bool, usize)> = all
            .iter()
            .filter_map(|step| match step {
                Step::Pipe(pipe) => {
                    Some(pipe[0].arrays.iter().map(|(name, on, items)| (name.clone(), *on, items.len())))
                }
                _ => None,
            })
            .flatten()
            .collect();
        assert_eq!(arrays, [("a".to_owned(), false, 2), ("b".to_owned(), false, 2), ("a".to_owned(), true, 1)]);
        assert_eq!(shown(&all).last().map(String::as_str), Some("e"));
    }

    #[test]
    fn a_pattern_of_a_case_is_no_command() {
        let text = "case \"$1\" in\n  a|b) one;;\n  # last\n  *) two\n  ;;\nesac\nthree; case x in (c) four;; esac";
        assert_eq!(shown(&steps(text)), ["one", "two", "three", "four"]);
    }

    #[test]
    fn redirections_are_no_words() {
        let steps = steps("A=1 psql < f.sql > out 2>&1");
        let Step::Pipe(pipe) = &steps[0] else { panic!() };
        assert_eq!(pipe[0].input_file.as_ref().and_then(Word::literal), Some("f.sql"));
        assert_eq!((pipe[0].words.len(), pipe[0].assigns.len()), (1, 1));
    }

    #[test]
    fn odd_scripts_end() {
        for text in ["done done", "}", "for", "for x", "for x in", "f(){", "case a", "((((((", "{{{{", "function", "if"]
        {
            let _ = steps(text);
        }
    }
}
