use crate::scoring::{
    EvidenceRow,
    criteria::{Measure, Measured},
    survey::{Piece, Survey},
};

/// How much consumption rests on the candidate's raw datasets: reverse PageRank, in which every use
/// case and every user of a dataset is one unit that flows upstream.
pub(super) struct Reach;

impl Measure for Reach {
    fn name(&self) -> &'static str {
        "reach"
    }

    fn measure(&self, survey: &Survey<'_>, piece: &Piece) -> Measured {
        if survey.estate.exposures.is_empty() && survey.estate.usage.is_empty() {
            let because = "no usage log and no exposure".to_owned();
            return Measured { raw: None, because, evidence: Vec::new() };
        }
        let mut evidence = Vec::new();
        let mut raw = 0.0;
        for dataset in &piece.candidate.raw {
            let rests = survey.reach.get(dataset).copied().unwrap_or(0.0);
            raw += rests;
            if rests > 0.0 {
                let because = format!("{rests:.2} use cases and users rest on it");
                let at = survey.graph.readers_of(dataset).next().and_then(|edge| edge.places.first().cloned());
                evidence.push(EvidenceRow { what: dataset.to_string(), because, at });
            }
        }
        let because = format!("{raw:.2} use cases and users rest on it, shared with what else feeds them");
        Measured { raw: Some(raw), because, evidence }
    }
}
