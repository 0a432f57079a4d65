use std::borrow::Cow;

/// The records of a CSV text, one by one; each field still knows whether it was quoted.
pub(super) struct Records<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

/// One field of a CSV record.
#[derive(Debug, PartialEq, Eq)]
pub struct Field<'t> {
    /// Its text without the quotes.
    pub(super) text: Cow<'t, str>,
    /// Whether quotes stood around it.
    pub(super) quoted: bool,
}

impl Field<'_> {
    /// The value's text as docs/FORMAT.md writes it; `None` for the unquoted empty field, which is NULL.
    pub fn spelled(&self) -> Option<&str> {
        (self.quoted || !self.text.is_empty()).then_some(&*self.text)
    }
}

impl<'t> Records<'t> {
    /// The records of `text`; a byte order mark before them is passed over.
    pub(super) fn new(text: &'t str) -> Self {
        Records { text: text.strip_prefix('\u{feff}').unwrap_or(text), at: 0, line: 1 }
    }

    /// Puts the next record's fields in the place of what `fields` holds; false after the last record. A line without
    /// characters is a record of one empty field, as in a table of one column that holds NULL.
    ///
    /// # Errors
    /// Where and how the text is no CSV.
    pub(super) fn read(&mut self, fields: &mut Vec<Field<'t>>) -> Result<bool, String> {
        fields.clear();
        if self.at == self.text.len() {
            return Ok(false);
        }
        loop {
            fields.push(self.next_field()?);
            let end = match self.rest().as_bytes() {
                [b',', ..] => {
                    self.at += 1;
                    continue;
                }
                [b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                [] => return Ok(true),
                [b'\r', ..] => return Err(self.fault("a carriage return stands alone outside quotes")),
                _ => return Err(self.fault("something stands between a closing quote and the comma")),
            };
            self.at += end;
            self.line += 1;
            return Ok(true);
        }
    }

    fn next_field(&mut self) -> Result<Field<'t>, String> {
        let rest = self.rest();
        if let Some(inside) = rest.strip_prefix('"') {
            return self.quoted(inside);
        }
        let end = rest.bytes().position(|b| matches!(b, b',' | b'\r' | b'\n' | b'"')).unwrap_or(rest.len());
        if rest[end..].starts_with('"') {
            return Err(self.fault("a quote stands inside an unquoted field"));
        }
        self.at += end;
        Ok(Field { text: Cow::Borrowed(&rest[..end]), quoted: false })
    }

    /// A field whose opening quote is passed; `inside` starts right after it.
    fn quoted(&mut self, inside: &'t str) -> Result<Field<'t>, String> {
        let mut end = 0;
        loop {
            let Some(quote) = inside[end..].find('"') else {
                return Err(self.fault("a quoted field does not end"));
            };
            end += quote;
            match inside[end + 1..].starts_with('"') {
                true => end += 2,
                false => break,
            }
        }
        let raw = &inside[..end];
        self.at += end + 2;
        self.line += raw.bytes().filter(|b| *b == b'\n').count() as u64;
        let text = if raw.contains('"') { Cow::Owned(raw.replace("\"\"", "\"")) } else { Cow::Borrowed(raw) };
        Ok(Field { text, quoted: true })
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn fault(&self, what: &str) -> String {
        format!("line {}: {what}", self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Vec<String>>, String> {
        let mut records = Records::new(text);
        let (mut all, mut fields) = (Vec::new(), Vec::new());
        while records.read(&mut fields)? {
            // Quoted fields are shown in brackets.
            let shown = |f: &Field<'_>| if f.quoted { format!("[{}]", f.text) } else { f.text.to_string() };
            all.push(fields.iter().map(shown).collect());
        }
        Ok(all)
    }

    #[test]
    fn a_quoted_empty_field_is_not_an_unquoted_one() {
        assert_eq!(read("a,,\"\"\r\n").unwrap(), [["a", "", "[]"]]);
    }

    #[test]
    fn quotes_commas_and_line_ends_stay_inside_quotes() {
        assert_eq!(
            read("\"a\"\"b\",\"c,d\",\"e\r\nf\n\"\ng,h,i").unwrap(),
            [["[a\"b]", "[c,d]", "[e\r\nf\n]"], ["g", "h", "i"]]
        );
        assert_eq!(read("\"\"\"\"").unwrap(), [["[\"]"]]);
    }

    #[test]
    fn an_empty_line_is_a_record_and_the_end_is_none() {
        assert_eq!(read("a\r\n\r\n").unwrap(), [["a"], [""]]);
        assert_eq!(read("a\n").unwrap(), read("a").unwrap());
        assert_eq!(read("a,\n").unwrap(), read("a,").unwrap());
        assert!(read("").unwrap().is_empty() && read("\u{feff}").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_csv_is_told_with_its_line() {
        for (text, line) in [("a\nb\"c\n", 2), ("\"a\nb\"c", 2), ("x\ry", 1), ("a\n\"b", 2), ("\"a\" ,b", 1)] {
            let fault = read(text).unwrap_err();
            assert!(fault.starts_with(&format!("line {line}: ")), "{text:?}: {fault}");
        }
    }
}
