/// A member's value. Numbers keep their digits: libraries that hold them as doubles change the far ones.
#[derive(Debug, PartialEq)]
pub(super) enum Json<'t> {
    Null,
    Boolean(bool),
    Number(&'t str),
    Text(String),
}

/// The members of the one flat object that `line` is, in their order, doubled names included.
///
/// # Errors
/// What is wrong, with its byte in the line.
pub(super) fn object(line: &str) -> Result<Vec<(String, Json<'_>)>, String> {
    let mut reader = Reader { text: line, at: 0 };
    reader.expect('{')?;
    let mut members = Vec::new();
    if reader.peek() == Some('}') {
        reader.expect('}')?;
    } else {
        loop {
            reader.expect('"')?;
            let name = reader.string()?;
            reader.expect(':')?;
            members.push((name, reader.value()?));
            match reader.peek() {
                Some(',') => reader.expect(',')?,
                _ => break reader.expect('}')?,
            }
        }
    }
    match reader.peek() {
        None => Ok(members),
        Some(_) => Err(reader.fault("something follows the object")),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    /// The next character that is no white space.
    fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.rest().chars().next()
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        match self.peek() == Some(wanted) {
            true => {
                self.at += wanted.len_utf8();
                Ok(())
            }
            false => Err(self.fault(&format!("`{wanted}` belongs here"))),
        }
    }

    fn value(&mut self) -> Result<Json<'t>, String> {
        match self.peek() {
            Some('"') => {
                self.at += 1;
                Ok(Json::Text(self.string()?))
            }
            Some('-' | '0'..='9') => self.number(),
            Some('{' | '[') => Err(self.fault("objects and lists do not nest in a part")),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Json<'t>, String> {
        for (word, value) in [("null", Json::Null), ("true", Json::Boolean(true)), ("false", Json::Boolean(false))] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.fault("a value belongs here"))
    }

    fn number(&mut self) -> Result<Json<'t>, String> {
        let rest = self.rest();
        let end = rest.find(|c: char| !matches!(c, '-' | '+' | '.' | 'e' | 'E' | '0'..='9')).unwrap_or(rest.len());
        self.at += end;
        Ok(Json::Number(&rest[..end]))
    }

    /// A string whose opening quote is passed.
    fn string(&mut self) -> Result<String, String> {
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let Some(end) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') else {
                return Err(self.fault("a string does not end"));
            };
            out.push_str(&rest[..end]);
            self.at += end;
            match rest.as_bytes()[end] {
                b'"' => {
                    self.at += 1;
                    return Ok(out);
                }
                b'\\' => out.push(self.escape()?),
                _ => return Err(self.fault("a control character stands bare in a string")),
            }
        }
    }

    /// One escape; its backslash is next.
    fn escape(&mut self) -> Result<char, String> {
        let code = self.rest().as_bytes().get(1).copied();
        self.at += 1;
        let plain = match code {
            Some(b'u') => return self.unicode(),
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            _ => return Err(self.fault("no such escape")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// `uXXXX`, or two of them with a backslash between that make one character.
    fn unicode(&mut self) -> Result<char, String> {
        let first = self.hex()?;
        let code = match first {
            0xD800..=0xDBFF if self.rest().starts_with("\\u") => {
                self.at += 1;
                let second = self.hex()?;
                let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400);
                low.map(|low| 0x10000 + ((first - 0xD800) << 10) + low)
            }
            _ => Some(first),
        };
        code.and_then(char::from_u32).ok_or_else(|| self.fault("half a surrogate pair is no character"))
    }

    fn hex(&mut self) -> Result<u32, String> {
        let digits = self.rest().get(1..5).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.at += 5;
                Ok(code)
            }
            None => Err(self.fault("four hexadecimal digits belong here")),
        }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn fault(&self, what: &str) -> String {
        format!("{what} (byte {})", self.at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_escapes_are_resolved() {
        let line = r#" { "a" : 1.50 ,"b\u00e9\ud83d\ude00\/" :"\n\"x", "c":null,"c":true}"#;
        let wanted = [
            ("a".to_owned(), Json::Number("1.50")),
            ("bé😀/".to_owned(), Json::Text("\n\"x".to_owned())),
            ("c".to_owned(), Json::Null),
            ("c".to_owned(), Json::Boolean(true)),
        ];
        assert_eq!(object(line).unwrap(), wanted);
        assert_eq!(object("{}").unwrap(), []);
    }

    #[test]
    fn what_is_no_flat_object_is_refused() {
        for line in [
            "",
            "[]",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":[1]}",
            "{\"a\":{}}",
            "{} x",
            "{\"a\":nul}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\ud800\\u0041\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\",
            "{\"a\":\"x",
            "{\"a\":\"\t\"}",
            "{\"a\":NaN}",
            "{a:1}",
            "{\"a\":\"\\udc00\"}",
            "{\"a\":\"\\uéé\"}",
        ] {
            assert!(object(line).is_err(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in "\\PC{0,40}|[{}\",:\\\\u0-9aednltrf. -]{0,40}") {
            let _ = object(&line);
        }

        #[test]
        fn what_serde_json_writes_is_read(name: String, text: String) {
            let line = serde_json::json!({ name.clone(): text }).to_string();
            prop_assert_eq!(object(&line).unwrap(), [(name, Json::Text(text))]);
        }
    }
}
