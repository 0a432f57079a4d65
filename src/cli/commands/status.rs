//! `carve status`: how far each service is.
use crate::{
    apply::{self, ProofSummary, ServiceStatus},
    cli::{Context, Outcome, args::StatusArgs, exit::ExitCode, exit::Failure, workspace::Workspace},
    connector::open_bucket,
    console::{Style, Table, bar},
    estate::Estate,
    plan::Plan,
    switchover,
};

use super::proofs;

pub(crate) async fn run(args: &StatusArgs, context: &Context) -> Outcome {
    let workspace = Workspace::at(&args.estate)?;
    let survey = workspace.survey(&context.bars);
    let mut statuses = gather(&workspace, &survey.estate).await?;
    let (plans, broken) = workspace.all_plans();
    count_switched(&mut statuses, &survey, &plans);
    if context.json {
        let broken: Vec<_> = broken.iter().map(|(file, error)| format!("{file}: {error}")).collect();
        let value = serde_json::json!({ "format": "carve-status/1", "services": statuses, "broken_plans": broken });
        context.screen.answer(value);
    } else {
        match statuses.is_empty() && !broken.is_empty() {
            true => context.screen.out("No plan can be read:"),
            false => show(&statuses, context),
        }
        for (file, error) in &broken {
            context.screen.out(format!("{} {file}: {error}", context.screen.paint(Style::Warn, "not read:")));
        }
    }
    Ok(ExitCode::Done)
}

/// Every planned or begun service, with what the bucket knows where the settings name one.
pub(super) async fn gather(workspace: &Workspace, estate: &Estate) -> Result<Vec<ServiceStatus>, Failure> {
    let opened = match estate.settings.connections.get("bucket") {
        Some(url) => Some(open_bucket("bucket", url, workspace.root()).await),
        None => None,
    };
    let (bucket, problem) = match opened {
        Some(Ok(bucket)) => (Some(bucket), None),
        Some(Err(error)) => (None, Some(Failure::from(error).in_short())),
        None => (None, None),
    };
    let mut begun = apply::status(&workspace.state(), bucket.as_deref()).await?;
    begun.iter_mut().for_each(|one| one.bucket_problem = one.bucket_problem.take().or_else(|| problem.clone()));
    Ok(with_plans(workspace, begun))
}

/// The same from the files beside the estate alone: no connection is needed, nor made.
pub(super) async fn of_journals(workspace: &Workspace) -> Result<Vec<ServiceStatus>, Failure> {
    Ok(with_plans(workspace, apply::status(&workspace.state(), None).await?))
}

fn with_plans(workspace: &Workspace, mut statuses: Vec<ServiceStatus>) -> Vec<ServiceStatus> {
    let (plans, _) = workspace.all_plans();
    for plan in &plans {
        let steps = plan.steps.len() as u32;
        match statuses.iter_mut().find(|status| status.service == plan.service) {
            None => statuses.push(ServiceStatus::planned(plan.service.clone(), steps)),
            // A run that was blocked before its first step knows no steps.
            Some(status) if status.steps == 0 => status.steps = steps,
            Some(_) => {}
        }
    }
    statuses.sort_by(|a, b| a.service.cmp(&b.service));
    // Whether a page exists is a fact of the output folder, which apply does not know.
    for status in &mut statuses {
        status.in_catalog =
            status.version.is_some() && workspace.below(&format!("catalog/{}.md", status.service)).is_file();
    }
    statuses
}

/// Counts, for each wrapped service, the exposures that read the new tables and those that still read the old.
pub(super) fn count_switched(statuses: &mut [ServiceStatus], survey: &crate::cli::workspace::Survey, plans: &[Plan]) {
    for status in statuses {
        let Some(plan) = plans.iter().find(|plan| plan.service == status.service) else { continue };
        let pairs = switchover::replaced(plan);
        let reads = |pick: &dyn Fn(&switchover::Replaced) -> crate::vocab::DatasetId| {
            let tables: Vec<_> = pairs.iter().map(pick).collect();
            let uses = survey.lineage.exposures.values();
            uses.filter(|uses| uses.iter().any(|mention| tables.contains(&mention.dataset))).count() as u32
        };
        let (old, new) = (reads(&|pair| pair.old.clone()), reads(&|pair| pair.new.clone()));
        status.switched = [new, old + new];
    }
}

fn show(statuses: &[ServiceStatus], context: &Context) {
    if statuses.is_empty() {
        context.screen.out("No service is planned yet: `carve plan` drafts the first.");
        return;
    }
    let width = context.screen.width();
    let anyone_stopped = statuses.iter().any(|status| status.stopped_at.is_some());
    let mut titles = vec!["Service", "Stage", "Steps", "Version", ">Rows", "Proven", "Found", "Switched"];
    titles.extend(anyone_stopped.then_some("Stopped at"));
    let mut table = Table::new(&titles);
    for status in statuses {
        let share = f64::from(status.steps_done) / f64::from(status.steps.max(1));
        let count = format!("{}/{}", status.steps_done, status.steps);
        let mut cells = vec![
            status.service.to_string(),
            status.stage.clone(),
            if width >= 90 { format!("{} {count}", bar(share, 8)) } else { count },
            version(status),
            status.rows.map(|rows| rows.to_string()).unwrap_or_default(),
            proven(status),
            if status.in_catalog { "yes" } else { "no" }.into(),
            format!("{}/{}", status.switched[0], status.switched[1]),
        ];
        cells.extend(anyone_stopped.then(|| status.stopped_at.clone().unwrap_or_default()));
        table.row(cells);
    }
    context.screen.out(table.text(width));
    statuses.iter().for_each(|status| remarks(status, context));
}

/// What a row has no room for: who is at work, what cannot be known, what a verification found.
fn remarks(status: &ServiceStatus, context: &Context) {
    let (screen, service) = (&context.screen, &status.service);
    if let Some(running) = &status.running {
        screen.out(format!("{} {service}: {running}", screen.paint(Style::Good, "running:")));
    }
    if status.stage == "rolling_back" && status.running.is_none() {
        let title = screen.paint(Style::Warn, "half undone:");
        screen.out(format!("{title} {service}: `carve rollback {service}` goes on where it stopped"));
    }
    if let Some(problem) = &status.bucket_problem {
        let known = "what is shown is what the journal knows, and may be gone";
        screen.out(format!(
            "{} {service}: the bucket does not tell: {problem}; {known}",
            screen.paint(Style::Bad, "bucket:")
        ));
    }
    proofs::tell_not_compared(&format!("{service}: "), &status.not_compared, context);
    if !status.verify_problems.is_empty() {
        let title = screen.paint(Style::Bad, "not equal:");
        screen.out(format!("{title} {service}: the last `carve verify` found, and no refresh has mended since:"));
        status.verify_problems.iter().for_each(|problem| screen.out(format!("  - {problem}")));
    }
}

fn version(status: &ServiceStatus) -> String {
    match (status.version, &status.bucket_problem) {
        (Some(version), None) => format!("v{version}"),
        (Some(version), Some(_)) => format!("v{version}?"),
        (None, _) => String::new(),
    }
}

fn proven(status: &ServiceStatus) -> String {
    let holds = |proof: &&ProofSummary| !matches!(proof.verdict.as_str(), "different" | "not_comparable");
    let (all, good) = (status.proofs.len(), status.proofs.iter().filter(holds).count());
    let but = proofs::count_not_compared(&status.not_compared).map(|but| format!(", {but}")).unwrap_or_default();
    match all {
        _ if !status.verify_problems.is_empty() => "not any more".into(),
        0 => "-".into(),
        _ if good == all && status.bucket_problem.is_some() => format!("{good} of {all}, then{but}"),
        _ => format!("{good} of {all}{but}"),
    }
}
