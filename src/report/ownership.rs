//! Who holds the tables: in the central lake alone, or behind a data service; today and once all candidates are wrapped.
use std::collections::BTreeSet;

use serde::Serialize;

use super::{ReportInputs, text};
use crate::{
    graph::Layer,
    plan::{Action, Plan},
    vocab::DatasetId,
};

/// Raw and transformed tables × central and decentral.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ownership {
    /// `raw`, `transformed`, `modelled`; empty where the estate has no tables.
    pub rows: Vec<OwnershipRow>,
    /// All of it in a sentence.
    pub summary: String,
}

/// The tables of one layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OwnershipRow {
    /// The layer.
    pub layer: String,
    /// In the lake alone today.
    pub central_now: u64,
    /// In the lake alone once every candidate is wrapped.
    pub central_then: u64,
    /// Behind a service today.
    pub decentral_now: u64,
    /// Behind a service once every candidate is wrapped.
    pub decentral_then: u64,
}

/// The counts of `inputs`.
pub(super) fn ownership(inputs: &ReportInputs) -> Ownership {
    let wrapped: BTreeSet<&DatasetId> = inputs
        .plans
        .iter()
        .filter(|plan| inputs.statuses.iter().any(|s| s.service == plan.service && s.stage == "wrapped"))
        .flat_map(|plan| plan.boundary.raw.iter().chain(&plan.boundary.aligned))
        .collect();
    // What a wrap imports is a copy of what stands behind the service already: it counts on neither side.
    let copies: BTreeSet<&DatasetId> =
        inputs.plans.iter().flat_map(imports).filter(|live| !wrapped.contains(*live)).collect();
    let to_come = inputs.scorecards.iter().flat_map(|card| card.candidate.raw.iter().chain(&card.candidate.aligned));
    let target: BTreeSet<&DatasetId> = wrapped.iter().copied().chain(to_come).collect();
    let rows: Vec<OwnershipRow> = [Layer::Raw, Layer::Transformed, Layer::Modelled]
        .into_iter()
        .map(|layer| row(layer, &tables_of(inputs, layer, &copies), &wrapped, &target))
        .filter(|row| row.central_now + row.decentral_now > 0)
        .collect();
    Ownership { summary: summary(&rows), rows }
}

fn imports(plan: &Plan) -> impl Iterator<Item = &DatasetId> {
    plan.steps.iter().filter_map(|step| match &step.action {
        Action::Swap(swap) => Some(&swap.live),
        _ => None,
    })
}

fn tables_of<'a>(inputs: &ReportInputs<'a>, layer: Layer, but: &BTreeSet<&DatasetId>) -> Vec<&'a DatasetId> {
    let of_layer = inputs.datasets.iter().filter(|(_, facts)| facts.layer == layer).map(|(id, _)| id);
    of_layer.filter(|id| !but.contains(id)).collect()
}

fn row(
    layer: Layer,
    tables: &[&DatasetId],
    wrapped: &BTreeSet<&DatasetId>,
    target: &BTreeSet<&DatasetId>,
) -> OwnershipRow {
    let all = tables.len() as u64;
    let behind = |services: &BTreeSet<&DatasetId>| tables.iter().filter(|id| services.contains(*id)).count() as u64;
    let (now, then) = (behind(wrapped), behind(target));
    OwnershipRow {
        layer: super::inventory::layer_name(layer).to_owned(),
        central_now: all - now,
        central_then: all - then,
        decentral_now: now,
        decentral_then: then,
    }
}

fn summary(rows: &[OwnershipRow]) -> String {
    let sum = |number: fn(&OwnershipRow) -> u64| rows.iter().map(number).sum::<u64>();
    let (now, then) = (sum(|row| row.decentral_now), sum(|row| row.decentral_then));
    let all = sum(|row| row.central_now) + now;
    format!(
        "{} of {} stand behind a data service today; {} will.",
        text::thousands(now),
        text::count(all as usize, "table of the lake", "tables of the lake"),
        text::thousands(then)
    )
}
