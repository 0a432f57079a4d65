//! `carve verify`: prove again that publication, import and origin hold the same rows; or compare any two tables.
use crate::{
    apply::{self, VerifyReport},
    cli::{
        Context, Outcome,
        args::{ServiceArgs, VerifyArgs},
        exit::{ExitCode, Failure},
        junit::Suite,
        workspace::{self, Opened},
    },
    console::Style,
};

use super::{proofs, verify_tables};

pub(crate) async fn run(args: &VerifyArgs, context: &Context) -> Outcome {
    match (&args.left, &args.right, &args.service) {
        (Some(left), Some(right), _) => verify_tables::run(left, right, args, context).await,
        (_, _, Some(service)) => of_service(service, args, context).await,
        _ => Err(Failure::said(ExitCode::Usage, "name a service, or two tables with `--left` and `--right`")),
    }
}

async fn of_service(service: &str, args: &VerifyArgs, context: &Context) -> Outcome {
    let named = ServiceArgs { service: service.to_owned(), estate: args.estate.clone() };
    let Opened { plan, world, run } = workspace::open(&named, &context.bars).await?;
    let report = apply::verify(&plan, &world, &run, &context.bars).await.map_err(Failure::from)?;
    if let Some(file) = &args.junit {
        suite(&report).write(file)?;
    }
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

/// A case a proof, and one for everything else that is damaged or missing.
fn suite(report: &VerifyReport) -> Suite {
    let mut suite = Suite::new(report.service.as_str());
    for proof in &report.proofs {
        let name = proof.what.clone().unwrap_or_default();
        match proof.verdict.as_str() {
            "equal" | "explained" => suite.holds(&proof.kind, name),
            "not_comparable" => suite.skipped(&proof.kind, name, &proof.because),
            _ => suite.fails(&proof.kind, name, &proof.because, proof.differences.clone()),
        }
    }
    match (report.problems.is_empty(), report.proofs.is_empty()) {
        (false, _) => {
            suite.fails("publication", "nothing is damaged", report.problems.join("; "), report.problems.clone())
        }
        (true, false) => suite.holds("publication", "nothing is damaged"),
        (true, true) => suite.skipped("publication", "nothing is damaged", "nothing could be verified"),
    }
    suite
}

fn show(report: &VerifyReport, context: &Context) {
    if !report.proofs.is_empty() {
        context.screen.out(proofs::table(&report.proofs, context.screen.width()));
    }
    for proof in &report.proofs {
        proof.differences.iter().for_each(|line| context.screen.out(format!("  - {line}")));
    }
    for problem in &report.problems {
        context.screen.out(format!("{} {problem}", context.screen.paint(Style::Bad, "problem:")));
    }
    proofs::tell_not_compared("", &report.not_compared, context);
    let (style, word) = match (report.equal, report.proofs.is_empty()) {
        (true, false) => (Style::Good, "Equal."),
        (_, true) => (Style::Warn, "Nothing could be verified: no publication of this service is imported."),
        (false, false) => (Style::Bad, "Not equal, or damaged: see above."),
    };
    context.screen.out(format!("\n{}", context.screen.paint(style, word)));
}
