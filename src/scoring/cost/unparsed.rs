use crate::{
    lineage::Evidence,
    scoring::{
        EvidenceRow,
        cost::{Counted, Driver},
        survey::{Piece, Survey},
    },
    vocab::{JobId, Span},
};

/// A statement that could not be parsed, or that is built at run time, in a job the wrap touches.
pub(super) struct UnparsedSql;

impl Driver for UnparsedSql {
    fn name(&self) -> &'static str {
        "unparsed_sql"
    }

    fn title(&self) -> &'static str {
        "statement not parsed or built at run time"
    }

    fn count(&self, survey: &Survey<'_>, piece: &Piece) -> Counted {
        let mut counted = Counted { count: 0, evidence: Vec::new() };
        for job in piece.touched() {
            let Some(lineage) = survey.lineage.jobs.get(job) else { continue };
            let statements = lineage.unparsed.saturating_add(lineage.dynamic);
            if statements == 0 {
                continue;
            }
            counted.count = counted.count.saturating_add(statements);
            let because = format!("{} not parsed, {} built at run time", lineage.unparsed, lineage.dynamic);
            counted.evidence.push(EvidenceRow { what: job.to_string(), because, at: place_of(survey, job) });
        }
        counted
    }
}

/// The first mention that was only inferred, else the job's first script, else the job.
fn place_of(survey: &Survey<'_>, job: &JobId) -> Option<Span> {
    let uses = survey.lineage.jobs.get(job).map_or(&[][..], |lineage| &lineage.uses);
    let inferred = uses.iter().find(|one| one.evidence == Evidence::Inferred).map(|one| &one.at);
    let job = survey.jobs.get(job)?;
    Some(inferred.or_else(|| job.scripts.first().map(|script| &script.at)).unwrap_or(&job.at).clone())
}
