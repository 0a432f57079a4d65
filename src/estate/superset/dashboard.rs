//! A dashboard: the charts in its layout, and the datasets its filters ask.
use std::collections::{BTreeMap, BTreeSet};

use super::{Parsed, exposure, missing, needed};
use crate::{
    diagnostics::Diagnostic,
    estate::{Exposure, yaml::Node},
};

pub(super) fn read(
    parsed: &Parsed<'_>,
    ids: &BTreeMap<String, String>,
    taken: &mut BTreeSet<String>,
    faults: &mut Vec<Diagnostic>,
) -> Option<Exposure> {
    let title = needed(parsed, "dashboard_title", faults)?;
    let mut exposure = exposure("dashboard", &title, parsed.file, &parsed.node, taken);
    let mut parts = BTreeSet::new();
    for uuid in charts(&parsed.node) {
        match uuid.scalar().and_then(|uuid| ids.get(uuid)) {
            Some(id) => {
                parts.insert(id.clone());
            }
            None => faults.push(missing(parsed.file, uuid, "chart")),
        }
    }
    // A filter may ask a dataset of which no chart is shown.
    parts.extend(filters(&parsed.node).filter_map(|uuid| ids.get(uuid.scalar()?).cloned()));
    exposure.parts = parts.into_iter().collect();
    Some(exposure)
}

fn charts(node: &Node) -> impl Iterator<Item = &Node> {
    let boxes = node.get("position").map_or(&[][..], Node::entries).iter().map(|entry| &entry.value);
    boxes.filter(|item| item.text_of("type").as_deref() == Some("CHART")).filter_map(|item| item.at(&["meta", "uuid"]))
}

fn filters(node: &Node) -> impl Iterator<Item = &Node> {
    let filters = node.at(&["metadata", "native_filter_configuration"]).map_or(&[][..], Node::items);
    filters
        .iter()
        .filter_map(|filter| filter.get("targets"))
        .flat_map(Node::items)
        .filter_map(|target| target.get("datasetUuid"))
}
