//! The way of the data before and after a wrap: boxes in a row, jobs on the arrows between them.
use std::collections::BTreeSet;

use serde::Serialize;

use super::text;
use crate::{
    plan::{Action, Plan, Publish, Swap},
    vocab::{DatasetId, JobId},
};

/// One way from the source to the readers.
#[derive(Clone, Debug, Serialize)]
pub struct Flow {
    /// `Before`, `After`.
    pub title: String,
    /// From left to right.
    pub boxes: Vec<FlowBox>,
    /// Between neighbours: `links[i]` leads from box `i` to box `i + 1`.
    pub links: Vec<FlowLink>,
    /// Named stretches: label, first box, last box.
    pub bands: Vec<(String, usize, usize)>,
}

/// A place where data stands.
#[derive(Clone, Debug, Serialize)]
pub struct FlowBox {
    /// What it is.
    pub title: String,
    /// What stands there, a line each.
    pub lines: Vec<String>,
    /// `source`, `table`, `service`, `import`, `bi`: its colour.
    pub kind: &'static str,
}

/// How data gets to the next place.
#[derive(Clone, Debug, Serialize)]
pub struct FlowLink {
    /// What carries it, a line each.
    pub label: Vec<String>,
    /// Whether the wrap makes or changes it.
    pub changed: bool,
}

const LINES: usize = 4;

/// The ways before and after `plan`.
pub(super) fn flows(plan: &Plan) -> [Flow; 2] {
    [before(plan), after(plan)]
}

fn before(plan: &Plan) -> Flow {
    let boundary = &plan.boundary;
    let mut boxes = vec![source_box(plan), names_box("Raw tables", &boundary.raw, "table")];
    let mut links = vec![import_link(plan)];
    readers(plan, &mut boxes, &mut links, false);
    Flow { title: "Before".to_owned(), boxes, links, bands: Vec::new() }
}

fn after(plan: &Plan) -> Flow {
    let origin_is_lake = publishes(plan).any(|p| p.endpoints.iter().any(|e| e.from == "lake"));
    let mut boxes = vec![source_box(plan)];
    let mut links = Vec::new();
    if origin_is_lake {
        links.push(import_link(plan));
        boxes.push(names_box("Raw tables (origin)", &plan.boundary.raw, "table"));
    }
    links.push(carve_link("publishes"));
    boxes.push(service_box(plan));
    let service_at = boxes.len() - 1;
    links.push(carve_link("imports"));
    let live: Vec<DatasetId> = swaps(plan).map(|swap| swap.live.clone()).collect();
    boxes.push(names_box("Imported tables", &live, "import"));
    readers(plan, &mut boxes, &mut links, true);
    let last = boxes.len() - 1;
    let bands = vec![
        (format!("data service {}", plan.service), 0, service_at),
        ("lake: same readers, new source".to_owned(), service_at + 1, last),
    ];
    Flow { title: "After".to_owned(), boxes, links, bands }
}

/// Tables and BI objects behind the raw tables.
fn readers(plan: &Plan, boxes: &mut Vec<FlowBox>, links: &mut Vec<FlowLink>, after: bool) {
    let boundary = &plan.boundary;
    let below: Vec<DatasetId> = boundary.aligned.iter().chain(&boundary.modelled).cloned().collect();
    if !below.is_empty() || !boundary.dependents.is_empty() {
        let repointed = repointed(plan);
        let label = match after && !repointed.is_empty() {
            true => {
                vec![text::count(boundary.dependents.len(), "job", "jobs"), format!("{} repointed", repointed.len())]
            }
            false => vec![text::count(boundary.dependents.len(), "job", "jobs")],
        };
        links.push(FlowLink { label, changed: after && !repointed.is_empty() });
        boxes.push(names_box("Tables built on them", &below, "table"));
    }
    if !boundary.exposures.is_empty() {
        let mut lines = vec![text::count(boundary.exposures.len(), "object", "objects")];
        let titles: Vec<String> =
            boundary.exposures.iter().map(|id| id.rsplit('/').next().unwrap_or(id).to_owned()).collect();
        lines.extend(shown(&titles, LINES - 1));
        links.push(FlowLink { label: Vec::new(), changed: false });
        boxes.push(FlowBox { title: "BI".to_owned(), lines, kind: "bi" });
    }
}

fn source_box(plan: &Plan) -> FlowBox {
    let lines = vec![plan.boundary.system.clone(), format!("domain {}", plan.boundary.domain)];
    FlowBox { title: "Source system".to_owned(), lines, kind: "source" }
}

fn service_box(plan: &Plan) -> FlowBox {
    let into =
        publishes(plan).map(|p| p.into.clone()).next().unwrap_or_else(|| format!("data-services/{}", plan.service));
    let mut lines = vec![into];
    let endpoints: Vec<String> =
        publishes(plan).flat_map(|p| &p.endpoints).map(|e| format!("endpoint {}", e.endpoint)).collect();
    lines.extend(shown(&endpoints, LINES - 1));
    FlowBox { title: "Data service".to_owned(), lines, kind: "service" }
}

fn names_box(title: &str, names: &[DatasetId], kind: &'static str) -> FlowBox {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    FlowBox { title: title.to_owned(), lines: shown(&names, LINES), kind }
}

/// The first names, the last line saying how many more there are.
fn shown(names: &[String], lines: usize) -> Vec<String> {
    if names.len() <= lines {
        return names.to_vec();
    }
    let mut shown = names[..lines - 1].to_vec();
    shown.push(format!("and {} more", text::thousands((names.len() + 1 - lines) as u64)));
    shown
}

fn import_link(plan: &Plan) -> FlowLink {
    let label = match plan.boundary.import_jobs.as_slice() {
        [] => vec!["no job known".to_owned()],
        [only] => vec![only.to_string()],
        many => vec![many[0].to_string(), format!("and {} more", many.len() - 1)],
    };
    FlowLink { label, changed: false }
}

fn carve_link(what: &str) -> FlowLink {
    FlowLink { label: vec!["carve refresh".to_owned(), what.to_owned()], changed: true }
}

/// The publications of `plan`.
pub(super) fn publishes(plan: &Plan) -> impl Iterator<Item = &Publish> {
    plan.steps.iter().filter_map(|step| match &step.action {
        Action::Publish(publish) => Some(publish),
        _ => None,
    })
}

fn swaps(plan: &Plan) -> impl Iterator<Item = &Swap> {
    plan.steps.iter().filter_map(|step| match &step.action {
        Action::Swap(swap) => Some(swap),
        _ => None,
    })
}

fn repointed(plan: &Plan) -> BTreeSet<&JobId> {
    let job = |action| match action {
        &Action::Repoint(ref repoint) => Some(&repoint.job),
        _ => None,
    };
    plan.steps.iter().filter_map(|step| job(&step.action)).collect()
}
