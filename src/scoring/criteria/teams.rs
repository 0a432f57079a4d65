use crate::scoring::{
    EvidenceRow,
    criteria::{Measure, Measured, counted},
    survey::{Piece, Survey},
};

/// Distinct teams that read the candidate or what is made of it: teams of the usage log (the user
/// where it names no team) and owners of exposures.
pub(super) struct Teams;

impl Measure for Teams {
    fn name(&self) -> &'static str {
        "teams"
    }

    fn measure(&self, survey: &Survey<'_>, piece: &Piece) -> Measured {
        let estate = survey.estate;
        if estate.usage.is_empty() && estate.exposures.iter().all(|exposure| exposure.owner.is_none()) {
            let because = "no usage log, and no exposure with an owner".to_owned();
            return Measured { raw: None, because, evidence: Vec::new() };
        }
        let row = |(who, consumer): (&String, &crate::scoring::survey::Consumer)| {
            let queries = counted(consumer.queries as usize, "read in the log", "reads in the log");
            let exposures = counted(consumer.exposures as usize, "exposure", "exposures");
            let because = match (consumer.queries, consumer.exposures) {
                (_, 0) => queries,
                (0, _) => format!("owns {exposures}"),
                _ => format!("{queries}, owns {exposures}"),
            };
            EvidenceRow { what: who.clone(), because, at: consumer.at.clone() }
        };
        Measured {
            raw: Some(piece.consumers.len() as f64),
            because: format!("{} read it or what is made of it", counted(piece.consumers.len(), "team", "teams")),
            evidence: piece.consumers.iter().map(row).collect(),
        }
    }
}
