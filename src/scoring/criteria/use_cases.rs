use crate::scoring::{
    EvidenceRow,
    criteria::{Measure, Measured, counted},
    survey::{Piece, Survey},
};

/// Exposures that people open and that rest on the candidate: dashboards, reports, applications, and
/// charts that stand on no dashboard. A dashboard's charts and a tool's datasets are not counted beside it.
pub(super) struct UseCases;

impl Measure for UseCases {
    fn name(&self) -> &'static str {
        "use_cases"
    }

    fn measure(&self, survey: &Survey<'_>, piece: &Piece) -> Measured {
        if survey.estate.exposures.is_empty() {
            let because = "no BI export and no declared exposure".to_owned();
            return Measured { raw: None, because, evidence: Vec::new() };
        }
        let opened = piece.candidate.exposures.iter().filter(|id| survey.use_cases.contains(id.as_str()));
        let row = |exposure: &crate::estate::Exposure| EvidenceRow {
            what: exposure.title.clone(),
            because: format!("{} in {}", exposure.kind, exposure.tool),
            at: Some(exposure.at.clone()),
        };
        let evidence: Vec<EvidenceRow> =
            opened.filter_map(|id| survey.exposures.get(id.as_str())).map(|exposure| row(exposure)).collect();
        Measured {
            raw: Some(evidence.len() as f64),
            because: format!("{} on it", counted(evidence.len(), "use case rests", "use cases rest")),
            evidence,
        }
    }
}
