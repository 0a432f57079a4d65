//! `carve rollback`: undo a plan, last step first.
use super::apply::word;
use crate::{
    apply,
    cli::{
        Context, Outcome,
        args::ServiceArgs,
        exit::{ExitCode, Failure},
        workspace::{self, Opened},
    },
    console::Table,
};

pub(crate) async fn run(args: &ServiceArgs, context: &Context) -> Outcome {
    let Opened { plan, world, run } = workspace::open_whole(args, "carve rollback", &context.bars).await?;
    let report = apply::rollback(&plan, &world, &run, &context.bars).await.map_err(Failure::from)?;
    if context.json {
        context.answer("carve-run/1", &report)?;
        return Ok(ExitCode::Done);
    }
    let mut table = Table::new(&["Step", "State"]);
    for step in &report.steps {
        table.row([step.step.clone(), word(step.outcome).to_owned()]);
    }
    if table.is_empty() {
        context
            .screen
            .out(format!("Nothing to undo: no plan of {} was applied, or it was rolled back before.", plan.service));
        return Ok(ExitCode::Done);
    }
    context.screen.out(table.text(context.screen.width()));
    context.screen.out(format!("\n{} is as it was before; the publication stays, marked withdrawn.", plan.service));
    Ok(ExitCode::Done)
}
