use std::collections::{BTreeMap, BTreeSet};

use crate::{
    apply::journal::{Event, Facts},
    vocab::{Digest, SchemaVersion, ServiceName},
};

/// What a journal means: a pure function of its lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunState {
    /// The plan that was begun last.
    pub plan: Option<Digest>,
    /// Its service.
    pub service: Option<ServiceName>,
    /// How far it is as a whole.
    pub stage: Stage,
    /// Ids of its steps, in order.
    pub order: Vec<String>,
    /// How far each step is.
    pub steps: BTreeMap<String, StepState>,
    /// A refresh that began and did not end: what it noted.
    pub refreshing: Option<Facts>,
    /// Versions that refreshes stored objects under, committed or not.
    pub refreshed: Vec<SchemaVersion>,
    /// Every version that this journal ever spoke of, whatever became of its plan: none is given out again.
    pub used: BTreeSet<SchemaVersion>,
    /// Refreshes that changed something.
    pub refreshes: u32,
    /// What was proven by the last of them.
    pub refresh_facts: Facts,
}

/// How far a plan is as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was begun.
    #[default]
    New,
    /// Steps are being done.
    Applying,
    /// Every step is done.
    Finished,
    /// Steps are being undone.
    RollingBack,
    /// Everything is undone.
    RolledBack,
}

/// How far one step is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepState {
    /// Where it stands.
    pub phase: Phase,
    /// Whether the attempt before this one ended without a word: nobody knows how far it came.
    pub in_doubt: bool,
    /// How often it was begun.
    pub attempts: u32,
    /// What it said, over all attempts.
    pub facts: Facts,
    /// Why it gave up, if it did.
    pub because: Option<String>,
}

/// Where one step stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Not begun.
    #[default]
    Waiting,
    /// Begun; after a crash nobody knows how far it came.
    Began,
    /// Done.
    Done,
    /// Gave up.
    Failed,
    /// Being undone.
    Undoing,
    /// Undone.
    Undone,
}

/// A line that cannot follow the lines before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} cannot follow: {because}")]
pub struct IllegalEvent {
    what: String,
    because: String,
}

impl RunState {
    /// The state after one more event.
    ///
    /// # Errors
    /// When the event cannot follow, for example the end of a step that was never begun.
    pub fn after(mut self, event: Event) -> Result<RunState, IllegalEvent> {
        if let Event::Noted { facts, .. }
        | Event::Done { facts, .. }
        | Event::RefreshNoted { facts }
        | Event::RefreshDone { facts } = &event
        {
            self.used.extend(facts.attempted.iter().chain(&facts.version));
        }
        match event {
            Event::Started { plan, service, steps, .. } => {
                self.expect("the start of a plan", &[Stage::New, Stage::Finished, Stage::RolledBack])?;
                let waiting = steps.iter().map(|step| (step.clone(), StepState::default())).collect();
                let stage = Stage::Applying;
                let (plan, service) = (Some(plan), Some(service));
                let used = self.used;
                return Ok(RunState {
                    plan,
                    service,
                    stage,
                    order: steps,
                    steps: waiting,
                    used,
                    ..RunState::default()
                });
            }
            Event::Began { step, attempt } => {
                self.expect("the beginning of a step", &[Stage::Applying])?;
                let state = self.step(&step, "begin", &[Phase::Waiting, Phase::Failed, Phase::Began])?;
                state.in_doubt = state.phase == Phase::Began;
                (state.phase, state.attempts, state.because) = (Phase::Began, attempt, None);
            }
            Event::Noted { step, facts } => {
                let state = self.step(&step, "note", &[Phase::Began])?;
                state.facts = std::mem::take(&mut state.facts).and(facts);
            }
            Event::Done { step, facts, .. } => {
                let state = self.step(&step, "end", &[Phase::Began])?;
                state.phase = Phase::Done;
                state.facts = std::mem::take(&mut state.facts).and(facts);
            }
            Event::Failed { step, because } => {
                let state = self.step(&step, "fail", &[Phase::Began])?;
                (state.phase, state.because) = (Phase::Failed, Some(because));
            }
            Event::Reopened { step, .. } => {
                self.expect("a step done again", &[Stage::Applying])?;
                self.step(&step, "reopen", &[Phase::Done])?.phase = Phase::Waiting;
            }
            Event::Finished => {
                self.expect("the end of a plan", &[Stage::Applying])?;
                self.all("the end of a plan", &[Phase::Done])?;
                self.stage = Stage::Finished;
            }
            Event::RollbackStarted { .. } => {
                self.expect("a rollback", &[Stage::Applying, Stage::Finished])?;
                self.stage = Stage::RollingBack;
            }
            Event::UndoBegan { step } => {
                self.expect("undoing a step", &[Stage::RollingBack])?;
                let may = [Phase::Began, Phase::Done, Phase::Failed, Phase::Undoing, Phase::Waiting];
                self.step(&step, "undo", &may)?.phase = Phase::Undoing;
            }
            Event::Undone { step, facts } => {
                let state = self.step(&step, "be undone", &[Phase::Undoing])?;
                state.phase = Phase::Undone;
                state.facts = std::mem::take(&mut state.facts).and(facts);
            }
            Event::RolledBack => {
                self.expect("the end of a rollback", &[Stage::RollingBack])?;
                self.all("the end of a rollback", &[Phase::Undone, Phase::Waiting])?;
                self.stage = Stage::RolledBack;
            }
            Event::RefreshBegan => {
                self.expect("a refresh", &[Stage::Finished])?;
                self.refreshing = Some(self.refreshing.take().unwrap_or_default());
            }
            Event::RefreshNoted { facts } => {
                let noted =
                    self.refreshing.take().ok_or_else(|| illegal("a refresh's note", "no refresh has begun"))?;
                self.refreshed.extend(
                    facts.attempted.iter().filter(|v| !self.refreshed.contains(v)).copied().collect::<Vec<_>>(),
                );
                self.refreshing = Some(noted.and(facts));
            }
            Event::RefreshDone { facts } => {
                self.refreshing.take().ok_or_else(|| illegal("a refresh's end", "no refresh has begun"))?;
                self.refreshes += 1;
                self.refresh_facts = facts;
            }
        }
        Ok(self)
    }

    /// What is known of `step`.
    pub fn of(&self, step: &str) -> Option<&StepState> {
        self.steps.get(step)
    }

    /// Whether `step` is done.
    pub fn is_done(&self, step: &str) -> bool {
        self.of(step).is_some_and(|state| state.phase == Phase::Done)
    }

    fn expect(&self, what: &str, stages: &[Stage]) -> Result<(), IllegalEvent> {
        match stages.contains(&self.stage) {
            true => Ok(()),
            false => Err(illegal(what, format!("the plan is {:?}", self.stage))),
        }
    }

    fn step(&mut self, step: &str, verb: &str, phases: &[Phase]) -> Result<&mut StepState, IllegalEvent> {
        let what = format!("`{verb}` of step `{step}`");
        let state = self.steps.get_mut(step).ok_or_else(|| illegal(&what, "the plan has no such step"))?;
        match phases.contains(&state.phase) {
            true => Ok(state),
            false => Err(illegal(&what, format!("the step is {:?}", state.phase))),
        }
    }

    fn all(&self, what: &str, phases: &[Phase]) -> Result<(), IllegalEvent> {
        match self.steps.iter().find(|(_, state)| !phases.contains(&state.phase)) {
            None => Ok(()),
            Some((step, state)) => Err(illegal(what, format!("step `{step}` is {:?}", state.phase))),
        }
    }
}

fn illegal(what: &str, because: impl Into<String>) -> IllegalEvent {
    IllegalEvent { what: what.to_owned(), because: because.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started() -> Event {
        let service = "orders".parse().unwrap();
        let steps = vec!["a".to_owned(), "b".to_owned()];
        Event::Started { format: "carve-journal/1".to_owned(), plan: Digest::of("p"), service, steps }
    }

    fn began(step: &str) -> Event {
        Event::Began { step: step.to_owned(), attempt: 1 }
    }

    fn done(step: &str) -> Event {
        Event::Done { step: step.to_owned(), adopted: false, facts: Facts::default() }
    }

    fn fold(events: Vec<Event>) -> Result<RunState, IllegalEvent> {
        events.into_iter().try_fold(RunState::default(), RunState::after)
    }

    #[test]
    fn a_step_that_never_began_cannot_end() {
        let error = fold(vec![started(), done("a")]).unwrap_err();
        assert_eq!(error.to_string(), "`end` of step `a` cannot follow: the step is Waiting");
    }

    #[test]
    fn a_plan_ends_only_when_every_step_is_done() {
        assert!(fold(vec![started(), began("a"), done("a"), Event::Finished]).is_err());
        let whole = vec![started(), began("a"), done("a"), began("b"), done("b"), Event::Finished];
        assert_eq!(fold(whole).unwrap().stage, Stage::Finished);
    }

    #[test]
    fn a_step_in_doubt_may_begin_again() {
        let state = fold(vec![started(), began("a"), began("a")]).unwrap();
        assert_eq!(state.of("a").unwrap().phase, Phase::Began);
    }

    #[test]
    fn notes_of_a_failed_attempt_are_remembered() {
        let facts = Facts { attempted: vec!["1.0.0".parse().unwrap()], ..Facts::default() };
        let noted = Event::Noted { step: "a".to_owned(), facts };
        let failed = Event::Failed { step: "a".to_owned(), because: "no network".to_owned() };
        let state = fold(vec![started(), began("a"), noted, failed, began("a"), done("a")]).unwrap();
        assert_eq!(state.of("a").unwrap().facts.attempted.len(), 1);
    }

    #[test]
    fn a_refresh_follows_only_a_finished_plan() {
        assert!(fold(vec![started(), Event::RefreshBegan]).is_err());
    }
}
