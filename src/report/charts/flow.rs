//! The way of the data as boxes in a row.
use super::{
    super::{Flow, FlowBox, FlowLink},
    svg::{Anchor, Svg, fit, text_width},
};

const BOX_WIDTH: f64 = 152.0;
const BOX_HEIGHT: f64 = 98.0;
const GAP: f64 = 88.0;
const TOP: f64 = 28.0;
const LINE: f64 = 16.0;

/// The drawing of `flow`.
pub(super) fn draw(flow: &Flow) -> String {
    let columns = flow.boxes.len();
    let width = columns as f64 * BOX_WIDTH + columns.saturating_sub(1) as f64 * GAP + 16.0;
    let mut svg = Svg::new(width, TOP + BOX_HEIGHT + 12.0);
    for (label, first, last) in &flow.bands {
        band(&mut svg, label, *first, *last);
    }
    for (at, link) in flow.links.iter().enumerate() {
        arrow(&mut svg, at, link);
    }
    for (at, part) in flow.boxes.iter().enumerate() {
        draw_box(&mut svg, at, part);
    }
    svg.finish("chart way", &format!("{}: the way of the data from the source to its readers", flow.title))
}

fn left(at: usize) -> f64 {
    8.0 + at as f64 * (BOX_WIDTH + GAP)
}

fn band(svg: &mut Svg, label: &str, first: usize, last: usize) {
    let (from, to) = (left(first) - 7.0, left(last) + BOX_WIDTH + 7.0);
    svg.rect((from, 1.0), (to - from, TOP + BOX_HEIGHT + 9.0), 8.0, "band");
    svg.text((from + 8.0, 17.0), Anchor::Start, "band-name", &fit(label, 12.0, to - from - 14.0));
}

fn arrow(svg: &mut Svg, at: usize, link: &FlowLink) {
    let (from, to) = (left(at) + BOX_WIDTH, left(at + 1));
    let y = TOP + BOX_HEIGHT / 2.0;
    let class = if link.changed { "arrow changed" } else { "arrow" };
    svg.line((from + 2.0, y), (to - 8.0, y), class);
    svg.polyline(
        &[(to - 9.0, y - 4.5), (to - 1.5, y), (to - 9.0, y + 4.5), (to - 9.0, y - 4.5)],
        &format!("{class} head"),
    );
    for (n, line) in link.label.iter().take(2).enumerate() {
        let y = if n == 0 { y - 7.0 } else { y + 16.0 };
        svg.open("", line);
        svg.text(((from + to) / 2.0 - 2.0, y), Anchor::Middle, "arrow-label", &fit(line, 11.0, GAP - 8.0));
        svg.close();
    }
}

fn draw_box(svg: &mut Svg, at: usize, part: &FlowBox) {
    svg.open(&format!("class=\"place k-{}\"", part.kind), &part.lines.join("\n"));
    svg.rect((left(at), TOP), (BOX_WIDTH, BOX_HEIGHT), 6.0, "box");
    svg.text((left(at) + 10.0, TOP + 19.0), Anchor::Start, "place-name", &fit(&part.title, 13.4, BOX_WIDTH - 16.0));
    for (n, line) in part.lines.iter().take(4).enumerate() {
        let y = TOP + 38.0 + n as f64 * LINE;
        svg.text((left(at) + 10.0, y), Anchor::Start, "place-line", &tail_fit(line, BOX_WIDTH - 18.0));
    }
    svg.close();
}

/// A long name is told from its neighbours by its last part: that part is kept.
fn tail_fit(name: &str, width: f64) -> String {
    const SIZE: f64 = 11.5;
    if text_width(name, SIZE) <= width {
        return name.to_owned();
    }
    match name.rfind(['.', '/']) {
        Some(at) if !name.contains(' ') => fit(&format!("…{}", &name[at + 1..]), SIZE, width),
        _ => fit(name, SIZE, width),
    }
}
