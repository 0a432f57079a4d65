//! The knobs of scoring, each with a dotted name, a default and a range.
use std::collections::BTreeMap;

use serde::Serialize;

/// Weights, references and hours that scoring uses. docs/SCORING.md lists the defaults and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameters {
    /// How much change frequency weighs in the value, 0 to 1; importance takes the rest.
    pub lambda: f64,
    /// How much effort counts, 0 to 3: priority = value / effort^alpha.
    pub alpha: f64,
    /// Days after which a commit counts half.
    pub half_life_days: f64,
    /// Files a commit may touch before it counts as a bulk change and weighs less.
    pub bulk_files: f64,
    /// Part of the consumption that each job passes upstream, 0 to 1.
    pub damping: f64,
    /// Weight of each term within its criterion, by the term's name.
    pub weights: BTreeMap<&'static str, f64>,
    /// What counts fully, by the term's name and in its unit.
    pub references: BTreeMap<&'static str, f64>,
    /// Optimistic, likely and pessimistic hours for one, by the cost driver's name.
    pub hours: BTreeMap<&'static str, [f64; 3]>,
    /// Working hours in a person-day.
    pub hours_per_day: f64,
    /// Person-days one wave holds.
    pub wave_days: f64,
    /// Share of the weight lattice from which a rank is robust, 0 to 1.
    pub robust_share: f64,
    /// Share of the weight lattice below which a rank is a toss-up, 0 to 1.
    pub toss_up_share: f64,
}

/// Term, weight, reference and its unit.
const TERMS: &[(&str, f64, f64)] = &[
    ("structural", 0.5, 40.0),
    ("content", 0.5, 288.0),
    ("teams", 0.5, 8.0),
    ("use_cases", 0.3, 20.0),
    ("reach", 0.2, 20.0),
];

/// Driver and its hours: optimistic, likely, pessimistic.
const HOURS: &[(&str, [f64; 3])] = &[
    ("fixed", [8.0, 16.0, 32.0]),
    ("source_table", [0.5, 1.0, 3.0]),
    ("endpoint", [2.0, 4.0, 8.0]),
    ("import", [1.0, 2.0, 4.0]),
    ("dependent_kept", [0.1, 0.25, 1.0]),
    ("dependent_repointed", [0.5, 1.0, 3.0]),
    ("cross_domain_join", [2.0, 4.0, 10.0]),
    ("bi_source", [1.0, 2.0, 6.0]),
    ("unparsed_sql", [2.0, 4.0, 12.0]),
    ("new_team", [8.0, 24.0, 60.0]),
];

const ENDS: [&str; 3] = ["optimistic", "likely", "pessimistic"];

impl Default for Parameters {
    fn default() -> Self {
        Parameters {
            lambda: 0.5,
            alpha: 1.0,
            half_life_days: 90.0,
            bulk_files: 50.0,
            damping: 0.85,
            weights: TERMS.iter().map(|(name, weight, _)| (*name, *weight)).collect(),
            references: TERMS.iter().map(|(name, _, reference)| (*name, *reference)).collect(),
            hours: HOURS.iter().copied().collect(),
            hours_per_day: 8.0,
            wave_days: 40.0,
            robust_share: 0.9,
            toss_up_share: 0.6,
        }
    }
}

impl Parameters {
    /// The defaults with `settings` (dotted name → value) over them, and a sentence for each setting
    /// that could not be used.
    pub fn with(settings: &BTreeMap<String, f64>) -> (Parameters, Vec<String>) {
        let mut parameters = Parameters::default();
        let mut problems = Vec::new();
        for (name, value) in settings {
            match parameters.knob(name) {
                None => {
                    problems.push(format!("`scoring.{name}` is unknown: the names are {}", Self::names().join(", ")))
                }
                Some((knob, (low, high))) => match value.is_finite() && *value >= low && *value <= high {
                    true => *knob = *value,
                    false => problems.push(format!("`scoring.{name}` is {value}: it must lie from {low} to {high}")),
                },
            }
        }
        for (driver, default) in HOURS {
            let [a, m, b] = parameters.hours[driver];
            if !(a <= m && m <= b) {
                problems.push(format!(
                    "`scoring.cost.{driver}` is {a}, {m}, {b} hours: optimistic must not exceed likely, nor likely \
                     pessimistic; {default:?} is used"
                ));
                parameters.hours.insert(driver, *default);
            }
        }
        (parameters, problems)
    }

    /// Every dotted name, in order.
    pub fn names() -> Vec<String> {
        let plain = ["alpha", "hours_per_day", "lambda", "sequence.wave_days"];
        let more = ["frequency.bulk_files", "frequency.half_life_days", "importance.damping"];
        let labels = ["robustness.robust_share", "robustness.toss_up_share"];
        let mut names: Vec<String> =
            [&plain[..], &more[..], &labels[..]].concat().into_iter().map(String::from).collect();
        for (term, ..) in TERMS {
            names.extend(["reference", "weight"].map(|what| format!("{}.{term}.{what}", criterion_of(term))));
        }
        for (driver, _) in HOURS {
            names.extend(ENDS.map(|end| format!("cost.{driver}.{end}")));
        }
        names.sort();
        names
    }

    /// The value behind a dotted name, and the range it may have.
    fn knob(&mut self, name: &str) -> Option<(&mut f64, (f64, f64))> {
        const SHARE: (f64, f64) = (0.0, 1.0);
        const POSITIVE: (f64, f64) = (0.001, 1e9);
        Some(match name.split('.').collect::<Vec<_>>()[..] {
            ["lambda"] => (&mut self.lambda, SHARE),
            ["alpha"] => (&mut self.alpha, (0.0, 3.0)),
            ["hours_per_day"] => (&mut self.hours_per_day, POSITIVE),
            ["sequence", "wave_days"] => (&mut self.wave_days, POSITIVE),
            ["frequency", "half_life_days"] => (&mut self.half_life_days, POSITIVE),
            ["frequency", "bulk_files"] => (&mut self.bulk_files, POSITIVE),
            ["importance", "damping"] => (&mut self.damping, SHARE),
            ["robustness", "robust_share"] => (&mut self.robust_share, SHARE),
            ["robustness", "toss_up_share"] => (&mut self.toss_up_share, SHARE),
            ["cost", driver, end] => {
                let end = ENDS.iter().position(|known| *known == end)?;
                (&mut self.hours.get_mut(driver)?[end], (0.0, 1e6))
            }
            [criterion, term, "weight"] if criterion == criterion_of(term) => (self.weights.get_mut(term)?, SHARE),
            [criterion, term, "reference"] if criterion == criterion_of(term) => {
                (self.references.get_mut(term)?, POSITIVE)
            }
            _ => return None,
        })
    }
}

fn criterion_of(term: &str) -> &'static str {
    match term {
        "structural" | "content" => "frequency",
        _ => "importance",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, f64)]) -> BTreeMap<String, f64> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    #[test]
    fn every_name_can_be_set() {
        for name in Parameters::names() {
            assert!(Parameters::default().knob(&name).is_some(), "{name}");
        }
    }

    #[test]
    fn an_unknown_name_and_a_value_out_of_range_are_told_and_change_nothing() {
        let (parameters, problems) =
            Parameters::with(&settings(&[("lamda", 0.1), ("alpha", f64::NAN), ("lambda", 2.0)]));
        assert_eq!(parameters, Parameters::default());
        assert_eq!(problems.len(), 3);
    }

    #[test]
    fn hours_out_of_order_fall_back_together() {
        let (parameters, problems) = Parameters::with(&settings(&[("cost.endpoint.likely", 99.0)]));
        assert_eq!(parameters.hours["endpoint"], [2.0, 4.0, 8.0]);
        assert_eq!(problems.len(), 1);
        let (parameters, problems) = Parameters::with(&settings(&[("cost.endpoint.likely", 5.0), ("lambda", 0.2)]));
        assert_eq!((parameters.hours["endpoint"][1], parameters.lambda, problems.len()), (5.0, 0.2, 0));
    }
}
