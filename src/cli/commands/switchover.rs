//! `carve switchover`: for every BI source on the wrapped tables, the plan that moves it.
use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::{
    apply::ServiceStatus,
    cli::{
        Context, Outcome,
        args::SwitchoverArgs,
        exit::{ExitCode, Failure},
        workspace::{Survey, Workspace, write_files},
    },
    console::Table,
    plan::Plan,
    report::{self, RenderOptions},
    switchover::{self, Readiness, Switchover, WrapFacts},
    vocab::Digest,
};

/// What was drafted, how ready each move is, and where its pages are.
pub(super) struct Written {
    pub(super) switchover: Switchover,
    readiness: BTreeMap<String, Readiness>,
    folder: Utf8PathBuf,
}

pub(crate) async fn run(args: &SwitchoverArgs, context: &Context) -> Outcome {
    let workspace = Workspace::flagged(&args.service.estate)?;
    let plan = workspace.plan(&args.service.service)?;
    let survey = workspace.survey(&context.bars);
    let statuses = super::status::of_journals(&workspace).await?;
    let options = RenderOptions { templates: args.templates.clone() };
    let written = write(&workspace, &survey, &plan, &statuses, &options)?;
    match context.json {
        true => context.screen.answer(json(&written)),
        false => show(&plan, &written, context),
    }
    Ok(ExitCode::Done)
}

/// Writes the pages and edited files of every move.
pub(super) fn write(
    workspace: &Workspace,
    survey: &Survey,
    plan: &Plan,
    statuses: &[ServiceStatus],
    options: &RenderOptions,
) -> Result<Written, Failure> {
    let switchover = switchover::draft(&survey.estate, &survey.lineage, plan);
    let facts = wrap_facts(survey, plan, statuses, &switchover);
    let readiness = switchover::readiness(&switchover, &facts);
    let files = report::render_switchover(&switchover, &readiness, options)
        .map_err(|error| Failure::new(ExitCode::Error, &error).hint("docs/REPORT.md lists the templates"))?;
    write_files(&workspace.below("switchover"), &files)?;
    let folder = workspace.below("switchover").join(plan.service.as_str());
    Ok(Written { switchover, readiness, folder })
}

fn wrap_facts(survey: &Survey, plan: &Plan, statuses: &[ServiceStatus], switchover: &Switchover) -> WrapFacts {
    let status = statuses.iter().find(|status| status.service == plan.service);
    let proofs = status.map(|status| status.proofs.as_slice()).unwrap_or_default();
    let mut continuity = proofs.iter().filter(|proof| proof.kind == "continuity").peekable();
    let files_now = switchover.moves.iter().filter_map(|found| {
        let text = Workspace::read_file(&survey.estate.roots, &found.edit.file)?;
        Some((found.id.clone(), Digest::of(text)))
    });
    WrapFacts {
        wrapped: status.is_some_and(|status| status.stage == "wrapped"),
        proven: continuity.peek().is_some() && continuity.all(|proof| matches!(&*proof.verdict, "equal" | "explained")),
        files_now: files_now.collect(),
    }
}

fn show(plan: &Plan, written: &Written, context: &Context) {
    let found = &written.switchover;
    if found.moves.is_empty() && found.blocked.is_empty() {
        context.screen.out(format!("No BI source reads the tables of {} directly: nothing to switch.", plan.service));
        others(found, context);
        return;
    }
    let mut table = Table::new(&["BI source", "Tool", "Charts", "State", "Because"]);
    for one in &found.moves {
        let ready = written.readiness.get(&one.id);
        table.row([
            one.title.clone(),
            one.tool.clone(),
            one.charts.len().to_string(),
            ready.map(|ready| ready.state.to_owned()).unwrap_or_default(),
            ready.map(|ready| ready.because.clone()).unwrap_or_default(),
        ]);
    }
    for one in &found.blocked {
        table.row([&*one.title, &*one.tool, "", "by hand", &*one.because]);
    }
    if !table.is_empty() {
        context.screen.out(table.text(context.screen.width()));
    }
    others(found, context);
    context.screen.out(format!("A page for each, the edited files and a patch are in {}", written.folder));
}

/// What needs no move of its own.
fn others(found: &Switchover, context: &Context) {
    let counts = [
        (found.carried.len(), "charts and dashboards stand on these and move with them."),
        (found.untouched.len(), "more depend on it through other tables and need no move."),
    ];
    context.screen.out("");
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        context.screen.out(format!("{count} {what}"));
    }
}

fn json(written: &Written) -> serde_json::Value {
    let moves: Vec<_> = written.switchover.moves.iter().map(|one| {
        serde_json::json!({ "id": one.id, "title": one.title, "tool": one.tool, "before": one.before, "after": one.after,
            "file": one.edit.file, "charts": one.charts, "dashboards": one.dashboards, "readiness": written.readiness.get(&one.id) })
    }).collect();
    let blocked: Vec<_> = written
        .switchover
        .blocked
        .iter()
        .map(|one| serde_json::json!({ "id": one.id, "at": one.at, "because": one.because }))
        .collect();
    let carried = &written.switchover.carried;
    serde_json::json!({ "format": "carve-switchover/1", "moves": moves, "blocked": blocked, "carried": carried })
}
