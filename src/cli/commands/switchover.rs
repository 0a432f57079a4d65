//! `carve switchover`: for every BI source on the wrapped tables, the plan that moves it.
use crate::{
    cli::{
        Context, Outcome,
        args::ServiceArgs,
        exit::{ExitCode, Failure},
        workspace::{Survey, Workspace, write_files},
    },
    console::Table,
    plan::Plan,
    report::{self, RenderOptions},
    switchover::{self, ExposureMove},
};

pub(crate) fn run(args: &ServiceArgs, context: &Context) -> Outcome {
    let workspace = Workspace::flagged(&args.estate)?;
    let plan = workspace.plan(&args.service)?;
    let survey = workspace.survey(&context.bars);
    let options = RenderOptions { templates: args.templates.clone() };
    let (moves, folder) = write(&workspace, &survey, &plan, &options)?;
    if context.json {
        context.screen.out(serde_json::json!({ "format": "carve-switchover/1", "moves": moves }).to_string());
        return Ok(ExitCode::Done);
    }
    let mut table = Table::new(&["BI source", "Tool", "Reads", "Ready", "Because"]);
    for one in &moves {
        table.row(row(one));
    }
    match table.is_empty() {
        true => context.screen.out(format!("No BI source reads the tables of {} directly: nothing to switch.", plan.service)),
        false => {
            context.screen.out(table.text(140));
            context.screen.out(format!("\nWrote a page for each, the edited files and a patch to {folder}"));
        }
    }
    Ok(ExitCode::Done)
}

/// Writes the pages and edited files of every move.
pub(super) fn write(
    workspace: &Workspace,
    survey: &Survey,
    plan: &Plan,
    options: &RenderOptions,
) -> Result<(Vec<ExposureMove>, camino::Utf8PathBuf), Failure> {
    let read = |file: &camino::Utf8Path| Workspace::read_file(&survey.estate.roots, file);
    let moves = switchover::draft(&survey.estate, &survey.lineage, plan, &read);
    let files = report::render_switchover(plan, &moves, options).map_err(|error| Failure::new(ExitCode::Error, &error))?;
    write_files(workspace.out(), &files)?;
    Ok((moves, workspace.out().join("switchover").join(plan.service.as_str())))
}

fn row(one: &ExposureMove) -> [String; 5] {
    let _ = one;
    Default::default()
}
