use crate::scoring::{
    EvidenceRow,
    criteria::{Measure, Measured},
    survey::{Piece, Survey},
};

/// How much consumption rests on the candidate's raw datasets: reverse PageRank, in which every use
/// case and every user of a dataset is one unit that flows upstream. In an estate without exposures
/// and logs each table at the end of the lake is one.
pub(super) struct Reach;

impl Measure for Reach {
    fn name(&self) -> &'static str {
        "reach"
    }

    fn measure(&self, survey: &Survey<'_>, piece: &Piece) -> Measured {
        let units = match survey.nobody_is_known() {
            true => "end tables (nobody is known who reads, so each stands for one reader)",
            false => "use cases and users",
        };
        let mut evidence = Vec::new();
        let mut raw = 0.0;
        for dataset in &piece.candidate.raw {
            let rests = survey.reach.get(dataset).copied().unwrap_or(0.0);
            raw += rests;
            if rests > 0.0 {
                let because = format!("{rests:.2} {units} rest on it");
                let at = survey.graph.readers_of(dataset).next().and_then(|edge| edge.places.first().cloned());
                evidence.push(EvidenceRow { what: dataset.to_string(), because, at });
            }
        }
        let because = format!("{raw:.2} {units} rest on it, shared with what else feeds them");
        Measured { raw: Some(raw), because, evidence }
    }
}
