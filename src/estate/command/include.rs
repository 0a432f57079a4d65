//! SQL files that name others: `\i`, `\ir`, `@`, `source`, `:r`, `.read` and `!source`.
use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        paths::folder_of,
        reader::{Around, Sought},
        text_file::TextFile,
    },
};

/// Files within files.
const MAX_DEPTH: usize = 16;
const MARKS: &[&str] = &[
    "\\i ",
    "\\ir ",
    "\\include ",
    "\\include_relative ",
    "@@",
    "@",
    "source ",
    ":r ",
    ".read ",
    "!source ",
    "!run ",
    "START ",
];

/// `file` and the files it includes, in the order in which they run, each with its faults. All are `claimed`.
pub(crate) fn included(
    file: &TextFile,
    folder: &Utf8Path,
    around: &Around<'_>,
    claimed: &mut BTreeSet<Utf8PathBuf>,
) -> Vec<(TextFile, Vec<Diagnostic>)> {
    let mut all = Vec::new();
    include(file, folder, around, claimed, &mut all, &mut Vec::new());
    all
}

fn include(
    file: &TextFile,
    folder: &Utf8Path,
    around: &Around<'_>,
    claimed: &mut BTreeSet<Utf8PathBuf>,
    all: &mut Vec<(TextFile, Vec<Diagnostic>)>,
    open: &mut Vec<Utf8PathBuf>,
) {
    claimed.insert(file.path.clone());
    open.push(file.path.clone());
    let mut faults = Vec::new();
    for (start, end, written) in named(&file.text) {
        let known = super::run::is_sql_path(written) || written.contains('/');
        match around.find(&[folder_of(&file.path), folder], written) {
            Sought::File(next) if open.contains(&next.path) || open.len() >= MAX_DEPTH => {}
            Sought::File(next) => include(&next, folder, around, claimed, all, open),
            Sought::Missing(path) if known => faults.push(Diagnostic::new(
                CodeEntry::E010,
                file.span(start, end),
                format!("there is no readable file `{path}`"),
            )),
            Sought::Outside if known => faults.push(Diagnostic::new(
                CodeEntry::E023,
                file.span(start, end),
                format!("`{written}` leads outside the estate"),
            )),
            _ => {}
        }
    }
    open.pop();
    all.push((file.clone(), faults));
}

/// The files that lines of `text` include, each with the place of its name.
pub(super) fn named(text: &str) -> Vec<(usize, usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let mark = MARKS.iter().find(|mark| trimmed.starts_with(**mark));
        if let Some(mark) = mark {
            let rest = trimmed[mark.len()..].trim();
            let name = rest.trim_end_matches(';').trim().trim_matches(['\'', '"']);
            let is_path = !name.is_empty() && !name.contains(char::is_whitespace) && name.contains(['.', '/']);
            if let Some(offset) = line.find(name).filter(|_| is_path) {
                found.push((at + offset, at + offset + name.len(), name));
            }
        }
        at += line.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_include_are_found_with_their_places() {
        let text = "\\set x 1\n\\i 'a.sql'\nselect 1;\n\\ir sub/b.sql\n@c.sql;\nsource d.sql;\n@name varchar\n";
        let found: Vec<_> = named(text).into_iter().map(|(start, end, name)| (&text[start..end], name)).collect();
        assert_eq!(found, ["a.sql", "sub/b.sql", "c.sql", "d.sql"].map(|name| (name, name)));
    }
}
