//! `carve lineage`: what feeds a dataset or a column and what it feeds; every edge of the estate; one script, or many.
mod around;
mod batch;
mod column;
mod edges;
mod script;
mod views;

use camino::Utf8Path;

use crate::{
    cli::{
        Context, Outcome,
        args::{Format, LineageArgs},
        exit::{ExitCode, Failure},
        workspace::{Survey, Workspace},
    },
    console::Table,
    export::{Direction, FeedRow, Picture, dot, mermaid, openlineage},
    lineage::Steps,
    vocab::DatasetId,
};

pub(crate) fn run(args: &LineageArgs, context: &Context) -> Outcome {
    match (&args.batch, &args.sql) {
        (Some(file), _) => batch::run(file, args, context),
        (None, Some(file)) => script::run(file, args, context),
        (None, None) => of_estate(args, context),
    }
}

fn of_estate(args: &LineageArgs, context: &Context) -> Outcome {
    let survey = Workspace::flagged(&args.estate)?.survey_steps(steps(args), &context.bars);
    let Some(name) = &args.dataset else { return edges::run(&survey, args, context) };
    let file = Utf8Path::new(name);
    let script = file.extension().is_some_and(|extension| matches!(extension, "sql" | "hql" | "ddl"));
    if script && (name.contains('/') || file.is_file()) {
        return Err(Failure::said(ExitCode::Usage, format!("`{name}` names a file, not a dataset"))
            .hint(format!("to read a script: `carve lineage --sql {name}`")));
    }
    let dataset: DatasetId = name.parse().map_err(|error| {
        Failure::new(ExitCode::Usage, &error as &dyn std::error::Error)
            .hint("for example `raw.orders`, `crm:accounts`, or a column as `raw.orders.amount`")
    })?;
    if survey.graph.datasets().contains_key(&dataset) {
        return around::run(&survey, &dataset, args, context);
    }
    match column::named(&survey, name) {
        Some((table, column)) => column::run(&survey, &table, &column, args, context),
        None => Err(unknown(&dataset, survey.graph.datasets().keys())),
    }
}

fn unknown<'a>(dataset: &DatasetId, known: impl Iterator<Item = &'a DatasetId>) -> Failure {
    let alike: Vec<String> = known
        .filter(|other| other.table() == dataset.table() || other.name().contains(dataset.table()))
        .take(8)
        .map(DatasetId::to_string)
        .collect();
    let failure = Failure::said(ExitCode::Error, format!("nothing in the estate mentions `{dataset}`"));
    match alike.is_empty() {
        true => failure.hint("`carve scan --format json` lists every dataset"),
        false => failure.hint(format!("did you mean {}?", alike.join(", "))),
    }
}

/// The steps that `--raw` asks for.
fn steps(args: &LineageArgs) -> Steps {
    if args.raw { Steps::Raw } else { Steps::Collapsed }
}

/// The way that `--upstream` and `--downstream` name.
fn direction(args: &LineageArgs) -> Direction {
    match (args.upstream, args.downstream) {
        (true, _) => Direction::Up,
        (_, true) => Direction::Down,
        _ => Direction::Both,
    }
}

/// A form of answer that makes no sense here.
fn no_such_form(format: Format, what: &str, forms: &str) -> Failure {
    let name = clap::ValueEnum::to_possible_value(&format).map(|value| value.get_name().to_owned()).unwrap_or_default();
    Failure::said(ExitCode::Usage, format!("{what} has no form `{name}`")).hint(format!("use `--format {forms}`"))
}

/// A drawing, where one is asked for.
fn drawn(picture: &Picture, args: &LineageArgs, context: &Context) -> Option<String> {
    match context.format {
        Format::Dot => Some(dot(picture, args.columns)),
        Format::Mermaid => Some(mermaid(picture, args.columns)),
        _ => None,
    }
}

/// One line an edge; with `--columns`, then one a column edge.
fn lines(picture: &Picture, args: &LineageArgs, context: &Context) -> Result<(), Failure> {
    for row in &picture.feeds {
        context.answer("carve-edge/1", row)?;
    }
    for row in picture.columns.iter().filter(|_| args.columns) {
        context.answer("carve-column-edge/1", row)?;
    }
    Ok(())
}

/// The events of the picture's jobs, or of the whole estate, one a line.
fn tell_events(
    survey: &Survey,
    picture: Option<&Picture>,
    args: &LineageArgs,
    context: &Context,
) -> Result<(), Failure> {
    let options = event_options(Some(survey), args)?;
    let known = openlineage::Known { estate: &survey.estate, lineage: &survey.lineage, graph: &survey.graph };
    let jobs = picture.map(Picture::jobs);
    for event in openlineage::events(known, jobs.as_ref(), &options) {
        context.screen.answer(event);
    }
    Ok(())
}

/// The time of every event is the newest commit's, unless one is given; never the clock's.
fn event_options(survey: Option<&Survey>, args: &LineageArgs) -> Result<openlineage::EventOptions, Failure> {
    let given = args.event_time.as_deref().map(str::parse::<jiff::Timestamp>).transpose().map_err(|_| {
        Failure::said(ExitCode::Usage, "`--event-time` is no time").hint("write it as 2026-01-31T08:00:00Z")
    })?;
    let newest = survey.and_then(|survey| survey.estate.history.newest);
    let time = given.or(newest).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    Ok(openlineage::EventOptions { namespace: args.namespace.clone(), time: time.to_string() })
}

/// Edges, for people.
fn feed_table(rows: &[FeedRow], width: usize) -> String {
    let mut table = Table::new(&["From", "To", "Job", "Known", "Where"]);
    for row in rows {
        let place = match (&row.file, row.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            _ => String::new(),
        };
        let from = row.upstream.as_ref().map(ToString::to_string).unwrap_or_default();
        let job = row.job.as_ref().map(ToString::to_string).unwrap_or_default();
        table.row([from, row.downstream.clone().unwrap_or_default(), job, views::word(row.known), place]);
    }
    table.text(width)
}
