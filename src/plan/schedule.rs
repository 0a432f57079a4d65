//! The job that keeps the import as fresh as the raw table was, in the estate's own form.
use std::fmt::Write as _;

use super::{DraftInputs, WriteFile, endpoints::Lane};
use crate::estate::Job;

/// The refresh job's file: on the legacy import's schedule, the most frequent where there are several.
pub(super) fn refresh_job(inputs: &DraftInputs<'_>, lanes: &[Lane]) -> WriteFile {
    let service = &inputs.card.candidate.name;
    let mut text = String::from("format: carve-jobs/1\njobs:\n");
    let job = service.as_str().replace('-', "_");
    // Writing into a `String` cannot fail.
    let _ = writeln!(text, "  refresh_{job}:");
    let _ = writeln!(text, "    kind: import");
    let _ = writeln!(text, "    service: {service}");
    let run = format!("carve refresh {service}{}", inputs.flags);
    let run = if inputs.flags.is_empty() { run } else { quoted(&run) };
    let _ = writeln!(text, "    run: {run}");
    if let Some(schedule) = schedule(inputs) {
        let _ = writeln!(text, "    schedule: {}", quoted(&schedule));
    }
    if let Some(owner) = &inputs.card.candidate.owner {
        let _ = writeln!(text, "    owner: {}", quoted(owner));
    }
    let _ = writeln!(text, "    domain: {}", quoted(&inputs.card.candidate.domain));
    let _ = writeln!(text, "    from: {service}-data-service\n    tables:");
    for lane in lanes {
        let _ = writeln!(text, "      - {{ from: {}, into: {} }}", lane.endpoint, lane.live);
    }
    WriteFile { file: format!("jobs/carve/{service}.refresh.yaml").into(), content: text }
}

fn schedule(inputs: &DraftInputs<'_>) -> Option<String> {
    let imports = &inputs.card.candidate.import_jobs;
    let jobs: Vec<&Job> = inputs.estate.jobs.iter().filter(|job| imports.contains(&job.id)).collect();
    let schedules = jobs.iter().filter_map(|job| job.schedule.as_ref());
    schedules
        .max_by(|a, b| {
            let (a_rate, b_rate) = (a.runs_per_day.unwrap_or(0.0), b.runs_per_day.unwrap_or(0.0));
            a_rate.total_cmp(&b_rate).then_with(|| b.text.cmp(&a.text))
        })
        .map(|schedule| schedule.text.clone())
}

// JSON strings are YAML strings, whatever is in them.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
