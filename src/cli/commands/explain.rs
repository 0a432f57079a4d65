//! `carve explain`: how a score came about, or what decides between two.
use crate::{
    cli::{Context, Outcome, args::ExplainArgs, exit::ExitCode, workspace::Workspace},
    console::{Style, Table},
    scoring::{self, EvidenceRow, Explanation, Scorecard},
};

use super::{apply::left_to_you, plan::card};

/// Lines of what is left to people that an explanation shows.
const LEFT_SHOWN: usize = 20;

pub(crate) async fn run(args: &ExplainArgs, context: &Context) -> Outcome {
    let workspace = Workspace::flagged(&args.estate)?;
    let survey = workspace.survey(&context.bars);
    let service = survey.ranking.services.iter().find(|service| service.as_str() == args.service);
    if let (Some(service), None) = (service, &args.vs) {
        let statuses = super::status::gather(&workspace, &survey.estate).await?;
        let status = statuses.iter().find(|status| status.service == *service);
        return super::explain_service::run(&workspace, service, status, context);
    }
    if let Some(other) = &args.vs
        && survey.ranking.services.iter().any(|service| service.as_str() == args.service || service.as_str() == other)
    {
        return super::explain_service::compare(&workspace, &survey, [&args.service, other], context);
    }
    let parameters = &survey.ranking.parameters;
    let first = card(&survey, &args.service)?;
    match &args.vs {
        None => {
            let explanation = scoring::explain(first, parameters);
            match context.json {
                true => context.answer("carve-explanation/1", &explanation)?,
                false => {
                    show(first, &explanation, context);
                    // A candidate that has nothing to publish has no plan, and so leaves nothing to people.
                    if let Ok(plan) = survey.draft(first) {
                        left_to_you(&plan, LEFT_SHOWN, context);
                    }
                }
            }
        }
        Some(other) => {
            let comparison = scoring::compare(first, card(&survey, other)?, parameters);
            match context.json {
                true => context.answer("carve-comparison/1", &comparison)?,
                false => compare(&comparison, context),
            }
        }
    }
    Ok(ExitCode::Done)
}

fn show(card: &Scorecard, explanation: &Explanation, context: &Context) {
    let screen = &context.screen;
    screen.prose(0, format!("{}\n", explanation.summary));
    let mut part = "";
    for row in &explanation.rows {
        if row.part != part {
            part = &row.part;
            screen.out(screen.paint(Style::Strong, &title(part)));
        }
        let number = format!("{:>9.4}", row.number);
        screen.prose(11, format!("{number}  {}", row.text));
        for evidence in row.evidence.iter().take(4) {
            let said = screen.paint(Style::Faint, &line(evidence));
            screen.prose(15, format!("             {said}"));
        }
        if row.evidence.len() > 4 {
            let more = row.evidence.len() - 4;
            screen
                .out(screen.paint(Style::Faint, &format!("             … and {more} more (`--format json` has all)")));
        }
    }
    let robustness = &card.robustness;
    screen.out(format!("\n{} {}", screen.paint(Style::Strong, "The rank is"), robustness.label));
    if let Some(flip) = &robustness.flip_below {
        let lambda = flip.lambda.map(|l| format!("λ = {l:.3}"));
        let alpha = flip.alpha.map(|a| format!("α = {a:.3}"));
        let at: Vec<String> = [lambda, alpha].into_iter().flatten().collect();
        match at.is_empty() {
            true => screen.out(format!("No weight puts `{}` ahead of it.", flip.with)),
            false => screen.out(format!("`{}` passes it at {}.", flip.with, at.join(" or at "))),
        }
    }
    screen.out(format!("Confidence is {}.", card.confidence.grade));
    for reason in &card.confidence.because {
        screen.prose(4, format!("  - {reason}"));
    }
}

fn title(part: &str) -> String {
    match part {
        "value" => "Value: change frequency and importance".into(),
        "effort" => "\nEffort in person-days".into(),
        _ => "\nPriority".into(),
    }
}

fn line(evidence: &EvidenceRow) -> String {
    match &evidence.at {
        Some(at) => format!("{}: {} ({at})", evidence.what, evidence.because),
        None => format!("{}: {}", evidence.what, evidence.because),
    }
}

fn compare(comparison: &scoring::Comparison, context: &Context) {
    context.screen.prose(0, format!("{}\n", comparison.summary));
    let ahead = format!(">{}", comparison.ahead);
    let behind = format!(">{}", comparison.behind);
    let mut table = Table::new(&["Part", "Term", &ahead, &behind, ">Speaks for the first by"]);
    for term in &comparison.terms {
        table.row([
            term.part.clone(),
            term.name.clone(),
            format!("{:.3}", term.ahead),
            format!("{:.3}", term.behind),
            format!("{:+.3}", term.contribution),
        ]);
    }
    context.screen.out(table.text(context.screen.width()));
}
