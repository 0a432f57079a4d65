//! Judges every candidate and puts them in order.
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::{
    estate::Estate,
    graph::DependencyGraph,
    lineage::Lineage,
    scoring::{
        Parameters, Ranking, Robustness, Scorecard,
        candidates::{Found, find},
        confidence, cost,
        criteria::{FREQUENCY, IMPORTANCE, judge},
        sensitivity, sequence,
        standing::{End, Standing, ranked},
        survey::{Piece, Survey},
    },
    vocab::ServiceName,
};

/// Judges every candidate of `estate`: pure, and the same bytes for the same input in any order.
/// Settings that cannot be used are told in [`Ranking::problems`]; scoring goes on with the default.
pub fn score(estate: &Estate, lineage: &Lineage, graph: &DependencyGraph) -> Ranking {
    let (parameters, mut problems) = Parameters::with(&estate.settings.scoring);
    let Found { groups, services, strays, problems: more } = find(estate, graph);
    problems.extend(more);
    let survey = Survey::of(estate, lineage, graph, &parameters);
    let pieces = survey.pieces(groups);
    problems.extend(unknown_services(estate, &pieces, &services));
    let mut cards: Vec<Scorecard> = pieces.par_iter().map(|piece| judge_piece(&survey, piece)).collect();
    rank(&mut cards, &parameters);
    let name = |at: &usize| pieces[*at].candidate.name.clone();
    let after: BTreeMap<ServiceName, BTreeSet<ServiceName>> =
        pieces.iter().map(|piece| (piece.candidate.name.clone(), piece.after.iter().map(name).collect())).collect();
    let sequence = sequence::plan(&cards, &after, &parameters);
    Ranking { cards, sequence, parameters, services, strays, problems }
}

fn judge_piece(survey: &Survey<'_>, piece: &Piece) -> Scorecard {
    let declared = survey.estate.settings.criticality.get(piece.candidate.name.as_str()).copied();
    let declared = declared.filter(|points| (0.0..=1.0).contains(points));
    let frequency = judge(FREQUENCY, survey, piece, None);
    let importance = judge(IMPORTANCE, survey, piece, declared);
    Scorecard {
        candidate: piece.candidate.clone(),
        rank: 0,
        cost: cost::estimate(survey, piece),
        confidence: confidence::judge(survey, piece, [&frequency, &importance]),
        frequency,
        importance,
        value: 0.0,
        priority: 0.0,
        robustness: Robustness {
            label: String::new(),
            flip_below: None,
            acceptability: Vec::new(),
            rank_low_effort: 0,
            rank_high_effort: 0,
        },
    }
}

/// Fills in value, priority, rank and robustness, and sorts by rank.
fn rank(cards: &mut [Scorecard], parameters: &Parameters) {
    let standings: Vec<Standing> = cards.iter().map(Standing::from).collect();
    let order = ranked(&standings, parameters.lambda, parameters.alpha, End::Likely);
    for (place, at) in order.iter().enumerate() {
        cards[*at].rank = place as u32 + 1;
        cards[*at].value = standings[*at].value(parameters.lambda);
        cards[*at].priority = standings[*at].priority(parameters.lambda, parameters.alpha, End::Likely);
    }
    for (card, robustness) in cards.iter_mut().zip(sensitivity::analyse(&standings, parameters)) {
        card.robustness = robustness;
    }
    cards.sort_by_key(|card| card.rank);
}

impl From<&Scorecard> for Standing {
    fn from(card: &Scorecard) -> Self {
        Standing {
            name: card.candidate.name.clone(),
            frequency: card.frequency.points,
            importance: card.importance.points,
            effort: [card.cost.low_days, card.cost.likely_days, card.cost.high_days],
        }
    }
}

/// Criticality for a candidate that is not there, or out of range.
fn unknown_services(estate: &Estate, pieces: &[Piece], services: &[ServiceName]) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, points) in &estate.settings.criticality {
        let known = pieces.iter().map(|piece| &piece.candidate.name).chain(services).any(|n| n.as_str() == name);
        if !known {
            problems.push(format!("`criticality.{name}` names no candidate"));
        }
        if !(0.0..=1.0).contains(points) {
            problems.push(format!("`criticality.{name}` is {points}: it must lie from 0 to 1"));
        }
    }
    problems
}
