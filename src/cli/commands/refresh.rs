//! `carve refresh`: publish what changed at the origin and import it.
use std::sync::Arc;

use crate::{
    apply::{self, RefreshOptions},
    cli::{
        Context, Outcome,
        args::RefreshArgs,
        exit::{ExitCode, Failure},
        workspace::{self, Opened, Workspace},
    },
};

use super::estate_readers::EstateReaders;

pub(crate) async fn run(args: &RefreshArgs, context: &Context) -> Outcome {
    let Opened { plan, world, mut run } = workspace::open(&args.service, &context.bars).await?;
    run.republish = args.republish;
    let readers = EstateReaders::of(Workspace::flagged(&args.service.estate)?);
    let options = RefreshOptions {
        run,
        trust: args.trust,
        accept_breaking: args.accept_breaking,
        readers: Some(Arc::new(readers)),
        ..RefreshOptions::default()
    };
    let report = apply::refresh(&plan, &world, &options, &context.bars).await.map_err(Failure::from)?;
    if context.json {
        context.answer("carve-refresh/1", &report)?;
        return Ok(ExitCode::Done);
    }
    // One line: a scheduler's log is read with grep.
    let what = match (report.published, report.imported.len()) {
        (true, tables) => format!("published v{}, imported {tables} tables", report.version),
        (false, 0) => format!("nothing changed, v{} stays", report.version),
        (false, tables) => format!("imported {tables} tables anew from v{}", report.version),
    };
    let pruned = match report.pruned.len() {
        0 => String::new(),
        n => format!(", {n} old publications pruned"),
    };
    context.screen.out(format!("{}: {what}, {} rows{pruned}", report.service, report.rows));
    Ok(ExitCode::Done)
}
