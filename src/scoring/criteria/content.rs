use crate::{
    estate::Job,
    lineage::Access,
    scoring::{
        EvidenceRow,
        criteria::{Measure, Measured, counted},
        survey::{Piece, Survey},
    },
    vocab::DatasetId,
};

/// Loads a day: for each raw dataset the runs of its most frequent enabled import job, added up.
pub(super) struct Content;

impl Measure for Content {
    fn name(&self) -> &'static str {
        "content"
    }

    fn measure(&self, survey: &Survey<'_>, piece: &Piece) -> Measured {
        let mut loads: Option<f64> = None;
        let mut evidence = Vec::new();
        for dataset in &piece.candidate.raw {
            if let Some((runs, row)) = most_frequent(survey, piece, dataset) {
                *loads.get_or_insert(0.0) += runs;
                evidence.push(row);
            }
        }
        let because = match loads {
            Some(loads) => format!("{loads:.1} loads a day into {}", counted(evidence.len(), "table", "tables")),
            None => "no import job has a schedule that was understood".to_owned(),
        };
        Measured { raw: loads, because, evidence }
    }
}

fn most_frequent(survey: &Survey<'_>, piece: &Piece, dataset: &DatasetId) -> Option<(f64, EvidenceRow)> {
    let writes = |job: &&Job| {
        let edges = survey.graph.edges_of(&job.id);
        edges.iter().any(|edge| edge.dataset == *dataset && edge.access == Access::Write)
    };
    let jobs = piece.candidate.import_jobs.iter().filter_map(|job| survey.jobs.get(job).copied()).filter(writes);
    let timed = jobs.filter_map(|job| {
        let schedule = job.schedule.as_ref()?;
        let runs = if job.enabled { schedule.runs_per_day? } else { 0.0 };
        runs.is_finite().then_some((runs.max(0.0), job, schedule))
    });
    // The first by name among equals: `max_by` would take the last.
    let (runs, job, schedule) = timed.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    let because = match job.enabled {
        true => format!("loaded {runs:.1} times a day by `{}` (`{}`)", job.id, schedule.text),
        false => format!("`{}` is disabled: no loads", job.id),
    };
    Some((runs, EvidenceRow { what: dataset.to_string(), because, at: Some(job.at.clone()) }))
}
