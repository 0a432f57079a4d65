//! How a candidate's value adds up, term by term, and what its effort makes of it.
use super::{
    super::{CandidateRow, text},
    svg::{Anchor, Svg, fit, unit},
};

const WIDTH: f64 = 720.0;
const LABELS: f64 = 230.0;
const NUMBERS: f64 = 60.0;
const ROW: f64 = 24.0;

/// The chart of one candidate.
pub(super) fn draw(candidate: &CandidateRow) -> String {
    let rows = candidate.waterfall.len() as f64;
    let mut svg = Svg::new(WIDTH, rows * ROW + 34.0);
    let x = |value: f64| LABELS + unit(value) * (WIDTH - LABELS - NUMBERS);
    svg.line((x(0.0), 0.0), (x(0.0), rows * ROW), "axis");
    for (at, step) in candidate.waterfall.iter().enumerate() {
        let top = at as f64 * ROW;
        let (low, high) = (step.from.min(step.to), step.from.max(step.to));
        svg.text((LABELS - 10.0, top + 16.0), Anchor::End, "label", &fit(&step.label, 12.0, LABELS - 14.0));
        svg.rect((x(low), top + 5.0), ((x(high) - x(low)).max(1.0), ROW - 10.0), 2.0, step.kind);
        if at + 1 < candidate.waterfall.len() && step.kind != "term total" {
            svg.line((x(step.to), top + ROW - 5.0), (x(step.to), top + ROW + 5.0), "leader");
        }
        let sign = if step.kind == "term total" || step.to < step.from { "" } else { "+" };
        let number = if step.kind == "term total" { step.to } else { step.to - step.from };
        svg.text((x(high) + 8.0, top + 16.0), Anchor::Start, "tick", &format!("{sign}{}", text::points(number)));
    }
    let words = format!(
        "ρ = {} ÷ effort of {} person-days{} = {}",
        candidate.value,
        text::one_decimal(candidate.days[1]),
        candidate.alpha_text,
        candidate.priority
    );
    svg.text((x(0.0), rows * ROW + 22.0), Anchor::Start, "result", &words);
    svg.finish("chart waterfall", &format!("How the priority of {} comes about", candidate.name))
}
