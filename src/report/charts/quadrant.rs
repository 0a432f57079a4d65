//! Change frequency × importance: which quarter a candidate stands in says what kind of service it will be.
use super::{
    super::CandidateRow,
    axis::tick_text,
    bubbles::robustness_class,
    labels::{Area, Point, place},
    svg::{Anchor, Svg, text_width, unit},
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
    let room = (LEFT, 2.0, WIDTH - LEFT - 4.0, HEIGHT - BOTTOM - 2.0);
    for (point, label) in points.iter().zip(place(&points, 13.0, room, &names_of_quarters())) {
        let Some(label) = label else { continue };
        if label.leader {
            svg.line(point.at, (label.at.0, label.at.1 - 4.0), "leader");
        }
        svg.text(label.at, label.anchor, "label", &point.text);
    }
    svg.finish("chart quadrant", "Change frequency against importance")
}

const INNER: (f64, f64) = (LEFT + 8.0, WIDTH - RIGHT - 8.0);
/// Where the names of the quarters stand.
const QUARTERS: [((f64, f64), Anchor, &str); 4] = [
    ((INNER.1, TOP + 16.0), Anchor::End, "changes often, much hangs on it"),
    ((INNER.0, TOP + 16.0), Anchor::Start, "steady, much hangs on it"),
    ((INNER.1, HEIGHT - BOTTOM - 8.0), Anchor::End, "changes often, little hangs on it"),
    ((INNER.0, HEIGHT - BOTTOM - 8.0), Anchor::Start, "steady, little hangs on it"),
];

fn names_of_quarters() -> [Area; 4] {
    QUARTERS.map(|((x, y), anchor, name)| {
        let width = text_width(name, 11.0);
        (if anchor == Anchor::End { x - width } else { x }, y - 10.0, width, 13.0)
    })
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
    for (at, anchor, name) in QUARTERS {
        svg.text(at, anchor, "quarter-name", name);
    }
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        svg.text((x(tick), HEIGHT - BOTTOM + 18.0), Anchor::Middle, "tick", &tick_text(tick));
        svg.text((LEFT - 8.0, y(tick) + 4.0), Anchor::End, "tick", &tick_text(tick));
    }
    svg.text((LEFT + half_w, HEIGHT - 10.0), Anchor::Middle, "axis-title", "change frequency F →");
    svg.text((LEFT - 44.0, TOP - 8.0), Anchor::Start, "axis-title", "↑ importance I");
}
