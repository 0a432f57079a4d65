//! JSON with places: the same values as YAML's, each at its bytes.
use super::yaml::{Entry, Node, Shape, Written};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::text_file::TextFile,
};

/// Lists and maps that may be open at once.
const MOST_OPEN: usize = 256;

/// The one value of `file`; its fault, of `code`, stands where the text stops being JSON.
pub(crate) fn document(file: &TextFile, code: crate::diagnostics::Code) -> Result<Node, Diagnostic> {
    let mut cursor = Cursor { text: &file.text, at: 0, open: 0 };
    let read = cursor.value().and_then(|node| {
        cursor.skip_blank();
        if cursor.at == file.text.len() { Ok(node) } else { Err("something stands behind the value") }
    });
    read.map_err(|why| {
        let at = (0..=cursor.at.min(file.text.len())).rev().find(|at| file.text.is_char_boundary(*at)).unwrap_or(0);
        Diagnostic::new(code, file.span(at, at), format!("no JSON: {why}"))
    })
}

/// [`document`] of a BI tool's file.
pub(crate) fn bi_document(file: &TextFile) -> Result<Node, Diagnostic> {
    document(file, CodeEntry::E051)
}

struct Cursor<'t> {
    text: &'t str,
    at: usize,
    open: usize,
}

type Read<T> = Result<T, &'static str>;

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blank(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Read<Node> {
        self.skip_blank();
        let start = self.at;
        let (shape, written) = match self.peek() {
            Some(b'{') => (self.nested(Self::map)?, Written::Otherwise),
            Some(b'[') => (self.nested(Self::list)?, Written::Otherwise),
            Some(b'"') => return self.string(),
            Some(_) => (self.word()?, Written::AsIs),
            None => return Err("it breaks off here"),
        };
        Ok(Node { shape, start, end: self.at, written })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Read<Shape>) -> Read<Shape> {
        self.open += 1;
        if self.open > MOST_OPEN {
            return Err("more lists and maps are open here than any tool writes");
        }
        self.at += 1;
        let shape = read(self);
        self.open -= 1;
        shape
    }

    fn map(&mut self) -> Read<Shape> {
        let mut entries = Vec::new();
        loop {
            self.skip_blank();
            match self.peek() {
                Some(b'}') if entries.is_empty() => break,
                Some(b'"') => {}
                _ => return Err("a name in quotes is missing here"),
            }
            let key = self.string()?;
            self.skip_blank();
            if self.peek() != Some(b':') {
                return Err("a colon is missing here");
            }
            self.at += 1;
            let value = self.value()?;
            entries.push(Entry { key, value });
            if !self.goes_on(b'}')? {
                break;
            }
        }
        self.at += 1;
        Ok(Shape::Map(entries))
    }

    fn list(&mut self) -> Read<Shape> {
        let mut items = Vec::new();
        self.skip_blank();
        while self.peek() != Some(b']') || !items.is_empty() {
            items.push(self.value()?);
            if !self.goes_on(b']')? {
                break;
            }
        }
        self.at += 1;
        Ok(Shape::List(items))
    }

    /// Passes over a comma; no where `close` stands.
    fn goes_on(&mut self, close: u8) -> Read<bool> {
        self.skip_blank();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == close => Ok(false),
            Some(_) => Err("a comma is missing here"),
            None => Err("it breaks off here"),
        }
    }

    fn string(&mut self) -> Read<Node> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut end = start;
        while bytes.get(end).is_some_and(|byte| *byte != b'"') {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        if end >= bytes.len() {
            return Err("a text begins here and does not end");
        }
        self.at = end + 1;
        let raw = &self.text[start..end];
        if !raw.contains('\\') {
            return Ok(Node { shape: Shape::Text(raw.to_owned()), start, end, written: Written::AsIs });
        }
        let text = serde_json::from_str(&self.text[start - 1..=end]).map_err(|_| "the text before has a bad escape")?;
        Ok(Node { shape: Shape::Text(text), start, end, written: Written::Otherwise })
    }

    fn word(&mut self) -> Read<Shape> {
        let start = self.at;
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        while self.peek().is_some_and(is_word) {
            self.at += 1;
        }
        match &self.text[start..self.at] {
            "null" => Ok(Shape::Null),
            "true" => Ok(Shape::Bool(true)),
            "false" => Ok(Shape::Bool(false)),
            number if number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                Ok(Shape::Number(number.to_owned()))
            }
            _ => {
                self.at = start;
                Err("no value stands here")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node, Diagnostic> {
        bi_document(&TextFile::inside("f.json".into(), text.to_owned()))
    }

    #[test]
    fn values_are_those_of_json_and_stand_at_their_bytes() {
        let text = "{\"a\": [1, -2.5e3, true, null], \"b\\n\": {\"c\": \"x\\\"\\u00e9\"}, \"d\": []}";
        let node = read(text).unwrap();
        let expected: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(node.to_json(), expected);
        let inner = node.at(&["b\n", "c"]).unwrap();
        assert_eq!((&text[inner.start..inner.end], inner.written), ("x\\\"\\u00e9", Written::Otherwise));
    }

    #[test]
    fn what_is_no_json_is_told_where_it_stops() {
        for (text, column) in
            [("{\"a\": }", 7), ("[1 2]", 4), ("{\"a\" 1}", 6), ("[\"a", 2), ("[1] x", 5), ("", 1), ("{a: 1}", 2)]
        {
            let fault = read(text).unwrap_err();
            assert_eq!((fault.code.code, fault.at.column), ("E051", column), "{text}");
        }
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read("[\"é\\").is_err() && read("\"\\é\"").is_err());
    }
}
