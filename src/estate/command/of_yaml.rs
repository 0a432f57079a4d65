//! Commands that stand in a value of a YAML file.
use std::collections::BTreeMap;

use camino::Utf8Path;

use super::{Place, run};
use crate::estate::{
    found::Found,
    reader::Around,
    text_file::TextFile,
    yaml::{Node, Written},
};

/// Reads the commands that a value of `file` holds.
pub(crate) fn of_node(
    node: &Node,
    file: &TextFile,
    folder: &Utf8Path,
    vars: BTreeMap<String, String>,
    around: &Around<'_>,
) -> Found {
    let whole = file.span(node.start, node.end);
    let as_written = matches!(node.written, Written::AsIs | Written::Block);
    let raw = as_written.then(|| file.text.get(node.start..node.end)).flatten();
    match raw {
        Some(raw) => run(raw, &Place { file: file.clone(), base: Some(node.start), whole }, folder, vars, around),
        None => {
            let text = node.scalar().unwrap_or_default();
            run(text, &Place { file: file.clone(), base: None, whole }, folder, vars, around)
        }
    }
}
