//! What a tool's files were found to show.
use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{DbtProject, Exposure, superset, text_file::TextFile, yaml},
    vocab::Span,
};
use yaml::Node;

/// The rest of the estate, as a reader of BI files sees it.
pub(crate) struct BiAround<'a> {
    /// dbt's projects, whose models some tools name.
    pub(crate) dbt: &'a [DbtProject],
    /// The estate's SQL files.
    pub(crate) sql: &'a BTreeMap<Utf8PathBuf, TextFile>,
}

/// What the files of one tool show.
#[derive(Default)]
pub(crate) struct Found {
    /// Its charts, dashboards and what they stand on.
    pub(crate) exposures: Vec<Exposure>,
    /// What is wrong with its files.
    pub(crate) faults: Vec<Diagnostic>,
    /// SQL files that are the tool's own, and no jobs.
    pub(crate) claimed: BTreeSet<Utf8PathBuf>,
    /// Queries whose tables nobody can name before they run.
    pub(crate) opaque: u64,
    /// Ids that are taken.
    taken: BTreeSet<String>,
}

impl Found {
    /// Nothing yet; ids in `taken` are given a number.
    pub(crate) fn new(taken: BTreeSet<String>) -> Self {
        Found { taken, ..Found::default() }
    }

    /// A free id for `tool/kind/title`.
    pub(super) fn id(&mut self, tool: &str, kind: &str, title: &str) -> String {
        superset::unique(&format!("{tool}/{kind}/{title}"), &mut self.taken)
    }

    /// An exposure at `at` that reads nothing yet.
    pub(super) fn exposure(&mut self, tool: &str, kind: &str, title: &str, at: Span) -> Exposure {
        let id = self.id(tool, kind, title);
        exposure(id, tool, kind, title, at)
    }

    /// A fault of the file: it is not what the tool writes.
    pub(super) fn malformed(&mut self, at: Span, here: impl Into<String>) {
        self.faults.push(Diagnostic::new(CodeEntry::E051, at, here.into()));
    }

    /// A query or a reference that cannot be followed: told, and counted.
    pub(super) fn opaque(&mut self, at: Span, here: impl Into<String>) {
        self.opaque += 1;
        self.faults.push(Diagnostic::new(CodeEntry::E053, at, here.into()));
    }

    /// The YAML of `file`, or nothing and the fault.
    pub(super) fn yaml(&mut self, file: &TextFile) -> Option<Node> {
        yaml::document(file).map_err(|fault| self.faults.push(fault)).ok()
    }
}

/// The exposure `id` at `at`, which reads nothing yet.
pub(super) fn exposure(id: String, tool: &str, kind: &str, title: &str, at: Span) -> Exposure {
    let (title, kind, tool) = (title.to_owned(), kind.to_owned(), tool.to_owned());
    Exposure { id, title, kind, tool, owner: None, reads: Vec::new(), scripts: Vec::new(), parts: Vec::new(), at }
}

/// The first byte of `file`, which stands for the whole.
pub(super) fn top(file: &TextFile) -> Span {
    Span { end: file.whole().start, ..file.whole() }
}

/// Where `node` of `file` stands.
pub(super) fn at(file: &TextFile, node: &Node) -> Span {
    file.span(node.start, node.end)
}
