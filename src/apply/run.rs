//! The executor: preflight, then step after step, each written down before and after.
use crate::{
    apply::{
        begun,
        context::{self, Context},
        error::{ApplyError, StepError},
        journal::{Event, Facts, JournalError, Phase, RunState, Stage},
        lock::Lease,
        model::{Concern, Outcome, PreflightFinding, RunReport, StepReport},
        not_compared::not_compared,
        overtaken,
        preflight::preflight,
        proofs,
        publication::{self, Depth, Shelf},
        readings::Readings,
        session::{Session, noting},
        step::{Here, Standing, kind_of},
        world::{RunOptions, World},
    },
    plan::{Action, Plan, Step},
    progress::Progress,
    vocab::masked,
};

/// Runs `plan` to its end, going on where an earlier run stopped.
///
/// # Errors
/// [`ApplyError`]: each variant says what to do next; all but `NotEqual` are mended by running again.
pub async fn run(
    plan: &Plan,
    world: &World,
    options: &RunOptions,
    progress: &dyn Progress,
) -> Result<RunReport, ApplyError> {
    match options.dry_run {
        true => Run { plan, world, options, progress, readings: Readings::default() }.dry().await,
        false => {
            let mut session = Session::open(world, &plan.service, "apply")?;
            let run = Run { plan, world, options, progress, readings: Readings::default() };
            let ended = run.all(&mut session).await;
            session.close().await;
            ended
        }
    }
}

/// One run of one plan.
struct Run<'a> {
    plan: &'a Plan,
    world: &'a World,
    options: &'a RunOptions,
    progress: &'a dyn Progress,
    readings: Readings,
}

impl Run<'_> {
    /// Walks the steps and tells what each would do.
    async fn dry(&self) -> Result<RunReport, ApplyError> {
        let plan = self.plan;
        let state = crate::apply::journal::read(&self.world.folder(&plan.service))?.state;
        let begun = standing(plan, &state)?;
        if begun && state.stage == Stage::Finished {
            self.still_there().await?;
        }
        let findings = checked(plan, self.world, self.options).await?;
        let steps = plan.steps.iter().map(|step| match begun && state.is_done(&step.id) {
            true => report(step, Outcome::Kept, Vec::new()),
            false => {
                let kind = kind_of(&step.action);
                let untried = kind.untried().map(|what| format!("not tried in a dry run: {what}"));
                report(step, Outcome::Described, kind.describe().into_iter().chain(untried).collect())
            }
        });
        let complete = begun && state.stage == Stage::Finished;
        Ok(RunReport { complete, ..self.report(&state, steps.collect(), findings) })
    }

    async fn all(&self, session: &mut Session) -> Result<RunReport, ApplyError> {
        let begun = standing(self.plan, session.state())?;
        if begun && session.state().stage == Stage::Finished {
            let steps = self.plan.steps.iter().map(|step| report(step, Outcome::Kept, Vec::new())).collect();
            self.still_there().await?;
            return Ok(self.report(session.state(), steps, Vec::new()));
        }
        let findings = checked(self.plan, self.world, self.options).await?;
        session.take_lease(self.world, &self.plan.service).await?;
        if !begun {
            begun::keep(&self.world.folder(&self.plan.service), self.plan)
                .map_err(|error| error.in_step(&self.plan.service, "journal"))?;
            session.journal.append(self.started())?;
        }
        self.reopen(session)?;
        let (mut steps, mut at, mut anew) = (Vec::new(), 0, 0);
        self.progress.started("applying", Some(self.plan.steps.len() as u64), "steps");
        while let Some(step) = self.plan.steps.get(at) {
            let told = match session.state().is_done(&step.id) {
                true => Ok(report(step, Outcome::Kept, Vec::new())),
                false => self.step(session, step, anew).await,
            };
            match told {
                Ok(told) => steps.push(told),
                Err(error) if overtaken::is_it(&error) && anew < overtaken::AT_MOST => {
                    anew += 1;
                    at = self.publish_anew(session)?;
                    steps.truncate(at);
                    continue;
                }
                Err(error) => return Err(error),
            }
            at += 1;
            self.progress.advanced("applying", steps.len() as u64);
            if self.options.stop_after.as_deref() == Some(step.id.as_str()) && steps.len() < self.plan.steps.len() {
                self.progress.finished("applying", &format!("stopped after `{}` as asked", step.id));
                return Ok(self.report(session.state(), steps, findings));
            }
        }
        session.journal.append(Event::Finished)?;
        // What a verification found before, after a rollback say, speaks of what was made anew.
        proofs::forget_verified(&self.world.folder(&self.plan.service));
        self.progress.finished("applying", &format!("{} steps", steps.len()));
        Ok(self.report(session.state(), steps, findings))
    }

    /// Whether what was published still is whole: being done is no reason to look away.
    async fn still_there(&self) -> Result<(), ApplyError> {
        let (bucket, service) = (&self.world.bucket, &self.plan.service);
        let step = context::publish_step(self.plan).unwrap_or("publish");
        let looked = async {
            match publication::shelf(&**bucket, service).await? {
                Shelf { newest: Some(newest), damage, .. } if damage.is_empty() => {
                    publication::damage(bucket, &newest, Depth::Sizes, &|| Ok(())).await
                }
                Shelf { damage, .. } if !damage.is_empty() => Ok(damage),
                _ => Ok(vec!["it is not in the bucket any more".to_owned()]),
            }
        };
        match looked.await {
            Ok(damage) if damage.is_empty() => Ok(()),
            Ok(damage) => Err(ApplyError::Damaged {
                step: step.to_owned(),
                what: format!("its publication is damaged: {}", publication::told(&damage)),
                hint: format!("`carve refresh {service}` publishes anew, from the origin"),
            }),
            // Nobody knows whether it is there: that is no reason to call it done.
            Err(error) => Err(error.in_step(service, step)),
        }
    }

    /// One step: written down, looked at, done, written down.
    async fn step(&self, session: &mut Session, step: &Step, anew: u32) -> Result<StepReport, ApplyError> {
        let attempt = session.state().of(&step.id).map_or(1, |state| state.attempts + 1);
        session.journal.append(Event::Began { step: step.id.clone(), attempt })?;
        self.progress.say(&step.title);
        match self.attempt(session, step).await {
            Ok((outcome, facts)) => {
                let lines = facts.lines.clone();
                let proven = facts.proofs.clone();
                let adopted = outcome == Outcome::Adopted;
                session.journal.append(Event::Done { step: step.id.clone(), adopted, facts })?;
                proofs::keep(&self.world.folder(&self.plan.service), &proven)
                    .map_err(|e| e.in_step(&self.plan.service, &step.id))?;
                Ok(report(step, outcome, lines))
            }
            Err(error) => {
                let error = self.judged(session.state(), session.lease.as_ref(), step, error, anew).await;
                if let StepError::NotEqual { proof, .. } = &error {
                    // A failed proof is worth keeping; failing to keep it must not hide it.
                    let _ = proofs::keep(&self.world.folder(&self.plan.service), std::slice::from_ref(&**proof));
                }
                let because = masked(&told(&error)).into_owned();
                session.journal.append(Event::Failed { step: step.id.clone(), because })?;
                if matches!(step.action, Action::Import(_)) && !error.may_pass() {
                    let because = "what it published could not be imported: it is looked at and made anew";
                    self.publish_again(session, because)?;
                }
                Err(error.in_step(&self.plan.service, &step.id))
            }
        }
    }

    async fn attempt(&self, session: &mut Session, step: &Step) -> Result<(Outcome, Facts), StepError> {
        let Session { journal, lease, .. } = session;
        let state = journal.state().clone();
        let context = Context {
            plan: self.plan,
            world: self.world,
            options: self.options,
            progress: self.progress,
            lease: lease.as_ref(),
            readings: Some(&self.readings),
        };
        context.go_on()?;
        let here = Here { context, step, state: &state };
        let kind = kind_of(&step.action);
        match kind.probe(&here).await? {
            Standing::After(facts) => Ok((Outcome::Adopted, facts)),
            Standing::Neither { because, hint } => Err(StepError::Undecided { because, hint }),
            Standing::Before => {
                let id = step.id.clone();
                let mut note = noting(journal, move |facts| Event::Noted { step: id.clone(), facts });
                Ok((Outcome::Done, kind.act(&here, &mut note).await?))
            }
        }
    }

    /// Why a step failed: a proof that found the rows of an origin that has moved on found no fault.
    async fn judged(
        &self,
        state: &RunState,
        lease: Option<&Lease>,
        step: &Step,
        error: StepError,
        anew: u32,
    ) -> StepError {
        let Run { plan, world, options, progress, .. } = *self;
        let context = Context { plan, world, options, progress, lease, readings: None };
        match overtaken::may_publish_again(plan, state) {
            true => overtaken::judged(&context, state, step, error, anew).await,
            false => error,
        }
    }

    /// The place of the step that publishes, which with all that came of it is done once more.
    fn publish_anew(&self, session: &mut Session) -> Result<usize, JournalError> {
        self.publish_again(session, "the origin has moved on since it was published")?;
        self.progress.say("the origin has moved on since it was published: it is published anew");
        let publishes = |step: &Step| matches!(step.action, Action::Publish(_));
        Ok(self.plan.steps.iter().position(publishes).unwrap_or(0))
    }

    /// When the continuity proof failed, the raw table may have moved on since it was published: then what was
    /// published and staged is made anew before it is proven again.
    fn reopen(&self, session: &mut Session) -> Result<(), JournalError> {
        let failed = |step: &&Step| {
            let phase = session.state().of(&step.id).map(|state| state.phase);
            matches!(step.action, Action::ProveContinuity(_)) && matches!(phase, Some(Phase::Failed | Phase::Began))
        };
        match self.plan.steps.iter().any(|step| failed(&step)) {
            true => {
                self.publish_again(session, "the continuity proof after it failed: the raw table may have moved on")
            }
            false => Ok(()),
        }
    }

    /// Publishing and importing are done once more by the next run, unless something reads the import already.
    fn publish_again(&self, session: &mut Session, because: &str) -> Result<(), JournalError> {
        if !overtaken::may_publish_again(self.plan, session.state()) {
            return Ok(());
        }
        let again = self.plan.steps.iter().filter(|step| {
            use Action::{Import, ProveContinuity, Publish, Swap};
            matches!(step.action, Publish(_) | Import(_) | ProveContinuity(_) | Swap(_))
                && session.state().is_done(&step.id)
        });
        for step in again.map(|step| step.id.clone()).collect::<Vec<_>>() {
            session.journal.append(Event::Reopened { step, because: because.to_owned() })?;
        }
        Ok(())
    }

    fn started(&self) -> Event {
        Event::Started {
            format: "carve-journal/1".to_owned(),
            plan: self.plan.id,
            service: self.plan.service.clone(),
            steps: self.plan.steps.iter().map(|step| step.id.clone()).collect(),
        }
    }

    fn report(&self, state: &RunState, steps: Vec<StepReport>, findings: Vec<PreflightFinding>) -> RunReport {
        let proofs = proofs::read(&self.world.folder(&self.plan.service));
        RunReport {
            not_compared: not_compared(self.plan.unproven(), &proofs),
            service: self.plan.service.clone(),
            plan: self.plan.id,
            complete: state.stage == Stage::Finished,
            version: version(self.plan, state),
            steps,
            findings,
            proofs,
        }
    }
}

/// Whether the journal speaks of this plan.
fn standing(plan: &Plan, state: &RunState) -> Result<bool, ApplyError> {
    let same = state.plan == Some(plan.id);
    match (state.stage, state.plan) {
        (Stage::New | Stage::RolledBack, _) | (_, None) => Ok(false),
        (Stage::Finished, _) => Ok(same),
        (Stage::Applying, _) if same => Ok(true),
        (Stage::RollingBack, Some(_)) if same => Err(ApplyError::Undecided {
            step: "rollback".to_owned(),
            because: "this plan is being rolled back".to_owned(),
            hint: format!("finish that first: `carve rollback {}`", plan.service),
        }),
        (_, Some(begun)) => Err(ApplyError::OtherPlan { service: plan.service.clone(), begun }),
    }
}

/// Preflight, as an error where it finds something that stops.
async fn checked(plan: &Plan, world: &World, options: &RunOptions) -> Result<Vec<PreflightFinding>, ApplyError> {
    verdict(plan, preflight(plan, world, options).await)
}

/// What was found, where nothing of it stands in the way.
pub(super) fn verdict(plan: &Plan, findings: Vec<PreflightFinding>) -> Result<Vec<PreflightFinding>, ApplyError> {
    let service = plan.service.clone();
    let any = |concern| findings.iter().any(|finding| finding.concern == concern);
    match (any(Concern::Stale), any(Concern::Blocks), any(Concern::Passes), any(Concern::Waits)) {
        (true, ..) => Err(ApplyError::Stale { service, findings }),
        (_, true, ..) => Err(ApplyError::Blocked { service, findings }),
        (_, _, true, _) => Err(ApplyError::Unanswered { service, findings }),
        (.., true) => {
            let waits = findings.iter().filter(|finding| finding.concern == Concern::Waits);
            Err(ApplyError::Locked { holder: waits.map(|its| its.what.as_str()).collect::<Vec<_>>().join("; ") })
        }
        _ => Ok(findings),
    }
}

pub(super) fn report(step: &Step, outcome: Outcome, lines: Vec<String>) -> StepReport {
    StepReport { step: step.id.clone(), title: step.title.clone(), outcome, lines }
}

/// The publication a plan's publish step noted.
pub(super) fn version(plan: &Plan, state: &RunState) -> Option<crate::vocab::SchemaVersion> {
    crate::apply::context::publish_step(plan).and_then(|step| state.of(step)).and_then(|state| state.facts.version)
}

/// An error and its causes in one line, for the journal.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
