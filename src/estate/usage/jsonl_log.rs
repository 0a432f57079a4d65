//! A usage log as one JSON object a line.
use std::io::{BufRead, Read as _};

use camino::Utf8Path;
use serde_json::{Map, Value};

use super::{
    csv_log::keep,
    header::{Header, Meaning, names_of},
    tally::{Line, Tally},
};
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
        // The first line decides whether this is a log at all.
        if number == 1 && !parsed.as_ref().is_ok_and(|object| Header::of(object.keys().map(String::as_str)).is_some()) {
            return None;
        }
        let added = match parsed {
            Ok(object) => tally.add(line_of(&object), place),
            Err(error) => {
                let place = Span { column: error.column().max(1) as u32, ..place };
                Err(Diagnostic::new(CodeEntry::E007, place, "the line is no JSON object"))
            }
        };
        keep(&mut faults, added.err());
    }
    let (usage, full) = tally.finish();
    faults.extend(full);
    (number > 0).then_some((usage, faults))
}

fn line_of(object: &Map<String, Value>) -> Line {
    let field = |meaning| {
        let named = |name: &&str| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        names_of(meaning).iter().find_map(named).and_then(text_of)
    };
    Line {
        user: field(Meaning::User).unwrap_or_default(),
        team: field(Meaning::Team),
        time: field(Meaning::Time).unwrap_or_default(),
        sql: field(Meaning::Sql),
        table: field(Meaning::Table),
        count: field(Meaning::Count),
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
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
