use std::collections::BTreeMap;

use crate::{
    apply::ServiceStatus,
    diagnostics::Diagnostics,
    estate::{EstateFile, Exposure, Job},
    graph::{Cycle, DatasetIndex, Edge},
    lineage::Coverage,
    plan::Plan,
    scoring::{Scorecard, Sequence},
};

/// Everything a report is made of: values of the rooms below, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct ReportInputs<'a> {
    /// What the estate is called: its folder's name, never a path.
    pub title: &'a str,
    /// Every file that was considered.
    pub files: &'a [EstateFile],
    /// Jobs of the estate.
    pub jobs: &'a [Job],
    /// Dashboards, charts and their like.
    pub exposures: &'a [Exposure],
    /// How much SQL was understood, per dialect.
    pub coverage: &'a BTreeMap<String, Coverage>,
    /// Facts per dataset.
    pub datasets: &'a DatasetIndex,
    /// Jobs and the datasets they touch.
    pub edges: &'a [Edge],
    /// Circles.
    pub cycles: &'a [Cycle],
    /// Candidates with their numbers, best first.
    pub scorecards: &'a [Scorecard],
    /// The order of work.
    pub sequence: &'a Sequence,
    /// Plans drafted so far.
    pub plans: &'a [Plan],
    /// How far each planned service is; empty before the first apply.
    pub statuses: &'a [ServiceStatus],
    /// Every fault found on the way.
    pub diagnostics: &'a Diagnostics,
    /// λ of V = λF + (1−λ)I, 0 to 1.
    pub lambda: f64,
    /// α of ρ = V / effort^α.
    pub alpha: f64,
}
