//! `carve apply` of several services: one after the other, each on its own, one summary of all.
//!
//! They share the lake and the files that several plans edit, so that two at a time would wait for each other or make
//! each other's plans stale in the middle of a step. A service that fails holds no other back.
use super::apply::execute;
use crate::{
    apply::RunReport,
    cli::{
        Context, Outcome,
        args::ApplyArgs,
        exit::{ExitCode, Failure},
        workspace::Workspace,
    },
    console::{Style, Table},
    plan::Plan,
};

/// How one service of several ended.
struct Ended {
    service: String,
    outcome: Result<RunReport, Failure>,
}

/// Applies the plans that `args` names, or all there are.
pub(super) async fn run(args: &ApplyArgs, workspace: &Workspace, context: &Context) -> Outcome {
    if args.stop_after.is_some() {
        return Err(Failure::said(ExitCode::Usage, "`--stop-after` names a step of one plan, and several are applied")
            .hint("name one service with it"));
    }
    let (plans, mut all) = chosen(args, workspace)?;
    let estate = workspace.load_checked(&context.bars)?;
    for plan in &plans {
        let outcome = execute(workspace, &estate, plan, args.dry_run, None, context).await;
        let interrupted = matches!(&outcome, Err(failure) if failure.code() == ExitCode::Interrupted);
        all.push(Ended { service: plan.service.to_string(), outcome });
        if interrupted {
            break;
        }
    }
    let waiting = plans.iter().skip(all.iter().filter(|ended| is_of(ended, &plans)).count());
    let waiting: Vec<String> = waiting.map(|plan| plan.service.to_string()).collect();
    match context.json {
        true => answer(&all, &waiting, context),
        false => show(&all, &waiting, args.dry_run, context),
    }
    Ok(worst(&all))
}

/// The plans in their order, and what of `plans/` could not be read.
fn chosen(args: &ApplyArgs, workspace: &Workspace) -> Result<(Vec<Plan>, Vec<Ended>), Failure> {
    if !args.all {
        let mut plans: Vec<Plan> = Vec::new();
        for name in &args.services {
            let plan = workspace.plan(name)?;
            if plans.iter().all(|other| other.service != plan.service) {
                plans.push(plan);
            }
        }
        return Ok((plans, Vec::new()));
    }
    let (mut plans, broken) = workspace.all_plans();
    plans.sort_by(|a, b| a.scores.rank.cmp(&b.scores.rank).then_with(|| a.service.cmp(&b.service)));
    if plans.is_empty() && broken.is_empty() {
        return Err(Failure::said(ExitCode::Error, format!("there is no plan under `{}`", workspace.plans()))
            .hint("`carve plan` writes them"));
    }
    let broken =
        broken.into_iter().map(|(file, error)| Ended { service: file.to_string(), outcome: Err(error.into()) });
    Ok((plans, broken.collect()))
}

fn is_of(ended: &Ended, plans: &[Plan]) -> bool {
    plans.iter().any(|plan| plan.service.as_str() == ended.service)
}

/// The code that asks for the most, of all that ended otherwise than well.
fn worst(all: &[Ended]) -> ExitCode {
    const GRAVEST_FIRST: [ExitCode; 8] = [
        ExitCode::Interrupted,
        ExitCode::Error,
        ExitCode::Different,
        ExitCode::Blocked,
        ExitCode::Stale,
        ExitCode::Stopped,
        ExitCode::Locked,
        ExitCode::Usage,
    ];
    let codes: Vec<ExitCode> = all.iter().filter_map(|its| its.outcome.as_ref().err()).map(Failure::code).collect();
    GRAVEST_FIRST.into_iter().find(|code| codes.contains(code)).unwrap_or(ExitCode::Done)
}

fn answer(all: &[Ended], waiting: &[String], context: &Context) {
    let services: Vec<serde_json::Value> = all
        .iter()
        .map(|ended| match &ended.outcome {
            Ok(report) => serde_json::json!({ "service": ended.service, "run": report }),
            Err(failure) => serde_json::json!({ "service": ended.service, "error": failure.json() }),
        })
        .collect();
    let value = serde_json::json!({ "format": "carve-runs/1", "services": services, "not_begun": waiting });
    context.screen.answer(value);
}

fn show(all: &[Ended], waiting: &[String], dry_run: bool, context: &Context) {
    let screen = &context.screen;
    let mut table = Table::new(&["Service", "State", ">Steps", "Version", ">Proofs", ">Exit", "Why"]);
    for ended in all {
        table.row(match &ended.outcome {
            Ok(report) => [
                ended.service.clone(),
                if dry_run { "can be applied" } else { "applied" }.to_owned(),
                report.steps.len().to_string(),
                report.version.map(|version| format!("v{version}")).unwrap_or_default(),
                report.proofs.len().to_string(),
                "0".to_owned(),
                String::new(),
            ],
            Err(failure) => {
                let [none, exit] = [String::new(), (failure.code() as u8).to_string()];
                let why = failure.in_short();
                [ended.service.clone(), "stopped".to_owned(), none.clone(), none.clone(), none, exit, why]
            }
        });
    }
    for service in waiting {
        let [none, state] = [String::new(), "not begun".to_owned()];
        table.row([service.clone(), state, none.clone(), none.clone(), none.clone(), none.clone(), none]);
    }
    screen.out(table.text(140));
    for (service, failure) in all.iter().filter_map(|ended| Some((&ended.service, ended.outcome.as_ref().err()?))) {
        screen.error(screen.paint(Style::Strong, service));
        // The summary is the answer for programs too; a failure is shown to people here.
        failure.show(screen, false);
    }
}
