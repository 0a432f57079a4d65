//! How firm the ranking is: shares of each rank under other weights, and the weights at which neighbours change places.
use serde::Serialize;

use super::{ReportInputs, text};
use crate::scoring::{Flip, Scorecard};

/// How firm the ranking is.
#[derive(Clone, Debug, Serialize)]
pub struct Ranking {
    /// λ and α in use, in words.
    pub weights: String,
    /// `8 robust, 3 sensitive and 1 toss-up`.
    pub summary: String,
    /// Shares per rank.
    pub shares: Vec<RankShare>,
    /// Where neighbours change places.
    pub flips: Vec<FlipRow>,
    /// λ in use.
    pub lambda: f64,
    /// α in use.
    pub alpha: f64,
}

/// How often one candidate holds each rank.
#[derive(Clone, Debug, Serialize)]
pub struct RankShare {
    /// The service.
    pub name: String,
    /// Its rank under the weights in use.
    pub rank: u32,
    /// Share per rank, first rank first.
    pub shares: Vec<f64>,
}

/// Where one pair changes places.
#[derive(Clone, Debug, Serialize)]
pub struct FlipRow {
    /// Its rank.
    pub rank: u32,
    /// The service.
    pub name: String,
    /// `robust`, `sensitive`, `toss-up`.
    pub label: String,
    /// The neighbour, or a dash.
    pub below: String,
    /// λ of the flip, or `never`.
    pub lambda: String,
    /// α of the flip, or `never`.
    pub alpha: String,
    /// λ of the flip as a number.
    pub lambda_at: Option<f64>,
    /// α of the flip as a number.
    pub alpha_at: Option<f64>,
    /// Ranks with every effort low and every effort high: `1 – 2`.
    pub effort_ranks: String,
    /// In words.
    pub words: String,
}

/// The ranking of `inputs`.
pub(super) fn ranking(inputs: &ReportInputs) -> Ranking {
    let shares = |card: &Scorecard| RankShare {
        name: card.candidate.name.to_string(),
        rank: card.rank,
        shares: card.robustness.acceptability.clone(),
    };
    Ranking {
        weights: format!("λ = {}, α = {}", text::points(inputs.lambda), text::points(inputs.alpha)),
        summary: summary(inputs.scorecards),
        shares: inputs.scorecards.iter().map(shares).collect(),
        flips: inputs.scorecards.iter().map(flip_row).collect(),
        lambda: inputs.lambda,
        alpha: inputs.alpha,
    }
}

fn summary(cards: &[Scorecard]) -> String {
    let of = |label: &str| cards.iter().filter(|card| card.robustness.label == label).count();
    let parts: Vec<String> = [
        (of("robust"), "rank is robust", "ranks are robust"),
        (of("sensitive"), "is sensitive to the weights", "are sensitive to the weights"),
        (of("toss-up"), "is a toss-up", "are toss-ups"),
    ]
    .into_iter()
    .filter(|(n, ..)| *n > 0)
    .map(|(n, one, many)| text::count(n, one, many))
    .collect();
    if parts.is_empty() { String::new() } else { super::decision::sentence(&text::prose(&parts)) }
}

fn flip_row(card: &Scorecard) -> FlipRow {
    let flip = card.robustness.flip_below.as_ref();
    let number = |value: Option<f64>| value.map_or_else(|| "never".to_owned(), text::points);
    let (low, high) = (card.robustness.rank_low_effort, card.robustness.rank_high_effort);
    FlipRow {
        rank: card.rank,
        name: card.candidate.name.to_string(),
        label: card.robustness.label.clone(),
        below: flip.map_or_else(|| "–".to_owned(), |f| f.with.to_string()),
        lambda: flip.map_or_else(|| "–".to_owned(), |f| number(f.lambda)),
        alpha: flip.map_or_else(|| "–".to_owned(), |f| number(f.alpha)),
        lambda_at: flip.and_then(|f| f.lambda),
        alpha_at: flip.and_then(|f| f.alpha),
        effort_ranks: if low == high { low.to_string() } else { format!("{} to {}", low.min(high), low.max(high)) },
        words: flip
            .map_or_else(|| "nobody stands below".to_owned(), |f| format!("{} passes it {}", f.with, flip_words(f))),
    }
}

/// When a flip happens, in words.
pub(super) fn flip_words(flip: &Flip) -> String {
    match (flip.lambda, flip.alpha) {
        (None, None) => "under no weights in range".to_owned(),
        (Some(lambda), None) => format!("at λ = {}", text::points(lambda)),
        (None, Some(alpha)) => format!("at α = {}", text::points(alpha)),
        (Some(lambda), Some(alpha)) => format!("at λ = {} or at α = {}", text::points(lambda), text::points(alpha)),
    }
}
