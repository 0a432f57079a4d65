//! `carve rollback`: undo a plan, last step first.
use super::apply::word;
use crate::{
    apply::{self, RunOptions},
    cli::{
        Context, Outcome,
        args::ServiceArgs,
        exit::{ExitCode, Failure},
        workspace::{Workspace, interrupt_flag},
    },
    console::Table,
};

pub(crate) async fn run(args: &ServiceArgs, context: &Context) -> Outcome {
    let workspace = Workspace::flagged(&args.estate)?;
    let plan = workspace.plan(&args.service)?;
    let (estate, _) = workspace.load(&context.bars);
    let world = workspace.world(&estate, std::slice::from_ref(&plan)).await?;
    let options = RunOptions { cancel: interrupt_flag(), ..RunOptions::default() };
    let report = apply::rollback(&plan, &world, &options, &context.bars).await.map_err(Failure::from)?;
    if context.json {
        context.screen.out(serde_json::to_string(&report).unwrap_or_default());
        return Ok(ExitCode::Done);
    }
    let mut table = Table::new(&["Step", "State"]);
    for step in &report.steps {
        table.row([step.step.clone(), word(step.outcome).to_owned()]);
    }
    context.screen.out(table.text(140));
    context.screen.out(format!("\n{} is as it was before; the publication stays, marked withdrawn.", plan.service));
    Ok(ExitCode::Done)
}
