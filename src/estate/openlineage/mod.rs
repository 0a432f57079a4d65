//! Files of OpenLineage events: what jobs read and wrote when they ran.
//!
//! `event` reads one event, `merge` keeps what is different in many, `place` gives datasets and jobs the estate's names.
mod event;
mod merge;
mod place;

pub(crate) use merge::Events;
pub(crate) use place::place;

use std::io::{BufRead, Read as _};

use camino::Utf8Path;
use serde_json::Value;

use self::event::{Event, is_event};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    vocab::Span,
};

/// The longest event taken, in bytes.
const LINE_BYTES: u64 = 16 * 1024 * 1024;
/// Faults told per file.
const FAULTS_TOLD: usize = 20;

/// The events in the JSON file `path`: one, or a list; `None` where it holds none.
pub(crate) fn read_json(path: &Utf8Path, bytes: &[u8]) -> Option<(Events, Vec<Diagnostic>)> {
    // A cheap look first: most JSON of an estate is something else.
    let head = &bytes[..bytes.len().min(64 * 1024)];
    if !String::from_utf8_lossy(head).contains("\"eventTime\"") {
        return None;
    }
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        let all = match value {
            Value::Array(items) => items,
            one => vec![one],
        };
        return all.first().is_some_and(is_event).then(|| of_values(path, all));
    }
    // Some tools write a line each and still call the file `.json`.
    read_lines(path, bytes)
}

fn of_values(path: &Utf8Path, values: Vec<Value>) -> (Events, Vec<Diagnostic>) {
    let (mut events, mut faults) = (Events::default(), Vec::new());
    for value in values {
        take(&mut events, &mut faults, value, Span::whole(path));
    }
    (events, faults)
}

/// The events in `input`, one a line; `None` where its first line is none.
pub(crate) fn read_lines(path: &Utf8Path, mut input: impl BufRead) -> Option<(Events, Vec<Diagnostic>)> {
    let (mut events, mut faults) = (Events::default(), Vec::new());
    let (mut line, mut number, mut start, mut begun) = (Vec::new(), 0, 0, false);
    loop {
        line.clear();
        let length = input.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line).ok()?;
        if length == 0 {
            return begun.then_some((events, faults));
        }
        number += 1;
        let place = Span { file: path.to_owned(), start, end: start + length, line: number, column: 1 };
        start += length;
        let text = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&line).trim_ascii();
        if text.is_empty() {
            continue;
        }
        match serde_json::from_slice::<Value>(text) {
            Ok(value) if begun || is_event(&value) => take(&mut events, &mut faults, value, place),
            Err(error) if begun => {
                let at = Span { column: error.column().max(1) as u32, ..place };
                tell(&mut faults, Diagnostic::new(CodeEntry::E007, at, "the line is no JSON object"));
            }
            Ok(_) | Err(_) => return None,
        }
        begun = true;
    }
}

fn take(events: &mut Events, faults: &mut Vec<Diagnostic>, value: Value, at: Span) {
    match Event::of(value) {
        Ok(event) => events.add(event, at),
        Err(why) => tell(faults, Diagnostic::new(CodeEntry::E007, at, format!("no OpenLineage event: {why}"))),
    }
}

fn tell(faults: &mut Vec<Diagnostic>, fault: Diagnostic) {
    match faults.len() {
        count if count < FAULTS_TOLD => faults.push(fault),
        FAULTS_TOLD => faults.push(Diagnostic { here: "and further lines like those before".to_owned(), ..fault }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"eventType":"COMPLETE","eventTime":"2026-01-05T00:00:00Z","producer":"urn:x","job":{"namespace":"a","name":"j"},"inputs":[{"namespace":"lake","name":"raw.t"}],"outputs":[{"namespace":"lake","name":"mart.t"}]}"#;

    #[test]
    fn events_are_known_by_their_first_line_and_a_broken_one_is_told() {
        let text = format!("{EVENT}\n\n{{\"eventTime\":\n{{\"eventTime\":\"x\",\"inputs\":[]}}\n{EVENT}\n");
        let (events, faults) = read_lines("e.jsonl".into(), text.as_bytes()).unwrap();
        assert_eq!(events.len(), 1, "the same twice is kept once");
        let told: Vec<_> = faults.iter().map(|fault| (fault.code.code, fault.at.line)).collect();
        assert_eq!(told, [("E007", 3), ("E007", 4)]);
        assert!(read_lines("e.jsonl".into(), &b"{\"id\":1}\n"[..]).is_none());
        assert!(read_lines("e.jsonl".into(), &b""[..]).is_none());
    }

    #[test]
    fn a_json_file_holds_one_event_a_list_or_lines() {
        for text in [EVENT.to_owned(), format!("[{EVENT}]"), format!("{EVENT}\n{EVENT}")] {
            assert_eq!(read_json("e.json".into(), text.as_bytes()).unwrap().0.len(), 1, "{text}");
        }
        assert!(read_json("e.json".into(), b"{\"eventTime\":1}").is_none());
    }
}
