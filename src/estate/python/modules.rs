//! Modules of the estate: parsed once, found by their dotted names.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::parse::{self, Parsed};
use crate::estate::{paths::folder_of, reader::Around, text_file::TextFile};

/// Folders beside a DAG folder whose modules are imported without their name.
const IMPORT_ROOTS: &[&str] = &["", "dags", "plugins", "src", "include", "lib", "python"];

/// Syntax of every file that was asked for, shared between threads.
#[derive(Default)]
pub(crate) struct Modules {
    parsed: Mutex<BTreeMap<Utf8PathBuf, Option<Arc<Parsed>>>>,
}

impl Modules {
    /// The statements of `file`.
    pub(super) fn parsed(&self, file: &TextFile) -> Option<Arc<Parsed>> {
        let known = self.parsed.lock().unwrap_or_else(PoisonError::into_inner).get(&file.path).cloned();
        known.unwrap_or_else(|| {
            let parsed = parse::module(&file.text).map(Arc::new);
            self.parsed.lock().unwrap_or_else(PoisonError::into_inner).insert(file.path.clone(), parsed.clone());
            parsed
        })
    }
}

/// The file of module `name`, as `from` imports it from `level` folders up (0: by its full name).
pub(super) fn file_of(name: &str, level: usize, from: &Utf8Path, around: &Around<'_>) -> Option<Utf8PathBuf> {
    let inside = name.replace('.', "/");
    if level > 0 {
        let folder = from.ancestors().nth(level).unwrap_or(Utf8Path::new(""));
        return at(folder, &inside, around);
    }
    let folders = folder_of(from).ancestors().map(Utf8Path::to_owned);
    let mut candidates = folders.flat_map(|folder| IMPORT_ROOTS.iter().map(move |root| folder.join(root)));
    candidates.find_map(|folder| at(&folder, &inside, around))
}

fn at(folder: &Utf8Path, inside: &str, around: &Around<'_>) -> Option<Utf8PathBuf> {
    let base = match (folder.as_str(), inside) {
        ("", inside) => inside.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, inside) => format!("{}/{inside}", folder.trim_end_matches('/')),
    };
    let files = [format!("{base}.py"), format!("{base}/__init__.py")];
    files.into_iter().map(Utf8PathBuf::from).find(|path| around.is_file(path))
}
