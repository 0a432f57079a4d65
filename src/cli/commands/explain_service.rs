//! `carve explain` of what is a data service already: what was scored when it was planned, what it is now, where to look.
use crate::{
    apply::ServiceStatus,
    cli::{
        Context, Outcome,
        exit::{ExitCode, Failure},
        workspace::{Survey, Workspace},
    },
    console::{Screen, Style, Table},
    plan::{Plan, PlanScores},
    vocab::ServiceName,
};

pub(super) fn run(
    workspace: &Workspace,
    service: &ServiceName,
    status: Option<&ServiceStatus>,
    context: &Context,
) -> Outcome {
    let (plans, _) = workspace.all_plans();
    let plan = plans.iter().find(|plan| plan.service == *service);
    if context.json {
        let value = serde_json::json!({
            "service": service, "status": status, "plan": plan.map(|plan| plan.id),
            "scores_when_planned": plan.map(|plan| &plan.scores), "boundary": plan.map(|plan| &plan.boundary),
        });
        context.answer("carve-service-explanation/1", &value)?;
        return Ok(ExitCode::Done);
    }
    let screen = &context.screen;
    screen.prose(0, format!("`{service}` is a data service, so it is not ranked any more.{}", now(status)));
    match plan {
        Some(plan) => of_plan(plan, screen),
        None => screen.out("Its plan is not under plans/, so what was scored is not known here."),
    }
    where_to_look(workspace, service, plan.is_some(), screen);
    Ok(ExitCode::Done)
}

/// Two of which one at least is a data service: by the numbers of its plan, because it is not scored any more.
pub(super) fn compare(workspace: &Workspace, survey: &Survey, names: [&str; 2], context: &Context) -> Outcome {
    let (plans, _) = workspace.all_plans();
    let sides = [side(survey, &plans, names[0])?, side(survey, &plans, names[1])?];
    if context.json {
        let value = |(scores, when): &(PlanScores, &str)| serde_json::json!({ "scores": scores, "scored": when });
        let sides = serde_json::json!({ (names[0]): value(&sides[0]), (names[1]): value(&sides[1]) });
        context.answer("carve-recorded-comparison/1", &sides)?;
        return Ok(ExitCode::Done);
    }
    let screen = &context.screen;
    screen.prose(
        0,
        "A data service is not ranked any more, so its side is what its plan recorded. The terms of the scores \
                     are not in the plan: which of them decided cannot be said.\n",
    );
    let mut table = Table::new(&["", names[0], names[1]]);
    let mut row = |title: &str, cell: &dyn Fn(&PlanScores) -> String| {
        table.row([title.to_owned(), cell(&sides[0].0), cell(&sides[1].0)]);
    };
    row("person-days", &|its| format!("{} ({} to {})", its.effort_days[1], its.effort_days[0], its.effort_days[2]));
    row("change frequency", &|its| its.change_frequency.clone());
    row("importance", &|its| its.importance.clone());
    row("priority", &|its| its.priority.clone());
    row("rank", &|its| format!("{} of {}", its.rank, its.of));
    row("rank is", &|its| its.robustness.clone());
    row("confidence", &|its| its.confidence.clone());
    table.row(["scored", sides[0].1, sides[1].1]);
    screen.out(table.text(screen.width()));
    Ok(ExitCode::Done)
}

/// The numbers of one side, and when they were made.
fn side(survey: &Survey, plans: &[Plan], name: &str) -> Result<(PlanScores, &'static str), Failure> {
    if survey.ranking.services.iter().any(|service| service.as_str() == name) {
        let plan = plans.iter().find(|plan| plan.service.as_str() == name);
        return plan.map(|plan| (plan.scores.clone(), "when it was planned")).ok_or_else(|| {
            Failure::said(
                ExitCode::Blocked,
                format!("`{name}` is a data service, and its plan is not under plans/: its scores are not known"),
            )
            .hint("bring its plan file back from git, or compare two candidates")
        });
    }
    let card = super::plan::card(survey, name)?;
    Ok((PlanScores::of(card, survey.ranking.cards.len() as u32), "now"))
}

/// What it is now, as far as the journal and the bucket tell.
fn now(status: Option<&ServiceStatus>) -> String {
    let Some(status) = status else { return String::new() };
    let version = match (status.version, status.rows) {
        (Some(version), Some(rows)) => format!(", v{version} with {rows} rows is its newest publication"),
        _ => String::new(),
    };
    let bad = status.proofs.iter().filter(|proof| proof.verdict == "different").count();
    let proofs = match status.proofs.len() {
        0 => String::new(),
        all => format!(", {} of {all} proofs hold", all - bad),
    };
    format!(" It is {}{version}{proofs}.", status.stage.replace('_', " "))
}

fn of_plan(plan: &Plan, screen: &Screen) {
    let scores = &plan.scores;
    let title = format!("When it was planned it ranked {} of {}", scores.rank, scores.of);
    screen.out(format!("\n{}", screen.paint(Style::Strong, &title)));
    screen.out(numbers(scores).text(screen.width()));
    let boundary = &plan.boundary;
    screen.out(format!("\n{}", screen.paint(Style::Strong, "What belongs to it")));
    let mut table = Table::new(&["", ""]);
    let names = |names: Vec<String>| names.join(", ");
    let raw = names(boundary.raw.iter().map(ToString::to_string).collect());
    table.row(["source system".to_owned(), format!("{}, domain {}", boundary.system, boundary.domain)]);
    table.row([format!("{} endpoints", boundary.raw.len()), raw]);
    table.row(["made of it alone".to_owned(), format!("{} datasets", boundary.aligned.len())]);
    table.row(["made of it and others".to_owned(), format!("{} datasets", boundary.modelled.len())]);
    let readers = format!("{} jobs, {} exposures", boundary.dependents.len(), boundary.exposures.len());
    table.row(["readers".to_owned(), readers]);
    screen.out(table.rows_only(screen.width()));
}

fn numbers(scores: &PlanScores) -> Table {
    let [low, likely, high] = &scores.effort_days;
    let mut table = Table::new(&["Person-days", "Changes", "Importance", "Priority", "Rank was", "Confidence"]);
    table.row([
        format!("{likely} ({low} to {high})"),
        scores.change_frequency.clone(),
        scores.importance.clone(),
        scores.priority.clone(),
        scores.robustness.clone(),
        scores.confidence.clone(),
    ]);
    table
}

fn where_to_look(workspace: &Workspace, service: &ServiceName, planned: bool, screen: &Screen) {
    let flags = workspace.flags();
    screen.out(format!("\n{}", screen.paint(Style::Strong, "Where to look")));
    let mut lines = vec![(format!("carve status{flags}"), "how far it is")];
    if planned {
        lines.push((format!("{}/{service}.yaml", workspace.plans()), "its plan, step by step"));
        lines.push((format!("carve switchover {service}{flags}"), "which BI sources still read the old tables"));
        lines.push((format!("carve rollback {service}{flags}"), "makes it a candidate again"));
    }
    let page = workspace.below(&format!("catalog/{service}.md"));
    if page.is_file() {
        lines.push((page.into_string(), "how it is read"));
    }
    let width = lines.iter().map(|(what, _)| what.chars().count()).max().unwrap_or_default();
    for (what, why) in lines {
        screen.out(format!("  {what:<width$}  {}", screen.paint(Style::Faint, why)));
    }
}
