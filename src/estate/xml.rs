//! XML into elements with places. The one file to know the `quick_xml` crate. No entity but the five is followed.
use std::borrow::Cow;

use quick_xml::{
    Reader,
    escape::unescape,
    events::{BytesStart, Event},
};

use crate::{
    diagnostics::{Code, Diagnostic},
    estate::text_file::TextFile,
};

/// Elements that may be open at once.
const MOST_OPEN: usize = 500;

/// One element.
#[derive(Clone, Debug, Default)]
pub(crate) struct Element {
    /// Its name as written, prefix and all.
    pub(crate) name: String,
    /// First byte of its tag.
    pub(crate) start: usize,
    /// Its attributes, unescaped.
    pub(crate) attributes: Vec<(String, String)>,
    /// Its own text, unescaped, without that of its children.
    pub(crate) text: String,
    /// First and one past the last byte of that text.
    pub(crate) text_at: (usize, usize),
    /// The elements in it.
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// The value of an attribute.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// The root element of `file`; its fault, of `code`, stands where the text stops being XML.
pub(crate) fn document(file: &TextFile, code: Code) -> Result<Element, Diagnostic> {
    let mut reader = Reader::from_str(&file.text);
    let mut open = vec![Element::default()];
    loop {
        let at = position(&reader, file);
        let fault = |here: String| Diagnostic::new(code, file.span(at, at), format!("no XML: {here}"));
        match reader.read_event().map_err(|error| fault(error.to_string()))? {
            Event::Start(tag) if open.len() > MOST_OPEN => {
                return Err(fault(format!("`{}` is the {MOST_OPEN}th element within another", name(&tag))));
            }
            Event::Start(tag) => open.push(element(&tag, at).map_err(fault)?),
            Event::Empty(tag) => {
                let element = element(&tag, at).map_err(fault)?;
                close(&mut open, element);
            }
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    close(&mut open, element);
                }
            }
            Event::Text(text) => add(&mut open, &text.decode().unwrap_or_default(), at, position(&reader, file)),
            Event::CData(text) => add(&mut open, &text.decode().unwrap_or_default(), at, position(&reader, file)),
            Event::GeneralRef(reference) => {
                let written = format!("&{};", reference.decode().unwrap_or_default());
                let text = unescape(&written).map_err(|error| fault(error.to_string()))?;
                add(&mut open, &text, at, position(&reader, file));
            }
            Event::Eof if open.len() > 1 => {
                let unfinished = open.last().map(|element| element.name.clone()).unwrap_or_default();
                return Err(fault(format!("`{unfinished}` does not end")));
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    let top = open.pop().unwrap_or_default();
    let none = || Diagnostic::new(code, file.span(0, 0), "no XML: no element is in it");
    top.children.into_iter().next().ok_or_else(none)
}

fn position(reader: &Reader<&[u8]>, file: &TextFile) -> usize {
    let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX).min(file.text.len());
    (0..=at).rev().find(|at| file.text.is_char_boundary(*at)).unwrap_or(0)
}

fn name(tag: &BytesStart<'_>) -> String {
    String::from_utf8_lossy(tag.name().as_ref()).into_owned()
}

fn element(tag: &BytesStart<'_>, start: usize) -> Result<Element, String> {
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let written: Cow<'_, str> = String::from_utf8_lossy(&attribute.value);
        let value = unescape(&written).map_err(|error| error.to_string())?.into_owned();
        attributes.push((String::from_utf8_lossy(attribute.key.as_ref()).into_owned(), value));
    }
    Ok(Element { name: name(tag), start, attributes, ..Element::default() })
}

fn close(open: &mut [Element], element: Element) {
    if let Some(around) = open.last_mut() {
        around.children.push(element);
    }
}

fn add(open: &mut [Element], text: &str, start: usize, end: usize) {
    let Some(element) = open.last_mut() else { return };
    if element.text.is_empty() {
        element.text_at.0 = start;
    }
    element.text.push_str(text);
    element.text_at.1 = end;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::CodeEntry;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Element, Diagnostic> {
        document(&TextFile::inside("a.xml".into(), text.to_owned()), CodeEntry::E051)
    }

    #[test]
    fn elements_attributes_and_texts_are_found_with_their_places() {
        let text = "<?xml version='1.0'?>\n<a x='1 &lt; 2'><b>SELECT &amp; <![CDATA[<x>]]></b><c y=\"'\"/></a>";
        let root = read(text).unwrap();
        assert_eq!((root.get("x"), root.children.len()), (Some("1 < 2"), 2));
        let b = &root.children[0];
        assert_eq!(b.text, "SELECT & <x>");
        assert_eq!(&text[b.text_at.0..b.text_at.1], "SELECT &amp; <![CDATA[<x>]]>");
        assert!(text[root.children[1].start..].starts_with("<c y"));
    }

    #[test]
    fn what_is_no_xml_is_told_and_entities_of_its_own_are_not_followed() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\">]><a>&b;</a>";
        for text in ["", "no", "<a>", "<a><b></a>", "<a x=1/>", bomb, &"<a>".repeat(100_000)] {
            assert_eq!(read(text).unwrap_err().code.code, "E051", "{text:.20}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "[<>/a='\"&;! \\[\\]?é-]{0,60}") {
            let _ = read(&text);
        }
    }
}
