//! `carve apply`: run a plan, or go on with it.
use std::collections::BTreeMap;

use crate::{
    apply::{self, ApplyError, KnownEdits, RunOptions, RunReport, World},
    cli::{
        Context, Outcome,
        args::ApplyArgs,
        exit::{ExitCode, Failure},
        left_out::nothing_left_out,
        workspace::{Opened, Workspace},
    },
    console::{Style, Table},
    estate::Estate,
    plan::{self, Action, CheckInputs, Plan, StaleStep},
    progress::Progress,
};

use super::{apply_many, proofs};

pub(crate) async fn run(args: &ApplyArgs, context: &Context) -> Outcome {
    let workspace = Workspace::flagged(&args.estate)?;
    let [service] = &args.services[..] else { return apply_many::run(args, &workspace, context).await };
    let plan = workspace.plan(service)?;
    let estate = workspace.load_checked(&context.bars)?;
    let ready = ready(&workspace, &estate, &plan, args.dry_run, args.stop_after.clone()).await?;
    let report = ready.run(&context.bars).await?;
    match context.json {
        true => context.answer("carve-run/1", &report)?,
        false => show(&plan, &report, &workspace.flags(), args.dry_run, context),
    }
    Ok(ExitCode::Done)
}

/// A plan with the world that it touches.
pub(super) struct Ready {
    plan: Plan,
    pub(super) world: World,
    options: RunOptions,
    /// What is told where the plan's files are not found.
    left_out: Option<Failure>,
}

impl Ready {
    /// Runs the plan.
    pub(super) async fn run(&self, progress: &dyn Progress) -> Result<RunReport, Failure> {
        let ran = apply::run(&self.plan, &self.world, &self.options, progress).await;
        ran.map_err(|error| match (&error, &self.left_out) {
            (ApplyError::Stale { .. }, Some(left_out)) => left_out.clone(),
            _ => error.into(),
        })
    }
}

/// Opens the world of `plan` that the estate's settings name.
pub(super) async fn ready(
    workspace: &Workspace,
    estate: &Estate,
    plan: &Plan,
    dry_run: bool,
    stop_after: Option<String>,
) -> Result<Ready, Failure> {
    if let Some(step) = stop_after.as_ref().filter(|step| !plan.steps.iter().any(|s| s.id == **step)) {
        let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
        return Err(Failure::said(ExitCode::Usage, format!("the plan has no step `{step}`"))
            .hint(format!("its steps are: {}", ids.join(", "))));
    }
    let left_out = nothing_left_out(plan, workspace, &estate.roots, &format!("carve apply {}", plan.service)).err();
    let Opened { plan, world, run } = Opened::of(workspace, estate, plan.clone()).await?;
    let options = RunOptions { dry_run, stop_after, stale: stale(&world, estate, &plan)?, ..run };
    Ok(Ready { plan, world, options, left_out })
}

/// Why steps are stale. A file that preflight refuses to follow is none of this: that is for a person to mend first.
fn stale(world: &World, estate: &Estate, plan: &Plan) -> Result<BTreeMap<String, String>, Failure> {
    let known = KnownEdits::read(&world.state).map_err(|error| Failure::from(ApplyError::Journal(error)))?;
    let inputs = CheckInputs {
        read: &|file| Workspace::read_file(&estate.roots, file),
        edits: &|file, but| known.standing(file, plan, but),
    };
    let edited = |stale: &StaleStep| {
        let step = plan.steps.iter().find(|step| step.id == stale.step);
        step.is_some_and(|step| matches!(step.action, Action::Repoint(_)))
    };
    let followed = |stale: &StaleStep| !edited(stale) || world.estate_file(&stale.file).is_ok();
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for stale in plan::check(plan, &inputs).into_iter().filter(followed) {
        let line = match stale.needed_by.len() {
            0 => format!("{}: {}", stale.file, stale.because),
            1 => format!("{}: {}, and `{}` needs the step", stale.file, stale.because, stale.needed_by[0]),
            n => format!("{}: {}, and {n} steps need the step", stale.file, stale.because),
        };
        let told = all.entry(stale.step).or_default();
        *told = [told.as_str(), &line].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ");
    }
    Ok(all)
}

fn show(plan: &Plan, report: &RunReport, flags: &str, dry_run: bool, context: &Context) {
    let screen = &context.screen;
    steps(report, context);
    for finding in &report.findings {
        screen.out(format!("{} {}", screen.paint(Style::Warn, "note:"), finding.what));
    }
    if !report.proofs.is_empty() {
        screen.out(format!("\n{}", proofs::table(&report.proofs, context.screen.width())));
    }
    proofs::tell_not_compared("", &report.not_compared, context);
    untried(report, context);
    left_to_you(plan, usize::MAX, context);
    let service = &plan.service;
    if dry_run {
        screen.out(format!("\nNothing was written. Next: carve apply {service}{flags}"));
    } else if report.complete {
        let done = screen.paint(Style::Good, "Done:");
        screen.out(format!("\n{done} {service} is a data service. Undo with `carve rollback {service}{flags}`."));
        screen.out(format!(
            "Next: `carve switchover {service}{flags}`, `carve catalog{flags}`, `carve refresh {service}{flags}`"
        ));
    } else {
        screen.out(format!("\nStopped where you asked. Go on with `carve apply {service}{flags}`."));
    }
}

/// What a dry run did not try, and in which steps.
fn untried(report: &RunReport, context: &Context) {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for step in report.steps.iter().filter(|step| step.outcome == apply::Outcome::Described) {
        let lines = step.lines.iter().filter(|line| line.starts_with("not tried in a dry run"));
        lines.for_each(|line| found.entry(line).or_default().push(&step.step));
    }
    for (what, steps) in found {
        let note = context.screen.paint(Style::Warn, "note:");
        context.screen.out(format!("{note} {what} ({})", steps.join(", ")));
    }
}

fn steps(report: &RunReport, context: &Context) {
    let mut table = Table::new(&["Step", "What", "State"]);
    for step in &report.steps {
        table.row([step.step.clone(), step.title.clone(), word(step.outcome).to_owned()]);
    }
    context.screen.out(table.text(context.screen.width()));
}

/// What the plan leaves to people, up to `most` lines: it must not be forgotten behind a word like "done".
pub(super) fn left_to_you(plan: &Plan, most: usize, context: &Context) {
    let lines: Vec<&str> = plan.left_to_people().collect();
    if lines.is_empty() {
        return;
    }
    let text = format!("\nLeft to you for {} ({}):", plan.service, lines.len());
    context.screen.out(context.screen.paint(Style::Warn, &text));
    lines.iter().take(most).for_each(|line| context.screen.out(format!("  - {line}")));
    if lines.len() > most {
        context.screen.out(format!("  … and {} more: plans/{}.yaml lists them", lines.len() - most, plan.service));
    }
}

/// How a step ended, in the words of the table.
pub(super) fn word(outcome: apply::Outcome) -> &'static str {
    match outcome {
        apply::Outcome::Done => "done",
        apply::Outcome::Adopted => "was there already",
        apply::Outcome::Kept => "done before",
        apply::Outcome::Described => "would be done",
        apply::Outcome::Undone => "undone",
        apply::Outcome::Skipped => "nothing to do",
    }
}
