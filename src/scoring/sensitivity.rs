//! What other weights would do to a ranking: exact flips, acceptability of ranks, a label.
use std::cmp::Ordering;

use crate::{
    scoring::{
        Flip, Parameters, Robustness, Scorecard,
        standing::{End, Standing, by_priority, ranked},
    },
    vocab::ServiceName,
};

/// λ from 0 to 1 by 0.05, α from 0 to 2 by 0.25.
const LAMBDAS: u32 = 21;
const ALPHAS: u32 = 9;

/// Ranks listed in `acceptability`; beyond them a share tells nobody anything.
const RANKS_LISTED: usize = 100;

/// The largest α a flip is looked for at.
const ALPHA_MOST: f64 = 3.0;

/// One a standing, in the order of `standings`.
pub(super) fn analyse(standings: &[Standing], parameters: &Parameters) -> Vec<Robustness> {
    let Parameters { lambda, alpha, .. } = *parameters;
    let order = ranked(standings, lambda, alpha, End::Likely);
    let low = places(&ranked(standings, lambda, alpha, End::Low));
    let high = places(&ranked(standings, lambda, alpha, End::High));
    let lattice = Lattice::walk(standings, &order);
    let mut found: Vec<Option<Robustness>> = vec![None; standings.len()];
    for (rank, at) in order.iter().enumerate() {
        let below = order.get(rank + 1).map(|below| Flip {
            kept: lattice.share(rank),
            ..flip(&standings[*at], &standings[*below], lambda, alpha)
        });
        let moved = low[*at] != rank || high[*at] != rank;
        found[*at] = Some(Robustness {
            label: lattice.label(rank, moved, parameters).to_owned(),
            flip_below: below,
            acceptability: lattice.acceptability(*at),
            rank_low_effort: low[*at] as u32 + 1,
            rank_high_effort: high[*at] as u32 + 1,
        });
    }
    found.into_iter().flatten().collect()
}

/// Where `a` and `b` change places: each weight moved alone, the other as it is.
///
/// λ: with k = (effort a / effort b)^α both priorities are equal where V a = k · V b, which is linear
/// in λ. α: ln of both priorities is linear in α.
pub(super) fn flip(a: &Standing, b: &Standing, lambda: f64, alpha: f64) -> Flip {
    let (days_a, days_b) = (a.days(End::Likely), b.days(End::Likely));
    let k = (days_a / days_b).powf(alpha);
    let slope = (a.frequency - a.importance) - k * (b.frequency - b.importance);
    let at_lambda = (k * b.importance - a.importance) / slope;
    let at_alpha = (a.value(lambda) / b.value(lambda)).ln() / (days_a / days_b).ln();
    // Division by nothing gives an infinity or NaN: no such weight.
    let within =
        |weight: f64, most: f64| (weight.is_finite() && (0.0..=most).contains(&weight)).then_some(weight + 0.0);
    Flip { with: b.name.clone(), lambda: within(at_lambda, 1.0), alpha: within(at_alpha, ALPHA_MOST), kept: 0.0 }
}

/// The neighbour on whom the label of `card` rests: the one whose order with it other weights change most easily. With
/// it, whether that one stands above, and where the two change places.
pub fn deciding_pair<'a>(cards: &'a [Scorecard], card: &'a Scorecard) -> Option<(&'a ServiceName, bool, &'a Flip)> {
    let above = cards.iter().find(|other| other.rank + 1 == card.rank);
    let above = above.and_then(|above| Some((&above.candidate.name, true, above.robustness.flip_below.as_ref()?)));
    let below = card.robustness.flip_below.as_ref().map(|flip| (&flip.with, false, flip));
    match (above, below) {
        (Some(above), Some(below)) => Some(if above.2.kept < below.2.kept { above } else { below }),
        (above, below) => above.or(below),
    }
}

fn places(order: &[usize]) -> Vec<usize> {
    let mut places = vec![0; order.len()];
    order.iter().enumerate().for_each(|(rank, at)| places[*at] = rank);
    places
}

/// What became of the ranking at each point of the lattice.
struct Lattice {
    /// Per standing, points at which it holds each of the first ranks.
    held: Vec<Vec<u32>>,
    /// Per rank, points at which whoever holds it stays before whoever holds the next: two each, one
    /// where they are equal and only their names decide.
    kept: Vec<u32>,
    points: u32,
}

impl Lattice {
    fn walk(standings: &[Standing], order: &[usize]) -> Self {
        let listed = standings.len().min(RANKS_LISTED);
        let mut held = vec![vec![0; listed]; standings.len()];
        let mut kept = vec![0; order.len().saturating_sub(1)];
        for (lambda, alpha) in points() {
            let priorities: Vec<f64> = standings.iter().map(|s| s.priority(lambda, alpha, End::Likely)).collect();
            let here = by_priority(standings, &priorities);
            here.iter().take(listed).enumerate().for_each(|(rank, at)| held[*at][rank] += 1);
            for (rank, pair) in order.windows(2).enumerate() {
                kept[rank] += match priorities[pair[0]].total_cmp(&priorities[pair[1]]) {
                    Ordering::Greater => 2,
                    Ordering::Equal => 1,
                    Ordering::Less => 0,
                };
            }
        }
        Lattice { held, kept, points: LAMBDAS * ALPHAS }
    }

    fn acceptability(&self, at: usize) -> Vec<f64> {
        let last = self.held[at].iter().rposition(|points| *points > 0).map_or(0, |last| last + 1);
        self.held[at][..last].iter().map(|points| f64::from(*points) / f64::from(self.points)).collect()
    }

    /// The share of the lattice in which whoever holds `rank` stays before the next.
    fn share(&self, rank: usize) -> f64 {
        self.kept.get(rank).map_or(1.0, |kept| f64::from(*kept) / f64::from(2 * self.points))
    }

    /// The weaker of its two neighbourhoods decides: the share of the lattice in which it stays
    /// behind the one above and before the one below. Robust needs the same rank at low and high
    /// effort as well.
    fn label(&self, rank: usize, moved: bool, parameters: &Parameters) -> &'static str {
        let above = rank.checked_sub(1).map_or(1.0, |above| self.share(above));
        match above.min(self.share(rank)) {
            share if share < parameters.toss_up_share => "toss-up",
            share if share >= parameters.robust_share && !moved => "robust",
            _ => "sensitive",
        }
    }
}

fn points() -> impl Iterator<Item = (f64, f64)> {
    (0..LAMBDAS).flat_map(|l| (0..ALPHAS).map(move |a| (f64::from(l) / 20.0, f64::from(a) / 4.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(name: &str, frequency: f64, importance: f64, days: f64) -> Standing {
        Standing {
            name: ServiceName::suggested_by(name),
            frequency,
            importance,
            effort: [days * 0.8, days, days * 1.3],
        }
    }

    #[test]
    fn equal_efforts_flip_where_the_values_meet() {
        // V a = 0.8λ + 0.2(1−λ), V b = 0.5 throughout: equal at λ = 1/2.
        let flip = flip(&standing("a", 0.8, 0.2, 4.0), &standing("b", 0.5, 0.5, 4.0), 0.6, 1.0);
        assert!((flip.lambda.unwrap() - 0.5).abs() < 1e-12);
        assert_eq!(flip.alpha, None);
    }

    #[test]
    fn equal_priorities_at_twice_value_and_twice_effort_flip_at_alpha_one() {
        let flip = flip(&standing("a", 0.8, 0.8, 8.0), &standing("b", 0.4, 0.4, 4.0), 0.5, 0.5);
        assert!((flip.alpha.unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(flip.lambda, None);
    }

    #[test]
    fn one_better_in_everything_is_robust_and_twins_are_a_toss_up() {
        let all = [standing("a", 0.9, 0.9, 2.0), standing("b", 0.2, 0.2, 9.0), standing("c", 0.2, 0.2, 9.0)];
        let found = analyse(&all, &Parameters::default());
        assert_eq!(found[0].label, "robust");
        assert_eq!(found[0].acceptability, [1.0]);
        assert_eq!((found[1].label.as_str(), found[2].label.as_str()), ("toss-up", "toss-up"));
    }

    #[test]
    fn shares_add_up_to_one() {
        let all = [standing("a", 0.9, 0.1, 5.0), standing("b", 0.1, 0.9, 4.0), standing("c", 0.5, 0.4, 2.0)];
        for robustness in analyse(&all, &Parameters::default()) {
            assert!((robustness.acceptability.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
