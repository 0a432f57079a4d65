//! Power Query's language M as words, texts and signs with places.

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) shape: Shape,
    /// First byte; of a text the first behind its quote.
    pub(super) start: usize,
    /// One past the last byte; of a text that of its inside.
    pub(super) end: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A name with its dots, or what `#"…"` quotes.
    Name(String),
    /// A text, unescaped.
    Text(String),
    /// Any other sign.
    Sign(char),
}

impl Token {
    pub(super) fn is(&self, sign: char) -> bool {
        self.shape == Shape::Sign(sign)
    }

    pub(super) fn name(&self) -> Option<&str> {
        match &self.shape {
            Shape::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.shape {
            Shape::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The tokens of `text`, comments left out. A text that does not end is left out with what follows it.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let next = match c {
            _ if c.is_whitespace() => at + c.len_utf8(),
            '/' if rest.starts_with("//") => at + rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => at + rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => quoted(text, at + 1, Shape::Text, &mut found),
            '#' if rest.starts_with("#\"") => quoted(text, at + 2, Shape::Name, &mut found),
            _ if is_name(c) => {
                let end = at + rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                found.push(Token { shape: Shape::Name(text[at..end].to_owned()), start: at, end });
                end
            }
            _ => {
                let end = at + c.len_utf8();
                found.push(Token { shape: Shape::Sign(c), start: at, end });
                end
            }
        };
        at = next;
    }
    found
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.')
}

/// Enters the text that begins at `start`; gives the byte behind its closing quote.
fn quoted(text: &str, start: usize, shape: fn(String) -> Shape, found: &mut Vec<Token>) -> usize {
    let bytes = text.as_bytes();
    let mut end = start;
    while let Some(byte) = bytes.get(end) {
        match (byte, bytes.get(end + 1)) {
            (b'"', Some(b'"')) => end += 2,
            (b'"', _) => {
                found.push(Token { shape: shape(unescaped(&text[start..end])), start, end });
                return end + 1;
            }
            _ => end += 1,
        }
    }
    text.len()
}

/// `""` is a quote, `#(lf)` and its like are signs one cannot see.
fn unescaped(text: &str) -> String {
    let plain = text.replace("\"\"", "\"");
    if !plain.contains("#(") {
        return plain;
    }
    let signs = [("#(cr,lf)", "\r\n"), ("#(lf)", "\n"), ("#(cr)", "\r"), ("#(tab)", "\t"), ("#(#)", "#")];
    signs.iter().fold(plain, |text, (written, sign)| text.replace(written, sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_texts_and_signs_are_told_apart() {
        let text = "Sql.Database(#\"my srv\", \"a\"\"b#(lf)\") // c\n/* d */ {x}";
        let shapes: Vec<Shape> = tokens(text).into_iter().map(|token| token.shape).collect();
        let name = |name: &str| Shape::Name(name.to_owned());
        let expected = [
            name("Sql.Database"),
            Shape::Sign('('),
            name("my srv"),
            Shape::Sign(','),
            Shape::Text("a\"b\n".to_owned()),
            Shape::Sign(')'),
            Shape::Sign('{'),
            name("x"),
            Shape::Sign('}'),
        ];
        assert_eq!(shapes, expected);
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "[a.#\"(){},/* \né]{0,60}") {
            for token in tokens(&text) {
                prop_assert!(text.get(token.start..token.end).is_some());
            }
        }
    }
}
