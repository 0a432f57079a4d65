//! Undoes a plan in reverse, until retirement; can be stopped and run again as applying can.
use crate::{
    apply::{
        begun,
        context::Context,
        error::{ApplyError, StepError},
        journal::{Event, Phase, Stage},
        model::{Concern, Outcome, PreflightFinding, RunReport, StepReport},
        preflight::before_undoing,
        proofs,
        run::{report, verdict, version},
        session::Session,
        step::{Here, kind_of},
        world::{RunOptions, World},
    },
    plan::{Plan, Step, Undo},
    progress::Progress,
};

/// Undoes what `plan` did: files as they were, tables as they were, the publication kept and marked withdrawn.
///
/// # Errors
/// As [`run`](super::run): an undo that a person must decide about stops the rollback there.
pub async fn rollback(
    plan: &Plan,
    world: &World,
    options: &RunOptions,
    progress: &dyn Progress,
) -> Result<RunReport, ApplyError> {
    let mut session = Session::open(world, &plan.service, "rollback")?;
    let ended = all(plan, world, options, progress, &mut session).await;
    session.close().await;
    ended
}

async fn all(
    plan: &Plan,
    world: &World,
    options: &RunOptions,
    progress: &dyn Progress,
    session: &mut Session,
) -> Result<RunReport, ApplyError> {
    let mut steps = Vec::new();
    match session.state().plan {
        Some(begun) if begun != plan.id && session.state().stage != Stage::RolledBack => {
            return Err(ApplyError::OtherPlan { service: plan.service.clone(), begun });
        }
        _ => {}
    }
    if !matches!(session.state().stage, Stage::New | Stage::RolledBack) {
        session.take_lease(world, &plan.service).await?;
    }
    if matches!(session.state().stage, Stage::Applying | Stage::Finished) {
        undoable(plan, world, options, progress, session).await?;
        session.journal.append(Event::RollbackStarted { plan: plan.id })?;
    } else if session.state().stage == Stage::RollingBack {
        let context = Context { plan, world, options, progress, lease: session.lease.as_ref(), readings: None };
        verdict(plan, before_undoing(&context, &to_undo(plan, session)).await)?;
    }
    if session.state().stage == Stage::RollingBack {
        progress.started("rolling back", Some(plan.steps.len() as u64), "steps");
        for step in plan.steps.iter().rev() {
            steps.push(undo(plan, world, options, progress, session, step).await?);
            progress.advanced("rolling back", steps.len() as u64);
        }
        proofs::forget(&world.folder(&plan.service));
        session.journal.append(Event::RolledBack)?;
        begun::forget(&world.folder(&plan.service));
        progress.finished("rolling back", &format!("{} steps", steps.len()));
    }
    let state = session.state();
    Ok(RunReport {
        service: plan.service.clone(),
        plan: plan.id,
        complete: true,
        version: version(plan, state),
        steps,
        findings: Vec::new(),
        proofs: Vec::new(),
        not_compared: Vec::new(),
    })
}

/// Nothing is undone while a step is known that would stop: a rollback ends or does not begin.
async fn undoable(
    plan: &Plan,
    world: &World,
    options: &RunOptions,
    progress: &dyn Progress,
    session: &Session,
) -> Result<(), ApplyError> {
    let context = Context { plan, world, options, progress, lease: session.lease.as_ref(), readings: None };
    let state = session.state();
    let steps = to_undo(plan, session);
    let mut findings = before_undoing(&context, &steps).await;
    for step in steps {
        match kind_of(&step.action).can_undo(&Here { context, step, state }).await {
            Ok(()) => {}
            Err(StepError::Undecided { because, hint }) => {
                let (step, concern) = (Some(step.id.clone()), Concern::Blocks);
                findings.push(PreflightFinding { step, concern, what: because, hint: Some(hint) });
            }
            Err(error) => return Err(error.in_step(&plan.service, &step.id)),
        }
    }
    verdict(plan, findings).map(|_| ())
}

/// The steps that have done something which is not undone.
fn to_undo<'p>(plan: &'p Plan, session: &Session) -> Vec<&'p Step> {
    plan.steps.iter().filter(|step| stands(session, step)).collect()
}

/// Whether a step has done something; one that was reopened waits, though it has.
fn stands(session: &Session, step: &Step) -> bool {
    session.state().of(&step.id).is_some_and(|state| match state.phase {
        Phase::Undone => false,
        Phase::Waiting => state.attempts > 0,
        _ => true,
    })
}

async fn undo(
    plan: &Plan,
    world: &World,
    options: &RunOptions,
    progress: &dyn Progress,
    session: &mut Session,
    step: &Step,
) -> Result<StepReport, ApplyError> {
    if !stands(session, step) {
        return Ok(report(step, Outcome::Skipped, Vec::new()));
    }
    session.journal.append(Event::UndoBegan { step: step.id.clone() })?;
    let Session { journal, lease, .. } = session;
    let state = journal.state().clone();
    let context = Context { plan, world, options, progress, lease: lease.as_ref(), readings: None };
    let here = Here { context, step, state: &state };
    let undone: Result<_, StepError> = async {
        context.go_on()?;
        match step.undo {
            Undo::None => Ok(crate::apply::journal::Facts::said("nothing to undo")),
            Undo::Restore | Undo::Compensate => kind_of(&step.action).undo(&here).await,
        }
    }
    .await;
    let facts = undone.map_err(|error| error.in_step(&plan.service, &step.id))?;
    let lines = facts.lines.clone();
    session.journal.append(Event::Undone { step: step.id.clone(), facts })?;
    Ok(report(step, Outcome::Undone, lines))
}
