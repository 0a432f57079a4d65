//! Raw tables left in the central lake, wrap by wrap.
use super::{
    super::{BurnPoint, text},
    axis::{tick_text, ticks},
    svg::{Anchor, Svg, fit},
};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 58.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 50.0;

/// The chart of `points`; empty before the first wrap.
pub(super) fn draw(points: &[BurnPoint]) -> String {
    let Some(start) = points.first() else { return String::new() };
    let mut svg = Svg::new(WIDTH, HEIGHT);
    let scale = ticks(start.left as f64, 4);
    let most = scale.last().copied().unwrap_or(1.0);
    let y = |left: f64| HEIGHT - BOTTOM - left / most * (HEIGHT - TOP - BOTTOM);
    for tick in &scale {
        svg.line((LEFT, y(*tick)), (WIDTH - 16.0, y(*tick)), "grid");
        svg.text((LEFT - 8.0, y(*tick) + 4.0), Anchor::End, "tick", &tick_text(*tick));
    }
    svg.text((LEFT - 44.0, TOP - 10.0), Anchor::Start, "axis-title", "↑ raw tables not yet behind a service");
    let step = (WIDTH - LEFT - 16.0) / points.len() as f64;
    let mut line = Vec::new();
    for (at, point) in points.iter().enumerate() {
        let (from, to) = (LEFT + at as f64 * step, LEFT + (at + 1) as f64 * step);
        let middle = (from + to) / 2.0;
        let level = y(point.left as f64);
        line.extend([(from, level), (to, level)]);
        svg.text((middle, level - 6.0), Anchor::Middle, "label", &text::thousands(point.left));
        // Thirty names in a row would be no names at all.
        if step >= 44.0 {
            svg.text((middle, HEIGHT - BOTTOM + 18.0), Anchor::Middle, "tick", &fit(&point.label, 11.0, step - 4.0));
            svg.text((middle, HEIGHT - BOTTOM + 34.0), Anchor::Middle, "tick", &fit(&point.day, 11.0, step - 2.0));
        }
    }
    svg.polyline(&line, "burn");
    svg.finish("chart burn-down", "Raw tables left in the lake after each wrap")
}
