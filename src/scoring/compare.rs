//! Why one candidate ranks before another: ln ρ A − ln ρ B, split exactly into its terms.
use std::collections::{BTreeMap, BTreeSet};

use crate::scoring::{ComparedTerm, Comparison, Parameters, Scorecard, explain::value_shares};

/// Names the term that decides between two candidates.
///
/// ln ρ = ln V − α ln effort. A difference of logarithms is split among the terms of its sum in
/// proportion to their differences (through the logarithmic mean), so that contributions add up
/// with nothing left over. First the part that speaks more for the one ahead decides, value or effort; then the
/// strongest term of that part.
pub fn compare(a: &Scorecard, b: &Scorecard, parameters: &Parameters) -> Comparison {
    let a_first = b.priority.total_cmp(&a.priority).then_with(|| a.candidate.name.cmp(&b.candidate.name)).is_le();
    let (ahead, behind) = if a_first { (a, b) } else { (b, a) };
    let shares = |card| value_shares(card, parameters).into_iter().map(|share| (share.name, share.points)).collect();
    let mut terms = split("value", shares(ahead), shares(behind), 1.0);
    let days = |card: &Scorecard| card.cost.drivers.iter().map(|driver| (driver.name.clone(), driver.days)).collect();
    terms.extend(split("effort", days(ahead), days(behind), -parameters.alpha));

    let part = |part: &str| terms.iter().filter(|t| t.part == part).map(|t| t.contribution).sum::<f64>();
    let strongest = if part("value") >= part("effort") { "value" } else { "effort" };
    let speaking = terms.iter().filter(|term| term.part == strongest && term.contribution > 0.0);
    // The first by name among equals: what comes later must be strictly stronger.
    let deciding = speaking.reduce(|best, next| if next.contribution > best.contribution { next } else { best });
    let summary = summary(ahead, behind, deciding);
    let deciding = deciding.map_or(String::new(), |term| term.name.clone());
    terms.sort_by(|x, y| {
        y.contribution.abs().total_cmp(&x.contribution.abs()).then_with(|| (&x.part, &x.name).cmp(&(&y.part, &y.name)))
    });
    let known = ahead.priority > 0.0 && behind.priority > 0.0;
    Comparison {
        ahead: ahead.candidate.name.clone(),
        behind: behind.candidate.name.clone(),
        log_ratio: known.then(|| ahead.priority.ln() - behind.priority.ln()),
        terms,
        deciding,
        summary,
    }
}

fn split(part: &str, ahead: BTreeMap<String, f64>, behind: BTreeMap<String, f64>, factor: f64) -> Vec<ComparedTerm> {
    let mean = logarithmic_mean(ahead.values().sum(), behind.values().sum());
    let names: BTreeSet<&String> = ahead.keys().chain(behind.keys()).collect();
    let of = |side: &BTreeMap<String, f64>, name: &String| side.get(name).copied().unwrap_or(0.0);
    let term = |name: &String| {
        let (ahead, behind) = (of(&ahead, name), of(&behind, name));
        // Adding 0 turns −0 into 0.
        let contribution = factor * (ahead - behind) / mean + 0.0;
        ComparedTerm { part: part.to_owned(), name: name.clone(), ahead, behind, contribution }
    };
    names.into_iter().map(term).collect()
}

/// (x − y) / (ln x − ln y); x where both are equal. Where one is 0 its limit is 0, and the larger of
/// both stands in, so that the terms can still be put in order.
fn logarithmic_mean(x: f64, y: f64) -> f64 {
    let larger = x.max(y);
    if larger <= 0.0 {
        return 1.0;
    }
    let (difference, logs) = (x - y, x.ln() - y.ln());
    match difference.abs() > larger * 1e-9 && logs.is_finite() {
        true => difference / logs,
        false => larger,
    }
}

fn summary(ahead: &Scorecard, behind: &Scorecard, deciding: Option<&ComparedTerm>) -> String {
    let names = format!("`{}` ranks before `{}`", ahead.candidate.name, behind.candidate.name);
    let Some(term) = deciding.filter(|_| ahead.priority > behind.priority) else {
        return format!("{names} by name only: their priorities are equal");
    };
    let unit = if term.part == "value" { "points of value" } else { "person-days" };
    format!(
        "{names} (priority {:.4} to {:.4}), chiefly by {} through `{}`: {:.3} to {:.3} {unit}",
        ahead.priority, behind.priority, term.part, term.name, term.ahead, term.behind
    )
}
