//! `carve lineage`: what feeds a dataset and what it feeds; or one script read by itself.
use std::{collections::BTreeMap, fs, io::Read};

use camino::Utf8Path;

use super::lineage_views::{self, Direction};
use crate::{
    cli::{
        Context, Outcome,
        args::LineageArgs,
        exit::{ExitCode, Failure},
        workspace::Workspace,
    },
    console::frame,
    diagnostics::{CodeEntry, Severity},
    estate::dialect_named,
    lineage,
    vocab::DatasetId,
};

pub(crate) fn run(args: &LineageArgs, context: &Context) -> Outcome {
    match (&args.sql, &args.dataset) {
        (Some(file), _) => script(file, args.dialect.as_deref(), context),
        (None, Some(dataset)) => dataset_lineage(args, dataset, context),
        (None, None) => Err(Failure::said(ExitCode::Usage, "name a dataset, or a script with `--sql`")),
    }
}

fn script(file: &Utf8Path, dialect: Option<&str>, context: &Context) -> Outcome {
    let dialect = dialect.map(known_dialect).transpose()?;
    let text = read_script(file)?;
    let (lineage, diagnostics) = lineage::read_sql(&text, dialect, &BTreeMap::new());
    if context.json {
        context.screen.answer(lineage_views::script_json(&lineage, &diagnostics));
    } else {
        context.screen.out(lineage_views::script_text(&lineage, context.screen.width()));
        for diagnostic in diagnostics.iter() {
            context.screen.note(frame(diagnostic, Some(&text), context.screen.color(), context.screen.width()));
        }
    }
    let failed = diagnostics.iter().any(|d| d.code.severity == Severity::Error);
    Ok(if failed { ExitCode::Error } else { ExitCode::Done })
}

fn known_dialect(name: &str) -> Result<&'static str, Failure> {
    dialect_named(name).ok_or_else(|| {
        Failure::said(ExitCode::Usage, format!("{}: `{name}`", CodeEntry::E014.summary))
            .hint(format!("carve reads {}", crate::estate::DIALECTS.join(", ")))
    })
}

fn read_script(file: &Utf8Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::said(ExitCode::Error, format!("cannot read `{file}`: {error}"));
    if file == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(failed)?;
        return Ok(text);
    }
    fs::read_to_string(file).map_err(failed)
}

fn dataset_lineage(args: &LineageArgs, name: &str, context: &Context) -> Outcome {
    let workspace = Workspace::flagged(&args.estate)?;
    let dataset: DatasetId = name.parse().map_err(|error| {
        Failure::new(ExitCode::Usage, &error as &dyn std::error::Error)
            .hint("for example `raw.orders` or `crm:accounts`")
    })?;
    let survey = workspace.survey(&context.bars);
    if !survey.graph.datasets().contains_key(&dataset) {
        return Err(unknown(&dataset, survey.graph.datasets().keys()));
    }
    let direction = match (args.upstream, args.downstream) {
        (true, _) => Direction::Up,
        (_, true) => Direction::Down,
        _ => Direction::Both,
    };
    let view = lineage_views::view(&survey, &dataset, direction, args.depth, args.columns);
    match context.json {
        true => context.screen.answer(view.json()),
        false => context.screen.out(view.text(&context.screen)),
    }
    Ok(ExitCode::Done)
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
