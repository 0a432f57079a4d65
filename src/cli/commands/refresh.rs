//! `carve refresh`: publish what changed at the origin and import it.
use crate::{
    apply::{self, RefreshOptions},
    cli::{
        Context, Outcome,
        args::ServiceArgs,
        exit::{ExitCode, Failure},
        workspace::{self, Opened},
    },
};

pub(crate) async fn run(args: &ServiceArgs, context: &Context) -> Outcome {
    let Opened { plan, world, run } = workspace::open(args, &context.bars).await?;
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
