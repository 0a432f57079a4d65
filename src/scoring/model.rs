//! Scores as values: each number beside the rows of evidence behind it.
use std::collections::BTreeSet;

use serde::Serialize;

use crate::vocab::{DatasetId, JobId, ServiceName, Span};

/// What could become a data service.
#[derive(Clone, Debug, Serialize)]
pub struct Candidate {
    /// The service's name.
    pub name: ServiceName,
    /// Its source system.
    pub system: String,
    /// Its domain; the system's name where none is known.
    pub domain: String,
    /// Team that owns it now.
    pub owner: Option<String>,
    /// Why these datasets: declared, or by boundary.
    pub declared: bool,
    /// Raw datasets: each becomes an endpoint.
    pub raw: Vec<DatasetId>,
    /// Source-aligned datasets downstream that belong with it.
    pub aligned: Vec<DatasetId>,
    /// Modelled datasets that read it and stay in the lake.
    pub modelled: Vec<DatasetId>,
    /// Jobs that import it.
    pub import_jobs: Vec<JobId>,
    /// Jobs that read its raw datasets.
    pub dependents: Vec<JobId>,
    /// Exposures that read it directly or through other datasets.
    pub exposures: Vec<String>,
    /// Other candidates tied to it by a cycle.
    pub bundled_with: BTreeSet<ServiceName>,
}

/// A candidate and its numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Scorecard {
    /// Whose.
    pub candidate: Candidate,
    /// Place in the ranking, from 1.
    pub rank: u32,
    /// Effort to wrap it.
    pub cost: Cost,
    /// How often it changes, 0 to 1.
    pub frequency: Criterion,
    /// How much hangs on it, 0 to 1.
    pub importance: Criterion,
    /// V = λF + (1−λ)I.
    pub value: f64,
    /// ρ = V / effort^α.
    pub priority: f64,
    /// How far the facts were understood.
    pub confidence: Confidence,
    /// What other weights would do to this rank.
    pub robustness: Robustness,
}

/// Effort in person-days.
#[derive(Clone, Debug, Serialize)]
pub struct Cost {
    /// Low end: PERT mean minus one standard deviation, never below the sum of optimistic hours.
    pub low_days: f64,
    /// PERT mean.
    pub likely_days: f64,
    /// High end: mean plus one standard deviation.
    pub high_days: f64,
    /// What it is the sum of.
    pub drivers: Vec<CostDriver>,
}

/// One term of the cost: `count` × PERT(a, m, b) hours.
#[derive(Clone, Debug, Serialize)]
pub struct CostDriver {
    /// `source_table`, `endpoint`, `import`, `dependent_kept`, `dependent_repointed`, `cross_domain_join`,
    /// `bi_source`, `unparsed_sql`, `new_team`, `fixed`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// How many.
    pub count: u32,
    /// Optimistic, likely, pessimistic hours for one.
    pub hours: [f64; 3],
    /// Person-days of the mean.
    pub days: f64,
    /// What was counted.
    pub evidence: Vec<EvidenceRow>,
}

/// A number between 0 and 1 and what it is the sum of.
#[derive(Clone, Debug, Serialize)]
pub struct Criterion {
    /// 0 to 1.
    pub points: f64,
    /// Its terms; weights of the known ones add up to 1.
    pub terms: Vec<Term>,
    /// `A` (all terms known), `B` (some), `C` (none: points are 0).
    pub grade: char,
    /// A declared value that took the place of the computed one, which stays in `terms`.
    pub overridden: bool,
}

/// One term of a criterion.
#[derive(Clone, Debug, Serialize)]
pub struct Term {
    /// `structural`, `content`, `teams`, `use_cases`, `reach`.
    pub name: String,
    /// What it is, in words, with the raw number and its unit.
    pub because: String,
    /// The raw number; `None` when unknown.
    pub raw: Option<f64>,
    /// The reference at which it counts fully.
    pub reference: f64,
    /// Anchored log: min(1, ln(1+x)/ln(1+ref)).
    pub normalised: f64,
    /// Its weight here, after missing terms were left out.
    pub weight: f64,
    /// What was counted.
    pub evidence: Vec<EvidenceRow>,
}

/// One thing that was counted, down to file and line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EvidenceRow {
    /// What: a dataset, job, commit, dashboard.
    pub what: String,
    /// Why it counts.
    pub because: String,
    /// Where.
    pub at: Option<Span>,
}

/// How far the facts behind a score were understood.
#[derive(Clone, Debug, Serialize)]
pub struct Confidence {
    /// `high`, `medium`, `low`.
    pub grade: String,
    /// What lowers it.
    pub because: Vec<String>,
}

/// What other weights would do to a rank.
#[derive(Clone, Debug, Serialize)]
pub struct Robustness {
    /// `robust`, `sensitive`, `toss-up`.
    pub label: String,
    /// The weights at which the next lower candidate would pass this one.
    pub flip_below: Option<Flip>,
    /// Share of the weight lattice in which the candidate holds each rank, first rank first.
    pub acceptability: Vec<f64>,
    /// Its rank when every effort is at its low end.
    pub rank_low_effort: u32,
    /// Its rank when every effort is at its high end.
    pub rank_high_effort: u32,
}

/// Where two neighbours change places, in closed form; `None` where no such weight exists in range.
#[derive(Clone, Debug, Serialize)]
pub struct Flip {
    /// The neighbour.
    pub with: ServiceName,
    /// λ in 0..=1.
    pub lambda: Option<f64>,
    /// α in 0..=3.
    pub alpha: Option<f64>,
}

/// The order of work.
#[derive(Clone, Debug, Serialize)]
pub struct Sequence {
    /// Waves, the pilot first.
    pub waves: Vec<Wave>,
}

/// What is done together.
#[derive(Clone, Debug, Serialize)]
pub struct Wave {
    /// From 1.
    pub number: u32,
    /// `pilot`, or empty.
    pub title: String,
    /// In order.
    pub services: Vec<ServiceName>,
    /// Person-days.
    pub days: f64,
}
