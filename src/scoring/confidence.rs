//! How far the facts behind a score were understood.
use crate::{
    graph::Layer,
    lineage::Evidence,
    scoring::{
        Confidence, Criterion,
        criteria::counted,
        survey::{Piece, Survey},
    },
    vocab::JobId,
};

/// `high`, and one grade lower for each of: any statement of a touched job not understood; more than a
/// quarter of the touched jobs so; a term of a criterion unknown; no import job known.
pub(super) fn judge(survey: &Survey<'_>, piece: &Piece, criteria: [&Criterion; 2]) -> Confidence {
    let mut because = Vec::new();
    let touched = piece.touched();
    let doubtful = touched.iter().filter(|job| is_doubtful(survey, job)).count();
    if doubtful > 0 {
        because.push(format!(
            "{} of {} it touches {} statements that were not parsed, inferred or built at run time",
            doubtful,
            counted(touched.len(), "job", "jobs"),
            if doubtful == 1 { "has" } else { "have" },
        ));
    }
    if doubtful * 4 > touched.len() {
        because.push("that is more than a quarter of them".to_owned());
    }
    let unknown = criteria.iter().filter(|c| !c.overridden).flat_map(|c| &c.terms).filter(|term| term.raw.is_none());
    let unknown: Vec<String> = unknown.map(|term| format!("{} ({})", term.name, term.because)).collect();
    if !unknown.is_empty() {
        because.push(format!("not known: {}", unknown.join(", ")));
    }
    if piece.candidate.import_jobs.is_empty() && !piece.derived {
        let named = piece.candidate.raw.iter().filter_map(|dataset| survey.graph.datasets().get(dataset));
        if named.clone().all(|facts| facts.layer == Layer::Raw) && named.count() > 0 {
            because
                .push("no job is known that imports it: its system is declared or named after its schema".to_owned());
        }
    }
    let grade = ["high", "medium"].get(because.len()).copied().unwrap_or("low");
    Confidence { grade: grade.to_owned(), because }
}

fn is_doubtful(survey: &Survey<'_>, job: &JobId) -> bool {
    let unread = survey.lineage.jobs.get(job).is_some_and(|lineage| lineage.unparsed + lineage.dynamic > 0);
    unread || survey.graph.edges_of(job).iter().any(|edge| edge.evidence == Evidence::Inferred)
}
