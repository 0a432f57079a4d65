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

/// Points up to which every name finds a place, however far off.
const FEW: usize = 14;

/// x, y, width and height of a part of a drawing.
pub(super) type Area = (f64, f64, f64, f64);

/// A place for the name of each point, those that come first choosing first; none among many points where a name
/// would cover something. `size` is the letters' size, `bounds` the drawing, and `taken` what stands there already.
pub(super) fn place(points: &[Point], size: f64, bounds: Area, taken: &[Area]) -> Vec<Option<Label>> {
    let bounds = rect(&bounds);
    let crowded = points.len() > FEW;
    let mut taken: Vec<Rect> = points.iter().map(circle).chain(taken.iter().map(rect)).collect();
    let mut labels = Vec::new();
    for point in points {
        let found = best(point, size, &taken, &bounds, crowded);
        labels.push(found.map(|(label, _)| label));
        taken.extend(found.map(|(_, rect)| rect));
    }
    labels
}

fn rect(area: &Area) -> Rect {
    Rect { x: area.0, y: area.1, w: area.2, h: area.3 }
}

fn circle(point: &Point) -> Rect {
    let r = point.radius + 1.0;
    Rect { x: point.at.0 - r, y: point.at.1 - r, w: 2.0 * r, h: 2.0 * r }
}

/// The first of a fixed list of places that covers nothing, else the one that covers least, or none in a crowd:
/// there a line to a name far off would only be one more thing in the way.
fn best(point: &Point, size: f64, taken: &[Rect], bounds: &Rect, crowded: bool) -> Option<(Label, Rect)> {
    const FREE: f64 = 1e-6;
    let mut best: Option<(f64, Label, Rect)> = None;
    for (label, rect) in places(point, size).into_iter().filter(|(label, _)| !(crowded && label.leader)) {
        let covered = taken.iter().map(|other| rect.overlap(other)).sum::<f64>() + 4.0 * rect.outside(bounds);
        if best.as_ref().is_none_or(|(least, ..)| covered < *least - FREE) {
            best = Some((covered, label, rect));
        }
        if covered <= 0.0 {
            break;
        }
    }
    best.filter(|(covered, ..)| !crowded || *covered <= FREE).map(|(_, label, rect)| (label, rect))
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
        let labels = place(&points, 12.0, (0.0, 0.0, 400.0, 400.0), &[]);
        let labels: Vec<&Label> = labels.iter().flatten().collect();
        assert_eq!(labels.len(), 8);
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
    fn in_a_crowd_a_name_without_room_is_left_out_and_the_first_keep_theirs() {
        let points: Vec<Point> =
            (0..40).map(|n| Point { at: (200.0, 200.0), radius: 6.0, text: format!("service-{n}") }).collect();
        let labels = place(&points, 12.0, (0.0, 0.0, 400.0, 400.0), &[]);
        assert!(labels[0].is_some() && labels[39].is_none());
        assert!(labels.iter().flatten().all(|label| !label.leader));
        let at_words = place(&points[..1], 12.0, (0.0, 0.0, 400.0, 400.0), &[(207.0, 190.0, 100.0, 20.0)]);
        assert_eq!(at_words[0].map(|label| label.anchor), Some(Anchor::End), "the words to the right stay free");
    }

    #[test]
    fn a_name_at_the_right_edge_stands_to_the_left() {
        let point = Point { at: (395.0, 200.0), radius: 6.0, text: "a-long-service-name".into() };
        let label = place(&[point], 12.0, (0.0, 0.0, 400.0, 400.0), &[])[0];
        assert_eq!(label.map(|label| label.anchor), Some(Anchor::End));
    }
}
