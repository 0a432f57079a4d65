//! `carve plan`: rank the candidates, write plan files and the report.
use std::{collections::BTreeSet, fs};

use camino::Utf8PathBuf;
use serde_json::json;

use super::{apply::left_to_you, faults, report};
use crate::{
    cli::{
        Context, Outcome,
        args::PlanArgs,
        exit::{ExitCode, Failure},
        workspace::{Survey, Workspace, write_file},
    },
    console::{Style, Table, bar},
    diagnostics::Severity,
    graph::DatasetFacts,
    lineage::Access,
    plan::{self, DraftError, Plan},
    scoring::{Criterion, Scorecard},
    vocab::{JobId, ServiceName, nearest},
};

/// Lines of what is left to people that a terminal shows of each plan.
const LEFT_SHOWN: usize = 10;

/// A drafted plan and what became of its file.
struct Drafted {
    plan: Plan,
    path: Utf8PathBuf,
    state: FileState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FileState {
    New,
    Changed,
    Same,
}

impl FileState {
    fn word(self) -> &'static str {
        match self {
            FileState::New => "new",
            FileState::Changed => "changed",
            FileState::Same => "unchanged",
        }
    }
}

pub(crate) async fn run(args: &PlanArgs, context: &Context) -> Outcome {
    let workspace = Workspace::at(&args.estate)?;
    let survey = workspace.survey(&context.bars);
    workspace.settings_hold(&survey.estate, &survey.diagnostics)?;
    wraps_are_of_services(&workspace, &survey)?;
    let Chosen { drafted, left_out } = chosen(args, &workspace, &survey)?;
    let mut report = None;
    if args.dry_run && args.templates.is_some() {
        // Templates that would fail then are told now.
        let statuses = super::status::of_journals(&workspace).await?;
        report::rendered(&workspace, &survey, &statuses, args.templates.clone())?;
    }
    if !args.dry_run {
        for one in &drafted {
            let text = plan::to_text(&one.plan)?;
            write_file(&one.path, text.as_bytes())?;
        }
        let statuses = super::status::of_journals(&workspace).await?;
        report = Some(report::write(&workspace, &survey, &statuses, args.templates.clone())?);
    }
    match context.json {
        true => context.screen.answer(as_json(&survey, &drafted, &left_out)),
        false => {
            for reason in &left_out {
                context.screen.out(format!("{} {reason}", context.screen.paint(Style::Warn, "left out:")));
            }
            show(&workspace, &survey, &drafted, report, context);
        }
    }
    let changes = args.detailed_exitcode && drafted.iter().any(|one| one.state != FileState::Same);
    // What carve.yaml asks for and did not get is no success, though all the rest was done.
    let unmet = survey.ranking.problems.iter().any(|problem| !problem.ends_with("is used"));
    Ok(match (unmet, changes) {
        (true, _) => ExitCode::Error,
        (_, true) => ExitCode::Changes,
        _ => ExitCode::Done,
    })
}

/// Fails on names under `wraps` that mean nothing: what they ask for would be left out in silence.
fn wraps_are_of_services(workspace: &Workspace, survey: &Survey) -> Result<(), Failure> {
    let (plans, _) = workspace.all_plans();
    let ranked = survey.ranking.cards.iter().map(|card| card.candidate.name.as_str());
    let wrapped = survey.ranking.services.iter().chain(plans.iter().map(|plan| &plan.service)).map(ServiceName::as_str);
    let known: BTreeSet<&str> = ranked.chain(wrapped).collect();
    let known: Vec<&str> = known.into_iter().collect();
    let named = survey.estate.settings.wraps.keys().filter(|name| !name.is_empty());
    let unknown = named.filter(|name| !known.contains(&name.as_str()));
    let of_wraps = unknown.map(|name| match nearest(name, &known) {
        Some(near) => format!("`wraps.{name}` names no service: did you mean `{near}`?"),
        None => format!("`wraps.{name}` names no service: they are {}", known.join(", ")),
    });
    let lines: Vec<String> = of_wraps.collect();
    match lines.is_empty() {
        true => Ok(()),
        false => {
            Err(Failure::said(ExitCode::Error, "carve.yaml speaks of services that are not there, so nothing was done")
                .details(lines)
                .hint("correct the name under `wraps`, or remove it"))
        }
    }
}

/// Plans, and why candidates that nobody asked for by name have none.
struct Chosen {
    drafted: Vec<Drafted>,
    left_out: Vec<String>,
}

/// The plans of the services asked for, each or none; without a name, of the best that can be planned.
fn chosen(args: &PlanArgs, workspace: &Workspace, survey: &Survey) -> Result<Chosen, Failure> {
    let mut found = Chosen { drafted: Vec::new(), left_out: Vec::new() };
    for name in &args.service {
        found.drafted.push(with_file(workspace, survey.draft(card(survey, name)?)?)?);
    }
    let best = survey.best().filter(|_| args.service.is_empty());
    for card in best {
        if found.drafted.len() == args.top {
            break;
        }
        match survey.try_draft(card) {
            Ok(plan) => found.drafted.push(with_file(workspace, plan)?),
            // One candidate that cannot be planned does not keep the others from it.
            Err(error @ DraftError::Settings { .. }) => found.left_out.push(error.to_string()),
            Err(error) => return Err(Failure::new(ExitCode::Error, &error)),
        }
    }
    Ok(found)
}

/// The scorecard of the candidate called `name`.
pub(super) fn card<'a>(survey: &'a Survey, name: &str) -> Result<&'a Scorecard, Failure> {
    let cards = &survey.ranking.cards;
    cards.iter().find(|card| card.candidate.name.as_str() == name).ok_or_else(|| {
        if survey.ranking.services.iter().any(|service| service.as_str() == name) {
            return Failure::said(
                ExitCode::Blocked,
                format!("`{name}` is a data service already, so it is not ranked"),
            )
            .hint(format!(
                "`carve explain {name}` alone says how it was scored; `carve rollback {name}` makes it a candidate again"
            ));
        }
        let known: Vec<&str> = cards.iter().map(|card| card.candidate.name.as_str()).collect();
        Failure::said(ExitCode::Error, format!("there is no candidate `{name}`")).hint(match known.is_empty() {
            true => "the estate has none: `carve plan` says what that may come from".to_owned(),
            false => format!("the candidates are: {}", known.join(", ")),
        })
    })
}

fn with_file(workspace: &Workspace, plan: Plan) -> Result<Drafted, Failure> {
    let path = workspace.plans().join(format!("{}.yaml", plan.service));
    let state = match fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => FileState::New,
        Err(_) => FileState::Changed,
        Ok(text) if text == plan::to_text(&plan)? => FileState::Same,
        Ok(_) => FileState::Changed,
    };
    Ok(Drafted { plan, path, state })
}

fn show(workspace: &Workspace, survey: &Survey, drafted: &[Drafted], report: Option<Utf8PathBuf>, context: &Context) {
    let screen = &context.screen;
    if survey.ranking.cards.is_empty() {
        screen.out("No candidate was found: carve saw no dataset that comes from a source system.");
        screen.out(nothing_to_rank(survey));
    } else {
        screen.out(format!("{}\n", ranking(survey, screen.width())));
    }
    if !survey.ranking.services.is_empty() {
        let names: Vec<&str> = survey.ranking.services.iter().map(ServiceName::as_str).collect();
        screen.out(format!("Data services already: {} (`carve status`)", names.join(", ")));
    }
    if !survey.ranking.strays.is_empty() {
        screen.out(format!(
            "{} tables that nothing writes are no candidates: `carve scan` lists them (E041)",
            survey.ranking.strays.len()
        ));
    }
    for problem in &survey.ranking.problems {
        screen.out(format!("{} {problem}", screen.paint(Style::Bad, "error: setting not used:")));
    }
    let unclear = survey.diagnostics.count(Severity::Error) + survey.diagnostics.count(Severity::Warning);
    if unclear > 0 {
        let counts = faults::counts(&survey.diagnostics);
        let word = screen.paint(Style::Warn, "Not everything was understood:");
        screen.out(format!("{word} {counts}. `carve scan{}` shows each place.", workspace.folders()));
    }
    for one in drafted {
        screen.out(line(one, context));
    }
    if let Some(report) = report {
        screen.out(format!("report  {report}"));
    }
    drafted.iter().for_each(|one| left_to_you(&one.plan, LEFT_SHOWN, context));
    if let Some(first) = drafted.first() {
        let service = &first.plan.service;
        let flags = workspace.flags();
        screen.out(format!("\nNext: review {}, then `carve apply {service}{flags} --dry-run`", first.path));
        screen.out(format!("Why this one first: `carve explain {service}{flags}`"));
    }
}

/// What to do where nothing comes from a source system: often seeds or generated tables stand for one.
fn nothing_to_rank(survey: &Survey) -> String {
    let graph = &survey.graph;
    let begins = |writer: &JobId| graph.edges_of(writer).iter().all(|edge| edge.access != Access::Read);
    let is_root = |facts: &DatasetFacts| !facts.read_by.is_empty() && facts.written_by.iter().all(begins);
    let roots = graph.datasets().iter().filter(|(_, facts)| is_root(facts)).map(|(dataset, _)| dataset.to_string());
    let roots: Vec<String> = roots.collect();
    let Some(first) = roots.first() else {
        return "`carve scan` shows what was read; declare source systems under `sources` in carve.yaml.".to_owned();
    };
    let more = if roots.len() > 3 { format!(" and {} more", roots.len() - 3) } else { String::new() };
    format!(
        "Data begins here in {}{more}. Where these stand for a source system, make them a candidate in carve.yaml:\n\
         \x20 candidates: {{ my-service: [\"{first}\"] }}",
        roots.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", "),
    )
}

fn line(one: &Drafted, context: &Context) -> String {
    let by_hand = one.plan.not_understood.len();
    let note = match by_hand {
        0 => String::new(),
        n => context.screen.paint(Style::Warn, &format!(", {n} to look at by hand")),
    };
    format!("plan    {}  {} steps, {}{note}", one.path, one.plan.steps.len(), one.state.word())
}

fn ranking(survey: &Survey, width: usize) -> String {
    // On a narrow screen numbers alone: a bar that wraps is no bar.
    let wide = width >= 104;
    let points = |criterion: &Criterion| match wide {
        true => format!("{} {:.2} {}", bar(criterion.points, 8), criterion.points, criterion.grade),
        false => format!("{:.2} {}", criterion.points, criterion.grade),
    };
    let mut titles = vec![">#", "Candidate"];
    titles.extend(wide.then_some("Source"));
    titles.extend([">Person-days", "Change frequency", "Importance", ">Priority", "Rank is", "Known"]);
    let mut table = Table::new(&titles);
    for card in &survey.ranking.cards {
        let mut cells = vec![card.rank.to_string(), card.candidate.name.to_string()];
        cells.extend(wide.then(|| card.candidate.system.clone()));
        cells.extend([
            format!("{:.1} ({:.0}–{:.0})", card.cost.likely_days, card.cost.low_days, card.cost.high_days),
            points(&card.frequency),
            points(&card.importance),
            format!("{:.4}", card.priority),
            card.robustness.label.clone(),
            card.confidence.grade.clone(),
        ]);
        table.row(cells);
    }
    table.text(width)
}

fn as_json(survey: &Survey, drafted: &[Drafted], left_out: &[String]) -> serde_json::Value {
    let plans: Vec<_> = drafted
        .iter()
        .map(|one| {
            json!({ "service": one.plan.service, "id": one.plan.id, "file": format!("plans/{}.yaml", one.plan.service),
                           "state": one.state.word(), "steps": one.plan.steps.len(),
                           "left_to_people": one.plan.left_to_people().collect::<Vec<_>>() })
        })
        .collect();
    json!({
        "format": "carve-ranking/1",
        "candidates": survey.ranking.cards,
        "sequence": survey.ranking.sequence,
        "problems": survey.ranking.problems,
        "plans": plans,
        "left_out": left_out,
        "diagnostics": {
            "errors": survey.diagnostics.count(Severity::Error),
            "warnings": survey.diagnostics.count(Severity::Warning),
            "notes": survey.diagnostics.count(Severity::Note),
        },
    })
}
