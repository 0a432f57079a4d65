//! The files a plan was made from, each with the hash of its bytes and of its meaning.
use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::PlanInput;
use crate::{lineage, vocab::Digest};

/// Both hashes of every file in `files` that can be read.
pub(super) fn inputs(files: BTreeSet<Utf8PathBuf>, read: &dyn Fn(&Utf8Path) -> Option<String>) -> Vec<PlanInput> {
    let of = |file: Utf8PathBuf| {
        let text = read(&file)?;
        Some(PlanInput { bytes: Digest::of(&text), meaning: meaning(&file, &text), file })
    };
    files.into_iter().filter_map(of).collect()
}

/// What a file says, without its comments and spacing.
pub(super) fn meaning(file: &Utf8Path, text: &str) -> Digest {
    match file.extension() {
        Some("yaml" | "yml") => lineage::config_meaning(text),
        _ => lineage::meaning(text, None),
    }
}
