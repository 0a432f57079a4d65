//! Finds where each value of a parsed document is written.
//!
//! The values are known already, so the text is followed along them and no grammar is needed: after a
//! key comes a colon, before an item a dash. Where text and values part (a form this does not know),
//! what is left is placed at the nearest thing around it and marked so.
use super::{Node, Shape, Written};

/// Text and values have parted.
struct Lost;

/// Puts every value of `root` at its place in `text`.
pub(crate) fn place(root: &mut Node, text: &str) {
    let mut cursor = Cursor { text, at: 0 };
    let _ = cursor.node(root, false);
    inherit(root, (0, 0));
}

/// What has no place of its own takes that of what is around it.
fn inherit(node: &mut Node, around: (usize, usize)) {
    if node.written == Written::Nearby && node.end == 0 {
        (node.start, node.end) = around;
    }
    let here = (node.start, node.end);
    match &mut node.shape {
        Shape::List(items) => items.iter_mut().for_each(|item| inherit(item, here)),
        Shape::Map(entries) => {
            for entry in entries {
                inherit(&mut entry.key, here);
                inherit(&mut entry.value, (entry.key.start, entry.key.end));
            }
        }
        _ => {}
    }
}

struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &[u8] {
        &self.text.as_bytes()[self.at.min(self.text.len())..]
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    fn take(&mut self, byte: u8) -> Result<(), Lost> {
        if self.peek() != Some(byte) {
            return Err(Lost);
        }
        self.at += 1;
        Ok(())
    }

    fn at_line_start(&self) -> bool {
        self.at == 0 || self.text.as_bytes()[self.at - 1] == b'\n'
    }

    /// Passes over space, comments, the document's start and directives.
    fn skip_blank(&mut self) {
        loop {
            let Some(byte) = self.peek() else { return };
            let marker = self.at_line_start() && (byte == b'%' || self.rest().starts_with(b"---"));
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b'#' => self.skip_line(),
                b'%' if marker => self.skip_line(),
                b'-' if marker && self.rest().get(3).is_none_or(u8::is_ascii_whitespace) => self.at += 3,
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        self.at += self.rest().iter().position(|byte| *byte == b'\n').unwrap_or(self.rest().len());
    }

    fn skip_word(&mut self) {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'[' | b']' | b'{' | b'}');
        self.at += self.rest().iter().position(ends).unwrap_or(self.rest().len());
    }

    fn node(&mut self, node: &mut Node, flow: bool) -> Result<(), Lost> {
        if node.shape == Shape::Null {
            return self.null(node);
        }
        self.skip_blank();
        while matches!(self.peek(), Some(b'&' | b'!')) {
            self.skip_word();
            self.skip_blank();
        }
        let start = self.at;
        if self.peek() == Some(b'*') {
            // The values are written at the anchor; here stands only its name.
            self.skip_word();
            (node.start, node.end) = (start, self.at);
            return Ok(());
        }
        node.start = start;
        let written = match &mut node.shape {
            Shape::Map(entries) => self.map(entries, flow).map(|()| Written::Otherwise),
            Shape::List(items) => self.list(items, flow).map(|()| Written::Otherwise),
            Shape::Text(text) => {
                let (inner, written) = self.text(text)?;
                node.start = inner.0;
                node.end = inner.1;
                node.written = written;
                return Ok(());
            }
            Shape::Number(_) | Shape::Bool(_) | Shape::Null => self.plain_word().map(|()| Written::AsIs),
        };
        node.end = self.at.max(start + 1);
        node.written = written?;
        if let Shape::Number(number) = &mut node.shape {
            *number = self.text[start..self.at].to_owned();
        }
        Ok(())
    }

    /// Null is written as nothing, or as one of four words on the same line.
    fn null(&mut self, node: &mut Node) -> Result<(), Lost> {
        let before = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let start = self.at;
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}');
        let length = self.rest().iter().position(ends).unwrap_or(self.rest().len());
        match &self.rest()[..length] {
            b"~" | b"null" | b"Null" | b"NULL" => {
                self.at += length;
                (node.start, node.end, node.written) = (start, self.at, Written::Otherwise);
            }
            _ => self.at = before,
        }
        Ok(())
    }

    fn map(&mut self, entries: &mut [super::Entry], flow: bool) -> Result<(), Lost> {
        let braces = self.peek() == Some(b'{') && (flow || !entries.is_empty() || self.rest().len() > 1);
        if braces {
            self.at += 1;
        }
        for entry in entries {
            self.skip_blank();
            if self.peek() == Some(b'?') && self.rest().get(1).is_some_and(u8::is_ascii_whitespace) {
                self.at += 1;
            }
            self.node(&mut entry.key, flow || braces)?;
            self.skip_blank();
            match self.peek() == Some(b':') {
                true => {
                    self.at += 1;
                    self.node(&mut entry.value, flow || braces)?;
                }
                // A lone key of a flow map stands for null.
                false if entry.value.shape == Shape::Null => {}
                false => return Err(Lost),
            }
            self.skip_comma(braces);
        }
        self.close(braces, b'}')
    }

    fn list(&mut self, items: &mut [Node], flow: bool) -> Result<(), Lost> {
        let brackets = self.peek() == Some(b'[');
        if brackets {
            self.at += 1;
        }
        for item in items {
            self.skip_blank();
            if !brackets {
                self.take(b'-')?;
            }
            self.node(item, flow || brackets)?;
            self.skip_comma(brackets);
        }
        self.close(brackets, b']')
    }

    fn skip_comma(&mut self, flow: bool) {
        if flow {
            self.skip_blank();
            self.at += usize::from(self.peek() == Some(b','));
        }
    }

    fn close(&mut self, flow: bool, bracket: u8) -> Result<(), Lost> {
        if flow {
            self.skip_blank();
            self.take(bracket)?;
        }
        Ok(())
    }

    /// A number or a yes: one word.
    fn plain_word(&mut self) -> Result<(), Lost> {
        let rest = self.rest();
        let end = rest.iter().enumerate().position(|(at, byte)| match byte {
            b':' => {
                rest.get(at + 1).is_none_or(|next| next.is_ascii_whitespace() || matches!(next, b',' | b']' | b'}'))
            }
            byte => byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}'),
        });
        let length = end.unwrap_or(rest.len());
        let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
        if length == 0 || !rest[..length].iter().all(known) {
            return Err(Lost);
        }
        self.at += length;
        Ok(())
    }

    fn text(&mut self, value: &str) -> Result<((usize, usize), Written), Lost> {
        let inner = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => self.quoted(quote)?,
            Some(b'|') => return self.block(value, true),
            Some(b'>') => return self.block(value, false),
            _ => self.plain(value)?,
        };
        let written = if &self.text[inner.0..inner.1] == value { Written::AsIs } else { Written::Otherwise };
        Ok((inner, written))
    }

    /// The inside of a quoted text.
    fn quoted(&mut self, quote: u8) -> Result<(usize, usize), Lost> {
        self.at += 1;
        let start = self.at;
        while let Some(byte) = self.peek() {
            let doubled = quote == b'\'' && self.rest().get(1) == Some(&b'\'');
            match byte {
                b'\\' if quote == b'"' => self.at += 2,
                byte if byte == quote && doubled => self.at += 2,
                byte if byte == quote => {
                    self.at += 1;
                    return Ok((start, self.at - 1));
                }
                _ => self.at += 1,
            }
        }
        Err(Lost)
    }

    /// A plain text, over several lines where its spaces and newlines are line ends.
    fn plain(&mut self, value: &str) -> Result<(usize, usize), Lost> {
        let start = self.at;
        let mut left = value.as_bytes();
        while let Some((first, tail)) = left.split_first() {
            let space = self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let folds = self.rest()[..space].contains(&b'\n');
            match first {
                b' ' if folds => {
                    self.at += space;
                    left = tail;
                }
                b'\n' if folds => {
                    self.at += space;
                    left = &left[left.iter().take_while(|byte| **byte == b'\n').count()..];
                }
                _ if self.peek() == Some(*first) => {
                    self.at += 1;
                    left = tail;
                }
                _ => return Err(Lost),
            }
        }
        Ok((start, self.at))
    }

    /// The lines of a block, from the first that is not blank to the last.
    fn block(&mut self, value: &str, literal: bool) -> Result<((usize, usize), Written), Lost> {
        self.skip_line();
        if value.trim().is_empty() {
            return Ok(((self.at, self.at), Written::Otherwise));
        }
        let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let is_blank = |line: &&str| line.trim().is_empty();
        let lead = value.lines().find(|line| !is_blank(line)).map_or(0, spaces);
        let body = self.at + 1;
        let (mut start, mut end, mut indent, mut at) = (None, body, 0, body);
        for line in self.text.get(body..).ok_or(Lost)?.split_inclusive('\n') {
            if !is_blank(&line) {
                let deep = spaces(line);
                if start.is_none() {
                    indent = deep.saturating_sub(lead);
                    start = Some(at + indent);
                }
                if deep < indent || (indent == 0 && (line.starts_with("---") || line.starts_with("..."))) {
                    break;
                }
                end = at + line.trim_end_matches(['\n', '\r']).len();
            }
            at += line.len();
        }
        self.at = end;
        let start = start.ok_or(Lost)?;
        let last = value.lines().rev().find(|line| !is_blank(line)).unwrap_or_default();
        let found = self.text.get(start..end).ok_or(Lost)?;
        match literal && found.ends_with(last.trim_end_matches('\r')) {
            true => Ok(((start, end), Written::Block)),
            false if literal => Err(Lost),
            false => Ok(((start, end), Written::Otherwise)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::{text_file::TextFile, yaml::document};

    /// Each scalar of `text` with the bytes at its place.
    fn places(text: &str) -> Vec<(String, String, Written)> {
        let node = document(&TextFile::inside("f.yaml".into(), text.to_owned())).unwrap();
        let mut found = Vec::new();
        collect(&node, text, &mut found);
        found
    }

    fn collect(node: &Node, text: &str, found: &mut Vec<(String, String, Written)>) {
        if let Some(value) = node.scalar() {
            found.push((value.to_owned(), text[node.start..node.end].to_owned(), node.written));
        }
        for entry in node.entries() {
            collect(&entry.key, text, found);
            collect(&entry.value, text, found);
        }
        node.items().iter().for_each(|item| collect(item, text, found));
    }

    #[test]
    fn every_plain_or_quoted_value_is_found_as_it_stands() {
        let text = "# c\n---\na: raw.x # note\n'b': [one, \"two\", {c: 3, d: yes}]\ne:\n- f: g\n  h: i:j\n- k\n- - l\n  - m\n? n\n: o\n";
        for (value, bytes, written) in places(text) {
            assert_eq!((written, &value), (Written::AsIs, &bytes));
        }
        let values: Vec<_> = places(text).into_iter().map(|place| place.0).collect();
        assert_eq!(values.join(" "), "a raw.x b one two c 3 d yes e f g h i:j k l m n o");
    }

    #[test]
    fn a_literal_block_is_found_by_its_lines() {
        let text = "q: |-\n    select 1\n\n      from a\n  \nb: 2\n";
        let found = &places(text)[1];
        assert_eq!((found.1.as_str(), found.2), ("select 1\n\n      from a", Written::Block));
        assert_eq!(places(text)[3].1, "2");
    }

    #[test]
    fn folded_and_escaped_values_are_placed_but_not_as_they_stand() {
        let found = places("a: >\n  x\n  y\nb: \"q\\\"r\"\nc: it\n  goes on\nd: 'it''s'\ne: end\n");
        assert!(found.iter().filter(|place| place.2 == Written::Otherwise).count() == 4, "{found:?}");
        assert_eq!(found.last().unwrap().2, Written::AsIs);
    }

    #[test]
    fn nulls_anchors_and_aliases_do_not_lead_astray() {
        let found = places("a:\nb: ~\nc: &x {d: , e}\nf: *x\ng: !t h\n- i: 1".trim_end_matches("\n- i: 1"));
        let last = found.last().unwrap();
        assert_eq!((last.0.as_str(), last.1.as_str()), ("h", "h"));
    }
}
