//! SQL that a task is given: how it is run, and the file or the value it stands in.
use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8Path;

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        Script, Templating,
        found::Found,
        paths::folder_of,
        reader::{Around, Sought},
        text_file::TextFile,
        yaml::{Node, Written},
    },
    vocab::{DatasetId, Span},
};

/// How SQL is run.
#[derive(Clone, Debug, Default)]
pub(crate) struct How {
    pub(crate) dialect: Option<String>,
    /// Schema of tables without one.
    pub(crate) schema: Option<String>,
    pub(crate) target: Option<DatasetId>,
    pub(crate) materialized: Option<String>,
    pub(crate) params: BTreeMap<String, String>,
}

impl How {
    /// The script `text` that stands at `at`.
    pub(crate) fn script(&self, at: Span, text: Arc<str>, verbatim: bool, around: &Around<'_>) -> Script {
        let mut params = around.vars.clone();
        params.extend(self.params.clone());
        Script {
            at,
            text,
            verbatim,
            templating: Templating::Generic,
            dialect: self.dialect.clone().or_else(|| around.dialect.map(str::to_owned)),
            schema: self.schema.clone(),
            target: self.target.clone(),
            materialized: self.materialized.clone(),
            params,
        }
    }
}

/// Takes the file `written`, looked for in `folders` and beside the file of `at`. Whether it could be had.
pub(crate) fn take_file(
    written: &str,
    how: &How,
    folders: &[&Utf8Path],
    at: &Span,
    around: &Around<'_>,
    found: &mut Found,
) -> bool {
    let (code, here) = match seek(written, folders, at, around) {
        Sought::File(file) => {
            found.claimed.insert(file.path.clone());
            found.scripts.push(how.script(file.whole(), file.text.clone(), file.editable, around));
            return true;
        }
        Sought::Missing(path) => (CodeEntry::E010, format!("there is no readable file `{path}`")),
        Sought::Outside => (CodeEntry::E023, format!("`{written}` leads outside the estate")),
        Sought::Computed => (CodeEntry::E027, format!("which file `{}` is", shown(written))),
    };
    found.faults.push(Diagnostic::new(code, at.clone(), here));
    false
}

fn seek(written: &str, folders: &[&Utf8Path], at: &Span, around: &Around<'_>) -> Sought {
    let own = folder_of(&at.file);
    let all: Vec<&Utf8Path> = folders.iter().copied().chain([own, Utf8Path::new("")]).collect();
    let first = around.find(&all, written);
    if !matches!(first, Sought::Missing(_) | Sought::Computed) {
        return first;
    }
    // A folder to search may be a path of the machine: below it the name is the same.
    let mut below = folders.iter().map(|folder| around.find(&[own], &format!("{folder}/{written}")));
    below.find(|sought| matches!(sought, Sought::File(_))).unwrap_or(first)
}

/// Takes the SQL that `node` of `file` is.
pub(crate) fn take_node(node: &Node, file: &TextFile, how: &How, around: &Around<'_>, found: &mut Found) {
    let (text, verbatim) = text_of(node, file);
    found.scripts.push(how.script(file.span(node.start, node.end), text, verbatim, around));
}

/// The text of a value, and whether its bytes in `file` are that text.
pub(crate) fn text_of(node: &Node, file: &TextFile) -> (Arc<str>, bool) {
    match node.written {
        Written::AsIs | Written::Block => (file.text[node.start..node.end].into(), file.editable),
        Written::Otherwise | Written::Nearby => (node.scalar().unwrap_or_default().into(), false),
    }
}

/// At most one line of `text`, for messages.
pub(crate) fn shown(text: &str) -> String {
    text.trim().lines().next().unwrap_or_default().chars().take(80).collect()
}
