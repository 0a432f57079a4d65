//! Change frequency × importance: which quarter a candidate stands in says what kind of service it will be.
use super::{
    super::CandidateRow,
    axis::tick_text,
    bubbles::robustness_class,
    labels::{Point, place},
    svg::{Anchor, Svg, unit},
};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 52.0;

/// The chart of `candidates`.
pub(super) fn draw(candidates: &[CandidateRow]) -> String {
    if candidates.is_empty() {
        return String::new();
    }
    let mut svg = Svg::new(WIDTH, HEIGHT);
    ground(&mut svg);
    let points: Vec<Point> = candidates
        .iter()
        .map(|c| Point {
            at: (x(c.numbers[0]), y(c.numbers[1])),
            radius: 9.0,
            text: super::super::text::cut(&c.name, 24),
        })
        .collect();
    for (point, c) in points.iter().zip(candidates) {
        svg.open("class=\"bubble\"", &format!("{}: F {}, I {}", c.name, c.frequency, c.importance));
        svg.circle(point.at, point.radius, robustness_class(&c.robustness));
        svg.close();
    }
    for (point, c) in points.iter().zip(candidates) {
        let class = if c.robustness == "robust" || c.robustness == "sensitive" { &c.robustness } else { "toss-up" };
        svg.text((point.at.0, point.at.1 + 4.0), Anchor::Middle, &format!("rank on-{class}"), &c.rank.to_string());
    }
    for (point, label) in
        points.iter().zip(place(&points, 13.0, (LEFT, 2.0, WIDTH - LEFT - 4.0, HEIGHT - BOTTOM - 2.0)))
    {
        if label.leader {
            svg.line(point.at, (label.at.0, label.at.1 - 4.0), "leader");
        }
        svg.text(label.at, label.anchor, "label", &point.text);
    }
    svg.finish("chart quadrant", "Change frequency against importance")
}

fn x(frequency: f64) -> f64 {
    LEFT + unit(frequency) * (WIDTH - LEFT - RIGHT)
}

fn y(importance: f64) -> f64 {
    HEIGHT - BOTTOM - unit(importance) * (HEIGHT - TOP - BOTTOM)
}

fn ground(svg: &mut Svg) {
    let (half_w, half_h) = ((WIDTH - LEFT - RIGHT) / 2.0, (HEIGHT - TOP - BOTTOM) / 2.0);
    svg.rect((LEFT + half_w, TOP), (half_w, half_h), 0.0, "quarter best");
    svg.rect((LEFT, TOP), (2.0 * half_w, 2.0 * half_h), 0.0, "frame");
    svg.line((LEFT + half_w, TOP), (LEFT + half_w, TOP + 2.0 * half_h), "grid");
    svg.line((LEFT, TOP + half_h), (LEFT + 2.0 * half_w, TOP + half_h), "grid");
    let right = WIDTH - RIGHT - 8.0;
    svg.text((right, TOP + 16.0), Anchor::End, "quarter-name", "changes often, much hangs on it");
    svg.text((LEFT + 8.0, TOP + 16.0), Anchor::Start, "quarter-name", "steady, much hangs on it");
    svg.text((right, HEIGHT - BOTTOM - 8.0), Anchor::End, "quarter-name", "changes often, little hangs on it");
    svg.text((LEFT + 8.0, HEIGHT - BOTTOM - 8.0), Anchor::Start, "quarter-name", "steady, little hangs on it");
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        svg.text((x(tick), HEIGHT - BOTTOM + 18.0), Anchor::Middle, "tick", &tick_text(tick));
        svg.text((LEFT - 8.0, y(tick) + 4.0), Anchor::End, "tick", &tick_text(tick));
    }
    svg.text((LEFT + half_w, HEIGHT - 10.0), Anchor::Middle, "axis-title", "change frequency F →");
    svg.text((LEFT - 44.0, TOP - 8.0), Anchor::Start, "axis-title", "↑ importance I");
}
