//! The drivers of effort: each in the file of its kind, one list of them.
mod fixed;
mod people;
mod readers;
mod tables;
mod unparsed;

use crate::scoring::{
    Cost, CostDriver, EvidenceRow,
    number::settled,
    survey::{Piece, Survey, shortened},
};

/// One driver: what it counts.
pub(super) trait Driver: Sync {
    /// Its name in parameters and scorecards.
    fn name(&self) -> &'static str;
    /// What it is, in words.
    fn title(&self) -> &'static str;
    /// One row a unit of effort.
    fn count(&self, survey: &Survey<'_>, piece: &Piece) -> Counted;
}

/// How many, and what was counted; a row may stand for several.
pub(super) struct Counted {
    pub(super) count: u32,
    pub(super) evidence: Vec<EvidenceRow>,
}

impl From<Vec<EvidenceRow>> for Counted {
    fn from(evidence: Vec<EvidenceRow>) -> Self {
        Counted { count: u32::try_from(evidence.len()).unwrap_or(u32::MAX), evidence }
    }
}

/// Every driver, in the order of the waterfall.
pub(super) static DRIVERS: &[&dyn Driver] = &[
    &fixed::Fixed,
    &tables::SourceTable,
    &tables::Endpoint,
    &tables::Import,
    &readers::DependentKept,
    &readers::DependentRepointed,
    &readers::CrossDomainJoin,
    &readers::BiSource,
    &unparsed::UnparsedSql,
    &people::NewTeam,
];

/// The sum over the drivers. The range is one standard deviation to both sides, within what all optimistic and all
/// pessimistic hours add up to. Units of one driver are misjudged alike: who takes one endpoint too lightly takes
/// every one so, and their deviations add up. Drivers vary by themselves.
pub(super) fn estimate(survey: &Survey<'_>, piece: &Piece) -> Cost {
    let per_day = survey.parameters.hours_per_day;
    let mut drivers = Vec::new();
    let (mut least, mut mean, mut most, mut variance) = (0.0, 0.0, 0.0, 0.0);
    for driver in DRIVERS {
        let Counted { count, evidence } = driver.count(survey, piece);
        if count == 0 {
            continue;
        }
        let hours @ [a, m, b] = survey.parameters.hours[driver.name()];
        let units = f64::from(count);
        let days = units * (a + 4.0 * m + b) / 6.0 / per_day;
        least += units * a / per_day;
        mean += days;
        most += units * b / per_day;
        variance += (units * (b - a) / 6.0 / per_day).powi(2);
        drivers.push(CostDriver {
            name: driver.name().to_owned(),
            title: driver.title().to_owned(),
            count,
            hours,
            days: settled(days),
            evidence: shortened(evidence),
        });
    }
    let spread = variance.sqrt();
    Cost {
        low_days: settled((mean - spread).max(least)),
        likely_days: settled(mean),
        high_days: settled((mean + spread).min(most)),
        drivers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::Parameters;

    #[test]
    fn every_driver_has_hours_and_every_hours_a_driver() {
        let parameters = Parameters::default();
        let drivers: std::collections::BTreeSet<_> = DRIVERS.iter().map(|driver| driver.name()).collect();
        assert_eq!(drivers, parameters.hours.keys().copied().collect());
        assert_eq!(drivers.len(), DRIVERS.len());
    }
}
