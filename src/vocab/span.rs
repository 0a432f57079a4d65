use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A place in a file of the estate: path as seen from the estate's root, byte range, and where it starts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The file, relative to the estate's root, with `/` between its parts.
    pub file: Utf8PathBuf,
    /// First byte, counted from 0.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Line of the first byte, counted from 1.
    pub line: u32,
    /// Column of the first byte in characters, counted from 1.
    pub column: u32,
}

impl Span {
    /// The whole of `file`, shown as its first line.
    pub fn whole(file: impl Into<Utf8PathBuf>) -> Self {
        Span { file: file.into(), start: 0, end: 0, line: 1, column: 1 }
    }

    /// Bytes `start..end` of `text`, the content of `file`.
    pub fn of(file: impl Into<Utf8PathBuf>, text: &str, start: usize, end: usize) -> Self {
        let before = &text.as_bytes()[..start.min(text.len())];
        let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        // A continuation byte (0b10xxxxxx) starts no character.
        let column = before[line_start..].iter().filter(|b| (**b & 0xC0) != 0x80).count() as u32 + 1;
        let line = before.iter().filter(|b| **b == b'\n').count() as u32 + 1;
        Span { file: file.into(), start, end, line, column }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let text = "ab\ncdé x";
        let span = Span::of("f.sql", text, text.find('x').unwrap(), text.len());
        assert_eq!((span.line, span.column), (2, 5));
        assert_eq!(span.to_string(), "f.sql:2:5");
    }
}
