//! One file, opened and sorted by what it is. Nothing here knows of any other file.
use std::{
    fs::{self, File},
    io::BufReader,
};

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        EstateFile, FileFormat, Usage, archive, bi,
        openlineage::{self, Events},
        reader, sql_file, superset,
        text_file::TextFile,
        unclaimed, usage,
        walk::Found,
    },
    vocab::{Digest, Span},
};

/// What a file holds.
#[derive(Debug)]
pub(crate) enum Content {
    Sql(TextFile),
    Yaml(TextFile),
    /// Text that a reader may claim: a script, a DAG, another tool's own syntax.
    Text(TextFile),
    /// The files of an export that is an archive: a Superset export's YAML, a Tableau workbook's XML.
    Export(Vec<TextFile>),
    Log(Vec<Usage>),
    /// OpenLineage events.
    Events(Events),
    /// Nothing that carve reads by itself.
    Nothing,
}

/// A file after reading.
#[derive(Debug)]
pub(crate) struct ReadFile {
    pub(crate) file: EstateFile,
    pub(crate) content: Content,
    pub(crate) faults: Vec<Diagnostic>,
}

/// Opens `found` if its name says that carve reads such files; at most `limit` bytes of it.
pub(crate) fn read(found: &Found, limit: u64) -> ReadFile {
    let ending = found.path.extension().unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        _ if sql_file::stem(&found.path).is_some() => text(found, limit, FileFormat::Sql, Content::Sql),
        "yaml" | "yml" => text(found, limit, FileFormat::Other, Content::Yaml),
        "json" => json(found, limit),
        "zip" => zip(found, limit),
        "csv" | "tsv" | "jsonl" | "ndjson" => log(found),
        "twbx" | "tdsx" => workbook(found, limit),
        "pbix" | "pbit" => {
            let here = "what Power BI saves in one file is not read: save it as a project (.pbip)";
            let fault = Diagnostic::new(CodeEntry::E053, Span::whole(found.path.clone()), here.to_owned());
            done(found, FileFormat::Other, Digest::of(""), Content::Nothing, vec![fault])
        }
        _ if reader::may_be_claimed(&found.path) || bi::may_be_claimed(&found.path) => perhaps_text(found, limit),
        _ => done(found, FileFormat::Other, Digest::of(""), Content::Nothing, Vec::new()),
    }
}

/// The text of a file that a config names, whatever its ending.
pub(crate) fn text_of(found: &Found, limit: u64) -> Option<TextFile> {
    TextFile::decode_any(found.path.clone(), bytes(found, limit).ok()?).0
}

fn done(found: &Found, format: FileFormat, digest: Digest, content: Content, faults: Vec<Diagnostic>) -> ReadFile {
    ReadFile { file: EstateFile { path: found.path.clone(), format, digest, bytes: found.bytes }, content, faults }
}

fn failed(found: &Found, digest: Digest, fault: Diagnostic) -> ReadFile {
    done(found, FileFormat::Unreadable, digest, Content::Nothing, vec![fault])
}

/// The bytes of a file, or why there are none.
pub(crate) fn bytes(found: &Found, limit: u64) -> Result<Vec<u8>, Diagnostic> {
    let fault = |code, here: String| Diagnostic::new(code, Span::whole(found.path.clone()), here);
    if found.bytes > limit {
        return Err(fault(CodeEntry::E003, format!("{} bytes; the limit is {limit}", found.bytes)));
    }
    fs::read(&found.on_disk).map_err(|error| fault(CodeEntry::E001, format!("cannot be read: {}", error.kind())))
}

fn text(found: &Found, limit: u64, format: FileFormat, content: fn(TextFile) -> Content) -> ReadFile {
    let bytes = match bytes(found, limit) {
        Ok(bytes) => bytes,
        Err(fault) => return failed(found, Digest::of(""), fault),
    };
    let digest = Digest::of(&bytes);
    match TextFile::decode_any(found.path.clone(), bytes) {
        // Configs are edited at places found in them, which only UTF-8 keeps.
        (Some(file), fault) if format != FileFormat::Sql && !file.editable => {
            failed(found, digest, fault.unwrap_or_else(|| not_utf8(found)))
        }
        (Some(file), fault) => done(found, format, digest, content(file), fault.into_iter().collect()),
        (None, fault) => failed(found, digest, fault.unwrap_or_else(|| not_utf8(found))),
    }
}

/// A file that only its name makes worth a look: what is no text is none of carve's business.
fn perhaps_text(found: &Found, limit: u64) -> ReadFile {
    let other = |digest| done(found, FileFormat::Other, digest, Content::Nothing, Vec::new());
    let Ok(bytes) = bytes(found, limit) else { return other(Digest::of("")) };
    let digest = Digest::of(&bytes);
    match TextFile::decode(found.path.clone(), bytes) {
        Ok(file) => done(found, FileFormat::Other, digest, Content::Text(file), Vec::new()),
        Err(_) => other(digest),
    }
}

fn not_utf8(found: &Found) -> Diagnostic {
    Diagnostic::new(CodeEntry::E002, Span::whole(found.path.clone()), "the file is not UTF-8")
}

fn zip(found: &Found, limit: u64) -> ReadFile {
    let bytes = match bytes(found, limit) {
        Ok(bytes) => bytes,
        Err(fault) => return failed(found, Digest::of(""), fault),
    };
    let digest = Digest::of(&bytes);
    match archive::text_files(&found.path, &bytes, &[".yaml"]) {
        Ok(files) if files.iter().any(superset::is_export) => {
            done(found, FileFormat::Superset, digest, Content::Export(files), Vec::new())
        }
        Ok(_) => done(found, FileFormat::Other, digest, Content::Nothing, Vec::new()),
        Err(fault) => failed(found, digest, fault),
    }
}

/// A packaged workbook or data source of Tableau: only what is XML in it is read.
fn workbook(found: &Found, limit: u64) -> ReadFile {
    let bytes = match bytes(found, limit) {
        Ok(bytes) => bytes,
        Err(fault) => return failed(found, Digest::of(""), fault),
    };
    let digest = Digest::of(&bytes);
    match archive::text_files(&found.path, &bytes, &[".twb", ".tds"]) {
        Ok(files) => done(found, FileFormat::Tableau, digest, Content::Export(files), Vec::new()),
        Err(fault) => failed(found, digest, fault),
    }
}

/// JSON is read by whoever names it (dbt its manifest); here it is only seen whether it is any, and whether it holds
/// events.
fn json(found: &Found, limit: u64) -> ReadFile {
    let fault = match bytes(found, limit) {
        Ok(bytes) if bi::may_be_json_of(&bytes) => return bi_json(found, bytes),
        Ok(bytes) => match openlineage::read_json(&found.path, &bytes) {
            Some((events, faults)) => {
                return done(found, FileFormat::OpenLineage, Digest::of(&bytes), Content::Events(events), faults);
            }
            None => unclaimed::malformed_json(&found.path, &bytes),
        },
        // A large one is data, not a config.
        Err(fault) => (fault.code.code != "E003").then_some(fault),
    };
    done(found, FileFormat::Other, Digest::of(""), Content::Nothing, fault.into_iter().collect())
}

/// JSON that may be a BI tool's is kept for it; its reader tells what is wrong with it.
fn bi_json(found: &Found, bytes: Vec<u8>) -> ReadFile {
    let malformed = unclaimed::malformed_json(&found.path, &bytes);
    let digest = Digest::of(&bytes);
    match TextFile::decode(found.path.clone(), bytes) {
        Ok(file) if bi::claimed_by(&file).is_some() => {
            done(found, FileFormat::Other, digest, Content::Text(file), Vec::new())
        }
        _ => done(found, FileFormat::Other, Digest::of(""), Content::Nothing, malformed.into_iter().collect()),
    }
}

/// Logs are read in a stream, so no limit holds for them.
fn log(found: &Found) -> ReadFile {
    let file = match File::open(&found.on_disk) {
        Ok(file) => file,
        Err(error) => {
            let here = format!("cannot be read: {}", error.kind());
            return failed(
                found,
                Digest::of(""),
                Diagnostic::new(CodeEntry::E001, Span::whole(found.path.clone()), here),
            );
        }
    };
    let whole = || File::open(&found.on_disk).and_then(Digest::of_reader).unwrap_or_else(|_| Digest::of(""));
    if let Some((usage, faults)) = usage::read(&found.path, BufReader::with_capacity(1 << 16, file)) {
        return done(found, FileFormat::UsageLog, whole(), Content::Log(usage), faults);
    }
    let again = matches!(found.path.extension(), Some("jsonl" | "ndjson")).then(|| File::open(&found.on_disk).ok());
    match again.flatten().and_then(|file| openlineage::read_lines(&found.path, BufReader::new(file))) {
        Some((events, faults)) => done(found, FileFormat::OpenLineage, whole(), Content::Events(events), faults),
        None => done(found, FileFormat::Other, Digest::of(""), Content::Nothing, Vec::new()),
    }
}
