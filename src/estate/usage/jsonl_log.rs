//! A usage log as one JSON object a line.
use std::io::{BufRead, Read as _};

use camino::Utf8Path;
use serde_json::{Map, Value};

use super::{csv_log::keep, preset::Preset, row::Object, tally::Tally};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::Usage,
    vocab::Span,
};

/// The longest line taken; a longer one is no log line.
const LINE_BYTES: u64 = 16 * 1024 * 1024;

pub(super) fn read(path: &Utf8Path, mut input: impl BufRead) -> Option<(Vec<Usage>, Vec<Diagnostic>)> {
    let (mut tally, mut faults) = (Tally::default(), Vec::new());
    let (mut line, mut number, mut start) = (Vec::new(), 0, 0);
    let mut preset: Option<&Preset> = None;
    loop {
        line.clear();
        let length = input.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line).ok()?;
        if length == 0 {
            break;
        }
        number += 1;
        let place = Span { file: path.to_owned(), start, end: start + length, line: number, column: 1 };
        start += length;
        let text = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&line).trim_ascii();
        if text.is_empty() {
            continue;
        }
        let parsed = serde_json::from_slice::<Map<String, Value>>(text);
        let added = match parsed.map(Object::of) {
            Ok(object) => {
                // The first line decides whether this is a log at all, and whose.
                let known = match preset {
                    Some(known) => known,
                    None => Preset::of(object.names().collect::<Vec<_>>().iter().copied())?,
                };
                preset = Some(known);
                known.line(&object).map_or(Ok(()), |read| known.add(&mut tally, read, place))
            }
            Err(_) if preset.is_none() => return None,
            Err(error) => {
                let place = Span { column: error.column().max(1) as u32, ..place };
                Err(Diagnostic::new(CodeEntry::E007, place, "the line is no JSON object"))
            }
        };
        keep(&mut faults, added.err());
    }
    let (usage, full) = tally.finish();
    faults.extend(full);
    preset.is_some().then_some((usage, faults))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_object_and_a_broken_one_is_told() {
        let text = "{\"user\":\"ann\",\"time\":\"2026-01-05\",\"sql\":\"select 1\",\"count\":4}\n\n{\"user\":\n{\"user\":\"b\",\"time\":0,\"table\":\"a.b\"}";
        let (usage, faults) = read("log.jsonl".as_ref(), text.as_bytes()).unwrap();
        assert_eq!(usage.iter().map(|usage| (usage.count, usage.line.line)).collect::<Vec<_>>(), [(4, 1), (1, 4)]);
        assert_eq!(faults.iter().map(|fault| (fault.code.code, fault.at.line)).collect::<Vec<_>>(), [("E007", 3)]);
        assert!(read("data.jsonl".as_ref(), "{\"id\":1}\n".as_bytes()).is_none());
    }
}
