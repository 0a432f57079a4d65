//! `carve refresh`: publish what changed at the origin and import it.
use crate::{
    apply::{self, RefreshOptions, RunOptions},
    cli::{
        Context, Outcome,
        args::ServiceArgs,
        exit::{ExitCode, Failure},
        workspace::{Workspace, interrupt_flag},
    },
};

pub(crate) async fn run(args: &ServiceArgs, context: &Context) -> Outcome {
    let workspace = Workspace::flagged(&args.estate)?;
    let plan = workspace.plan(&args.service)?;
    let (estate, _) = workspace.load(&context.bars);
    let world = workspace.world(&estate, std::slice::from_ref(&plan)).await?;
    let run = RunOptions { cancel: interrupt_flag(), ..RunOptions::default() };
    let options = RefreshOptions { run, ..RefreshOptions::default() };
    let report = apply::refresh(&plan, &world, &options, &context.bars).await.map_err(Failure::from)?;
    if context.json {
        context.screen.out(serde_json::to_string(&report).unwrap_or_default());
        return Ok(ExitCode::Done);
    }
    // One line: a scheduler's log is read with grep.
    let what = match report.published {
        true => format!("published v{}, imported {} tables", report.version, report.imported.len()),
        false => format!("nothing changed, v{} stays", report.version),
    };
    let pruned = match report.pruned.len() {
        0 => String::new(),
        n => format!(", {n} old publications pruned"),
    };
    context.screen.out(format!("{}: {what}, {} rows{pruned}", report.service, report.rows));
    Ok(ExitCode::Done)
}
