//! The candidate table: each number beside the rows of evidence behind it, down to file and line.
use serde::Serialize;

use super::{
    ReportInputs,
    decision::{bar, sentence},
    text,
};
use crate::scoring::{CostDriver, Criterion, EvidenceRow, Scorecard, Term};

/// One candidate.
#[derive(Clone, Debug, Serialize)]
pub struct CandidateRow {
    /// Place, from 1.
    pub rank: u32,
    /// The service.
    pub name: String,
    /// Anchor on the page.
    pub anchor: String,
    /// Source system.
    pub system: String,
    /// Domain.
    pub domain: String,
    /// Team today, or that none is known.
    pub owner: String,
    /// `declared in carve.yaml` or `found by its boundary`.
    pub found: String,
    /// `4.5–9.0`.
    pub effort: String,
    /// Person-days: low, likely, high.
    pub days: [f64; 3],
    /// F with two decimals.
    pub frequency: String,
    /// I with two decimals.
    pub importance: String,
    /// V with two decimals.
    pub value: String,
    /// ρ with three decimals.
    pub priority: String,
    /// F, I, V, ρ as numbers.
    pub numbers: [f64; 4],
    /// Bar widths of F and I in per cent.
    pub bars: [String; 2],
    /// `robust`, `sensitive`, `toss-up`.
    pub robustness: String,
    /// `high`, `medium`, `low`.
    pub confidence: String,
    /// What lowers the confidence, each a sentence.
    pub confidence_because: Vec<String>,
    /// Jobs that read its raw tables.
    pub dependents: u64,
    /// BI objects that hang on it.
    pub exposures: u64,
    /// `A` to `C` for F and for I.
    pub grades: [String; 2],
    /// Whether F or I was declared: in words, or empty.
    pub overridden: String,
    /// Cost, term by term.
    pub drivers: Vec<DriverView>,
    /// F and I, term by term.
    pub criteria: Vec<CriterionView>,
    /// How V adds up, term by term, its sum last.
    pub waterfall: Vec<WaterfallStep>,
    /// ` to the power of 0.80` where α is not 1, else empty.
    pub alpha_text: String,
    /// Named lists: raw tables, aligned, modelled, import jobs, dependents, BI objects, bundled with.
    pub lists: Vec<NamedList>,
}

/// One term of V, or their sum.
#[derive(Clone, Debug, Serialize)]
pub struct WaterfallStep {
    /// What it is.
    pub label: String,
    /// Sum before it.
    pub from: f64,
    /// Sum after it.
    pub to: f64,
    /// `term frequency`, `term importance`, `term declared`, `term total`: its colour.
    pub kind: &'static str,
}

/// Some names under a heading.
#[derive(Clone, Debug, Serialize)]
pub struct NamedList {
    /// `Raw tables (endpoints)`.
    pub title: String,
    /// How many.
    pub count: String,
    /// The names.
    pub names: Vec<String>,
    /// `and 9 more`, or empty.
    pub more: String,
}

/// One term of the cost.
#[derive(Clone, Debug, Serialize)]
pub struct DriverView {
    /// What it is.
    pub title: String,
    /// How many.
    pub count: String,
    /// Hours for one: optimistic, likely, pessimistic.
    pub hours: String,
    /// Person-days.
    pub days: String,
    /// What was counted.
    pub evidence: Vec<EvidenceView>,
    /// `and 9 more`, or empty.
    pub more: String,
}

/// F or I.
#[derive(Clone, Debug, Serialize)]
pub struct CriterionView {
    /// `Change frequency F`, `Importance I`.
    pub title: String,
    /// Two decimals.
    pub points: String,
    /// `A`, `B`, `C` in words.
    pub grade: String,
    /// Its terms.
    pub terms: Vec<TermView>,
}

/// One term of F or I.
#[derive(Clone, Debug, Serialize)]
pub struct TermView {
    /// What it is, with the raw number.
    pub because: String,
    /// Normalised, two decimals, or `unknown`.
    pub normalised: String,
    /// Weight, two decimals.
    pub weight: String,
    /// What it adds to the criterion.
    pub adds: String,
    /// What was counted.
    pub evidence: Vec<EvidenceView>,
    /// `and 9 more`, or empty.
    pub more: String,
}

/// One thing that was counted.
#[derive(Clone, Debug, Serialize)]
pub struct EvidenceView {
    /// What.
    pub what: String,
    /// Why it counts.
    pub because: String,
    /// `file:line`, or empty.
    pub at: String,
}

/// A page has room for so much evidence of one term; `carve explain` has all of it.
const EVIDENCE_SHOWN: usize = 200;
const NAMES_SHOWN: usize = 200;

/// The candidate table of `inputs`.
pub(super) fn candidates(inputs: &ReportInputs) -> Vec<CandidateRow> {
    inputs.scorecards.iter().map(|card| row(inputs, card)).collect()
}

fn row(inputs: &ReportInputs, card: &Scorecard) -> CandidateRow {
    let candidate = &card.candidate;
    CandidateRow {
        rank: card.rank,
        name: candidate.name.to_string(),
        anchor: text::anchor("candidate", candidate.name.as_str()),
        system: candidate.system.clone(),
        domain: candidate.domain.clone(),
        owner: candidate.owner.clone().unwrap_or_else(|| "unknown".to_owned()),
        found: if candidate.declared { "declared in carve.yaml" } else { "found by its boundary" }.to_owned(),
        effort: text::range(card.cost.low_days, card.cost.high_days),
        days: [card.cost.low_days, card.cost.likely_days, card.cost.high_days],
        frequency: text::points(card.frequency.points),
        importance: text::points(card.importance.points),
        value: text::points(card.value),
        priority: text::decimal(card.priority, 3),
        numbers: [card.frequency.points, card.importance.points, card.value, card.priority],
        bars: [bar(card.frequency.points), bar(card.importance.points)],
        robustness: card.robustness.label.clone(),
        confidence: card.confidence.grade.clone(),
        confidence_because: card.confidence.because.iter().map(|reason| sentence(reason)).collect(),
        dependents: candidate.dependents.len() as u64,
        exposures: candidate.exposures.len() as u64,
        grades: [card.frequency.grade, card.importance.grade].map(String::from),
        overridden: overridden(card),
        drivers: card.cost.drivers.iter().map(driver).collect(),
        criteria: vec![criterion("Change frequency F", &card.frequency), criterion("Importance I", &card.importance)],
        waterfall: waterfall(card, inputs.lambda),
        alpha_text: match text::points(inputs.alpha).as_str() {
            "1.00" => String::new(),
            alpha => format!(" to the power of {alpha}"),
        },
        lists: lists(card),
    }
}

/// λ times each term of F, then (1−λ) times each term of I, then their sum.
fn waterfall(card: &Scorecard, lambda: f64) -> Vec<WaterfallStep> {
    let mut steps = Vec::new();
    let mut sum = 0.0;
    let parts = [(&card.frequency, lambda, "term frequency"), (&card.importance, 1.0 - lambda, "term importance")];
    for (criterion, share, kind) in parts {
        let mut add = |label: String, amount: f64, kind| {
            steps.push(WaterfallStep { label, from: sum, to: sum + amount, kind });
            sum += amount;
        };
        let computed: f64 = criterion.terms.iter().map(|term| term.normalised * term.weight).sum();
        for term in criterion.terms.iter().filter(|term| term.raw.is_some()) {
            add(term_title(&term.name), share * term.normalised * term.weight, kind);
        }
        if criterion.overridden {
            add("declared instead of computed".to_owned(), share * (criterion.points - computed), "term declared");
        }
    }
    steps.push(WaterfallStep { label: "value V".to_owned(), from: 0.0, to: card.value, kind: "term total" });
    steps
}

fn term_title(name: &str) -> String {
    match name {
        "structural" => "F: its code changes",
        "content" => "F: its data changes",
        "teams" => "I: teams that use it",
        "use_cases" => "I: use cases",
        "reach" => "I: reach",
        other => return other.replace('_', " "),
    }
    .to_owned()
}

fn overridden(card: &Scorecard) -> String {
    match (card.frequency.overridden, card.importance.overridden) {
        (false, false) => String::new(),
        (true, false) => "F was declared, not computed.".to_owned(),
        (false, true) => "I was declared (criticality), not computed.".to_owned(),
        (true, true) => "F and I were declared, not computed.".to_owned(),
    }
}

fn driver(driver: &CostDriver) -> DriverView {
    let [a, m, b] = driver.hours.map(text::one_decimal);
    let (evidence, more) = evidence(&driver.evidence);
    DriverView {
        title: driver.title.clone(),
        count: text::thousands(u64::from(driver.count)),
        hours: format!("{a} / {m} / {b}"),
        days: text::one_decimal(driver.days),
        evidence,
        more,
    }
}

fn criterion(title: &str, criterion: &Criterion) -> CriterionView {
    let grade = match criterion.grade {
        'A' => "A: all terms known",
        'B' => "B: some terms known",
        _ => "C: no term known",
    };
    CriterionView {
        title: title.to_owned(),
        points: text::points(criterion.points),
        grade: grade.to_owned(),
        terms: criterion.terms.iter().map(term).collect(),
    }
}

fn term(term: &Term) -> TermView {
    let (evidence, more) = evidence(&term.evidence);
    TermView {
        because: sentence(&term.because),
        normalised: if term.raw.is_some() { text::points(term.normalised) } else { "unknown".to_owned() },
        weight: text::points(term.weight),
        adds: text::points(term.normalised * term.weight),
        evidence,
        more,
    }
}

fn evidence(rows: &[EvidenceRow]) -> (Vec<EvidenceView>, String) {
    let view = |row: &EvidenceRow| EvidenceView {
        what: row.what.clone(),
        because: row.because.clone(),
        at: row.at.as_ref().map(text::place).unwrap_or_default(),
    };
    (rows.iter().take(EVIDENCE_SHOWN).map(view).collect(), more(rows.len(), EVIDENCE_SHOWN))
}

fn more(all: usize, shown: usize) -> String {
    match all.saturating_sub(shown) {
        0 => String::new(),
        more => format!("and {} more: see `carve explain`", text::thousands(more as u64)),
    }
}

fn lists(card: &Scorecard) -> Vec<NamedList> {
    let c = &card.candidate;
    let named = |title: &str, names: Vec<String>| NamedList {
        title: title.to_owned(),
        count: text::thousands(names.len() as u64),
        more: more(names.len(), NAMES_SHOWN),
        names: names.into_iter().take(NAMES_SHOWN).collect(),
    };
    let strings = |items: &[crate::vocab::DatasetId]| items.iter().map(ToString::to_string).collect::<Vec<_>>();
    let jobs = |items: &[crate::vocab::JobId]| items.iter().map(ToString::to_string).collect::<Vec<_>>();
    let all = [
        named("Raw tables, an endpoint each", strings(&c.raw)),
        named("Tables that belong with it", strings(&c.aligned)),
        named("Modelled tables that read it and stay", strings(&c.modelled)),
        named("Jobs that import it today", jobs(&c.import_jobs)),
        named("Jobs that read its raw tables", jobs(&c.dependents)),
        named("BI objects that depend on it", c.exposures.clone()),
        named("Tied to it by a cycle", c.bundled_with.iter().map(ToString::to_string).collect()),
    ];
    all.into_iter().filter(|list| !list.names.is_empty()).collect()
}
