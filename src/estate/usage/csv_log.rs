//! A usage log as CSV or TSV with a header. The estate's only file to know the `csv` crate.
use std::io::{BufRead, Read};

use camino::Utf8Path;
use csv::{ByteRecord, ErrorKind, Position, ReaderBuilder};

use super::{
    FAULTS_TOLD,
    preset::Preset,
    row::{Columns, Record},
    tally::Tally,
};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::Usage,
    vocab::Span,
};

/// Bytes looked at to tell a log from other data.
const HEAD_BYTES: u64 = 64 * 1024;

/// The names in the first line of `text`.
pub(crate) fn header_names(text: &str, tabs: bool) -> Vec<String> {
    let mut reader = ReaderBuilder::new().delimiter(if tabs { b'\t' } else { b',' }).from_reader(text.as_bytes());
    reader.headers().map(|names| names.iter().map(str::to_owned).collect()).unwrap_or_default()
}

pub(super) fn read(path: &Utf8Path, mut input: impl BufRead) -> Option<(Vec<Usage>, Vec<Diagnostic>)> {
    let mut head = Vec::new();
    input.by_ref().take(HEAD_BYTES).read_until(b'\n', &mut head).ok()?;
    let delimiter = delimiter_of(path, &head);
    let first = String::from_utf8_lossy(head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head)).into_owned();
    let names = ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .from_reader(first.as_bytes())
        .into_records()
        .next()?
        .ok()?;
    let columns = Columns::of(&names);
    let known: Vec<&str> = columns.names().collect();
    let preset = Preset::of(known.iter().copied())?;
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(head.chain(input));
    let (mut tally, mut faults) = (Tally::default(), Vec::new());
    let mut record = ByteRecord::new();
    loop {
        let start = reader.position().clone();
        let read = reader.read_byte_record(&mut record);
        let place = |end: u64| at(path, record.position().unwrap_or(&start), end);
        match read {
            Ok(false) => break,
            Ok(true) => {
                let place = place(reader.position().byte());
                let line = text_of(&record)
                    .ok_or_else(|| Diagnostic::new(CodeEntry::E008, place.clone(), "the row is not UTF-8"));
                let added = line.and_then(|fields| {
                    let read = preset.line(&Record { columns: &columns, fields: &fields });
                    read.map_or(Ok(()), |read| preset.add(&mut tally, read, place))
                });
                keep(&mut faults, added.err());
            }
            Err(error) => {
                let stop = matches!(error.kind(), ErrorKind::Io(_));
                let here = explain(&error);
                keep(
                    &mut faults,
                    Some(Diagnostic::new(
                        CodeEntry::E008,
                        at(path, error.position().unwrap_or(&start), start.byte()),
                        here,
                    )),
                );
                if stop {
                    break;
                }
            }
        }
    }
    let (usage, full) = tally.finish();
    faults.extend(full);
    Some((usage, faults))
}

/// Tabs in a `.tsv`; else the one of comma, semicolon and tab that the header has most of.
fn delimiter_of(path: &Utf8Path, head: &[u8]) -> u8 {
    if path.extension() == Some("tsv") {
        return b'\t';
    }
    let count = |delimiter: u8| head.iter().filter(|byte| **byte == delimiter).count();
    [b';', b'\t', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

fn text_of(record: &ByteRecord) -> Option<Vec<&str>> {
    record.iter().map(|field| std::str::from_utf8(field).ok()).collect()
}

fn at(path: &Utf8Path, position: &Position, end: u64) -> Span {
    let start = position.byte() as usize;
    Span { file: path.to_owned(), start, end: (end as usize).max(start), line: position.line() as u32, column: 1 }
}

fn explain(error: &csv::Error) -> String {
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} fields, the header {expected_len}")
        }
        ErrorKind::Io(error) => format!("cannot be read on: {}", error.kind()),
        _ => "the row cannot be read".to_owned(),
    }
}

/// Keeps the first faults; one more says that there were others.
pub(super) fn keep(faults: &mut Vec<Diagnostic>, fault: Option<Diagnostic>) {
    let Some(fault) = fault else { return };
    match faults.len() {
        count if count < FAULTS_TOLD => faults.push(fault),
        FAULTS_TOLD => faults.push(Diagnostic { here: "and further lines like those before".to_owned(), ..fault }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::UsedThing;

    fn read(text: &str) -> Option<(Vec<Usage>, Vec<Diagnostic>)> {
        super::read("log.csv".as_ref(), text.as_bytes())
    }

    #[test]
    fn reads_of_one_user_day_and_thing_add_up() {
        let text = "user,time,table,count\nann,2026-01-05T09:00:00Z,raw.orders,2\nann,2026-01-05T08:00:00Z,RAW.Orders,3\nann,2026-01-06T08:00:00Z,raw.orders,\n";
        let (usage, faults) = read(text).unwrap();
        assert!(faults.is_empty(), "{faults:?}");
        let counts: Vec<_> = usage.iter().map(|usage| (usage.at.unwrap().to_string(), usage.count)).collect();
        assert_eq!(counts, [("2026-01-05T08:00:00Z".to_owned(), 5), ("2026-01-06T08:00:00Z".to_owned(), 1)]);
    }

    #[test]
    fn sql_over_several_lines_stays_whole() {
        let (usage, _) =
            read("user,time,sql,team\nann,2026-01-05,\"select \"\"a\"\"\nfrom t\",ops\nbob,2026-01-05,select 1,\n")
                .unwrap();
        let UsedThing::Sql(script) = &usage[0].what else { panic!("a table") };
        assert_eq!((&*script.text, usage[0].team.as_deref()), ("select \"a\"\nfrom t", Some("ops")));
        assert_eq!((usage[1].line.line, usage[1].team.as_deref()), (4, None));
    }

    #[test]
    fn a_bad_row_is_told_and_the_next_is_read() {
        let (usage, faults) = read("user,time,table\nann,soon,a.b\nann,2026-01-05\nann,2026-01-05,a.b\n").unwrap();
        let told: Vec<_> = faults.iter().map(|fault| (fault.code.code, fault.at.line)).collect();
        assert_eq!((usage.len(), told), (1, vec![("E050", 2), ("E008", 3)]));
    }

    #[test]
    fn data_is_no_usage_log() {
        assert!(read("id,amount\n1,2\n").is_none());
        assert!(read("").is_none());
    }
}
