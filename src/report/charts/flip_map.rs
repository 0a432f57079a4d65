//! How far λ may move before neighbours change places: a bar around the value in use, a tick at each flip.
use super::{
    super::Ranking,
    axis::tick_text,
    svg::{Anchor, Svg, fit, text_width, unit},
};

const WIDTH: f64 = 620.0;
const LABELS: f64 = 250.0;
const ROW: f64 = 26.0;
const TOP: f64 = 30.0;

/// The chart of `ranking`; empty where nobody can pass anybody by another λ.
pub(super) fn draw(ranking: &Ranking) -> String {
    let rows: Vec<_> = ranking.flips.iter().filter(|flip| flip.below != "–").collect();
    if rows.is_empty() {
        return String::new();
    }
    let bottom = TOP + rows.len() as f64 * ROW;
    let mut svg = Svg::new(WIDTH, bottom + 40.0);
    let x = |lambda: f64| LABELS + unit(lambda) * (WIDTH - LABELS - 20.0);
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        svg.line((x(tick), TOP - 4.0), (x(tick), bottom), "grid");
        svg.text((x(tick), bottom + 16.0), Anchor::Middle, "tick", &tick_text(tick));
    }
    for (at, flip) in rows.iter().enumerate() {
        let middle = TOP + at as f64 * ROW + ROW / 2.0;
        // Both names of a pair stay known: each is cut to its half, unless they fit together.
        let both = format!("{} / {}", flip.name, flip.below);
        let half = |name: &str| fit(name, 12.0, (LABELS - 26.0) / 2.0);
        let name = match text_width(&both, 12.0) <= LABELS - 14.0 {
            true => both,
            false => format!("{} / {}", half(&flip.name), half(&flip.below)),
        };
        svg.open("", &flip.words);
        svg.text((LABELS - 10.0, middle + 4.0), Anchor::End, "label", &fit(&name, 12.0, LABELS - 14.0));
        let (from, to) = kept(ranking.lambda, flip.lambda_at);
        svg.rect((x(from), middle - 5.0), (x(to) - x(from), 10.0), 2.0, "kept");
        if let Some(lambda) = flip.lambda_at {
            svg.line((x(lambda), middle - 9.0), (x(lambda), middle + 9.0), "flip");
        }
        svg.close();
    }
    svg.line((x(ranking.lambda), TOP - 8.0), (x(ranking.lambda), bottom), "now");
    svg.text((x(ranking.lambda), TOP - 12.0), Anchor::Middle, "tick", "in use");
    svg.text(
        ((LABELS + WIDTH) / 2.0, bottom + 34.0),
        Anchor::Middle,
        "axis-title",
        "λ: importance only ← → frequency only",
    );
    svg.finish("chart flip-map", "The λ at which neighbours change places")
}

/// The stretch of λ around `now` in which the pair keeps its order.
fn kept(now: f64, flip: Option<f64>) -> (f64, f64) {
    match flip {
        Some(flip) if flip <= now => (flip, 1.0),
        Some(flip) => (0.0, flip),
        None => (0.0, 1.0),
    }
}
