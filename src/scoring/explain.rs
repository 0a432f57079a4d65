//! Why a score is what it is: a waterfall whose rows add up.
use crate::scoring::{Criterion, EvidenceRow, Explanation, ExplanationRow, Parameters, Scorecard};

/// One term's points of value.
pub(super) struct Share {
    pub(super) name: String,
    pub(super) text: String,
    /// Weight in the value × points of the term.
    pub(super) points: f64,
    pub(super) evidence: Vec<EvidenceRow>,
}

/// Every score of `card`, row by row: value = λF + (1−λ)I by its terms, effort by its drivers, priority.
pub fn explain(card: &Scorecard, parameters: &Parameters) -> Explanation {
    let row = |part: &str, name: &str, text: String, number: f64, evidence: Vec<EvidenceRow>| ExplanationRow {
        part: part.to_owned(),
        name: name.to_owned(),
        text,
        number,
        evidence,
    };
    let mut rows = Vec::new();
    for share in value_shares(card, parameters) {
        rows.push(row("value", &share.name, share.text, share.points, share.evidence));
    }
    let sum = format!(
        "value: {:.2} × change frequency {:.3} + {:.2} × importance {:.3}",
        parameters.lambda,
        card.frequency.points,
        1.0 - parameters.lambda,
        card.importance.points
    );
    rows.push(row("value", "sum", sum, card.value, Vec::new()));
    for driver in &card.cost.drivers {
        let [a, m, b] = driver.hours;
        let text = format!("{} × {} at {a}, {m}, {b} hours", driver.count, driver.title);
        rows.push(row("effort", &driver.name, text, driver.days, driver.evidence.clone()));
    }
    let sum = format!("effort: {:.1} to {:.1} person-days", card.cost.low_days, card.cost.high_days);
    rows.push(row("effort", "sum", sum, card.cost.likely_days, Vec::new()));
    let text = format!("priority: {:.3} / {:.1}^{}", card.value, card.cost.likely_days, parameters.alpha);
    rows.push(row("priority", "priority", text, card.priority, Vec::new()));
    let summary = format!(
        "`{}` ranks {}: value {:.3} for {:.1} person-days ({:.1} to {:.1}) gives priority {:.4}; {} under other weights, \
         {} confidence",
        card.candidate.name,
        card.rank,
        card.value,
        card.cost.likely_days,
        card.cost.low_days,
        card.cost.high_days,
        card.priority,
        card.robustness.label,
        card.confidence.grade
    );
    Explanation { service: card.candidate.name.clone(), rank: card.rank, rows, summary }
}

/// The terms of the value; they add up to it. A declared criticality stands for all of importance.
pub(super) fn value_shares(card: &Scorecard, parameters: &Parameters) -> Vec<Share> {
    let mut shares = criterion_shares(&card.frequency, parameters.lambda);
    shares.extend(match card.importance.overridden {
        false => criterion_shares(&card.importance, 1.0 - parameters.lambda),
        true => vec![Share {
            name: "criticality".to_owned(),
            text: "declared criticality, in place of the computed importance".to_owned(),
            points: (1.0 - parameters.lambda) * card.importance.points,
            evidence: Vec::new(),
        }],
    });
    shares
}

fn criterion_shares(criterion: &Criterion, weight: f64) -> Vec<Share> {
    let share = |term: &crate::scoring::Term| Share {
        name: term.name.clone(),
        text: match term.raw {
            Some(_) => format!("{} (counts fully at {})", term.because, term.reference),
            None => format!("not known: {}", term.because),
        },
        points: weight * term.weight * term.normalised,
        evidence: term.evidence.clone(),
    };
    criterion.terms.iter().map(share).collect()
}
