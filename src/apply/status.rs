//! How far every service is, from the journals beside the estate and the newest contracts in the bucket.
use camino::Utf8Path;

use crate::{
    apply::{
        error::ApplyError,
        journal::{self, Phase, RunState, Stage},
        model::ServiceStatus,
        proofs, publication,
    },
    connector::Bucket,
    vocab::ServiceName,
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
        if let Some(bucket) = bucket {
            of_bucket(bucket, &mut one).await;
        }
        all.push(one);
    }
    Ok(all)
}

fn of_journal(service: ServiceName, state: &RunState) -> ServiceStatus {
    let count = |phase| state.steps.values().filter(|step| step.phase == phase).count() as u32;
    let stopped = state.order.iter().find_map(|id| {
        let step = state.of(id).filter(|step| matches!(step.phase, Phase::Failed | Phase::Began | Phase::Undoing))?;
        let why = step.because.clone().unwrap_or_else(|| "carve ended in the middle of it".to_owned());
        Some(format!("{id}: {why}"))
    });
    ServiceStatus {
        stage: stage(state, stopped.is_some()).to_owned(),
        steps_done: count(Phase::Done),
        stopped_at: stopped,
        ..ServiceStatus::planned(service, state.order.len() as u32)
    }
}

fn stage(state: &RunState, stopped: bool) -> &'static str {
    match state.stage {
        Stage::New => "planned",
        Stage::Applying if stopped => "failed",
        Stage::Applying | Stage::RollingBack => "applying",
        Stage::Finished => "wrapped",
        Stage::RolledBack => "rolled_back",
    }
}

/// What the newest contract says.
async fn of_bucket(bucket: &dyn Bucket, one: &mut ServiceStatus) {
    if let Ok(Some(newest)) = publication::newest(bucket, &one.service).await {
        let endpoints = &newest.contract.facts.endpoints;
        one.version = Some(newest.version());
        one.published_at = Some(newest.key.published.to_string());
        one.rows = Some(endpoints.iter().map(|its| its.fingerprint.rows).sum());
        one.parts = Some(endpoints.iter().map(|its| its.parts).sum());
    }
}
