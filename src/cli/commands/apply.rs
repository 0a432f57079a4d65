//! `carve apply`: run a plan, or go on with it.
use std::collections::BTreeMap;

use crate::{
    apply::{self, RunOptions, RunReport},
    cli::{
        Context, Outcome,
        args::ApplyArgs,
        exit::{ExitCode, Failure},
        workspace::{Opened, Workspace},
    },
    console::{Style, Table},
    estate::Estate,
    plan::{self, Plan},
};

use super::{apply_many, proofs};

pub(crate) async fn run(args: &ApplyArgs, context: &Context) -> Outcome {
    let workspace = Workspace::flagged(&args.estate)?;
    let [service] = &args.services[..] else { return apply_many::run(args, &workspace, context).await };
    let plan = workspace.plan(service)?;
    let estate = workspace.load_checked(&context.bars)?;
    let report = execute(&workspace, &estate, &plan, args.dry_run, args.stop_after.clone(), context).await?;
    match context.json {
        true => context.answer("carve-run/1", &report)?,
        false => show(&plan, &report, args.dry_run, context),
    }
    Ok(ExitCode::Done)
}

/// Runs `plan` in the world that the estate's settings name.
pub(super) async fn execute(
    workspace: &Workspace,
    estate: &Estate,
    plan: &Plan,
    dry_run: bool,
    stop_after: Option<String>,
    context: &Context,
) -> Result<RunReport, Failure> {
    if let Some(step) = stop_after.as_ref().filter(|step| !plan.steps.iter().any(|s| s.id == **step)) {
        let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
        return Err(Failure::said(ExitCode::Usage, format!("the plan has no step `{step}`"))
            .hint(format!("its steps are: {}", ids.join(", "))));
    }
    let Opened { plan, world, run } = Opened::of(workspace, estate, plan.clone()).await?;
    let options = RunOptions { dry_run, stop_after, stale: stale(estate, &plan), ..run };
    apply::run(&plan, &world, &options, &context.bars).await.map_err(Failure::from)
}

fn stale(estate: &Estate, plan: &Plan) -> BTreeMap<String, String> {
    let read = |file: &camino::Utf8Path| Workspace::read_file(&estate.roots, file);
    plan::check(plan, &read).into_iter().map(|s| (s.step, format!("{}: {}", s.file, s.because))).collect()
}

fn show(plan: &Plan, report: &RunReport, dry_run: bool, context: &Context) {
    let screen = &context.screen;
    steps(report, context);
    for finding in &report.findings {
        screen.out(format!("{} {}", screen.paint(Style::Warn, "note:"), finding.what));
    }
    if !report.proofs.is_empty() {
        screen.out(format!("\n{}", proofs::table(&report.proofs)));
    }
    by_hand(plan, context);
    let service = &plan.service;
    if dry_run {
        screen.out(format!("\nNothing was written. Next: carve apply {service}"));
    } else if report.complete {
        let done = screen.paint(Style::Good, "Done:");
        screen.out(format!("\n{done} {service} is a data service. Undo with `carve rollback {service}`."));
        screen.out(format!("Next: carve switchover {service}, carve catalog, carve refresh {service}"));
    } else {
        screen.out(format!("\nStopped where you asked. Go on with `carve apply {service}`."));
    }
}

fn steps(report: &RunReport, context: &Context) {
    let mut table = Table::new(&["Step", "What", "State"]);
    for step in &report.steps {
        table.row([step.step.clone(), step.title.clone(), word(step.outcome).to_owned()]);
    }
    context.screen.out(table.text(140));
}

/// What the plan could not take on must not be forgotten behind a word like "done".
fn by_hand(plan: &Plan, context: &Context) {
    let lines: Vec<&str> = plan.not_understood.iter().filter_map(|line| line.strip_prefix("by hand: ")).collect();
    if !lines.is_empty() {
        let text = format!("\nStill to do by hand ({}):", lines.len());
        context.screen.out(context.screen.paint(Style::Warn, &text));
        lines.iter().for_each(|line| context.screen.out(format!("  - {line}")));
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
