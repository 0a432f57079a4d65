//! The way of the data before and after a wrap: boxes in a row, jobs on the arrows between them.
use std::collections::BTreeSet;

use serde::Serialize;

use super::text;
use crate::{
    plan::{Action, Plan, Publish, Swap},
    vocab::{DatasetId, JobId},
};

/// One way from the source to the readers, on a grid of four columns: who reads the same stands in
/// the same column before and after.
#[derive(Clone, Debug, Serialize)]
pub struct Flow {
    /// `Before`, `After`.
    pub title: String,
    /// The places.
    pub boxes: Vec<FlowBox>,
    /// The ways between them.
    pub links: Vec<FlowLink>,
    /// Named stretches of one row.
    pub bands: Vec<FlowBand>,
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
    /// From the left, from 0.
    pub column: usize,
    /// From the top, from 0.
    pub row: usize,
}

/// How data gets from one place to another.
#[derive(Clone, Debug, Serialize)]
pub struct FlowLink {
    /// Index of the place it comes from.
    pub from: usize,
    /// Index of the place it gets to.
    pub to: usize,
    /// What carries it, a line each.
    pub label: Vec<String>,
    /// Whether the wrap makes or changes it.
    pub changed: bool,
}

/// A named stretch of one row.
#[derive(Clone, Debug, Serialize)]
pub struct FlowBand {
    /// Its name.
    pub label: String,
    /// Its row.
    pub row: usize,
    /// Its first column.
    pub first: usize,
    /// Its last column.
    pub last: usize,
}

const LINES: usize = 4;

/// The ways before and after `plan`.
pub(super) fn flows(plan: &Plan) -> [Flow; 2] {
    [before(plan), after(plan)]
}

fn before(plan: &Plan) -> Flow {
    let mut flow = empty("Before");
    flow.put(source_box(plan), 0, 0);
    flow.put(names_box("Raw tables", &plan.boundary.raw, "table"), 1, 0);
    flow.lead(import_label(plan), false);
    readers(plan, &mut flow, 0, false);
    flow
}

fn after(plan: &Plan) -> Flow {
    let mut flow = empty("After");
    flow.put(source_box(plan), 0, 0);
    if publishes(plan).any(|p| p.endpoints.iter().any(|e| e.from == "lake")) {
        flow.put(names_box("Raw tables, the origin", &plan.boundary.raw, "table"), 1, 0);
        flow.lead(import_label(plan), false);
    }
    flow.put(service_box(plan), flow.boxes.len(), 0);
    flow.lead(vec!["carve refresh".to_owned(), "publishes".to_owned()], true);
    let last = flow.boxes.len() - 1;
    flow.bands.push(FlowBand { label: format!("data service {}", plan.service), row: 0, first: 0, last });
    let live: Vec<DatasetId> = swaps(plan).map(|swap| swap.live.clone()).collect();
    flow.put(names_box("Imported tables", &live, "import"), 1, 1);
    flow.lead(vec!["carve refresh imports".to_owned()], true);
    readers(plan, &mut flow, 1, true);
    let last = flow.boxes.last().map_or(1, |part| part.column);
    flow.bands.push(FlowBand { label: "lake: the same readers, a new source".to_owned(), row: 1, first: 1, last });
    flow
}

fn empty(title: &str) -> Flow {
    Flow { title: title.to_owned(), boxes: Vec::new(), links: Vec::new(), bands: Vec::new() }
}

impl Flow {
    fn put(&mut self, part: FlowBox, column: usize, row: usize) {
        self.boxes.push(FlowBox { column, row, ..part });
    }

    /// A way between the last two places.
    fn lead(&mut self, label: Vec<String>, changed: bool) {
        if let Some(to) = self.boxes.len().checked_sub(1).filter(|to| *to > 0) {
            self.links.push(FlowLink { from: to - 1, to, label, changed });
        }
    }
}

/// Tables and BI objects behind the raw tables.
fn readers(plan: &Plan, flow: &mut Flow, row: usize, after: bool) {
    let boundary = &plan.boundary;
    let below: Vec<DatasetId> = boundary.aligned.iter().chain(&boundary.modelled).cloned().collect();
    if !below.is_empty() || !boundary.dependents.is_empty() {
        let repointed = repointed(plan).len();
        let changed = after && repointed > 0;
        let mut label = vec![text::count(boundary.dependents.len(), "job", "jobs")];
        if changed {
            label.push(format!("{repointed} repointed"));
        }
        flow.put(names_box("Tables built on them", &below, "table"), 2, row);
        flow.lead(label, changed);
    }
    if !boundary.exposures.is_empty() {
        let titles: Vec<String> =
            boundary.exposures.iter().map(|id| id.rsplit('/').next().unwrap_or(id).to_owned()).collect();
        let title = format!("BI: {}", text::count(titles.len(), "object", "objects"));
        let column = flow.boxes.last().map_or(1, |part| part.column + 1);
        flow.put(FlowBox { title, lines: shown(&titles, LINES), kind: "bi", column, row }, column, row);
        flow.lead(Vec::new(), false);
    }
}

fn source_box(plan: &Plan) -> FlowBox {
    let lines = vec![plan.boundary.system.clone(), format!("domain {}", plan.boundary.domain)];
    FlowBox { title: "Source system".to_owned(), lines, kind: "source", column: 0, row: 0 }
}

fn service_box(plan: &Plan) -> FlowBox {
    let into =
        publishes(plan).map(|p| p.into.clone()).next().unwrap_or_else(|| format!("data-services/{}", plan.service));
    let mut lines = vec![into];
    let endpoints: Vec<String> =
        publishes(plan).flat_map(|p| &p.endpoints).map(|e| format!("endpoint {}", e.endpoint)).collect();
    lines.extend(shown(&endpoints, LINES - 1));
    FlowBox { title: "Data service".to_owned(), lines, kind: "service", column: 0, row: 0 }
}

fn names_box(title: &str, names: &[DatasetId], kind: &'static str) -> FlowBox {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    FlowBox { title: title.to_owned(), lines: shown(&names, LINES), kind, column: 0, row: 0 }
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

fn import_label(plan: &Plan) -> Vec<String> {
    match plan.boundary.import_jobs.as_slice() {
        [] => vec!["no job known".to_owned()],
        [only] => vec![only.to_string()],
        many => vec![many[0].to_string(), format!("and {} more", many.len() - 1)],
    }
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
    let jobs = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Repoint(repoint) => Some(&repoint.job),
        _ => None,
    });
    jobs.collect()
}
