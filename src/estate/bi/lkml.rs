//! LookML into blocks with places: a small parser of its own, which needs no list of parameters.
use crate::estate::text_file::TextFile;

/// Blocks that may be open at once.
const MOST_OPEN: usize = 100;

/// `key: name { … }`.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    /// The word between colon and brace; empty where none stands there.
    pub(super) name: String,
    /// First byte of the key.
    pub(super) start: usize,
    /// What stands between the braces.
    pub(super) values: Vec<(String, Value)>,
}

/// What stands behind a colon.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A word, a text in quotes, or what ends with `;;`, without the space around it: first and one past the last byte.
    Text(usize, usize),
    /// Words and texts in brackets.
    List(Vec<(usize, usize)>),
    /// Braces.
    Block(Block),
}

impl Block {
    /// Everything under `key`.
    pub(super) fn all<'b>(&'b self, key: &'b str) -> impl Iterator<Item = &'b Value> {
        self.values.iter().filter(move |(own, _)| own == key).map(|(_, value)| value)
    }

    /// The blocks under `key`.
    pub(super) fn blocks<'b>(&'b self, key: &'b str) -> impl Iterator<Item = &'b Block> {
        self.all(key).filter_map(|value| match value {
            Value::Block(block) => Some(block),
            _ => None,
        })
    }

    /// The place of the last text under `key`: later ones override.
    pub(super) fn place(&self, key: &str) -> Option<(usize, usize)> {
        let texts = self.all(key).filter_map(|value| match value {
            Value::Text(start, end) => Some((*start, *end)),
            _ => None,
        });
        texts.last()
    }

    /// The last text under `key`.
    pub(super) fn text<'t>(&self, key: &str, file: &'t TextFile) -> Option<&'t str> {
        self.place(key).map(|(start, end)| &file.text[start..end])
    }

    /// The words of the lists under `key`; a lone word counts as a list of it.
    pub(super) fn words<'t>(&self, key: &str, file: &'t TextFile) -> Vec<&'t str> {
        let of = |value: &Value| match value {
            Value::List(items) => items.clone(),
            Value::Text(start, end) => vec![(*start, *end)],
            Value::Block(_) => Vec::new(),
        };
        self.all(key).flat_map(of).map(|(start, end)| &file.text[start..end]).collect()
    }
}

/// The file as one block, with the places where it is no LookML, each with what is wrong.
pub(super) fn parse(file: &TextFile) -> (Block, Vec<(usize, &'static str)>) {
    let mut parser = Parser { text: &file.text, at: 0, open: 0, faults: Vec::new() };
    let values = parser.values();
    (Block { values, ..Block::default() }, parser.faults)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    open: usize,
    faults: Vec<(usize, &'static str)>,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes over space and comments.
    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            if self.peek() != Some(b'#') {
                return;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    /// What stands up to the closing brace, or the file's end.
    fn values(&mut self) -> Vec<(String, Value)> {
        let mut values = Vec::new();
        loop {
            self.skip_blank();
            match self.peek() {
                None if self.open == 0 => return values,
                None => {
                    self.faults.push((self.at, "a closing brace is missing"));
                    return values;
                }
                Some(b'}') if self.open > 0 => {
                    self.at += 1;
                    return values;
                }
                Some(_) => {}
            }
            let start = self.at;
            let key = self.word();
            self.skip_blank();
            if key.is_empty() || self.peek() != Some(b':') {
                self.faults.push((start, "a parameter with a colon is missing here"));
                self.skip_what_is_no_parameter(start);
                continue;
            }
            self.at += 1;
            if let Some(value) = self.value(&key, start) {
                values.push((key, value));
            }
        }
    }

    fn skip_what_is_no_parameter(&mut self, start: usize) {
        self.at = self.at.max(start);
        let rest = self.rest();
        let next = rest.char_indices().skip(1).find(|(_, c)| matches!(c, '\n' | '}')).map(|(at, _)| at);
        self.at += next.unwrap_or(rest.len());
    }

    fn word(&mut self) -> String {
        let ends = |c: char| c.is_whitespace() || matches!(c, ':' | '{' | '}' | '[' | ']' | '"' | ',' | '#' | ';');
        let word = self.rest().split(ends).next().unwrap_or_default().to_owned();
        self.at += word.len();
        word
    }

    fn value(&mut self, key: &str, start: usize) -> Option<Value> {
        if key.starts_with("sql") || key.starts_with("html") || key.starts_with("expression") {
            return self.raw();
        }
        self.skip_blank();
        match self.peek() {
            Some(b'"') => self.quoted().map(|(start, end)| Value::Text(start, end)),
            Some(b'[') => Some(Value::List(self.list())),
            Some(b'{') => Some(Value::Block(self.block(String::new(), start)?)),
            _ => self.word_or_block(start),
        }
    }

    fn word_or_block(&mut self, start: usize) -> Option<Value> {
        let from = self.at;
        let word = self.word();
        if word.is_empty() {
            self.faults.push((from, "a value is missing here"));
            return None;
        }
        let end = self.at;
        self.skip_blank();
        if self.peek() == Some(b'{') {
            return Some(Value::Block(self.block(word, start)?));
        }
        self.at = end;
        Some(Value::Text(from, end))
    }

    fn block(&mut self, name: String, start: usize) -> Option<Block> {
        if self.open >= MOST_OPEN {
            self.faults.push((self.at, "more braces are open here than Looker reads"));
            self.at = self.text.len();
            self.open = 0;
            return None;
        }
        self.at += 1;
        self.open += 1;
        let values = self.values();
        self.open = self.open.saturating_sub(1);
        Some(Block { name, start, values })
    }

    /// Up to `;;`.
    fn raw(&mut self) -> Option<Value> {
        let Some(length) = self.rest().find(";;") else {
            self.faults.push((self.at, "`;;` is missing behind this"));
            self.at = self.text.len();
            return None;
        };
        let inner = &self.rest()[..length];
        let start = self.at + (inner.len() - inner.trim_start().len());
        let end = start + inner.trim().len();
        self.at += length + 2;
        Some(Value::Text(start, end))
    }

    /// The inside of the quotes.
    fn quoted(&mut self) -> Option<(usize, usize)> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut end = start;
        while bytes.get(end).is_some_and(|byte| *byte != b'"') {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        if end >= bytes.len() {
            self.faults.push((self.at, "a text begins here and does not end"));
            self.at = self.text.len();
            return None;
        }
        self.at = end + 1;
        Some((start, end))
    }

    fn list(&mut self) -> Vec<(usize, usize)> {
        let mut items = Vec::new();
        let opened = self.at;
        self.at += 1;
        loop {
            self.skip_blank();
            let from = self.at;
            match self.peek() {
                None => {
                    self.faults.push((opened, "a list begins here and does not end"));
                    return items;
                }
                Some(b']') => {
                    self.at += 1;
                    return items;
                }
                Some(b'"') => items.extend(self.quoted()),
                Some(_) if self.word().is_empty() => {
                    self.at += self.rest().chars().next().map_or(1, char::len_utf8);
                }
                Some(_) => items.push((from, self.at)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(text: &str) -> TextFile {
        TextFile::inside("a.lkml".into(), text.to_owned())
    }

    #[test]
    fn blocks_texts_lists_and_sql_are_found_where_they_stand() {
        let file = file(
            "include: \"/views/*.view\" # all\nview: orders {\n  sql_table_name: raw.orders ;;\n  dimension: id { primary_key: yes  sql: ${TABLE}.id ;; }\n  extends: [base, +other]\n}\n",
        );
        let (top, faults) = parse(&file);
        assert!(faults.is_empty(), "{faults:?}");
        let view = top.blocks("view").next().unwrap();
        assert_eq!((view.name.as_str(), view.text("sql_table_name", &file)), ("orders", Some("raw.orders")));
        assert_eq!(view.words("extends", &file), ["base", "+other"]);
        assert_eq!(view.blocks("dimension").next().unwrap().text("sql", &file), Some("${TABLE}.id"));
        assert_eq!(top.text("include", &file), Some("/views/*.view"));
    }

    #[test]
    fn what_does_not_end_is_told_where_it_begins() {
        for (text, at) in [("view: a {\n", 10), ("view: a { sql: x }", 14), ("label: \"x", 7), ("a: [b", 3), ("}", 0)] {
            assert_eq!(parse(&file(text)).1[0].0, at, "{text}");
        }
        assert!(!parse(&file(&"a: {".repeat(10_000))).1.is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "[a{}\\[\\]:;\"# \n\\\\é]{0,80}") {
            parse(&file(&text));
        }
    }
}
