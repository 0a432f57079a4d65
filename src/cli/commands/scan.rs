//! `carve scan`: what was read, how much was understood, and every place that was not.
use std::collections::BTreeMap;

use serde_json::json;

use super::{faults, scan_causes::causes, scan_names as names};
use crate::{
    cli::{
        Context, Outcome,
        args::ScanArgs,
        exit::ExitCode,
        workspace::{Survey, Workspace},
    },
    console::Table,
    estate::FormatCoverage,
    graph::Layer,
    lineage::Coverage,
};

/// Kinds of statements that no grammar took, shown to people.
const CAUSES_SHOWN: usize = 10;

pub(crate) fn run(args: &ScanArgs, context: &Context) -> Outcome {
    let workspace = Workspace::at(&args.estate)?;
    let survey = workspace.survey(&context.bars);
    if context.json {
        context.screen.answer(as_json(&survey));
    } else {
        tables(&survey, context);
        faults::show(context, &survey.estate.roots, &survey.diagnostics, args.all);
        context.screen.out(format!("{} in all.", faults::counts(&survey.diagnostics)));
    }
    Ok(ExitCode::Done)
}

fn tables(survey: &Survey, context: &Context) {
    let mut files = Table::new(&["Format", ">Files", ">Bytes"]);
    for (format, (count, bytes)) in formats(survey) {
        files.row([format, count.to_string(), bytes.to_string()]);
    }
    let width = context.screen.width();
    context.screen.out(format!("{}\n", files.text(width)));
    let mut jobs = Table::new(&["Read as", ">Files", ">Jobs", ">Tasks and commands", ">Known only at run time"]);
    for (format, c) in &survey.estate.coverage {
        let numbers = [c.files, c.jobs, c.pieces, c.opaque];
        jobs.row([word(format)].into_iter().chain(numbers.iter().map(u64::to_string)));
    }
    if !jobs.is_empty() {
        context.screen.out(format!("{}\n", jobs.text(width)));
    }
    sql_tables(survey, context);
    names::show(survey, context);
    let mut layers = Table::new(&["Layer", ">Datasets"]);
    for (layer, count) in layer_counts(survey) {
        layers.row([layer, count.to_string()]);
    }
    context.screen.out(format!("{}\n", layers.text(context.screen.width())));
    context.screen.out(format!(
        "{} jobs, {} datasets, {} exposures, {} log lines, {} candidates.\n",
        survey.estate.jobs.len(),
        survey.graph.datasets().len(),
        survey.estate.exposures.len(),
        survey.estate.usage.len(),
        survey.ranking.cards.len(),
    ));
}

/// SQL by format and dialect, and what of it no grammar took.
fn sql_tables(survey: &Survey, context: &Context) {
    let mut sql = Table::new(&[
        "SQL in",
        "Dialect",
        ">Files",
        ">Scripts",
        ">Statements",
        ">Parsed",
        ">Helped",
        ">Scanned",
        ">Not understood",
    ]);
    for ((format, dialect), one) in &survey.lineage.formats {
        let c = &one.coverage;
        let numbers = [one.files, c.scripts, c.statements, c.parsed, c.helped, c.scanned, c.not_understood];
        sql.row([word(format), dialect.clone()].into_iter().chain(numbers.iter().map(u64::to_string)));
    }
    if !sql.is_empty() {
        context.screen.out(format!("{}\n", sql.text(context.screen.width())));
    }
    let causes = causes(survey);
    let mut table = Table::new(&["No grammar took", ">Statements", "For example", "Why"]);
    for cause in causes.iter().take(CAUSES_SHOWN) {
        let place = cause.example.to_string();
        table.row([cause.words.clone(), cause.count.to_string(), place, cause.why.clone()]);
    }
    if !table.is_empty() {
        let more = match causes.len().saturating_sub(CAUSES_SHOWN) {
            0 => String::new(),
            more => {
                let rest: u64 = causes[CAUSES_SHOWN..].iter().map(|cause| cause.count).sum();
                format!("\n   … and {rest} of {more} more kinds: `carve scan --format json` lists them")
            }
        };
        context.screen.out(format!("{}{more}\n", table.text(context.screen.width())));
    }
}

fn formats(survey: &Survey) -> BTreeMap<String, (u64, u64)> {
    let mut formats = BTreeMap::new();
    for file in &survey.estate.files {
        let entry: &mut (u64, u64) = formats.entry(word(&file.format)).or_default();
        *entry = (entry.0 + 1, entry.1 + file.bytes);
    }
    formats
}

fn layer_counts(survey: &Survey) -> BTreeMap<String, u64> {
    let layers = [Layer::Source, Layer::Raw, Layer::Transformed, Layer::Modelled, Layer::Unknown];
    let mut counts: BTreeMap<String, u64> = layers.iter().map(|layer| (word(layer), 0)).collect();
    for facts in survey.graph.datasets().values() {
        *counts.entry(word(&facts.layer)).or_default() += 1;
    }
    counts
}

/// A unit variant by its serde name.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

fn as_json(survey: &Survey) -> serde_json::Value {
    let coverage: BTreeMap<&String, &Coverage> = survey.lineage.coverage.iter().collect();
    let job_files: BTreeMap<String, &FormatCoverage> =
        survey.estate.coverage.iter().map(|(format, coverage)| (word(format), coverage)).collect();
    let formats: BTreeMap<String, u64> =
        formats(survey).into_iter().map(|(format, (count, _))| (format, count)).collect();
    let by_format: Vec<serde_json::Value> = survey
        .lineage
        .formats
        .iter()
        .map(|((format, dialect), one)| json!({ "format": format, "dialect": dialect, "coverage": one }))
        .collect();
    json!({
        "format": "carve-scan/1",
        "files": formats,
        "job_files": job_files,
        "sql": coverage,
        "sql_by_format": by_format,
        "not_understood": causes(survey),
        "dialects": names::dialects(survey),
        "names": names::as_json(survey),
        "layers": layer_counts(survey),
        "jobs": survey.estate.jobs.len(),
        "datasets": survey.graph.datasets(),
        "cycles": survey.graph.cycles(),
        "exposures": survey.estate.exposures.len(),
        "usage": survey.estate.usage.len(),
        "diagnostics": survey.diagnostics,
    })
}
