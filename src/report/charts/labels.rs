//! Names beside points without one lying on another.
use super::svg::{Anchor, text_width};

/// A point that wants its name beside it.
pub(super) struct Point {
    pub(super) at: (f64, f64),
    pub(super) radius: f64,
    pub(super) text: String,
}

/// Where a name goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Label {
    pub(super) at: (f64, f64),
    pub(super) anchor: Anchor,
    /// Whether it stands so far off that a line must lead to it.
    pub(super) leader: bool,
}

#[derive(Clone, Copy)]
struct Rect {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

impl Rect {
    fn overlap(&self, other: &Rect) -> f64 {
        let x = (self.x + self.w).min(other.x + other.w) - self.x.max(other.x);
        let y = (self.y + self.h).min(other.y + other.h) - self.y.max(other.y);
        if x > 0.0 && y > 0.0 { x * y } else { 0.0 }
    }

    /// Area that lies outside `bounds`.
    fn outside(&self, bounds: &Rect) -> f64 {
        self.w * self.h - self.overlap(bounds)
    }
}

/// A place for the name of each point, those that come first choosing first. `size` is the letters'
/// size, `bounds` the drawing's x, y, width and height.
pub(super) fn place(points: &[Point], size: f64, bounds: (f64, f64, f64, f64)) -> Vec<Label> {
    let bounds = Rect { x: bounds.0, y: bounds.1, w: bounds.2, h: bounds.3 };
    let mut taken: Vec<Rect> = points.iter().map(circle).collect();
    let mut labels = Vec::new();
    for point in points {
        let (label, rect) = best(point, size, &taken, &bounds);
        taken.push(rect);
        labels.push(label);
    }
    labels
}

fn circle(point: &Point) -> Rect {
    let r = point.radius + 1.0;
    Rect { x: point.at.0 - r, y: point.at.1 - r, w: 2.0 * r, h: 2.0 * r }
}

/// The first of a fixed list of places that covers nothing, else the one that covers least.
fn best(point: &Point, size: f64, taken: &[Rect], bounds: &Rect) -> (Label, Rect) {
    let mut best: Option<(f64, Label, Rect)> = None;
    for (label, rect) in places(point, size) {
        let covered = taken.iter().map(|other| rect.overlap(other)).sum::<f64>() + 4.0 * rect.outside(bounds);
        if best.as_ref().is_none_or(|(least, ..)| covered < *least - 1e-6) {
            best = Some((covered, label, rect));
        }
        if covered <= 0.0 {
            break;
        }
    }
    best.map_or_else(
        || (Label { at: point.at, anchor: Anchor::Middle, leader: false }, circle(point)),
        |(_, label, rect)| (label, rect),
    )
}

fn places(point: &Point, size: f64) -> Vec<(Label, Rect)> {
    const AROUND: [(f64, f64); 8] =
        [(1.0, 0.0), (-1.0, 0.0), (0.0, -1.0), (0.0, 1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, -1.0), (-1.0, 1.0)];
    let width = text_width(&point.text, size);
    let mut places = Vec::new();
    for gap in [4.0, 16.0, 30.0, 46.0, 64.0] {
        for (dx, dy) in AROUND {
            let reach = point.radius + gap;
            // On a diagonal the corner of the box should touch the circle, not its tangent.
            let shrink = if dx != 0.0 && dy != 0.0 { 0.75 } else { 1.0 };
            let x = point.at.0 + dx * reach * shrink;
            let middle = point.at.1 + dy * (reach * shrink + size * 0.5);
            let anchor = match dx {
                d if d > 0.0 => Anchor::Start,
                d if d < 0.0 => Anchor::End,
                _ => Anchor::Middle,
            };
            let left = match anchor {
                Anchor::Start => x,
                Anchor::Middle => x - width / 2.0,
                Anchor::End => x - width,
            };
            let rect = Rect { x: left, y: middle - size * 0.6, w: width, h: size * 1.2 };
            places.push((Label { at: (x, middle + size * 0.35), anchor, leader: gap > 10.0 }, rect));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_points_on_one_spot_do_not_lie_on_each_other() {
        let points: Vec<Point> =
            (0..8).map(|n| Point { at: (200.0, 200.0), radius: 6.0, text: format!("service-{n}") }).collect();
        let labels = place(&points, 12.0, (0.0, 0.0, 400.0, 400.0));
        let width = text_width("service-0", 12.0);
        let span = |label: &Label| match label.anchor {
            Anchor::Start => (label.at.0, label.at.0 + width),
            Anchor::Middle => (label.at.0 - width / 2.0, label.at.0 + width / 2.0),
            Anchor::End => (label.at.0 - width, label.at.0),
        };
        for (n, a) in labels.iter().enumerate() {
            for b in &labels[..n] {
                let beside = span(a).1 <= span(b).0 || span(b).1 <= span(a).0;
                assert!(beside || (a.at.1 - b.at.1).abs() >= 12.0, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_name_at_the_right_edge_stands_to_the_left() {
        let point = Point { at: (395.0, 200.0), radius: 6.0, text: "a-long-service-name".into() };
        assert_eq!(place(&[point], 12.0, (0.0, 0.0, 400.0, 400.0))[0].anchor, Anchor::End);
    }
}
