//! Which repointed jobs were not proven, and why: what a summary must not leave out behind "all equal".
use crate::apply::model::{NotCompared, ProofSummary};

/// How a line of the downstream proof begins that tells of a statement left out.
pub(super) const NOT_COMPARED: &str = "not compared: ";

/// The jobs of `left_out` (each line `job: reason`) and of queries that could not be compared when they were run.
pub(super) fn not_compared<'a>(
    left_out: impl IntoIterator<Item = &'a str>,
    proofs: &'a [ProofSummary],
) -> Vec<NotCompared> {
    let planned = left_out.into_iter().map(|line| line.split_once(": ").unwrap_or((line, "")));
    let tried = proofs.iter().filter(|proof| proof.kind == "downstream" && proof.verdict == "not_comparable");
    let tried = tried.map(|proof| {
        let what = proof.what.as_deref().unwrap_or_default();
        (what.split(" (").next().unwrap_or_default(), proof.because.as_str())
    });
    let mut all: Vec<NotCompared> = Vec::new();
    for (job, reason) in planned.chain(tried) {
        match all.iter_mut().find(|its| its.job == job) {
            Some(known) => known.reasons.push(reason.to_owned()),
            None => all.push(NotCompared { job: job.to_owned(), reasons: vec![reason.to_owned()] }),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_told_once_with_all_its_reasons() {
        let proof = |kind: &str, what: &str, verdict: &str| ProofSummary {
            kind: kind.to_owned(),
            what: Some(what.to_owned()),
            endpoint: None,
            verdict: verdict.to_owned(),
            left_rows: 0,
            right_rows: 0,
            because: "it does not run".to_owned(),
            differences: Vec::new(),
        };
        let proofs = [
            proof("downstream", "b (modelled.b)", "not_comparable"),
            proof("downstream", "c", "equal"),
            proof("continuity", "d", "not_comparable"),
        ];
        let found = not_compared(["a: a.sql:1:1: DELETE", "b: MERGE", "a: TEMP"], &proofs);
        let of = |job: &str, reasons: &[&str]| NotCompared {
            job: job.to_owned(),
            reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
        };
        assert_eq!(found, [of("a", &["a.sql:1:1: DELETE", "TEMP"]), of("b", &["MERGE", "it does not run"])]);
    }
}
