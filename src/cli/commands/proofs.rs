//! Proofs as a table.
use crate::{
    apply::{NotCompared, ProofSummary},
    cli::Context,
    console::{Style, Table},
};

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

/// Lines of jobs without a proof that a screen shows of one service.
const NOT_COMPARED_SHOWN: usize = 8;

/// Tells each repointed job that no comparison proves, and why, behind `before` (a service's name, or nothing).
pub(super) fn tell_not_compared(before: &str, jobs: &[NotCompared], context: &Context) {
    let screen = &context.screen;
    let title = screen.paint(Style::Warn, "not compared:");
    for one in jobs.iter().take(NOT_COMPARED_SHOWN) {
        screen.prose(2, format!("{title} {before}{}", said(one)));
    }
    if jobs.len() > NOT_COMPARED_SHOWN {
        let more = jobs.len() - NOT_COMPARED_SHOWN;
        screen.out(format!("{title} {before}and {more} more repointed jobs: `--format json` has all"));
    }
}

/// ``payments_settled, which is repointed: a.sql:13:1: DELETE removes rows where they are (and 1 more statement)``.
fn said(one: &NotCompared) -> String {
    let first = one.reasons.first().map(String::as_str).unwrap_or_default();
    let more = match one.reasons.len() {
        0 | 1 => String::new(),
        2 => " (and 1 more statement)".to_owned(),
        n => format!(" (and {} more statements)", n - 1),
    };
    format!("{}, which is repointed: {first}{more}", one.job)
}

/// `1 job not compared`; nothing where all are.
pub(super) fn count_not_compared(jobs: &[NotCompared]) -> Option<String> {
    match jobs.len() {
        0 => None,
        1 => Some("1 job not compared".to_owned()),
        n => Some(format!("{n} jobs not compared")),
    }
}
