//! One file for each kind of step; every kind answers the same four questions, for a run, a dry run and a rollback alike.
mod continuity;
mod downstream;
mod import;
mod publish;
mod repoint;
mod schedule;
mod swap;

use async_trait::async_trait;

pub(super) use import::stage;
pub(super) use swap::{previous_generation, put_in_place};

use crate::{
    apply::{
        context::{self, Context},
        error::StepError,
        journal::{Facts, RunState},
        upload::Noting,
    },
    plan::{Action, Step},
    vocab::SchemaVersion,
};

/// Where the world stands with regard to one step.
pub(super) enum Standing {
    /// The step can be done, or done again.
    Before,
    /// Its result is there.
    After(Facts),
    /// Neither: a person must decide.
    Neither {
        /// What was found.
        because: String,
        /// What can be done.
        hint: String,
    },
}

/// What one kind of step can do.
#[async_trait]
pub(super) trait StepKind: Send + Sync {
    /// What it would do, a line each; asks nobody.
    fn describe(&self) -> Vec<String>;
    /// What only writing could try, and a dry run therefore leaves out.
    fn untried(&self) -> Option<&'static str> {
        None
    }
    /// Looks at the world: is the step before it or behind it?
    async fn probe(&self, here: &Here<'_>) -> Result<Standing, StepError>;
    /// Does it. May be called again after a call that did not come back.
    async fn act(&self, here: &Here<'_>, note: &mut Noting<'_>) -> Result<Facts, StepError>;
    /// Undoes it, from wherever it stands. May be called again.
    async fn undo(&self, here: &Here<'_>) -> Result<Facts, StepError>;
    /// Whether undoing would stop for a person to decide; asked of every step before the first is undone.
    async fn can_undo(&self, _: &Here<'_>) -> Result<(), StepError> {
        Ok(())
    }
}

/// What a step sees beside the world: itself, and what the journal knows.
pub(super) struct Here<'a> {
    pub(super) context: Context<'a>,
    pub(super) step: &'a Step,
    pub(super) state: &'a RunState,
}

impl Here<'_> {
    /// What earlier attempts of this step noted.
    pub(super) fn facts(&self) -> Facts {
        self.state.of(&self.step.id).map(|state| state.facts.clone()).unwrap_or_default()
    }

    /// The publication that the publish step noted.
    pub(super) fn version(&self) -> Option<SchemaVersion> {
        let published = context::publish_step(self.context.plan)?;
        self.state.of(published)?.facts.version
    }
}

/// The kind that carries out `action`.
pub(super) fn kind_of(action: &Action) -> Box<dyn StepKind + '_> {
    match action {
        Action::Publish(wanted) => Box::new(publish::PublishStep(wanted)),
        Action::Import(wanted) => Box::new(import::ImportStep(wanted)),
        Action::ProveContinuity(wanted) => Box::new(continuity::ContinuityStep(wanted)),
        Action::Swap(wanted) => Box::new(swap::SwapStep(wanted)),
        Action::Repoint(wanted) => Box::new(repoint::RepointStep(wanted)),
        Action::ProveDownstream(wanted) => Box::new(downstream::DownstreamStep(wanted)),
        Action::Schedule(wanted) => Box::new(schedule::ScheduleStep(wanted)),
    }
}
