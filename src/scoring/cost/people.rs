use crate::scoring::{
    EvidenceRow,
    cost::{Counted, Driver},
    survey::{Piece, Survey},
};

/// A team that takes over what it does not run today. An unknown team counts: somebody must be found.
pub(super) struct NewTeam;

impl Driver for NewTeam {
    fn name(&self) -> &'static str {
        "new_team"
    }

    fn title(&self) -> &'static str {
        "team that takes over"
    }

    fn count(&self, survey: &Survey<'_>, piece: &Piece) -> Counted {
        let candidate = &piece.candidate;
        let estate = survey.estate;
        let source = estate.sources.get(&candidate.system);
        let then = estate.team_to_be(candidate.name.as_str(), &candidate.system).map(str::to_owned);
        let because = match (&candidate.owner, &then) {
            (Some(now), Some(then)) if now == then => return Vec::new().into(),
            (Some(now), Some(_)) => format!("takes over from `{now}`"),
            (None, Some(_)) => "today's owner is not known".to_owned(),
            (_, None) => "its team is not known yet".to_owned(),
        };
        let job = candidate.import_jobs.first().and_then(|job| survey.jobs.get(job));
        let at = source.and_then(|source| source.at.clone()).or_else(|| job.map(|job| job.at.clone()));
        vec![EvidenceRow { what: then.unwrap_or_else(|| candidate.domain.clone()), because, at }].into()
    }
}
