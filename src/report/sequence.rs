//! The order of work, and how far it is.
use std::collections::BTreeMap;

use serde::Serialize;

use super::{ReportInputs, text};
use crate::{apply::ServiceStatus, scoring::Wave, vocab::ServiceName};

/// The order of work.
#[derive(Clone, Debug, Serialize)]
pub struct SequenceView {
    /// Waves in order.
    pub waves: Vec<WaveRow>,
    /// All of it in a sentence.
    pub summary: String,
    /// Services per stage; empty before anything was applied.
    pub stages: Vec<StageCount>,
    /// Raw tables that still stand in the lake alone, publication by publication; empty before the first.
    pub burn_down: Vec<BurnPoint>,
}

/// One wave.
#[derive(Clone, Debug, Serialize)]
pub struct WaveRow {
    /// From 1.
    pub number: u32,
    /// `pilot`, or empty.
    pub title: String,
    /// Its services.
    pub services: Vec<WaveService>,
    /// Person-days.
    pub days: String,
    /// Person-days up to its end.
    pub until: String,
    /// Where its bar starts, in per cent of the whole.
    pub offset: String,
    /// How wide its bar is, in per cent of the whole.
    pub width: String,
}

/// One service of a wave.
#[derive(Clone, Debug, Serialize)]
pub struct WaveService {
    /// The service.
    pub name: String,
    /// Anchor of its row in the candidate table.
    pub anchor: String,
    /// Its stage, or empty.
    pub stage: String,
}

/// Services in one stage.
#[derive(Clone, Debug, Serialize)]
pub struct StageCount {
    /// `wrapped`.
    pub stage: String,
    /// How many, with their names.
    pub services: String,
}

/// The lake after one publication.
#[derive(Clone, Debug, Serialize)]
pub struct BurnPoint {
    /// `start`, or the service that was wrapped.
    pub label: String,
    /// Day of the publication, or empty.
    pub day: String,
    /// Raw tables that are not behind a service yet.
    pub left: u64,
}

/// The sequence of `inputs`.
pub(super) fn sequence(inputs: &ReportInputs) -> SequenceView {
    let total: f64 = inputs.sequence.waves.iter().map(|wave| wave.days).sum();
    let mut done = 0.0;
    let waves = inputs.sequence.waves.iter().map(|wave| {
        let row = wave_row(inputs.statuses, wave, done, total);
        done += wave.days;
        row
    });
    let waves: Vec<WaveRow> = waves.collect();
    let services: usize = inputs.sequence.waves.iter().map(|wave| wave.services.len()).sum();
    let summary = match waves.len() {
        0 => "There is nothing to put in order.".to_owned(),
        n => format!(
            "{} in {}, {} person-days in all.",
            text::count(services, "service", "services"),
            text::count(n, "wave", "waves"),
            text::one_decimal(total)
        ),
    };
    SequenceView { waves, summary, stages: stages(inputs.statuses), burn_down: burn_down(inputs) }
}

fn wave_row(statuses: &[ServiceStatus], wave: &Wave, done: f64, total: f64) -> WaveRow {
    let percent = |days: f64| if total > 0.0 { text::decimal(days * 100.0 / total, 2) } else { "0".to_owned() };
    let service = |name: &ServiceName| WaveService {
        name: name.to_string(),
        anchor: text::anchor("candidate", name.as_str()),
        stage: statuses.iter().find(|s| s.service == *name).map(|s| stage_words(&s.stage)).unwrap_or_default(),
    };
    WaveRow {
        number: wave.number,
        title: wave.title.clone(),
        services: wave.services.iter().map(service).collect(),
        days: text::one_decimal(wave.days),
        until: text::one_decimal(done + wave.days),
        offset: percent(done),
        width: percent(wave.days),
    }
}

/// A stage in words.
pub(super) fn stage_words(stage: &str) -> String {
    stage.replace('_', " ")
}

fn stages(statuses: &[ServiceStatus]) -> Vec<StageCount> {
    let mut stages: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for status in statuses {
        stages.entry(&status.stage).or_default().push(status.service.as_str());
    }
    let row = |(stage, mut names): (&str, Vec<&str>)| {
        names.sort_unstable();
        StageCount {
            stage: stage_words(stage),
            services: format!("{}: {}", text::thousands(names.len() as u64), text::prose_up_to(&names, 8)),
        }
    };
    stages.into_iter().map(row).collect()
}

/// Raw tables left after each wrapped service, in the order of their publications.
fn burn_down(inputs: &ReportInputs) -> Vec<BurnPoint> {
    let tables = |name: &ServiceName| {
        inputs
            .scorecards
            .iter()
            .find(|card| card.candidate.name == *name)
            .map(|card| card.candidate.raw.len() as u64)
            .or_else(|| inputs.plans.iter().find(|plan| plan.service == *name).map(|p| p.boundary.raw.len() as u64))
            .unwrap_or(0)
    };
    let mut wrapped: Vec<(&str, &ServiceName)> = inputs
        .statuses
        .iter()
        .filter(|status| status.stage == "wrapped")
        .map(|status| (status.published_at.as_deref().unwrap_or(""), &status.service))
        .collect();
    if wrapped.is_empty() {
        return Vec::new();
    }
    wrapped.sort_unstable();
    // Once wrapped, a service is no candidate any more, yet its tables stood in the lake at the start.
    let is_candidate = |name: &ServiceName| inputs.scorecards.iter().any(|card| card.candidate.name == *name);
    let ranked: u64 = inputs.scorecards.iter().map(|card| card.candidate.raw.len() as u64).sum();
    let gone: u64 = wrapped.iter().filter(|(_, name)| !is_candidate(name)).map(|(_, name)| tables(name)).sum();
    let mut left = ranked + gone;
    let mut points = vec![BurnPoint { label: "start".to_owned(), day: String::new(), left }];
    for (at, service) in wrapped {
        left = left.saturating_sub(tables(service));
        points.push(BurnPoint { label: service.to_string(), day: at.chars().take(10).collect(), left });
    }
    points
}
