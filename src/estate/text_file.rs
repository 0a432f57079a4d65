//! The text of one file, and the places in it.
use std::sync::{Arc, OnceLock};

use camino::Utf8PathBuf;

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    vocab::Span,
};

/// Bytes between two marks.
const MARK: usize = 256;
const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The text of one file, decoded, with what naming places in it needs.
#[derive(Clone, Debug)]
pub(crate) struct TextFile {
    /// Path as in `Span::file`.
    pub(crate) path: Utf8PathBuf,
    /// The text, without a byte order mark.
    pub(crate) text: Arc<str>,
    /// Bytes of the file that stand before the text: a byte order mark.
    offset: usize,
    /// Whether bytes of the text are bytes of the file, so that it can be edited by span.
    pub(crate) editable: bool,
    line_starts: Arc<OnceLock<Vec<usize>>>,
    /// Characters that begin before every `MARK`th byte: a line of a megabyte is not counted anew for each of its words.
    marks: Arc<OnceLock<Vec<usize>>>,
}

impl TextFile {
    /// The text of `bytes`: UTF-8, or UTF-16 with its mark. The fault is where it stops being text.
    pub(crate) fn decode(path: Utf8PathBuf, bytes: Vec<u8>) -> Result<TextFile, Diagnostic> {
        let (text, offset, editable) = match bytes.get(..2) {
            Some(b"\xFF\xFE") => (utf16(&path, &bytes[2..], u16::from_le_bytes)?, 0, false),
            Some(b"\xFE\xFF") => (utf16(&path, &bytes[2..], u16::from_be_bytes)?, 0, false),
            _ if bytes.starts_with(UTF8_MARK) => {
                (utf8(&path, bytes[UTF8_MARK.len()..].to_vec())?, UTF8_MARK.len(), true)
            }
            _ => (utf8(&path, bytes)?, 0, true),
        };
        if let Some(at) = text.find('\0') {
            return Err(not_text(&path, &text, at, "a zero byte"));
        }
        Ok(TextFile { path, text: text.into(), offset, editable, line_starts: Arc::default(), marks: Arc::default() })
    }

    /// The text of `bytes`, or their text in the old Windows code page with the fault that says so: then
    /// it can be read, not edited. Bytes that are no text in either give the fault alone.
    pub(crate) fn decode_any(path: Utf8PathBuf, bytes: Vec<u8>) -> (Option<TextFile>, Option<Diagnostic>) {
        let is_binary = |byte: &u8| *byte < b'\t' || (0x0E..0x1A).contains(byte);
        let is_utf8 = std::str::from_utf8(&bytes).is_ok();
        let old = (!is_utf8 && !bytes.iter().any(is_binary)).then(|| windows_1252(&bytes));
        match TextFile::decode(path.clone(), bytes) {
            Ok(file) => (Some(file), None),
            Err(fault) => match old {
                Some(text) => {
                    let here = format!("{}; read as windows-1252, never edited", fault.here);
                    (Some(TextFile::inside(path, text)), Some(Diagnostic { here, ..fault }))
                }
                None => (None, Some(fault)),
            },
        }
    }

    /// The same file with other text of the same length, line for line.
    pub(crate) fn with_text(&self, text: String) -> TextFile {
        TextFile { text: text.into(), marks: Arc::default(), ..self.clone() }
    }

    /// A text that lies inside an archive: places can be named, nothing can be edited.
    pub(crate) fn inside(path: Utf8PathBuf, text: String) -> TextFile {
        TextFile {
            path,
            text: text.into(),
            offset: 0,
            editable: false,
            line_starts: Arc::default(),
            marks: Arc::default(),
        }
    }

    /// The place of bytes `start..end` of the text.
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        let starts = self.line_starts.get_or_init(|| {
            let ends = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect()
        });
        let start = start.min(self.text.len());
        let line = starts.partition_point(|line| *line <= start).max(1);
        let column = (self.characters_before(start) - self.characters_before(starts[line - 1])) as u32 + 1;
        let (start, end) = (start + self.offset, end.clamp(start, self.text.len()) + self.offset);
        Span { file: self.path.clone(), start, end, line: line as u32, column }
    }

    /// How many characters begin before byte `at`, which is within the text.
    fn characters_before(&self, at: usize) -> usize {
        let marks = self.marks.get_or_init(|| {
            let mut marks = vec![0];
            for chunk in self.text.as_bytes().chunks(MARK) {
                marks.push(marks[marks.len() - 1] + characters(chunk));
            }
            marks
        });
        marks[at / MARK] + characters(&self.text.as_bytes()[at - at % MARK..at])
    }

    /// The whole file, shown as its first line.
    pub(crate) fn whole(&self) -> Span {
        Span { start: self.offset, end: self.offset + self.text.len(), ..Span::whole(self.path.clone()) }
    }
}

/// How many characters begin in `bytes`: a continuation byte (0b10xxxxxx) begins none.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()
}

fn utf8(path: &Utf8PathBuf, bytes: Vec<u8>) -> Result<String, Diagnostic> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let byte = error.as_bytes()[valid];
        let before = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        not_text(path, &before, valid, &format!("byte 0x{byte:02x}"))
    })
}

/// What the bytes 0x80 to 0x9F mean in windows-1252; elsewhere it is Latin-1.
const WINDOWS_1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

fn windows_1252(bytes: &[u8]) -> String {
    let high: Vec<char> = WINDOWS_1252.chars().collect();
    let char_of = |byte: &u8| match byte {
        0x80..=0x9F => high[usize::from(byte - 0x80)],
        byte => char::from(*byte),
    };
    bytes.iter().map(char_of).collect()
}

fn utf16(path: &Utf8PathBuf, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Diagnostic> {
    let mut pairs = bytes.chunks_exact(2);
    let units = pairs.by_ref().map(|pair| unit([pair[0], pair[1]]));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    match text {
        Ok(text) if pairs.remainder().is_empty() => Ok(text),
        _ => Err(not_text(path, "", 0, "a UTF-16 mark before bytes that are not UTF-16")),
    }
}

fn not_text(path: &Utf8PathBuf, before: &str, at: usize, what: &str) -> Diagnostic {
    Diagnostic::new(CodeEntry::E002, Span::of(path.clone(), before, at, at), format!("{what} here is not UTF-8 text"))
}

/// The text of `bytes`, in any of the encodings that SQL of an estate is read in: UTF-8, UTF-16 with its mark, the old
/// Windows code page. `None` where it is no text.
pub fn decoded(bytes: Vec<u8>) -> Option<String> {
    TextFile::decode_any(Utf8PathBuf::new(), bytes).0.map(|file| file.text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Result<TextFile, Diagnostic> {
        TextFile::decode("f.sql".into(), bytes.to_vec())
    }

    #[test]
    fn columns_of_a_long_wide_line_count_characters() {
        let line = "aé😀".repeat(300);
        let file = decode(format!("é\n{line}").as_bytes()).unwrap();
        for (before, (at, _)) in line.char_indices().enumerate() {
            let span = file.span(3 + at, 3 + at);
            assert_eq!((span.line, span.column), (2, before as u32 + 1));
        }
    }

    #[test]
    fn a_mark_is_no_text_and_bytes_still_count_from_the_file_s_start() {
        let file = decode(b"\xEF\xBB\xBFselect 1\nfrom t").unwrap();
        assert_eq!(&*file.text, "select 1\nfrom t");
        let span = file.span(9, 13);
        assert_eq!((span.start, span.end, span.line, span.column), (12, 16, 2, 1));
    }

    #[test]
    fn utf_16_is_read_but_never_edited() {
        let bytes: Vec<u8> = "\u{feff}é1".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let file = decode(&bytes).unwrap();
        assert_eq!((&*file.text, file.editable), ("é1", false));
        assert_eq!(decode(b"\xFF\xFEa").unwrap_err().code, CodeEntry::E002);
    }

    #[test]
    fn the_first_byte_that_is_no_text_is_named() {
        let fault = decode(b"select 1\nfrom caf\xE9").unwrap_err();
        assert_eq!((fault.at.line, fault.at.column, fault.here.as_str()), (2, 9, "byte 0xe9 here is not UTF-8 text"));
        assert_eq!(decode(b"a\0b").unwrap_err().at.column, 2);
    }

    #[test]
    fn an_old_code_page_is_read_with_a_word_of_warning() {
        let (file, fault) = TextFile::decode_any("f.sql".into(), b"caf\xE9 \x80".to_vec());
        let file = file.unwrap();
        assert_eq!((&*file.text, file.editable, fault.unwrap().code), ("café €", false, CodeEntry::E002));
        assert!(TextFile::decode_any("f.sql".into(), b"\x89PNG\x00".to_vec()).0.is_none());
    }

    #[test]
    fn places_agree_with_span_of() {
        let text = "é\n\nab\r\ncd";
        let file = decode(text.as_bytes()).unwrap();
        for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            assert_eq!(file.span(at, text.len()), Span::of("f.sql", text, at, text.len()));
        }
    }
}
