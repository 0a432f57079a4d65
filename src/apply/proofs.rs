//! The proofs of a service in one file, `proofs.json`: the latest of each kind and subject.
use camino::Utf8Path;

use crate::apply::{error::StepError, files, model::ProofSummary};

/// What the last verification found, a list of sentences.
const VERIFIED: &str = "verified.json";

/// Reads what was proven; a file that is not there, or cannot be read, proves nothing.
pub(super) fn read(folder: &Utf8Path) -> Vec<ProofSummary> {
    let bytes = files::read(&folder.join("proofs.json")).ok().flatten();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Puts `new` proofs in the place of older ones of the same kind and subject.
pub(super) fn keep(folder: &Utf8Path, new: &[ProofSummary]) -> Result<(), StepError> {
    if new.is_empty() {
        return Ok(());
    }
    let mut proofs = read(folder);
    for proof in new {
        match proofs.iter_mut().find(|its| its.kind == proof.kind && its.what == proof.what) {
            Some(older) => *older = proof.clone(),
            None => proofs.push(proof.clone()),
        }
    }
    let mut text = serde_json::to_vec_pretty(&proofs).expect("text and numbers only");
    text.push(b'\n');
    files::replace(&folder.join("proofs.json"), &text).map_err(StepError::io("keep the proofs"))
}

/// What the last verification found wrong; nothing when it found nothing, or something was mended since.
pub(super) fn verified(folder: &Utf8Path) -> Vec<String> {
    let bytes = files::read(&folder.join(VERIFIED)).ok().flatten();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Keeps what a verification found, for whoever asks how the service is.
pub(super) fn keep_verified(folder: &Utf8Path, problems: &[String]) {
    if problems.is_empty() {
        return forget_verified(folder);
    }
    // Only a service that carve knows here: verifying makes no folders.
    if let Ok(text) = serde_json::to_vec_pretty(problems)
        && folder.is_dir()
    {
        // The verification itself tells its findings: failing to keep them hides nothing from who asked.
        let _ = files::replace(&folder.join(VERIFIED), &text);
    }
}

/// Forgets what a verification found: what it spoke of was made anew.
pub(super) fn forget_verified(folder: &Utf8Path) {
    let _ = std::fs::remove_file(folder.join(VERIFIED));
}

/// Forgets all proofs: what they spoke of is undone.
pub(super) fn forget(folder: &Utf8Path) {
    forget_verified(folder);
    let _ = std::fs::remove_file(folder.join("proofs.json"));
}
