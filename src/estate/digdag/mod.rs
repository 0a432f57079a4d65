//! Workflows of Digdag and Treasure Workflow: `.dig` files.
//!
//! `tasks` walks groups and tasks in their order, `operators` reads what a task does, `times` says when.
mod operators;
mod tasks;
mod times;

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::estate::{
    FileFormat,
    reader::{Around, Reader, Reading, Sought},
    text_file::TextFile,
    yaml::{self, Node, Shape},
};

/// Maps within maps of `_export`.
const MAX_LEVELS: usize = 8;

/// `.dig` files.
pub(crate) struct Digdag;

impl Reader for Digdag {
    fn format(&self) -> FileFormat {
        FileFormat::Digdag
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        path.extension() == Some("dig")
    }

    fn claims(&self, _: &TextFile) -> bool {
        true
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        match yaml::document(file) {
            Ok(root) => tasks::read(&root, file, around, &mut reading),
            Err(fault) => reading.faults.push(fault),
        }
        reading
    }
}

/// The values that `_export` of `map` sets, by their dotted names, with those of files it includes.
fn exported(map: &Node, file: &TextFile, around: &Around<'_>, reading: &mut Reading) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    if let Some(export) = map.get("_export") {
        flatten(export, "", file, around, reading, &mut found, MAX_LEVELS);
    }
    found
}

fn flatten(
    map: &Node,
    prefix: &str,
    file: &TextFile,
    around: &Around<'_>,
    reading: &mut Reading,
    found: &mut BTreeMap<String, String>,
    levels: usize,
) {
    if levels == 0 {
        return;
    }
    for entry in map.entries() {
        let name = entry.key.scalar().unwrap_or_default();
        let dotted = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        match (&entry.value.shape, entry.value.scalar()) {
            // `!include : config/params.yml`.
            (_, Some(path)) if name.is_empty() => include(path, prefix, file, around, reading, found, levels),
            (Shape::Map(_), _) => flatten(&entry.value, &dotted, file, around, reading, found, levels - 1),
            (_, Some(text)) => drop(found.insert(dotted, text.to_owned())),
            _ => {}
        }
    }
}

fn include(
    path: &str,
    prefix: &str,
    file: &TextFile,
    around: &Around<'_>,
    reading: &mut Reading,
    found: &mut BTreeMap<String, String>,
    levels: usize,
) {
    let Sought::File(included) = around.find(&[crate::estate::paths::folder_of(&file.path)], path) else { return };
    reading.also_read.insert(included.path.clone());
    if let Ok(root) = yaml::document(&included) {
        flatten(&root, prefix, &included, around, reading, found, levels - 1);
    }
}
