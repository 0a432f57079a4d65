//! How far every service is, from the journals beside the estate and the newest contracts in the bucket.
use camino::Utf8Path;

use crate::{
    apply::{
        error::{ApplyError, INTERRUPTED},
        journal::{self, Phase, RunState, Stage, StepState},
        lock::{self, Holder},
        model::ServiceStatus,
        not_compared::{NOT_COMPARED, not_compared},
        proofs, publication,
        run::told,
    },
    connector::Bucket,
    vocab::{SchemaVersion, ServiceName},
};

/// The state of every service that has a journal below `state`, by name. Without a bucket, or where it does not
/// answer, what only it knows stays unknown. `switched` and `in_catalog` are for others to fill in.
///
/// # Errors
/// A journal that cannot be read.
pub async fn status(state: &Utf8Path, bucket: Option<&dyn Bucket>) -> Result<Vec<ServiceStatus>, ApplyError> {
    let mut all = Vec::new();
    for service in journal::services(state) {
        let folder = state.join(service.as_str());
        let read = journal::read(&folder)?.state;
        let mut one = of_journal(service, &read);
        one.proofs = proofs::read(&folder);
        if read.stage != Stage::RolledBack {
            one.not_compared = not_compared(left_out(&read), &one.proofs);
        }
        if read.stage == Stage::Finished {
            one.verify_problems = proofs::verified(&folder);
        }
        if let Some(holder) = lock::at_work(&folder) {
            going_on(&mut one, &holder);
        }
        if let Some(bucket) = bucket {
            of_bucket(bucket, &mut one).await;
        }
        all.push(one);
    }
    Ok(all)
}

/// Statements that the downstream proof left out, as the journal tells them: the plan file may be another by now.
fn left_out(state: &RunState) -> impl Iterator<Item = &str> {
    let done = state.steps.values().filter(|step| step.phase == Phase::Done);
    done.flat_map(|step| &step.facts.lines).filter_map(|line| line.strip_prefix(NOT_COMPARED))
}

fn of_journal(service: ServiceName, state: &RunState) -> ServiceStatus {
    let count = |phase| state.steps.values().filter(|step| step.phase == phase).count() as u32;
    let stopped = state.order.iter().find_map(|id| {
        let step = state.of(id).filter(|step| matches!(step.phase, Phase::Failed | Phase::Began | Phase::Undoing))?;
        let why = match step.because.clone() {
            Some(why) if !interrupted(step) => why,
            Some(why) => format!("{why}: `carve apply {service}` goes on"),
            None => format!("carve ended in the middle of it: `carve apply {service}` goes on"),
        };
        Some(format!("{id}: {why}"))
    });
    ServiceStatus {
        stage: stage(state).to_owned(),
        steps_done: count(Phase::Done),
        stopped_at: stopped,
        version: known_version(state),
        ..ServiceStatus::planned(service, state.order.len() as u32)
    }
}

/// The publication in use as the journal knows it.
fn known_version(state: &RunState) -> Option<SchemaVersion> {
    if matches!(state.stage, Stage::RolledBack) {
        return None;
    }
    let steps = state.order.iter().filter_map(|id| state.of(id)).filter(|step| step.phase == Phase::Done);
    let published = steps.filter_map(|step| step.facts.version).max();
    state.refresh_facts.version.max(published)
}

fn stage(state: &RunState) -> &'static str {
    let any = |phase| state.steps.values().any(|step| step.phase == phase);
    match state.stage {
        Stage::New => "planned",
        Stage::Applying if any(Phase::Failed) => match state.steps.values().any(interrupted) {
            true => "interrupted",
            false => "failed",
        },
        // It was killed, or the machine went down: nothing is known to be wrong.
        Stage::Applying if any(Phase::Began) => "interrupted",
        Stage::Applying => "applying",
        Stage::RollingBack => "rolling_back",
        Stage::Finished => "wrapped",
        Stage::RolledBack => "rolled_back",
    }
}

/// Whether a person asked carve to stop in this step.
fn interrupted(step: &StepState) -> bool {
    step.phase == Phase::Failed && step.because.as_deref() == Some(INTERRUPTED)
}

/// A step that has begun and not ended is no failure while its process lives.
fn going_on(one: &mut ServiceStatus, holder: &Holder) {
    one.running = Some(format!("process {} on `{}` since {}: {}", holder.pid, holder.host, holder.since, holder.doing));
    one.stopped_at = None;
    if matches!(one.stage.as_str(), "failed" | "interrupted") {
        one.stage = "applying".to_owned();
    }
}

/// What the newest contract says.
async fn of_bucket(bucket: &dyn Bucket, one: &mut ServiceStatus) {
    let newest = match publication::newest(bucket, &one.service).await {
        Ok(newest) => newest,
        Err(error) => {
            one.bucket_problem = Some(told(&error));
            return;
        }
    };
    if newest.is_none() && one.version.is_some() {
        one.bucket_problem = Some("it holds no publication of this service any more".to_owned());
    }
    if let Some(newest) = newest {
        let endpoints = &newest.contract.facts.endpoints;
        one.version = Some(newest.version());
        one.published_at = Some(newest.key.published.to_string());
        one.rows = Some(endpoints.iter().map(|its| its.fingerprint.rows).sum());
        one.parts = Some(endpoints.iter().map(|its| its.parts).sum());
    }
}
