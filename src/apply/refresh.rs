//! The job any scheduler runs: publish when the origin has changed, import, prove, put in place.
use std::sync::Arc;

use crate::{
    apply::{
        context::{self, Context},
        error::{ApplyError, StepError},
        journal::{Event, Facts, Stage},
        model::{Concern, PreflightFinding, ProofSummary, RefreshReport},
        note::{ImportNote, import_note, set_note},
        proofs, prune,
        publication::{self, Committed},
        publishing,
        session::{Session, noting},
        step::{put_in_place, stage},
        world::{RunOptions, World},
    },
    plan::{Import, Plan, Swap},
    progress::Progress,
    service::Manifest,
    vocab::DatasetId,
};

/// What a refresh keeps.
#[derive(Clone, Debug)]
pub struct RefreshOptions {
    /// Cancelling, and publishing anew without a change.
    pub run: RunOptions,
    /// Newest publications kept; never fewer than two.
    pub keep: u32,
}

impl Default for RefreshOptions {
    fn default() -> Self {
        RefreshOptions { run: RunOptions::default(), keep: 10 }
    }
}

/// Refreshes the service of a finished plan: extracts in one snapshot, publishes only when rows or schema changed,
/// imports what the lake does not hold yet, proves it, then puts all endpoints in place. A second refresh without
/// changes publishes nothing and moves nothing.
///
/// # Errors
/// `Blocked` before the plan is applied; `Locked` while another carve works; `NotEqual` when a proof fails, with
/// the live tables untouched; `Stopped` otherwise: run again.
pub async fn refresh(
    plan: &Plan,
    world: &World,
    options: &RefreshOptions,
    progress: &dyn Progress,
) -> Result<RefreshReport, ApplyError> {
    let mut session = Session::open(world, &plan.service, "refresh")?;
    let may = match applied(plan, &session) {
        Ok(()) => session.take_lease(world, &plan.service).await,
        blocked => blocked,
    };
    let ended = match may {
        Ok(()) => all(plan, world, options, progress, &mut session).await.map_err(|error| error.in_step("refresh")),
        Err(error) => Err(error),
    };
    session.close().await;
    ended
}

/// Only a finished plan is refreshed.
fn applied(plan: &Plan, session: &Session) -> Result<(), ApplyError> {
    let state = session.state();
    match state.plan {
        Some(begun) if begun != plan.id => Err(ApplyError::OtherPlan { service: plan.service.clone(), begun }),
        _ if state.stage == Stage::Finished => Ok(()),
        _ => Err(ApplyError::Blocked {
            service: plan.service.clone(),
            findings: vec![PreflightFinding {
                step: None,
                concern: Concern::Blocks,
                what: format!("`{}` is not wrapped: its plan is not applied to the end", plan.service),
                hint: Some(format!("`carve apply {}` first", plan.service)),
            }],
        }),
    }
}

async fn all(
    plan: &Plan,
    world: &World,
    options: &RefreshOptions,
    progress: &dyn Progress,
    session: &mut Session,
) -> Result<RefreshReport, StepError> {
    let mut open = session.state().refreshing.is_some();
    let known = session.state().refreshing.clone().unwrap_or_default();
    let Session { journal, lease, .. } = session;
    let context = Context { plan, world, options: &options.run, progress, lease: lease.as_ref() };
    let wanted = context::publish(plan).ok_or_else(|| StepError::Broken("the plan publishes nothing".to_owned()))?;
    let published = {
        // The journal hears of a refresh only once there is something to store.
        let (journal, open) = (&mut *journal, &mut open);
        let mut note = move |facts| {
            if !*open {
                journal.append(Event::RefreshBegan)?;
                *open = true;
            }
            Ok(journal.append(Event::RefreshNoted { facts })?)
        };
        publishing::publish(&context, wanted, &known, &mut note).await?
    };
    let newest = publication::of_version(&*world.bucket, &plan.service, published.version).await?;
    let behind = behind(&context, &newest).await?;
    if !behind.is_empty() && !open {
        journal.append(Event::RefreshBegan)?;
        open = true;
    }
    let imported: Vec<DatasetId> = behind.iter().map(|(_, swap)| swap.live.clone()).collect();
    let proven = import(&context, &newest, &behind).await?;
    let pruned = prune::prune(&context, wanted, options.keep).await?;
    freshen(&context, &newest).await?;
    proofs::keep(&world.folder(&plan.service), &proven)?;
    if open {
        let facts = Facts { version: Some(published.version), proofs: proven.clone(), ..Facts::default() };
        noting(journal, |facts| Event::RefreshDone { facts })(facts)?;
    }
    let rows = newest.contract.facts.endpoints.iter().map(|its| its.fingerprint.rows).sum();
    let service = plan.service.clone();
    let (version, published) = (published.version, published.made);
    Ok(RefreshReport { service, version, published, imported, rows, pruned, proofs: proven })
}

/// Imports whose live table does not hold `newest` yet.
async fn behind<'p>(context: &Context<'p>, newest: &Committed) -> Result<Vec<(&'p Import, &'p Swap)>, StepError> {
    let mut behind = Vec::new();
    for import in context::imports(context.plan) {
        let Some(swap) = context::swap_of(context.plan, &import.staging) else { continue };
        let holds = newest.endpoint(&import.endpoint)?.fingerprint;
        let current = |note: ImportNote| note.version == newest.version() && note.fingerprint == holds;
        let noted = import_note(&*context.world.lake, &swap.live).await?;
        if !noted.is_some_and(current) || !context.world.lake.exists(&swap.live).await? {
            behind.push((import, swap));
        }
    }
    Ok(behind)
}

/// Stages and proves all, then puts all in place: readers see old endpoints or new ones, hardly ever both.
async fn import(
    context: &Context<'_>,
    newest: &Committed,
    behind: &[(&Import, &Swap)],
) -> Result<Vec<ProofSummary>, StepError> {
    let mut proven = Vec::new();
    let mut manifests: Vec<Arc<Manifest>> = Vec::new();
    for (import, _) in behind {
        let manifest = Arc::new(newest.manifest(&*context.world.bucket, &import.endpoint).await?);
        proven.push(stage(context, &manifest, &import.staging).await?);
        manifests.push(manifest);
    }
    context.go_on()?;
    for ((import, swap), manifest) in behind.iter().zip(&manifests) {
        put_in_place(&*context.world.lake, &import.staging, &swap.live).await?;
        set_note(context, &swap.live, &import.endpoint, newest.version(), manifest.fingerprint).await?;
    }
    for (proof, (_, swap)) in proven.iter_mut().zip(behind) {
        // The staged table is the live one now, and that is the name people know.
        proof.what = Some(swap.live.to_string());
    }
    Ok(proven)
}

/// Notes in the lake that every import was compared with its origin now.
async fn freshen(context: &Context<'_>, newest: &Committed) -> Result<(), StepError> {
    for import in context::imports(context.plan) {
        if let Some(swap) = context::swap_of(context.plan, &import.staging) {
            let fingerprint = newest.endpoint(&import.endpoint)?.fingerprint;
            set_note(context, &swap.live, &import.endpoint, newest.version(), fingerprint).await?;
        }
    }
    Ok(())
}

impl RefreshReport {
    /// In one line: `published 1.0.1, 2 tables imported` or `nothing has changed since 1.0.0`.
    pub fn told(&self) -> String {
        let version = self.version;
        match (self.published, self.imported.len()) {
            (false, 0) => format!("nothing has changed since {version}"),
            (false, tables) => format!("{tables} tables imported from {version}"),
            (true, tables) => format!("published {version}: {} rows, {tables} tables imported", self.rows),
        }
    }
}
