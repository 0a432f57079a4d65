//! `carve report`: the pages, from what is known now.
use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::{
    apply::ServiceStatus,
    cli::{
        Context, Outcome,
        args::ReportArgs,
        exit::{ExitCode, Failure},
        workspace::{Survey, Workspace, write_files},
    },
    report::{self, RenderOptions, ReportInputs},
};

pub(crate) async fn run(args: &ReportArgs, context: &Context) -> Outcome {
    let workspace = Workspace::at(&args.estate)?;
    let survey = workspace.survey(&context.bars);
    let mut statuses = super::status::gather(&workspace, &survey.estate).await?;
    super::status::count_switched(&mut statuses, &survey, &workspace.all_plans().0);
    let index = write(&workspace, &survey, &statuses, args.templates.clone())?;
    match context.json {
        true => context.answer("carve-written/1", &serde_json::json!({ "written": index }))?,
        false => {
            context.screen.out(format!("Wrote {index} (open it in a browser), report.md and report.json beside it."))
        }
    }
    Ok(ExitCode::Done)
}

/// Writes the report and gives back its first page.
pub(super) fn write(
    workspace: &Workspace,
    survey: &Survey,
    statuses: &[ServiceStatus],
    templates: Option<Utf8PathBuf>,
) -> Result<Utf8PathBuf, Failure> {
    let files = rendered(workspace, survey, statuses, templates)?;
    let folder = workspace.below("report");
    write_files(&folder, &files)?;
    Ok(folder.join("index.html"))
}

/// The files of the report, not written.
pub(super) fn rendered(
    workspace: &Workspace,
    survey: &Survey,
    statuses: &[ServiceStatus],
    templates: Option<Utf8PathBuf>,
) -> Result<BTreeMap<Utf8PathBuf, Vec<u8>>, Failure> {
    let (plans, _) = workspace.all_plans();
    let title = workspace.title();
    let model = report::build(&ReportInputs {
        title: &title,
        files: &survey.estate.files,
        jobs: &survey.estate.jobs,
        exposures: &survey.estate.exposures,
        coverage: &survey.lineage.coverage,
        datasets: survey.graph.datasets(),
        edges: survey.graph.edges(),
        cycles: survey.graph.cycles(),
        scorecards: &survey.ranking.cards,
        sequence: &survey.ranking.sequence,
        plans: &plans,
        statuses,
        diagnostics: &survey.diagnostics,
        lambda: survey.ranking.parameters.lambda,
        alpha: survey.ranking.parameters.alpha,
    });
    report::render(&model, &RenderOptions { templates }).map_err(|error| {
        Failure::new(ExitCode::Error, &error).hint("docs/REPORT.md lists the templates and their fields")
    })
}
