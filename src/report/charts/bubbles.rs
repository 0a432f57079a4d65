//! Effort × value: the further up and to the left, the sooner. A bubble's area is what hangs on it.
use super::{
    super::CandidateRow,
    axis::{tick_text, ticks},
    labels::{Area, Label, Point, place},
    svg::{Anchor, Svg, positive, text_width, unit},
};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 52.0;

/// The chart of `candidates`; `alpha` bends the lines of equal priority.
pub(super) fn draw(candidates: &[CandidateRow], alpha: f64) -> String {
    if candidates.is_empty() {
        return String::new();
    }
    let longest = candidates.iter().map(|c| positive(c.days[2]).max(positive(c.days[1]))).fold(0.0, f64::max);
    let x_ticks = ticks(longest, 6);
    let highest = candidates.iter().map(|c| unit(c.numbers[2])).fold(0.0, f64::max);
    let y_ticks = ticks((highest * 1.08).min(1.0), 5);
    let frame = Frame { x_max: last(&x_ticks), y_max: last(&y_ticks) };
    let mut svg = Svg::new(WIDTH, HEIGHT);
    grid(&mut svg, &frame, &x_ticks, &y_ticks);
    equal_priority(&mut svg, &frame, candidates, alpha);
    ranges(&mut svg, &frame, candidates);
    bubbles(&mut svg, &frame, candidates);
    svg.finish("chart bubbles", "Effort in person-days against value; further up and left comes sooner")
}

struct Frame {
    x_max: f64,
    y_max: f64,
}

impl Frame {
    fn x(&self, days: f64) -> f64 {
        LEFT + positive(days) / self.x_max * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - unit(value) / self.y_max * (HEIGHT - TOP - BOTTOM)
    }
}

fn last(ticks: &[f64]) -> f64 {
    ticks.last().copied().unwrap_or(1.0)
}

fn grid(svg: &mut Svg, frame: &Frame, x_ticks: &[f64], y_ticks: &[f64]) {
    let bottom = HEIGHT - BOTTOM;
    for tick in y_ticks {
        let y = frame.y(*tick);
        svg.line((LEFT, y), (WIDTH - RIGHT, y), "grid");
        svg.text((LEFT - 8.0, y + 4.0), Anchor::End, "tick", &tick_text(*tick));
    }
    for tick in x_ticks {
        let x = frame.x(*tick);
        svg.line((x, bottom), (x, bottom + 4.0), "axis");
        svg.text((x, bottom + 18.0), Anchor::Middle, "tick", &tick_text(*tick));
    }
    svg.line((LEFT, bottom), (WIDTH - RIGHT, bottom), "axis");
    svg.text(((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 10.0), Anchor::Middle, "axis-title", "effort in person-days →");
    svg.text((LEFT - 44.0, TOP - 8.0), Anchor::Start, "axis-title", "↑ value V");
}

/// Lines on which the priority is the same, at the best one, its half and its quarter.
fn equal_priority(svg: &mut Svg, frame: &Frame, candidates: &[CandidateRow], alpha: f64) {
    let best = candidates.iter().map(|c| positive(c.numbers[3])).fold(0.0, f64::max);
    if best <= 0.0 || !alpha.is_finite() || alpha <= 0.0 {
        return;
    }
    for share in [1.0, 0.5, 0.25] {
        let priority = best * share;
        // The line leaves through the top or through the right side, whichever comes first.
        let end = (frame.y_max / priority).powf(1.0 / alpha).min(frame.x_max);
        let points: Vec<(f64, f64)> = (0..=32)
            .map(|n| end * f64::from(n) / 32.0)
            .map(|days| (frame.x(days), frame.y(priority * days.powf(alpha))))
            .collect();
        svg.polyline(&points, "iso");
        if let Some((x, y)) = points.last().copied() {
            let text = format!("ρ {}", super::super::text::decimal(priority, if priority < 0.095 { 3 } else { 2 }));
            // A line that leaves through the top has its name to the right, as long as there is room.
            let has_room = x + 3.0 + text_width(&text, 11.0) < WIDTH;
            match end < frame.x_max && has_room {
                true => svg.text((x + 3.0, y - 5.0), Anchor::Start, "iso-label", &text),
                false => svg.text((x.min(WIDTH - 4.0), y - 5.0), Anchor::End, "iso-label", &text),
            }
        }
    }
}

fn ranges(svg: &mut Svg, frame: &Frame, candidates: &[CandidateRow]) {
    for c in candidates {
        let (x, y, width) = whisker(frame, c);
        svg.line((x, y), (x + width, y), "whisker");
    }
}

/// Where the effort range of `c` begins, its height in the drawing, and how wide it is.
fn whisker(frame: &Frame, c: &CandidateRow) -> (f64, f64, f64) {
    let (from, to) = (frame.x(c.days[0]), frame.x(c.days[2]));
    (from, frame.y(c.numbers[2]), to - from)
}

fn bubbles(svg: &mut Svg, frame: &Frame, candidates: &[CandidateRow]) {
    let heaviest = candidates.iter().map(weight).fold(1.0, f64::max);
    let points: Vec<Point> = candidates
        .iter()
        .map(|c| Point {
            at: (frame.x(c.days[1]), frame.y(c.numbers[2])),
            radius: 8.0 + 11.0 * (weight(c) / heaviest).sqrt(),
            text: super::super::text::cut(&c.name, 28),
        })
        .collect();
    // Large ones first, so that a small one is never hidden behind a large one.
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|a, b| points[*b].radius.total_cmp(&points[*a].radius).then(a.cmp(b)));
    for at in order {
        bubble(svg, &points[at], &candidates[at]);
    }
    // Above all circles, so that a rank is read even where two lie on each other.
    for (point, c) in points.iter().zip(candidates) {
        let class = if c.robustness == "robust" || c.robustness == "sensitive" { &c.robustness } else { "toss-up" };
        svg.text((point.at.0, point.at.1 + 4.0), Anchor::Middle, &format!("rank on-{class}"), &c.rank.to_string());
    }
    let room = (LEFT, 2.0, WIDTH - LEFT - 4.0, HEIGHT - BOTTOM - 2.0);
    // A name on a whisker would hide how wide the range is.
    let whiskers: Vec<Area> =
        candidates.iter().map(|c| whisker(frame, c)).map(|(x, y, w)| (x, y - 2.0, w, 4.0)).collect();
    for (point, label) in points.iter().zip(place(&points, 12.6, room, &whiskers)) {
        label.iter().for_each(|label| name(svg, point, label));
    }
}

fn weight(c: &CandidateRow) -> f64 {
    (c.dependents + c.exposures) as f64
}

fn bubble(svg: &mut Svg, point: &Point, c: &CandidateRow) {
    let title = format!(
        "{}: {} person-days, V {}, priority {}, {}; {} jobs and {} BI objects hang on it",
        c.name, c.effort, c.value, c.priority, c.robustness, c.dependents, c.exposures
    );
    svg.open("class=\"bubble\"", &title);
    svg.circle(point.at, point.radius, robustness_class(&c.robustness));
    svg.close();
}

fn name(svg: &mut Svg, point: &Point, label: &Label) {
    if label.leader {
        let (dx, dy) = (label.at.0 - point.at.0, label.at.1 - 4.0 - point.at.1);
        let far = dx.hypot(dy).max(1.0);
        let edge = (point.at.0 + dx / far * point.radius, point.at.1 + dy / far * point.radius);
        svg.line(edge, (label.at.0, label.at.1 - 4.0), "leader");
    }
    svg.text(label.at, label.anchor, "label", &point.text);
}

/// The class that colours a robustness label.
pub(super) fn robustness_class(label: &str) -> &'static str {
    match label {
        "robust" => "dot robust",
        "sensitive" => "dot sensitive",
        _ => "dot toss-up",
    }
}
