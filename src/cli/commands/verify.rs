//! `carve verify`: prove again that publication, import and origin hold the same rows.
use crate::{
    apply::{self, VerifyReport},
    cli::{
        Context, Outcome,
        args::ServiceArgs,
        exit::{ExitCode, Failure},
        workspace::{self, Opened},
    },
    console::Style,
};

use super::proofs;

pub(crate) async fn run(args: &ServiceArgs, context: &Context) -> Outcome {
    let Opened { plan, world, run } = workspace::open(args, &context.bars).await?;
    let report = apply::verify(&plan, &world, &run, &context.bars).await.map_err(Failure::from)?;
    if context.json {
        context.answer("carve-verification/1", &report)?;
    } else {
        show(&report, context);
    }
    // Nothing to compare is no proof: it must not look like one.
    Ok(match (report.equal, report.version.is_some() && !report.proofs.is_empty()) {
        (true, true) => ExitCode::Done,
        (_, true) => ExitCode::Different,
        (_, false) => ExitCode::Blocked,
    })
}

fn show(report: &VerifyReport, context: &Context) {
    if !report.proofs.is_empty() {
        context.screen.out(proofs::table(&report.proofs, context.screen.width()));
    }
    for problem in &report.problems {
        context.screen.out(format!("{} {problem}", context.screen.paint(Style::Bad, "problem:")));
    }
    let (style, word) = match (report.equal, report.proofs.is_empty()) {
        (true, false) => (Style::Good, "Equal."),
        (_, true) => (Style::Warn, "Nothing could be verified: no publication of this service is imported."),
        (false, false) => (Style::Bad, "Not equal, or damaged: see above."),
    };
    context.screen.out(format!("\n{}", context.screen.paint(style, word)));
}
