//! The order of work: what pays off soonest first, in waves that fit the team.
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    scoring::{
        Parameters, Scorecard, Sequence, Wave,
        sidney::{self, Work},
    },
    vocab::ServiceName,
};

/// Candidates tied by a circle, done as one.
struct Bundle {
    services: Vec<ServiceName>,
    work: Work,
}

/// Orders `cards` (in rank order). `after` says which services each service is made of.
pub(super) fn plan(
    cards: &[Scorecard],
    after: &BTreeMap<ServiceName, BTreeSet<ServiceName>>,
    parameters: &Parameters,
) -> Sequence {
    let bundles = bundle(cards);
    let home: BTreeMap<&ServiceName, usize> = bundles
        .iter()
        .enumerate()
        .flat_map(|(at, bundle)| bundle.services.iter().map(move |name| (name, at)))
        .collect();
    let before: Vec<BTreeSet<usize>> = bundles
        .iter()
        .enumerate()
        .map(|(at, bundle)| {
            let needed = bundle.services.iter().filter_map(|name| after.get(name)).flatten();
            needed.filter_map(|name| home.get(name).copied()).filter(|other| *other != at).collect()
        })
        .collect();
    let work: Vec<Work> = bundles.iter().map(|bundle| bundle.work).collect();
    let order = sidney::order(&work, &before);
    Sequence { waves: waves(order.into_iter().map(|at| &bundles[at]), parameters.wave_days) }
}

/// Smith's ratio of one candidate is its priority: weight = ρ × effort. A bundle adds both up.
fn bundle(cards: &[Scorecard]) -> Vec<Bundle> {
    let mut bundles: Vec<Bundle> = Vec::new();
    let mut home: BTreeMap<&ServiceName, usize> = BTreeMap::new();
    for card in cards {
        let candidate = &card.candidate;
        let effort = card.cost.likely_days.max(0.01);
        let work = Work { weight: card.priority * effort, effort };
        match candidate.bundled_with.iter().find_map(|other| home.get(other).copied()) {
            Some(at) => {
                bundles[at].services.push(candidate.name.clone());
                bundles[at].work.weight += work.weight;
                bundles[at].work.effort += work.effort;
                home.insert(&candidate.name, at);
            }
            None => {
                home.insert(&candidate.name, bundles.len());
                bundles.push(Bundle { services: vec![candidate.name.clone()], work });
            }
        }
    }
    bundles
}

/// The first bundle alone is the pilot; then each wave takes what fits, and at least one bundle.
fn waves<'a>(order: impl Iterator<Item = &'a Bundle>, wave_days: f64) -> Vec<Wave> {
    let mut waves: Vec<Wave> = Vec::new();
    for bundle in order {
        let fits = |wave: &Wave| wave.number > 1 && wave.days + bundle.work.effort <= wave_days;
        match waves.last_mut().filter(|wave| fits(wave)) {
            Some(wave) => {
                wave.services.extend(bundle.services.iter().cloned());
                wave.days += bundle.work.effort;
            }
            None => waves.push(Wave {
                number: waves.len() as u32 + 1,
                title: if waves.is_empty() { "pilot".to_owned() } else { String::new() },
                services: bundle.services.clone(),
                days: bundle.work.effort,
            }),
        }
    }
    waves.iter_mut().for_each(|wave| wave.days = super::number::settled(wave.days));
    waves
}
