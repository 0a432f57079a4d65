//! An origin that is loaded while a plan is run: a proof that compares yesterday's publication with today's table finds
//! rows that differ, and none of them is wrong.
use crate::{
    apply::{
        context::{self, Context},
        error::{ApplyError, StepError},
        journal::{Phase, RunState},
        publication,
        run::version,
        verify::at_origin,
    },
    plan::{Action, Plan, PublishEndpoint, Step},
    vocab::SchemaVersion,
};

/// How often one run publishes anew because the origin moves on under it.
pub(super) const AT_MOST: u32 = 3;

/// Whether a step failed for no other cause than that the origin has moved on.
pub(super) fn is_it(error: &ApplyError) -> bool {
    let cause = match error {
        ApplyError::Stopped { source, .. } => source.downcast_ref::<StepError>(),
        _ => None,
    };
    matches!(cause, Some(StepError::Overtaken { .. }))
}

/// Whether publishing can be done once more: nothing reads the import yet, neither under a name of its own nor under the
/// raw table's.
pub(super) fn may_publish_again(plan: &Plan, state: &RunState) -> bool {
    let begun = |step: &Step| state.of(&step.id).is_some_and(|its| its.phase != Phase::Waiting || its.attempts > 0);
    let read = |step: &&Step| match &step.action {
        Action::Swap(swap) => swap.previous.is_some(),
        Action::Repoint(_) => true,
        _ => false,
    };
    !plan.steps.iter().filter(read).any(begun)
}

/// `error` of `step`, or, where it is a proof that compared with an origin that has moved on since, that. `anew` is how
/// often this run has published anew. Where the table that is compared is the origin itself nothing else can be the
/// cause; of any other origin it is only believed once.
pub(super) async fn judged(
    context: &Context<'_>,
    state: &RunState,
    step: &Step,
    error: StepError,
    anew: u32,
) -> StepError {
    let StepError::NotEqual { proof, .. } = &error else { return error };
    let Some(published) = version(context.plan, state) else { return error };
    let only = match &step.action {
        Action::ProveContinuity(_) => proof.endpoint.as_ref(),
        Action::ProveDownstream(_) => None,
        _ => return error,
    };
    let all = context::publish(context.plan).into_iter().flat_map(|publish| &publish.endpoints);
    for wanted in all.filter(|its| only.is_none_or(|only| *only == its.endpoint)) {
        if wanted.from != "lake" && anew > 0 {
            continue;
        }
        match moved_on(context, wanted, published).await {
            Ok(true) => return StepError::Overtaken { table: wanted.table.clone(), published },
            Err(StepError::Interrupted) => return StepError::Interrupted,
            // What cannot be asked explains nothing.
            Ok(false) | Err(_) => {}
        }
    }
    error
}

/// Whether an endpoint's origin holds other rows now than were published.
async fn moved_on(
    context: &Context<'_>,
    wanted: &PublishEndpoint,
    published: SchemaVersion,
) -> Result<bool, StepError> {
    let bucket = &*context.world.bucket;
    let committed = publication::of_version(bucket, &context.plan.service, published).await?;
    let manifest = committed.manifest(bucket, &wanted.endpoint).await?;
    let Some(origin) = context.world.origin(&wanted.from) else { return Ok(false) };
    let table = context.origin_table(wanted).await?;
    Ok(at_origin(context, origin, wanted, &table, &manifest.schema).await? != manifest.fingerprint)
}
