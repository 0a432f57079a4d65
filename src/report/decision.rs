//! The first page: what to carve first, what it takes, what could go wrong.
use serde::Serialize;

use super::{ReportInputs, UnknownRow, text, unknown::unknown};
use crate::{
    diagnostics::Severity,
    scoring::{Confidence, Scorecard, deciding_pair},
};

/// The page that a decision is made from.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    /// One sentence that answers the question.
    pub headline: String,
    /// What the estate is, in numbers.
    pub figures: Vec<Figure>,
    /// The first services, three at most.
    pub first: Vec<FirstService>,
    /// Person-days for those, as a range in words.
    pub effort: String,
    /// What could go wrong, the heaviest first.
    pub risks: Vec<Risk>,
    /// What was not understood.
    pub unknown: Vec<UnknownRow>,
    /// Sum of the above in one sentence.
    pub unknown_headline: String,
}

/// One number with its name.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// `1,204`.
    pub value: String,
    /// `tables`.
    pub label: String,
    /// What stands behind it, in a few words.
    pub note: String,
}

/// One of the first services.
#[derive(Clone, Debug, Serialize)]
pub struct FirstService {
    /// Place, from 1.
    pub rank: u32,
    /// The service.
    pub name: String,
    /// Anchor of its row in the candidate table.
    pub anchor: String,
    /// Source system and domain in a few words.
    pub origin: String,
    /// Team today, or that none is known.
    pub owner: String,
    /// `4.5–9.0`.
    pub effort: String,
    /// `6.2`.
    pub likely: String,
    /// F, two decimals.
    pub frequency: String,
    /// I, two decimals.
    pub importance: String,
    /// F in per cent of the full bar, for drawing.
    pub frequency_percent: String,
    /// I in per cent of the full bar, for drawing.
    pub importance_percent: String,
    /// ρ, three decimals.
    pub priority: String,
    /// `robust`, `sensitive`, `toss-up`.
    pub robustness: String,
    /// `high`, `medium`, `low`.
    pub confidence: String,
    /// Why it stands here, in a sentence.
    pub because: String,
    /// What would be touched, in a sentence.
    pub touches: String,
    /// Command that goes on from here.
    pub next: String,
}

/// Something that could go wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Risk {
    /// What.
    pub what: String,
    /// Why carve thinks so, with names.
    pub because: String,
    /// What to do about it.
    pub cure: String,
}

const FIRST: usize = 3;

/// The decision page of `inputs`.
pub(super) fn decision(inputs: &ReportInputs) -> Decision {
    let first: Vec<&Scorecard> = inputs.scorecards.iter().take(FIRST).collect();
    let unknown = unknown(inputs);
    Decision {
        headline: headline(inputs, &first),
        figures: figures(inputs),
        first: first.iter().map(|card| first_service(inputs, card)).collect(),
        effort: effort(&first),
        risks: risks(inputs, &first),
        unknown_headline: unknown_headline(inputs, &unknown),
        unknown,
    }
}

fn headline(inputs: &ReportInputs, first: &[&Scorecard]) -> String {
    let names: Vec<&str> = first.iter().map(|card| card.candidate.name.as_str()).collect();
    match names.as_slice() {
        [] => {
            "Nothing to carve yet: no source system feeds a table of this estate, as far as it was understood.".into()
        }
        [only] => format!("Carve {only}: it is the only candidate."),
        [head, rest @ ..] => format!(
            "Carve {head} first, then {}. {} were ranked.",
            text::prose(rest),
            text::count(inputs.scorecards.len(), "candidate", "candidates")
        ),
    }
}

fn effort(first: &[&Scorecard]) -> String {
    let sum = |pick: fn(&Scorecard) -> f64| first.iter().map(|card| pick(card)).sum::<f64>();
    match first.len() {
        0 => "no effort to estimate".to_owned(),
        1 => format!("{} person-days", text::range(sum(|c| c.cost.low_days), sum(|c| c.cost.high_days))),
        n => format!(
            "{} person-days for these {}, {} most likely",
            text::range(sum(|c| c.cost.low_days), sum(|c| c.cost.high_days)),
            if n == 2 { "two" } else { "three" },
            text::one_decimal(sum(|c| c.cost.likely_days))
        ),
    }
}

fn figures(inputs: &ReportInputs) -> Vec<Figure> {
    let statements: u64 = inputs.coverage.values().map(|c| c.statements).sum();
    let understood: u64 = inputs.coverage.values().map(|c| c.parsed + c.helped).sum();
    let lake_tables = inputs.datasets.keys().filter(|id| id.system().is_none()).count();
    let figure = |value: String, label: &str, note: String| Figure { value, label: label.to_owned(), note };
    let counted = |number: usize, one: &str, many: &str, note: String| {
        figure(text::thousands(number as u64), if number == 1 { one } else { many }, note)
    };
    vec![
        counted(
            inputs.files.len(),
            "file read",
            "files read",
            format!("{} left out", text::thousands(inputs.diagnostics.count(Severity::Error) as u64)),
        ),
        counted(
            inputs.jobs.len(),
            "job",
            "jobs",
            text::count(inputs.jobs.iter().filter(|j| !j.enabled).count(), "is disabled", "are disabled"),
        ),
        counted(
            lake_tables,
            "table in the lake",
            "tables in the lake",
            text::count(inputs.datasets.len() - lake_tables, "table in source systems", "tables in source systems"),
        ),
        figure(
            text::percent(understood, statements),
            "of statements parsed",
            format!("{} in all", text::thousands(statements)),
        ),
        counted(
            inputs.exposures.len(),
            "BI object",
            "BI objects",
            text::count(inputs.exposures.iter().filter(|e| e.kind == "dashboard").count(), "dashboard", "dashboards"),
        ),
        counted(
            inputs.scorecards.len(),
            "candidate",
            "candidates",
            text::count(planned(inputs), "has a plan", "have a plan"),
        ),
    ]
}

/// Candidates with a plan: the plan of what is wrapped already is none of theirs.
fn planned(inputs: &ReportInputs) -> usize {
    let has_plan = |card: &&Scorecard| inputs.plans.iter().any(|plan| plan.service == card.candidate.name);
    inputs.scorecards.iter().filter(has_plan).count()
}

fn first_service(inputs: &ReportInputs, card: &Scorecard) -> FirstService {
    let candidate = &card.candidate;
    let planned = inputs.plans.iter().any(|plan| plan.service == candidate.name);
    let wrapped = inputs.statuses.iter().any(|s| s.service == candidate.name && s.stage == "wrapped");
    let verb = match (wrapped, planned) {
        (true, _) => "switchover",
        (false, true) => "apply",
        (false, false) => "plan --service",
    };
    FirstService {
        rank: card.rank,
        name: candidate.name.to_string(),
        anchor: text::anchor("candidate", candidate.name.as_str()),
        origin: format!("from {}, domain {}", candidate.system, candidate.domain),
        owner: candidate.owner.clone().unwrap_or_else(|| "owner unknown".to_owned()),
        effort: text::range(card.cost.low_days, card.cost.high_days),
        likely: text::one_decimal(card.cost.likely_days),
        frequency: text::points(card.frequency.points),
        importance: text::points(card.importance.points),
        frequency_percent: bar(card.frequency.points),
        importance_percent: bar(card.importance.points),
        priority: text::decimal(card.priority, 3),
        robustness: card.robustness.label.clone(),
        confidence: card.confidence.grade.clone(),
        because: because(card),
        touches: touches(card),
        next: format!("carve {verb} {}", candidate.name),
    }
}

/// A share of a full bar in per cent.
pub(super) fn bar(points: f64) -> String {
    if points.is_finite() { text::one_decimal(points.clamp(0.0, 1.0) * 100.0) } else { "0".to_owned() }
}

fn because(card: &Scorecard) -> String {
    let strongest = card.frequency.terms.iter().chain(&card.importance.terms).max_by(|a, b| {
        let weight = |term: &crate::scoring::Term| term.normalised * term.weight;
        weight(a).total_cmp(&weight(b)).then_with(|| b.name.cmp(&a.name))
    });
    match strongest {
        Some(term) => sentence(&term.because),
        None => "Nothing is known of its use or its changes; its rank rests on its cost.".to_owned(),
    }
}

/// A capital first and a full stop last. A path or a name keeps its first letter.
pub(super) fn sentence(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    let mut chars = text.chars();
    let Some(head) = chars.next() else { return String::new() };
    let is_word = word.chars().all(|c| c.is_alphabetic() || matches!(c, ',' | '\''));
    let head: String = if is_word { head.to_uppercase().collect() } else { head.to_string() };
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{head}{}{stop}", chars.as_str())
}

fn touches(card: &Scorecard) -> String {
    let candidate = &card.candidate;
    format!(
        "{}, {} and {}.",
        text::count(candidate.raw.len(), "raw table becomes an endpoint", "raw tables become endpoints"),
        text::count(candidate.dependents.len(), "job reads them", "jobs read them"),
        text::count(candidate.exposures.len(), "BI object depends on them", "BI objects depend on them"),
    )
}

fn risks(inputs: &ReportInputs, first: &[&Scorecard]) -> Vec<Risk> {
    let mut risks = Vec::new();
    for card in first {
        let name = card.candidate.name.as_str();
        risks.extend(confidence_risk(name, &card.confidence));
        risks.extend(rank_risk(inputs, card));
        risks.extend(owner_risk(card));
        risks.extend(bundle_risk(card));
    }
    risks.extend(plan_risks(inputs, first));
    risks
}

fn confidence_risk(name: &str, confidence: &Confidence) -> Option<Risk> {
    if confidence.grade == "high" {
        return None;
    }
    let because = match confidence.because.as_slice() {
        [] => "not all of its facts were understood".to_owned(),
        reasons => text::prose_up_to(reasons, 3),
    };
    Some(Risk {
        what: format!("Confidence in {name} is {}", confidence.grade),
        because: sentence(&because),
        cure: "Read the places under “What was not understood” before you commit to a date.".to_owned(),
    })
}

fn rank_risk(inputs: &ReportInputs, card: &Scorecard) -> Option<Risk> {
    let (name, robustness) = (&card.candidate.name, &card.robustness);
    if robustness.label == "robust" {
        return None;
    }
    let what = match robustness.label.as_str() {
        "toss-up" => format!("The rank of {name} is a toss-up"),
        _ => format!("The rank of {name} is sensitive to the weights"),
    };
    let (low, high) = (robustness.rank_low_effort, robustness.rank_high_effort);
    let because = match deciding_pair(inputs.scorecards, card).map(|pair| (pair, pair.2.lambda, pair.2.alpha)) {
        Some(((other, above, flip), lambda, alpha)) if lambda.is_some() || alpha.is_some() => {
            let words = super::ranking::flip_words(flip);
            match above {
                true => format!("It would pass {other}: {words}."),
                false => format!("{other} would pass it: {words}."),
            }
        }
        Some(((other, ..), ..)) if low == high => {
            format!("Both weights moved together put it and {other} in the other order.")
        }
        _ if low != high => format!("It ranks {low} when every effort is low and {high} when every effort is high."),
        _ => "Other weights would put others in its place.".to_owned(),
    };
    Some(Risk { what, because, cure: "Let people who know both decide; the order costs little either way.".to_owned() })
}

fn owner_risk(card: &Scorecard) -> Option<Risk> {
    if card.candidate.owner.is_some() {
        return None;
    }
    Some(Risk {
        what: format!("Nobody is known to own {}", card.candidate.name),
        because: format!("No file of the estate names an owner for {}.", card.candidate.system),
        cure: "Find the team before the wrap: the contract needs a name.".to_owned(),
    })
}

fn bundle_risk(card: &Scorecard) -> Option<Risk> {
    if card.candidate.bundled_with.is_empty() {
        return None;
    }
    let others: Vec<&str> = card.candidate.bundled_with.iter().map(|s| s.as_str()).collect();
    Some(Risk {
        what: format!("{} cannot move alone", card.candidate.name),
        because: format!("A cycle of jobs ties it to {}.", text::prose_up_to(&others, 4)),
        cure: "Break the cycle first, or move them in one wave.".to_owned(),
    })
}

fn plan_risks(inputs: &ReportInputs, first: &[&Scorecard]) -> Vec<Risk> {
    let is_first = |name: &crate::vocab::ServiceName| first.iter().any(|card| card.candidate.name == *name);
    inputs
        .plans
        .iter()
        .filter(|plan| is_first(&plan.service) && !plan.not_understood.is_empty())
        .map(|plan| Risk {
            what: format!(
                "The plan of {} holds {} not understood",
                plan.service,
                text::count(plan.not_understood.len(), "place that was", "places that were"),
            ),
            because: sentence(&text::prose_up_to(&places(plan), 2)),
            cure: "Read them by hand: they may read a table that the wrap repoints.".to_owned(),
        })
        .collect()
}

/// What was not understood in `plan`, without the words that a plan puts before it.
fn places(plan: &crate::plan::Plan) -> Vec<&str> {
    plan.not_understood.iter().map(|place| place.trim_start_matches("by hand: ")).collect()
}

fn unknown_headline(inputs: &ReportInputs, unknown: &[UnknownRow]) -> String {
    if unknown.is_empty() {
        return "Everything that was read was understood.".to_owned();
    }
    let statements: u64 = inputs.coverage.values().map(|c| c.statements).sum();
    let missed: u64 = inputs.coverage.values().map(|c| c.scanned + c.not_understood).sum();
    let places: u64 = unknown.iter().filter(|row| !row.code.is_empty()).map(|row| row.count).sum();
    format!(
        "{} of {} statements were not parsed; {} lower the confidence of this report.",
        text::thousands(missed),
        text::thousands(statements),
        text::count(places as usize, "place does", "places"),
    )
    .replace("1 place does lower", "1 place lowers")
}
