//! `carve status`: how far each service is.
use crate::{
    apply::{self, ServiceStatus},
    cli::{
        Context, Outcome,
        args::StatusArgs,
        exit::ExitCode,
        workspace::Workspace,
    },
    console::{Style, Table, bar},
    estate::Estate,
};

pub(crate) async fn run(args: &StatusArgs, context: &Context) -> Outcome {
    let workspace = Workspace::at(&args.estate)?;
    let (estate, _) = workspace.load(&context.bars);
    let statuses = gather(&workspace, &estate).await;
    let (_, broken) = workspace.all_plans();
    if context.json {
        let broken: Vec<_> = broken.iter().map(|(file, error)| format!("{file}: {error}")).collect();
        let value = serde_json::json!({ "format": "carve-status/1", "services": statuses, "broken_plans": broken });
        context.screen.out(value.to_string());
    } else {
        show(&statuses, context);
        for (file, error) in &broken {
            context.screen.out(format!("{} {file}: {error}", context.screen.paint(Style::Warn, "not read:")));
        }
    }
    Ok(ExitCode::Done)
}

/// Every planned service: by its bucket where that answers, by its journal otherwise.
pub(super) async fn gather(workspace: &Workspace, estate: &Estate) -> Vec<ServiceStatus> {
    let (plans, _) = workspace.all_plans();
    let world = workspace.world(estate, &plans).await.ok();
    let mut statuses = Vec::new();
    for plan in &plans {
        let full = match &world {
            Some(world) => apply::status(plan, world).await.ok(),
            None => None,
        };
        let known = full.or_else(|| apply::journal_status(plan, &workspace.state()).ok());
        statuses.extend(known.map(|status| with_pages(status, workspace)));
    }
    statuses
}

// Whether a page exists is a fact of the output folder, which apply does not know.
fn with_pages(mut status: ServiceStatus, workspace: &Workspace) -> ServiceStatus {
    status.in_catalog = workspace.out().join(format!("catalog/{}.md", status.service)).is_file();
    status
}

fn show(statuses: &[ServiceStatus], context: &Context) {
    if statuses.is_empty() {
        context.screen.out("No service is planned yet: `carve plan` drafts the first.");
        return;
    }
    let mut table = Table::new(&["Service", "Stage", "Steps", "Version", ">Rows", "Proven", "Found", "Switched", "Stopped at"]);
    for status in statuses {
        let share = f64::from(status.steps_done) / f64::from(status.steps.max(1));
        table.row([
            status.service.to_string(),
            status.stage.clone(),
            format!("{} {}/{}", bar(share, 8), status.steps_done, status.steps),
            status.version.map(|version| format!("v{version}")).unwrap_or_default(),
            status.rows.map(|rows| rows.to_string()).unwrap_or_default(),
            proven(status),
            if status.in_catalog { "yes" } else { "no" }.into(),
            format!("{}/{}", status.switched[0], status.switched[1]),
            status.stopped_at.clone().unwrap_or_default(),
        ]);
    }
    context.screen.out(table.text(140));
}

fn proven(status: &ServiceStatus) -> String {
    let bad = status.proofs.iter().filter(|proof| proof.verdict == "different").count();
    match (status.proofs.len(), bad) {
        (0, _) => "-".into(),
        (n, 0) => format!("{n} of {n}"),
        (n, bad) => format!("{} of {n}", n - bad),
    }
}
