//! Proofs as a table.
use crate::{apply::ProofSummary, console::Table};

/// One row a proof, no line longer than `width` characters.
pub(super) fn table(proofs: &[ProofSummary], width: usize) -> String {
    let mut table = Table::new(&["Proof", "Of", "Verdict", ">Rows before", ">Rows after", "Because"]);
    for proof in proofs {
        let endpoint = proof.endpoint.as_ref().map(ToString::to_string);
        let what = proof.what.clone().or(endpoint).unwrap_or_default();
        // The fingerprint is for programs and proofs.json.
        let because = proof.because.split(", rows1:").next().unwrap_or_default().to_owned();
        let rows = [proof.left_rows.to_string(), proof.right_rows.to_string()];
        let [before, after] = rows;
        table.row([proof.kind.clone(), what, proof.verdict.clone(), before, after, because]);
    }
    table.text(width)
}
