//! The terms of change frequency and importance: one file a term, one list of them.
mod content;
mod reach;
mod structural;
mod teams;
mod use_cases;

use crate::scoring::{
    Criterion, EvidenceRow, Parameters, Term,
    number::{anchored_log, settled},
    survey::{Piece, Survey, shortened},
};

/// One term: what it counts, and how it says so.
pub(super) trait Measure: Sync {
    /// Its name in parameters and scorecards.
    fn name(&self) -> &'static str;
    /// Counts it for one candidate.
    fn measure(&self, survey: &Survey<'_>, piece: &Piece) -> Measured;
}

/// What a term came to.
pub(super) struct Measured {
    /// In the term's unit; `None` where the estate does not say.
    pub(super) raw: Option<f64>,
    /// The number in words, or why there is none.
    pub(super) because: String,
    pub(super) evidence: Vec<EvidenceRow>,
}

/// Change frequency: how often its code changes, and how often its rows do.
pub(super) static FREQUENCY: &[&dyn Measure] = &[&structural::Structural, &content::Content];

/// Importance: who reads it, for what, and how much rests on it.
pub(super) static IMPORTANCE: &[&dyn Measure] = &[&teams::Teams, &use_cases::UseCases, &reach::Reach];

/// The weighted mean of the terms that are known; a declared value takes its place.
pub(super) fn judge(terms: &[&dyn Measure], survey: &Survey<'_>, piece: &Piece, declared: Option<f64>) -> Criterion {
    let mut terms: Vec<Term> = terms.iter().map(|term| judge_term(*term, survey, piece)).collect();
    let known: f64 = terms.iter().filter(|term| term.raw.is_some()).map(|term| term.weight).sum();
    for term in &mut terms {
        term.weight = match term.raw {
            Some(_) if known > 0.0 => settled(term.weight / known),
            _ => 0.0,
        };
    }
    let missing = terms.iter().filter(|term| term.raw.is_none()).count();
    let grade = match missing {
        0 => 'A',
        missing if missing < terms.len() => 'B',
        _ => 'C',
    };
    let points: f64 = terms.iter().map(|term| term.weight * term.normalised).sum();
    let points = declared.unwrap_or(settled(points)).clamp(0.0, 1.0);
    Criterion { points, terms, grade, overridden: declared.is_some() }
}

fn judge_term(term: &dyn Measure, survey: &Survey<'_>, piece: &Piece) -> Term {
    let Parameters { weights, references, .. } = survey.parameters;
    let measured = term.measure(survey, piece);
    let reference = references[term.name()];
    Term {
        name: term.name().to_owned(),
        because: measured.because,
        raw: measured.raw.map(settled),
        reference,
        normalised: measured.raw.map_or(0.0, |raw| anchored_log(raw, reference)),
        weight: weights[term.name()],
        evidence: shortened(measured.evidence),
    }
}

/// `1 team`, `3 teams`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_has_a_weight_and_a_reference() {
        let parameters = Parameters::default();
        for list in [FREQUENCY, IMPORTANCE] {
            let total: f64 = list.iter().map(|term| parameters.weights[term.name()]).sum();
            assert!((total - 1.0).abs() < 1e-12);
            assert!(list.iter().all(|term| parameters.references[term.name()] > 0.0));
        }
    }
}
