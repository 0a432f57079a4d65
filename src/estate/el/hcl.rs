//! Terraform's configuration language as far as blocks, attributes, lists, maps and texts go.
use std::ops::Range;

/// Brackets and blocks that may be open at once.
const MOST_OPEN: usize = 100;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    /// A reference, number or anything else, as written.
    Word(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

/// `kind "label" "label" { … }`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Block {
    pub(super) kind: String,
    pub(super) labels: Vec<String>,
    pub(super) attributes: Vec<(String, Value)>,
    pub(super) blocks: Vec<Block>,
    pub(super) at: Range<usize>,
}

impl Block {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }
}

impl Value {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Map(pairs) => pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) | Value::Word(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> &[Value] {
        match self {
            Value::List(items) => items,
            _ => &[],
        }
    }
}

/// The blocks of `text`; what is none is passed over.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut cursor = Cursor { text, at: 0, open: 0 };
    let mut found = Vec::new();
    while cursor.at < text.len() {
        cursor.blank();
        let before = cursor.at;
        found.extend(cursor.block());
        if cursor.at == before {
            cursor.at += cursor.rest().chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

/// The arguments of the call `text` of one of the functions `names`: its first one as a text, and the pairs of a map
/// behind it.
pub(super) fn call(text: &str, names: &[&str]) -> Option<(String, Vec<(String, Value)>)> {
    let at = names.iter().find_map(|name| {
        let at = text.find(&format!("{name}("))?;
        let own = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        own.then_some(at + name.len() + 1)
    })?;
    let mut cursor = Cursor { text, at, open: 0 };
    let Value::Text(first) = cursor.value() else { return None };
    cursor.take(',');
    let pairs = match cursor.value() {
        Value::Map(pairs) => pairs,
        _ => Vec::new(),
    };
    Some((first, pairs))
}

struct Cursor<'t> {
    text: &'t str,
    at: usize,
    open: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blank(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            let comment = match trimmed {
                _ if trimmed.starts_with('#') || trimmed.starts_with("//") => {
                    trimmed.find('\n').unwrap_or(trimmed.len())
                }
                _ if trimmed.starts_with("/*") => trimmed.find("*/").map_or(trimmed.len(), |end| end + 2),
                _ => 0,
            };
            self.at += rest.len() - trimmed.len() + comment;
            if comment == 0 {
                return;
            }
        }
    }

    fn take(&mut self, mark: char) -> bool {
        self.blank();
        let is = self.rest().starts_with(mark);
        self.at += if is { mark.len_utf8() } else { 0 };
        is
    }

    fn word(&mut self) -> String {
        self.blank();
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "_-.".contains(c))).unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        word
    }

    fn block(&mut self) -> Option<Block> {
        let start = self.at;
        let kind = self.word();
        let mut labels = Vec::new();
        self.blank();
        while self.rest().starts_with('"') {
            labels.push(self.quoted());
            self.blank();
        }
        if kind.is_empty() || self.open >= MOST_OPEN || !self.take('{') {
            return None;
        }
        self.open += 1;
        let mut block = Block { kind, labels, attributes: Vec::new(), blocks: Vec::new(), at: start..start };
        while self.at < self.text.len() && !self.take('}') {
            self.inside(&mut block);
        }
        self.open -= 1;
        block.at.end = self.at;
        Some(block)
    }

    /// An attribute or a block within one.
    fn inside(&mut self, block: &mut Block) {
        let before = self.at;
        let name = self.word();
        if !name.is_empty() && self.take('=') {
            let value = self.value();
            block.attributes.push((name, value));
            return;
        }
        self.at = before;
        match self.block() {
            Some(inner) => block.blocks.push(inner),
            None if self.at == before => self.at += self.rest().chars().next().map_or(1, char::len_utf8),
            None => {}
        }
    }

    fn value(&mut self) -> Value {
        self.blank();
        if self.open >= MOST_OPEN {
            return self.expression();
        }
        match self.rest().chars().next() {
            Some('"') => Value::Text(self.quoted()),
            Some('[') => {
                self.at += 1;
                self.open += 1;
                let mut items = Vec::new();
                while self.at < self.text.len() && !self.take(']') {
                    items.push(self.value());
                    self.take(',');
                }
                self.open -= 1;
                Value::List(items)
            }
            Some('{') => self.map(),
            Some('<') if self.rest().starts_with("<<") => self.here_document(),
            _ => self.expression(),
        }
    }

    fn map(&mut self) -> Value {
        self.at += 1;
        self.open += 1;
        let mut pairs = Vec::new();
        while self.at < self.text.len() && !self.take('}') {
            let before = self.at;
            self.blank();
            let name = if self.rest().starts_with('"') { self.quoted() } else { self.word() };
            if self.take('=') || self.take(':') {
                pairs.push((name, self.value()));
            }
            self.take(',');
            if self.at == before {
                self.at += self.rest().chars().next().map_or(1, char::len_utf8);
            }
        }
        self.open -= 1;
        Value::Map(pairs)
    }

    /// Up to the line's end, or where the list or map around it goes on; a call's brackets and quotes are passed over.
    fn expression(&mut self) -> Value {
        let rest = self.rest();
        let (mut open, mut is_quoted, mut escaped) = (0usize, false, false);
        let end = rest.char_indices().find(|(_, c)| {
            let is_escaped = escaped;
            escaped = is_quoted && *c == '\\' && !is_escaped;
            match c {
                '"' if !is_escaped => is_quoted = !is_quoted,
                _ if is_quoted => {}
                '(' | '[' | '{' => open += 1,
                ')' | ']' | '}' if open > 0 => open -= 1,
                '\n' | ',' | ']' | '}' if open == 0 => return true,
                _ => {}
            }
            false
        });
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = end.map_or(rest.len(), |(at, _)| at).max(first);
        let word = rest[..end].trim().to_owned();
        self.at += end;
        Value::Word(word)
    }

    /// `<<EOT` or `<<-EOT`, and the lines up to the one that is `EOT` alone.
    fn here_document(&mut self) -> Value {
        let rest = self.rest();
        let (first, body) = rest.split_once('\n').unwrap_or((rest, ""));
        let mark = first.trim_start_matches('<').trim_start_matches('-').trim().to_owned();
        let mut length = 0;
        for line in body.split_inclusive('\n') {
            if line.trim() == mark {
                break;
            }
            length += line.len();
        }
        let text = body[..length].to_owned();
        let last = body[length..].split_inclusive('\n').next().unwrap_or_default();
        let ending = if last.ends_with('\n') { 1 } else { 0 };
        self.at += rest.len() - body.len() + length + last.len() - ending;
        Value::Text(text)
    }

    fn quoted(&mut self) -> String {
        self.at += 1;
        let mut out = String::new();
        let mut chars = self.rest().char_indices();
        let mut length = self.rest().len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    length = at + 1;
                    break;
                }
                '\\' => out.extend(chars.next().map(|(_, c)| if c == 'n' { '\n' } else { c })),
                c => out.push(c),
            }
        }
        self.at += length;
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_attributes_lists_and_maps() {
        let text = "# c\nresource \"a\" \"b\" {\n  name = \"x\" // y\n  list = [{ n = \"1\", m = true }, ref.id]\n  inner { k = 2 }\n}\nvariable \"v\" {}\n";
        let all = blocks(text);
        assert_eq!(all.iter().map(|block| block.kind.as_str()).collect::<Vec<_>>(), ["resource", "variable"]);
        let first = &all[0];
        assert_eq!((first.labels.join("."), first.get("name").and_then(Value::text)), ("a.b".to_owned(), Some("x")));
        let list = first.get("list").unwrap().items();
        assert_eq!((list[0].get("n").and_then(Value::text), list[1].text()), (Some("1"), Some("ref.id")));
        assert_eq!(first.blocks[0].get("k").and_then(Value::text), Some("2"));
    }

    #[test]
    fn documents_and_calls_are_whole_values() {
        let text = "a {\n  p = {\n    q = <<-EOT\n      select '}' from t\n    EOT\n    f = file(\"${path.module}/q.sql\")\n    g = t(\"x\", {\n      s = \"y\" })\n  }\n  z = 1\n}\n";
        let all = blocks(text);
        let of = |name: &str| all[0].get("p").and_then(|p| p.get(name)).and_then(Value::text);
        assert_eq!(of("q"), Some("      select '}' from t\n"));
        assert_eq!(of("f"), Some("file(\"${path.module}/q.sql\")"));
        assert_eq!(of("g"), Some("t(\"x\", {\n      s = \"y\" })"));
        assert_eq!(all[0].get("z").and_then(Value::text), Some("1"));
    }

    #[test]
    fn broken_texts_end() {
        for text in [
            "a {",
            "a { b = <<E",
            "a { b = <<\n",
            "a { b = <<-E\nx\nE",
            "a { b = f(\"\\",
            "a { b = [",
            "a \"",
            "}}}",
            "a { = }",
            &"a {".repeat(500),
            "a { b = {c =",
        ] {
            let _ = blocks(text);
        }
    }
}
