use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    apply::{
        error::Needs,
        journal::{Event, IllegalEvent, RunState, crash},
    },
    connector::may_pass,
    vocab::ServiceName,
};

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A line that is not the last one cannot be read.
    #[error("line {line} of the journal `{path}` is damaged")]
    Damaged {
        /// The journal, from carve's folder.
        path: Utf8PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The disk said no.
    #[error("cannot {doing} the journal `{path}`")]
    Io {
        /// `read`, `write`.
        doing: &'static str,
        /// The journal, from carve's folder.
        path: Utf8PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// carve tried to write a line that cannot follow; nothing was written.
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
}

impl JournalError {
    /// What it takes for the same command to go on.
    pub(in crate::apply) fn needs(&self) -> Needs {
        match self {
            JournalError::Io { source, .. } if may_pass(source) => Needs::Again,
            JournalError::Io { .. } | JournalError::Damaged { .. } => Needs::Change,
            JournalError::Illegal(_) => Needs::Mending,
        }
    }

    pub(in crate::apply) fn hint(&self) -> &'static str {
        match self {
            JournalError::Damaged { .. } => {
                "carve will not guess what happened: restore the journal from a backup, or delete the damaged line \
                 and all after it; the next run then looks at what is really there, step by step"
            }
            JournalError::Io { .. } => "make room or give permission there, then run the same command again",
            JournalError::Illegal(_) => "this is a fault in carve: please report it with the journal",
        }
    }
}

/// One line: its number, when it was written, and the event.
#[derive(Serialize, Deserialize)]
struct Line {
    n: u64,
    at: String,
    #[serde(flatten)]
    event: Event,
}

/// What a journal file holds.
pub(in crate::apply) struct ReadJournal {
    /// The state after all whole lines.
    pub(in crate::apply) state: RunState,
    lines: u64,
    /// Length of the whole lines in bytes; what comes after is torn.
    whole: u64,
}

/// A journal open for writing.
pub(in crate::apply) struct Journal {
    path: Utf8PathBuf,
    file: File,
    lines: u64,
    clock: fn() -> Timestamp,
    state: RunState,
}

/// Services that have a journal below `state`, by name.
pub(in crate::apply) fn services(state: &Utf8Path) -> Vec<ServiceName> {
    let entries = state.read_dir_utf8().into_iter().flatten().flatten();
    let with_journal = entries.filter(|entry| entry.path().join("journal.jsonl").is_file());
    let mut names: Vec<ServiceName> = with_journal.filter_map(|entry| entry.file_name().parse().ok()).collect();
    names.sort();
    names
}

/// Reads the journal of a service's folder without changing it. A torn last line is left out; no file means a new journal.
pub(in crate::apply) fn read(folder: &Utf8Path) -> Result<ReadJournal, JournalError> {
    let (path, shown) = (folder.join("journal.jsonl"), shown(folder));
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(source) => return Err(JournalError::Io { doing: "read", path: shown, source }),
    };
    let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let mut state = RunState::default();
    let mut lines = 0;
    for text in bytes[..whole].split_inclusive(|b| *b == b'\n') {
        lines += 1;
        state = next(state, text, lines).map_err(|source| JournalError::Damaged {
            path: shown.clone(),
            line: lines as usize,
            source,
        })?;
    }
    Ok(ReadJournal { state, lines, whole: whole as u64 })
}

fn next(state: RunState, text: &[u8], number: u64) -> Result<RunState, Box<dyn std::error::Error + Send + Sync>> {
    let line: Line = serde_json::from_slice(text)?;
    if line.n != number {
        return Err(format!("it says it is line {}: a line is missing or doubled", line.n).into());
    }
    Ok(state.after(line.event)?)
}

fn shown(folder: &Utf8Path) -> Utf8PathBuf {
    Utf8Path::new(folder.file_name().unwrap_or("")).join("journal.jsonl")
}

impl Journal {
    /// Opens the journal of a service's folder, creating it where it is not there. A torn last line is cut off.
    pub(in crate::apply) fn open(folder: &Utf8Path, clock: fn() -> Timestamp) -> Result<Journal, JournalError> {
        let found = read(folder)?;
        let path = shown(folder);
        let io = |source| JournalError::Io { doing: "write", path: path.clone(), source };
        fs::create_dir_all(folder).map_err(io)?;
        let mut file = crate::apply::files::owner_only()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("journal.jsonl"))
            .map_err(io)?;
        file.set_len(found.whole).map_err(io)?;
        file.seek(SeekFrom::End(0)).map_err(io)?;
        file.sync_all().map_err(io)?;
        crate::apply::files::sync_folder(folder).map_err(io)?;
        Ok(Journal { path, file, lines: found.lines, clock, state: found.state })
    }

    /// Writes one event and waits until it is on disk.
    pub(in crate::apply) fn append(&mut self, event: Event) -> Result<(), JournalError> {
        let state = self.state.clone().after(event.clone())?;
        let line = Line { n: self.lines + 1, at: (self.clock)().to_string(), event };
        let text = serde_json::to_string(&line).expect("events hold nothing that JSON cannot") + "\n";
        if let Err(source) = self.write(text.as_bytes()) {
            return Err(JournalError::Io { doing: "write", path: self.path.clone(), source });
        }
        self.lines += 1;
        self.state = state;
        Ok(())
    }

    /// What the journal means so far.
    pub(in crate::apply) fn state(&self) -> &RunState {
        &self.state
    }

    fn write(&mut self, text: &[u8]) -> std::io::Result<()> {
        if crash::begin_write() {
            self.file.write_all(&text[..text.len() / 2])?;
            self.file.sync_data()?;
            crash::die();
        }
        let start = self.file.stream_position()?;
        let written = self.file.write_all(text).and_then(|()| self.file.sync_data());
        if written.is_err() {
            // A full disk leaves half a line; the next line must not stand behind it.
            self.file.set_len(start)?;
            self.file.seek(SeekFrom::Start(start))?;
        }
        crash::end_write();
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        apply::journal::{Facts, Stage},
        vocab::Digest,
    };

    fn clock() -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let keep = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(keep.path().join("orders")).unwrap();
        (keep, path)
    }

    fn started() -> Event {
        let (service, steps) = ("orders".parse().unwrap(), vec!["a".to_owned()]);
        Event::Started { format: "carve-journal/1".to_owned(), plan: Digest::of("p"), service, steps }
    }

    fn two_lines(folder: &Utf8Path) {
        let mut journal = Journal::open(folder, clock).unwrap();
        journal.append(started()).unwrap();
        journal.append(Event::Began { step: "a".to_owned(), attempt: 1 }).unwrap();
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_mended_by_the_next() {
        let (_keep, folder) = folder();
        two_lines(&folder);
        let path = folder.join("journal.jsonl");
        let text = fs::read(&path).unwrap();
        fs::write(&path, &text[..text.len() - 5]).unwrap();
        let mut journal = Journal::open(&folder, clock).unwrap();
        assert_eq!(journal.state().of("a").unwrap().attempts, 0);
        journal.append(Event::Began { step: "a".to_owned(), attempt: 1 }).unwrap();
        assert_eq!(fs::read(&path).unwrap(), text);
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_named() {
        let (_keep, folder) = folder();
        two_lines(&folder);
        let path = folder.join("journal.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen("started", "stXrted", 1)).unwrap();
        let error = read(&folder).err().unwrap();
        assert_eq!(error.to_string(), "line 1 of the journal `orders/journal.jsonl` is damaged");
    }

    #[test]
    fn a_missing_line_is_found() {
        let (_keep, folder) = folder();
        two_lines(&folder);
        let path = folder.join("journal.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.lines().nth(1).unwrap().to_owned() + "\n").unwrap();
        assert!(matches!(read(&folder), Err(JournalError::Damaged { line: 1, .. })));
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let (_keep, folder) = folder();
        two_lines(&folder);
        let mut journal = Journal::open(&folder, clock).unwrap();
        let facts = Facts { version: Some("1.0.0".parse().unwrap()), ..Facts::said("1,000 rows") };
        journal.append(Event::Done { step: "a".to_owned(), adopted: false, facts }).unwrap();
        journal.append(Event::Finished).unwrap();
        let found = read(&folder).unwrap();
        assert_eq!(found.state.stage, Stage::Finished);
        assert_eq!(&found.state, journal.state());
    }
}
