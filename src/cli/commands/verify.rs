//! `carve verify`: prove again that publication, import and origin hold the same rows.
use crate::{
    apply,
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
    let different = report.proofs.iter().any(|proof| proof.verdict == "different");
    if context.json {
        context.screen.out(serde_json::to_string(&report).unwrap_or_default());
    } else {
        context.screen.out(proofs::table(&report.proofs));
        let (style, word) = match different {
            true => (Style::Bad, "Different: see the rows above."),
            false => (Style::Good, "Equal."),
        };
        context.screen.out(format!("\n{}", context.screen.paint(style, word)));
    }
    Ok(if different { ExitCode::Different } else { ExitCode::Done })
}
