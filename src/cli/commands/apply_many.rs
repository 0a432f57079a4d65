//! `carve apply` of several services: side by side where their plans touch nothing in common, one summary of all.
//!
//! Plans that share a table or a file run one after the other, in their order, and so does everything on a lake whose
//! readers keep writers waiting. A service that fails holds no other back; it is told at once, and again at the end.
use tokio::task::JoinSet;

use super::{
    apply::{Ready, ready},
    proofs,
    turns::Turns,
};
use crate::{
    apply::RunReport,
    cli::{
        Context, Outcome,
        args::ApplyArgs,
        exit::{ExitCode, Failure},
        workspace::Workspace,
    },
    connector::open_lake,
    console::{Style, Table},
    estate::Estate,
    plan::Plan,
    progress::{Named, Progress},
};

/// How one service of several ended.
struct Ended {
    service: String,
    outcome: Result<RunReport, Failure>,
}

/// A run by the place of its plan.
type Ran = (usize, Result<RunReport, Failure>);

/// Applies the plans that `args` names, or all there are.
pub(super) async fn run(args: &ApplyArgs, workspace: &Workspace, context: &Context) -> Outcome {
    if args.stop_after.is_some() {
        return Err(Failure::said(ExitCode::Usage, "`--stop-after` names a step of one plan, and several are applied")
            .hint("name one service with it"));
    }
    let (plans, mut all) = chosen(args, workspace)?;
    let estate = workspace.load_checked(&context.bars)?;
    let in_turn = args.dry_run || takes_turns(workspace, &estate).await;
    let mut turns = Turns::of(&plans, in_turn);
    let mut ran = side_by_side(args, workspace, &estate, &plans, &mut turns, context).await;
    ran.sort_by_key(|(at, _)| *at);
    all.extend(ran.into_iter().map(|(at, outcome)| Ended { service: plans[at].service.to_string(), outcome }));
    let waiting: Vec<String> = turns.waiting().map(|at| plans[at].service.to_string()).collect();
    match context.json {
        true => answer(&all, &waiting, context),
        false => show(&all, &waiting, args.dry_run, context),
    }
    Ok(worst(&all))
}

/// Whether the lake lets only one run work at a time; one that cannot be opened is told by each run itself.
async fn takes_turns(workspace: &Workspace, estate: &Estate) -> bool {
    match estate.settings.connections.get("lake") {
        Some(url) => open_lake("lake", url, workspace.root()).await.is_ok_and(|lake| lake.takes_turns()),
        None => true,
    }
}

/// Begins whatever may begin, up to `--jobs` at a time, until all have ended or a person asks to stop.
async fn side_by_side(
    args: &ApplyArgs,
    workspace: &Workspace,
    estate: &Estate,
    plans: &[Plan],
    turns: &mut Turns,
    context: &Context,
) -> Vec<Ran> {
    let mut running: JoinSet<Ran> = JoinSet::new();
    let mut begun: std::collections::BTreeMap<tokio::task::Id, usize> = std::collections::BTreeMap::new();
    let mut all: Vec<Ran> = Vec::new();
    loop {
        let interrupted =
            all.iter().any(|(_, outcome)| matches!(outcome, Err(failure) if failure.code() == ExitCode::Interrupted));
        while !interrupted
            && running.len() < usize::from(args.jobs)
            && let Some(at) = turns.next()
        {
            match ready(workspace, estate, &plans[at], args.dry_run, None).await {
                Ok(ready) => {
                    let task = running.spawn(begin(at, ready, &plans[at], plans.len(), context));
                    begun.insert(task.id(), at);
                }
                Err(failure) => {
                    turns.ended(at);
                    tell(&plans[at], &failure, running.len(), context);
                    all.push((at, Err(failure)));
                }
            }
        }
        let (at, outcome) = match running.join_next_with_id().await {
            None => return all,
            Some(Ok((_, ran))) => ran,
            // A panic in one service's run is a fault of carve, and no reason to leave the others half done.
            Some(Err(broken)) => {
                let Some(at) = begun.get(&broken.id()).copied() else { continue };
                (at, Err(Failure::said(ExitCode::Error, format!("the run of `{}` broke off", plans[at].service))))
            }
        };
        turns.ended(at);
        if let Err(failure) = &outcome {
            tell(&plans[at], failure, running.len(), context);
        }
        all.push((at, outcome));
    }
}

fn begin(
    at: usize,
    ready: Ready,
    plan: &Plan,
    of: usize,
    context: &Context,
) -> impl Future<Output = Ran> + Send + use<> {
    let bars = context.bars.clone();
    let name = plan.service.to_string();
    async move {
        let outcome = match of {
            1 => ready.run(&bars).await,
            _ => ready.run(&Named::new(name, bars)).await,
        };
        (at, outcome)
    }
}

/// A failure is told when it happens: the others go on for a while.
fn tell(plan: &Plan, failure: &Failure, others: usize, context: &Context) {
    let rest = match others {
        0 => String::new(),
        1 => "; another one goes on".to_owned(),
        n => format!("; {n} others go on"),
    };
    context.bars.say(&format!(
        "{} stopped (code {}): {}{rest}",
        plan.service,
        failure.code() as u8,
        failure.in_short()
    ));
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
    screen.out(table.text(screen.width()));
    for ended in all {
        if let Ok(report) = &ended.outcome {
            proofs::tell_not_compared(&format!("{}: ", ended.service), &report.not_compared, context);
        }
    }
    for (service, failure) in all.iter().filter_map(|ended| Some((&ended.service, ended.outcome.as_ref().err()?))) {
        screen.error(screen.paint(Style::Strong, service));
        // The summary is the answer for programs too; a failure is shown to people here.
        failure.show(screen, false);
    }
}
