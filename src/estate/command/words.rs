//! A shell's text as words and operators.

/// One word, its quotes gone, its variables still to be filled.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Word {
    pub(super) pieces: Vec<Piece>,
    /// First byte of what the word says, behind its opening quote.
    pub(super) start: usize,
    /// One past its last byte.
    pub(super) end: usize,
    /// Whether the bytes `start..end` are the word, but for variables.
    pub(super) exact: bool,
    /// Whether nothing of it is quoted.
    pub(super) bare: bool,
    /// Whether a `*` or `?` stands outside its quotes.
    pub(super) glob: bool,
}

/// A piece of a word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    /// `$name`, `${name:-default}`; `braced` where it is written `${name}` and nothing else, `then` what stands
    /// behind the name in `${name##*/}` and its like.
    Variable {
        name: String,
        default: Option<String>,
        braced: bool,
        then: Option<String>,
    },
    /// `$(command)`.
    Output(String),
}

/// What the text is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(Word),
    /// `;`, `&&`, `|`, `<` and their like; a line's end is `\n`.
    Operator(&'static str),
    /// The lines of a here-document.
    Here(Word),
}

const OPERATORS: &[&str] = &[
    "<<<", "<<-", "<<", "&>>", "&>", ">>", ">&", "<&", "<", ">|", ">", "&&", "||", ";;", ";", "|&", "|", "&", "(", ")",
    "\n",
];

/// Cuts `text` into tokens. Never fails: an open quote ends with the text.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut cutter = Cutter { text, at: 0, tokens: Vec::new(), here: Vec::new() };
    while cutter.at < text.len() {
        cutter.step();
    }
    cutter.tokens
}

struct Cutter<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token>,
    /// Here-documents announced on this line: the mark, whether tabs are cut, whether variables stay.
    here: Vec<(String, bool, bool)>,
}

impl Cutter<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn step(&mut self) {
        let rest = self.rest();
        let Some(next) = rest.chars().next() else { return };
        if rest.starts_with("\\\n") || rest.starts_with("\\\r\n") {
            self.at += rest.find('\n').map_or(1, |at| at + 1);
        } else if next != '\n' && next.is_whitespace() {
            self.at += next.len_utf8();
        } else if next == '#' {
            self.at += rest.find('\n').unwrap_or(rest.len());
        } else if let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
            self.at += operator.len();
            self.tokens.push(Token::Operator(operator));
            match *operator {
                "\n" => self.here_documents(),
                "<<" | "<<-" => self.here_mark(*operator == "<<-"),
                _ => {}
            }
        } else {
            let word = self.word();
            self.tokens.push(Token::Word(word));
        }
    }

    fn here_mark(&mut self, cut_tabs: bool) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        let quoted = self.rest().starts_with(['\'', '"', '\\']);
        let word = self.word();
        let mark: String = word
            .pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        self.here.push((mark, cut_tabs, quoted));
    }

    fn here_documents(&mut self) {
        for (mark, cut_tabs, quoted) in std::mem::take(&mut self.here) {
            let start = self.at;
            let mut end = self.text.len();
            let mut after = end;
            let mut line_start = start;
            while line_start < self.text.len() {
                let line_end = self.text[line_start..].find('\n').map_or(self.text.len(), |at| line_start + at);
                let line = self.text[line_start..line_end].trim_end_matches('\r');
                // Inside YAML and the like the mark may stand indented.
                let line = if cut_tabs { line.trim_start_matches('\t') } else { line.trim_start() };
                if line == mark {
                    end = line_start;
                    after = line_end;
                    break;
                }
                line_start = line_end + 1;
            }
            let body = &self.text[start..end];
            let pieces = if quoted { vec![Piece::Text(body.to_owned())] } else { expanded(body) };
            // What is escaped stands there otherwise.
            let exact = quoted || !body.contains('\\');
            self.tokens.push(Token::Here(Word { pieces, start, end, exact, bare: false, glob: false }));
            self.at = after.min(self.text.len());
        }
    }

    fn word(&mut self) -> Word {
        let mut word = Word { start: self.at, end: self.at, bare: true, ..Word::default() };
        let mut quoted = 0;
        let mut inner = (self.at, self.at);
        while let Some(next) = self.rest().chars().next() {
            match next {
                '\'' | '"' => {
                    word.bare = false;
                    quoted += 1;
                    let (from, to) = self.quoted(next, &mut word);
                    inner = (from, to);
                }
                '$' if self.rest().starts_with("$'") => {
                    self.at += 1;
                    quoted += 2;
                    self.quoted('\'', &mut word);
                }
                '\\' => {
                    quoted += 2;
                    let escaped = self.rest().chars().nth(1);
                    self.at += 1 + escaped.map_or(0, char::len_utf8);
                    if let Some(escaped) = escaped.filter(|c| *c != '\n') {
                        word.push(escaped);
                    }
                }
                '$' | '`' => self.expansion(&mut word),
                // A template's expression is one piece, blanks and all.
                '{' if self.rest().starts_with("{{") => {
                    let length = self.rest().find("}}").map_or(self.rest().len(), |end| end + 2);
                    let inner = self.rest()[..length].to_owned();
                    inner.chars().for_each(|c| word.push(c));
                    self.at += length;
                }
                c if c.is_whitespace() || ";&|<>()".contains(c) => break,
                c => {
                    word.glob |= matches!(c, '*' | '?');
                    word.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
        word.end = self.at;
        let whole = inner.0 == word.start + 1 && inner.1 + 1 == word.end;
        word.exact = quoted == 0 || (quoted == 1 && whole);
        if quoted == 1 && whole {
            (word.start, word.end) = inner;
            word.exact = !self.text[inner.0..inner.1].contains('\\') || self.text[..inner.0].ends_with('\'');
        }
        word
    }

    /// The text between two quotes; gives where it stands.
    fn quoted(&mut self, quote: char, word: &mut Word) -> (usize, usize) {
        self.at += 1;
        let from = self.at;
        while let Some(next) = self.rest().chars().next() {
            match next {
                c if c == quote => {
                    let to = self.at;
                    self.at += 1;
                    return (from, to);
                }
                '\\' if quote == '"' && self.rest()[1..].starts_with(['"', '\\', '$', '`', '\n']) => {
                    let escaped = self.rest().chars().nth(1).unwrap_or('\\');
                    if escaped != '\n' {
                        word.push(escaped);
                    }
                    self.at += 2;
                }
                '$' | '`' if quote == '"' => self.expansion(word),
                c => {
                    word.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
        (from, self.at)
    }

    fn expansion(&mut self, word: &mut Word) {
        let (piece, length) = expansion(self.rest());
        self.at += length;
        match piece {
            Some(piece) => word.pieces.push(piece),
            None => word.push('$'),
        }
    }
}

impl Word {
    fn push(&mut self, c: char) {
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(c),
            _ => self.pieces.push(Piece::Text(c.to_string())),
        }
    }

    /// The word where it has no variables.
    pub(super) fn literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }
}

/// The pieces of a text in which only variables are special.
fn expanded(text: &str) -> Vec<Piece> {
    let mut word = Word::default();
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        match next {
            '\\' if text[at + 1..].starts_with(['$', '`', '\\']) => {
                word.push(text[at + 1..].chars().next().unwrap_or('\\'));
                at += 2;
            }
            '$' | '`' => {
                let (piece, length) = expansion(&text[at..]);
                match piece {
                    Some(piece) => word.pieces.push(piece),
                    None => text[at..at + length].chars().for_each(|c| word.push(c)),
                }
                at += length;
            }
            c => {
                word.push(c);
                at += c.len_utf8();
            }
        }
    }
    word.pieces
}

/// The expansion that `text` begins with, and its length in bytes; at least 1.
fn expansion(text: &str) -> (Option<Piece>, usize) {
    if let Some(rest) = text.strip_prefix('`') {
        let end = rest.find('`').unwrap_or(rest.len());
        return (Some(Piece::Output(rest[..end].to_owned())), (end + 2).min(text.len()));
    }
    if text.starts_with("$(") {
        let end = closing(text, 1, '(', ')');
        let inner = text[2..end].trim_start_matches('(').to_owned();
        return (Some(Piece::Output(inner)), (end + 1).min(text.len()));
    }
    if text.starts_with("${") {
        let end = closing(text, 1, '{', '}');
        let inner = &text[2..end];
        return (Some(braced(inner)), (end + 1).min(text.len()));
    }
    let rest = &text[1..];
    let special = rest.chars().next().filter(|c| "@*#?$!-".contains(*c) || c.is_ascii_digit());
    let length = match special {
        Some(_) => 1,
        None => rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len()),
    };
    match length {
        0 => (None, 1),
        _ => (Some(variable(&rest[..length])), length + 1),
    }
}

fn braced(inner: &str) -> Piece {
    // `${{ env.NAME }}` of a workflow.
    if let Some(expression) = inner.strip_prefix('{') {
        let path = expression.trim_end_matches('}').trim();
        let name = path.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).find(|word| !word.is_empty());
        return variable(name.unwrap_or_default());
    }
    // Only the first may be a sign: `${@}`, `${#list}`; behind a name it is an operation, `${name##*/}`.
    let sign = usize::from(inner.starts_with(['@', '*', '#']));
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let length = inner[sign..].find(|c: char| !is_name(c)).map_or(inner.len(), |length| sign + length);
    let (name, rest) = inner.split_at(length);
    // `${@:2}`: all but the first.
    if name == "@" && rest.strip_prefix(':').is_some_and(|from| from.parse::<usize>().is_ok()) {
        return variable(inner);
    }
    // `${list[@]}`: every item of an array.
    if let Some(mark) = ["[@]", "[*]"].iter().find(|mark| rest == **mark) {
        return variable(&format!("{name}{mark}"));
    }
    let default = [":-", "-", ":=", "="].iter().find_map(|mark| rest.strip_prefix(mark)).map(str::to_owned);
    let then = (default.is_none() && !rest.is_empty()).then(|| rest.to_owned());
    Piece::Variable { name: name.to_owned(), default, braced: rest.is_empty(), then }
}

/// `$name`.
fn variable(name: &str) -> Piece {
    Piece::Variable { name: name.to_owned(), default: None, braced: false, then: None }
}

/// Where the bracket opened at `at` closes; the text's end where it does not.
fn closing(text: &str, at: usize, open: char, close: char) -> usize {
    let mut depth = 0usize;
    for (here, c) in text[at..].char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return at + here;
            }
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let shown = |token: &Token| match token {
            Token::Word(word) => word.literal().map_or_else(|| format!("{:?}", word.pieces), str::to_owned),
            Token::Operator(operator) => format!("op {operator}"),
            Token::Here(word) => format!("here {}", word.literal().unwrap_or("?")),
        };
        tokens(text).iter().map(shown).collect()
    }

    #[test]
    fn quotes_and_comments_and_joined_lines_are_as_in_a_shell() {
        assert_eq!(words("psql -c 'a b' \"c \\\" d\" \\\n e\\ f # no"), ["psql", "-c", "a b", "c \" d", "e f"]);
        assert_eq!(words("a && b|c; d"), ["a", "op &&", "b", "op |", "c", "op ;", "d"]);
    }

    #[test]
    fn a_quoted_word_says_where_its_text_stands() {
        let text = "psql -c 'select 1'";
        let Some(Token::Word(word)) = tokens(text).pop() else { panic!() };
        assert_eq!((&text[word.start..word.end], word.exact), ("select 1", true));
        let Some(Token::Word(word)) = tokens("x a'b'c").pop() else { panic!() };
        assert!(!word.exact);
    }

    #[test]
    fn a_here_document_ends_at_its_mark() {
        assert_eq!(
            words("psql <<'EOF'\nselect $1\nEOF\nls"),
            ["psql", "op <<", "op \n", "here select $1\n", "op \n", "ls"]
        );
    }

    #[test]
    fn what_is_escaped_in_a_here_document_is_not_its_bytes() {
        let exact = |text: &str| tokens(text).into_iter().any(|token| matches!(token, Token::Here(word) if word.exact));
        assert!(exact("bq query <<EOF\nselect 1\nEOF") && !exact("bq query <<EOF\nselect \\`a\\`\nEOF"));
    }

    #[test]
    fn a_glob_behind_a_quoted_variable_is_one_and_a_quoted_star_is_none() {
        let globs = |text: &str| tokens(text).iter().all(|token| matches!(token, Token::Word(word) if word.glob));
        assert!(globs("\"${d}\"/*") && globs("a/*.sql") && !globs("'a*'") && !globs("\"$d/*\""));
    }

    #[test]
    fn variables_keep_their_defaults() {
        let then = Some("##*/".to_owned());
        let cut = Piece::Variable { name: "path".into(), default: None, braced: false, then };
        assert_eq!(expansion("${path##*/}").0, Some(cut));
        let (piece, length) = expansion("${A:-b}c");
        assert_eq!(
            piece,
            Some(Piece::Variable { name: "A".into(), default: Some("b".into()), braced: false, then: None })
        );
        assert_eq!(length, 7);
        assert_eq!(expansion("$"), (None, 1));
        for open in ["${a", "$(a", "`a", "'", "\"$", "a\\"] {
            let _ = tokens(open);
        }
    }
}
