//! Files of BI tools: a reader a tool, all of them static. What they show becomes exposures.
//!
//! Claims are cheap: first the name of a file, then a look at its text. All files of one tool are read together,
//! because they name each other: a dashboard its charts, a chart its dataset.
mod evidence;
mod found;
mod grafana;
mod lightdash;
mod liquid;
mod lkml;
mod lookml;
mod m_query;
mod m_tokens;
mod metabase;
mod powerbi;
mod redash;
mod sql;
mod tableau;
mod tmdl;

pub(crate) use found::{BiAround, Found};

use camino::Utf8Path;

use crate::estate::{FileFormat, text_file::TextFile};

/// Every reader, in the order in which they claim.
pub(crate) const READERS: &[&dyn BiReader] = &[
    &metabase::Metabase,
    &lookml::LookMl,
    &grafana::Grafana,
    &tableau::Tableau,
    &powerbi::PowerBi,
    &redash::Redash,
    &evidence::Evidence,
    &lightdash::Lightdash,
];

/// One tool's files.
pub(crate) trait BiReader: Sync {
    /// What its files are counted as.
    fn format(&self) -> FileFormat;

    /// Whether a file of this name may be one of its own. Only such files are opened.
    fn may_claim(&self, path: &Utf8Path) -> bool;

    /// Whether `file`, whose name fits, is one of its own.
    fn claims(&self, file: &TextFile) -> bool;

    /// Reads all of its files, which come in the order of their paths.
    fn read(&self, files: &[&TextFile], around: &BiAround<'_>, found: &mut Found);
}

/// Whether any tool would look into a file of this name.
pub(crate) fn may_be_claimed(path: &Utf8Path) -> bool {
    READERS.iter().any(|reader| reader.may_claim(path))
}

/// The place in [`READERS`] of the tool whose file this is.
pub(crate) fn claimed_by(file: &TextFile) -> Option<usize> {
    READERS.iter().position(|reader| reader.may_claim(&file.path) && reader.claims(file))
}

/// Whether JSON of these bytes is worth decoding: it has the words of a BI tool's file.
pub(crate) fn may_be_json_of(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    grafana::MARKS.iter().chain(redash::MARKS).any(|marks| marks.iter().all(|mark| text.contains(mark)))
}

/// Whether the name of `path` ends with a dot and one of `endings`, in any case.
fn ends(path: &Utf8Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|own| endings.iter().any(|ending| own.eq_ignore_ascii_case(ending)))
}
