//! What was not understood, in plain numbers: the part of a report that keeps the rest honest.
use std::collections::BTreeMap;

use serde::Serialize;

use super::{ReportInputs, text};
use crate::{
    diagnostics::{Code, Diagnostic, Severity},
    graph::Layer,
};

/// One kind of thing that was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnknownRow {
    /// How many.
    pub count: u64,
    /// What, with the number: `12 statements: Statement not understood`.
    pub what: String,
    /// What it does to the numbers of this report.
    pub meaning: String,
    /// Code of the faults behind it; empty where they come from the graph.
    pub code: String,
    /// Some places: `file:line`.
    pub places: Vec<String>,
    /// `and 9 more`, or empty.
    pub more: String,
}

const PLACES_SHOWN: usize = 6;

/// Everything that lowers confidence, the heaviest first.
pub(super) fn unknown(inputs: &ReportInputs) -> Vec<UnknownRow> {
    let mut groups: BTreeMap<&str, (Code, Vec<&Diagnostic>)> = BTreeMap::new();
    for diagnostic in inputs.diagnostics.iter().filter(|d| lowers_confidence(d.code)) {
        groups.entry(diagnostic.code.code).or_insert((diagnostic.code, Vec::new())).1.push(diagnostic);
    }
    let mut rows: Vec<UnknownRow> = groups.into_values().map(|(code, found)| of_code(code, &found)).collect();
    rows.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.what.cmp(&b.what)));
    rows.extend(without_origin(inputs));
    rows
}

/// Cycles and unread tables are understood well enough: they have a place of their own in the inventory.
fn lowers_confidence(code: Code) -> bool {
    code.severity != Severity::Note && !matches!(code.code, "E040" | "E052")
}

fn of_code(code: Code, found: &[&Diagnostic]) -> UnknownRow {
    let mut places: Vec<String> = found.iter().map(|d| text::place(&d.at)).collect();
    places.dedup();
    let more = places.len().saturating_sub(PLACES_SHOWN);
    places.truncate(PLACES_SHOWN);
    let meaning = match code.severity {
        Severity::Error => "left out: whatever it reads or writes is missing from the graph".to_owned(),
        _ => code.help.to_owned(),
    };
    UnknownRow {
        count: found.len() as u64,
        what: code.summary.to_owned(),
        meaning,
        code: code.code.to_owned(),
        places,
        more: more_text(more),
    }
}

fn without_origin(inputs: &ReportInputs) -> Option<UnknownRow> {
    let unknown: Vec<String> = inputs
        .datasets
        .iter()
        .filter(|(_, facts)| facts.layer == Layer::Unknown)
        .map(|(id, _)| id.to_string())
        .collect();
    if unknown.is_empty() {
        return None;
    }
    Some(UnknownRow {
        count: unknown.len() as u64,
        what: "Tables whose origin is unknown".to_owned(),
        meaning: "no source system leads to them, so they belong to no candidate".to_owned(),
        code: String::new(),
        more: more_text(unknown.len().saturating_sub(PLACES_SHOWN)),
        places: unknown.into_iter().take(PLACES_SHOWN).collect(),
    })
}

fn more_text(more: usize) -> String {
    if more == 0 { String::new() } else { format!("and {} more", text::thousands(more as u64)) }
}
