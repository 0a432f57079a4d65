//! The folders of an estate: where each is, and what stands before its files in a span.
use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    diagnostics::{CodeEntry, Diagnostic, Diagnostics},
    estate::Root,
    vocab::Span,
};

/// A root, and the one file of it that was asked for where the user named a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RootToRead {
    pub(crate) root: Root,
    pub(crate) only: Option<String>,
}

/// The roots named by `given`, each once. One that is not there is told and left out.
pub(crate) fn resolve(given: &[Utf8PathBuf], faults: &mut Diagnostics) -> Vec<RootToRead> {
    let mut found: Vec<RootToRead> = Vec::new();
    let mut taken: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    for (at, path) in given.iter().enumerate() {
        let real = match path.canonicalize_utf8() {
            Ok(real) => real,
            Err(error) => {
                let name = path.file_name().unwrap_or(path.as_str());
                faults.push(Diagnostic::new(
                    CodeEntry::E001,
                    Span::whole(name),
                    format!("cannot be opened: {}", error.kind()),
                ));
                continue;
            }
        };
        let (folder, only) = match real.is_dir() {
            true => (real.clone(), None),
            false => (real.parent().unwrap_or(&real).to_owned(), real.file_name().map(str::to_owned)),
        };
        if found.iter().any(|other| other.root.path == folder && (other.only.is_none() || other.only == only)) {
            continue;
        }
        let prefix = if at == 0 { Utf8PathBuf::new() } else { prefix_of(&folder, found.first(), &taken) };
        taken.insert(prefix.clone());
        found.push(RootToRead { root: Root { path: folder, prefix }, only });
    }
    found
}

/// `name/` after the folder, with a number where another root or a folder of the first has that name.
fn prefix_of(folder: &Utf8Path, first: Option<&RootToRead>, taken: &BTreeSet<Utf8PathBuf>) -> Utf8PathBuf {
    let name = folder.file_name().unwrap_or("root");
    let free = |prefix: &Utf8Path| {
        let in_first = first.is_some_and(|first| {
            let there = first.root.path.join(prefix);
            there.exists() && there.canonicalize_utf8().ok().as_deref() != Some(folder)
        });
        !taken.contains(prefix) && !in_first
    };
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered).map(Utf8PathBuf::from);
    names.find(|prefix| free(prefix)).expect("there are more numbers than folders")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_further_root_s_files_stand_under_its_name() {
        let place = tempfile::tempdir().unwrap();
        let base = Utf8PathBuf::from_path_buf(place.path().canonicalize().unwrap()).unwrap();
        for folder in ["etl/logs", "a/logs", "b/logs"] {
            std::fs::create_dir_all(base.join(folder)).unwrap();
        }
        let mut faults = Diagnostics::default();
        let given: Vec<_> = ["etl", "a/logs", "b/logs", "etl", "gone"].map(|name| base.join(name)).into();
        let found = resolve(&given, &mut faults);
        let prefixes: Vec<_> = found.iter().map(|root| root.root.prefix.as_str()).collect();
        assert_eq!(prefixes, ["", "logs-2", "logs-3"]);
        assert_eq!(
            faults.iter().map(|fault| (fault.code.code, fault.at.file.as_str())).collect::<Vec<_>>(),
            [("E001", "gone")]
        );
    }
}
