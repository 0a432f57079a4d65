//! Usage logs: who read what, when. CSV with a header, or one JSON object a line; `preset` knows whose log it is.
mod csv_log;
mod jsonl_log;
mod preset;
mod row;
mod tally;
mod time;

pub(crate) use csv_log::header_names;

use std::io::BufRead;

use camino::Utf8Path;

use crate::{diagnostics::Diagnostic, estate::Usage};

/// Faults told per log before the rest is only counted.
const FAULTS_TOLD: usize = 20;

/// The reads in the log `input` at `path`; `None` where the file is no usage log.
pub(crate) fn read(path: &Utf8Path, input: impl BufRead) -> Option<(Vec<Usage>, Vec<Diagnostic>)> {
    match path.extension() {
        Some("csv" | "tsv") => csv_log::read(path, input),
        _ => jsonl_log::read(path, input),
    }
}
