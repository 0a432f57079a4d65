//! `carve refresh`: publish what changed at the origin and import it. The job that schedulers run.
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use crate::{
    apply::{self, ApplyError, Needs, RefreshOptions, RefreshReport},
    cli::{
        Context, Outcome,
        args::RefreshArgs,
        exit::{ExitCode, Failure},
        metrics,
        workspace::{self, Opened, Workspace},
    },
    plan::Plan,
    progress::Progress,
    vocab::counted,
};

use super::estate_readers::EstateReaders;

/// How long the first retry waits; each further one twice as long, up to the last.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

pub(crate) async fn run(args: &RefreshArgs, context: &Context) -> Outcome {
    let begun = Instant::now();
    args.metrics.as_deref().map(metrics::folder_is_there).transpose()?;
    let ended = refreshed(args, context).await;
    let (outcome, attempts) = match ended {
        Ok((report, attempts)) => (Ok(report), attempts),
        Err((failure, attempts)) => (Err(failure), attempts),
    };
    if let Some(file) = &args.metrics {
        let named = Workspace::flagged(&args.service.estate)?.plan(&args.service.service).map(|plan| plan.service);
        let service = named.or_else(|_| args.service.service.parse()).map_err(|_| ());
        // A service without a name has no metrics; its failure is told below.
        if let Ok(service) = service {
            let exit = outcome.as_ref().map_or_else(|failure: &Failure| failure.code() as u8, |_| 0);
            let written = metrics::write(
                file,
                &metrics::Run {
                    service: &service,
                    ended_seconds: jiff::Timestamp::now().as_second(),
                    took_seconds: begun.elapsed().as_secs_f64(),
                    exit,
                    attempts,
                    report: outcome.as_ref().ok(),
                },
            );
            match (written, &outcome) {
                (Ok(()), _) => {}
                (Err(failure), Ok(report)) => return Err(failure.details([line(report)])),
                // What the refresh itself failed for is the news.
                (Err(failure), Err(_)) => context.bars.say(&failure.in_short()),
            }
        }
    }
    let report = outcome?;
    if context.json {
        context.answer("carve-refresh/1", &report)?;
    } else {
        context.screen.out(line(&report));
        report.broken_readers.iter().for_each(|reader| context.screen.note(format!("breaks, as accepted: {reader}")));
    }
    Ok(ExitCode::Done)
}

/// Refreshes, and tries again what passes, as often as was asked; how many runs it took.
async fn refreshed(args: &RefreshArgs, context: &Context) -> Result<(RefreshReport, u32), (Failure, u32)> {
    let Opened { plan, world, mut run } =
        workspace::open(&args.service, &context.bars).await.map_err(|failure| (failure, 1))?;
    run.republish = args.republish;
    let workspace = Workspace::flagged(&args.service.estate).map_err(|failure| (failure, 1))?;
    let options = RefreshOptions {
        run,
        keep: args.keep,
        trust: args.trust,
        accept_breaking: args.accept_breaking,
        readers: Some(Arc::new(EstateReaders::of(workspace))),
    };
    let (mut attempt, mut wait) = (1, FIRST_WAIT);
    loop {
        match apply::refresh(&plan, &world, &options, &context.bars).await {
            Ok(report) => return Ok((report, attempt)),
            Err(error) if attempt <= args.retries && passes(&error) => {
                let told = Failure::from(error).in_short();
                context.bars.say(&format!("attempt {attempt} failed, again in {} s: {told}", wait.as_secs()));
                if !slept(wait, &options.run.cancel).await {
                    return Err((stopped(&plan), attempt));
                }
                attempt += 1;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
            Err(error) => return Err((error.into(), attempt)),
        }
    }
}

/// Whether another run may come further by itself. Another carve at work is left to end: its run does the same.
fn passes(error: &ApplyError) -> bool {
    error.needs() == Needs::Again && !matches!(error, ApplyError::Interrupted { .. })
}

/// Sleeps unless asked to stop meanwhile.
async fn slept(wait: Duration, cancel: &std::sync::atomic::AtomicBool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < wait {
        if cancel.load(Ordering::Relaxed) {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    true
}

fn stopped(plan: &Plan) -> Failure {
    let text = format!("interrupted between two attempts to refresh `{}`", plan.service);
    Failure::said(ExitCode::Interrupted, text).hint("run the same command again")
}

/// One line: a scheduler's log is read with grep.
fn line(report: &RefreshReport) -> String {
    let what = match (report.published, report.imported.len()) {
        (true, tables) => format!("published v{}, imported {}", report.version, counted(tables as u64, "table")),
        (false, 0) => format!("nothing changed, v{} stays", report.version),
        (false, tables) => format!("imported {} anew from v{}", counted(tables as u64, "table"), report.version),
    };
    let pruned = match report.pruned.len() {
        0 => String::new(),
        n => format!(", {} pruned", counted(n as u64, "old publication")),
    };
    let counted = |kind: &str| report.changes.iter().filter(|change| change.kind == kind).count();
    let schema = match (counted("breaking"), counted("additive")) {
        (0, 0) => String::new(),
        (breaking, additive) => format!(", schema: {breaking} breaking and {additive} additive changes"),
    };
    format!("{}: {what}, {} rows{schema}{pruned}", report.service, report.rows)
}
