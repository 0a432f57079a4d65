//! Scores as values: each number beside the rows of evidence behind it.
use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    scoring::Parameters,
    vocab::{DatasetId, JobId, ServiceName, Span},
};

/// Every candidate judged, best first.
#[derive(Clone, Debug, Serialize)]
pub struct Ranking {
    /// One a candidate, in the order of rank.
    pub cards: Vec<Scorecard>,
    /// The order of work.
    pub sequence: Sequence,
    /// The weights, references and hours that were used.
    pub parameters: Parameters,
    /// Services the estate imports already: no candidates any more, so not in `cards`.
    pub services: Vec<ServiceName>,
    /// Tables that nothing writes, too few among the written tables of their schema to be a source of their own in
    /// an estate that shows where others come from (renamed, misspelt or dead tables): no candidates.
    pub strays: Vec<DatasetId>,
    /// Settings that could not be used, each a sentence; the default was used in its place.
    pub problems: Vec<String>,
}

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
    /// Share of the weight lattice in which the two keep their order.
    pub kept: f64,
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

/// How one score came about: a waterfall whose rows add up.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// Whose.
    pub service: ServiceName,
    /// Its place, from 1.
    pub rank: u32,
    /// The rows: terms of the value, their sum, drivers of the effort, their sum, then the priority.
    pub rows: Vec<ExplanationRow>,
    /// The whole in one sentence.
    pub summary: String,
}

/// One row of the waterfall.
#[derive(Clone, Debug, Serialize)]
pub struct ExplanationRow {
    /// `value`, `effort` or `priority`.
    pub part: String,
    /// The term's or driver's name; `sum` for a row that adds up the rows of its part.
    pub name: String,
    /// What it is, in words.
    pub text: String,
    /// What it adds: points of value, person-days, or the priority itself.
    pub number: f64,
    /// What was counted.
    pub evidence: Vec<EvidenceRow>,
}

/// Why one candidate ranks before another.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The one with the higher priority.
    pub ahead: ServiceName,
    /// The other.
    pub behind: ServiceName,
    /// ln ρ of the first minus ln ρ of the second; `None` where a priority is 0.
    pub log_ratio: Option<f64>,
    /// Every term, the strongest first; contributions add up to `log_ratio`.
    pub terms: Vec<ComparedTerm>,
    /// The name of the term that decides; empty where the name settled a tie.
    pub deciding: String,
    /// The whole in one sentence.
    pub summary: String,
}

/// What one term does to a comparison.
#[derive(Clone, Debug, Serialize)]
pub struct ComparedTerm {
    /// `value` or `effort`.
    pub part: String,
    /// The term's or driver's name.
    pub name: String,
    /// Points of value or person-days of the one ahead.
    pub ahead: f64,
    /// The same of the one behind.
    pub behind: f64,
    /// Its share of ln ρ ahead − ln ρ behind; positive speaks for the one ahead.
    pub contribution: f64,
}
