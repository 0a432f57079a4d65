//! The way of the data as boxes on a grid.
use super::{
    super::{Flow, FlowBand, FlowBox, FlowLink},
    svg::{Anchor, Svg, fit, text_width},
};

const COLUMNS: usize = 4;
const BOX_WIDTH: f64 = 212.0;
const BOX_HEIGHT: f64 = 102.0;
const GAP: f64 = 108.0;
const TOP: f64 = 28.0;
const ROW: f64 = TOP + BOX_HEIGHT + 58.0;
const LINE: f64 = 16.5;

/// The drawing of `flow`.
pub(super) fn draw(flow: &Flow) -> String {
    let rows = flow.boxes.iter().map(|part| part.row + 1).max().unwrap_or(1);
    let width = COLUMNS as f64 * BOX_WIDTH + (COLUMNS - 1) as f64 * GAP + 16.0;
    let mut svg = Svg::new(width, rows as f64 * ROW - 46.0);
    for part in &flow.bands {
        band(&mut svg, part);
    }
    for link in &flow.links {
        if let (Some(from), Some(to)) = (flow.boxes.get(link.from), flow.boxes.get(link.to)) {
            if from.row == to.row { across(&mut svg, link, from, to) } else { down(&mut svg, link, from, to) }
        }
    }
    for part in &flow.boxes {
        place(&mut svg, part);
    }
    svg.finish("chart way", &format!("{}: the way of the data from the source to its readers", flow.title))
}

fn left(column: usize) -> f64 {
    8.0 + column as f64 * (BOX_WIDTH + GAP)
}

fn top(row: usize) -> f64 {
    TOP + row as f64 * ROW
}

fn band(svg: &mut Svg, band: &FlowBand) {
    let (from, to) = (left(band.first) - 7.0, left(band.last) + BOX_WIDTH + 7.0);
    let above = top(band.row) - TOP + 1.0;
    svg.rect((from, above), (to - from, TOP + BOX_HEIGHT + 8.0), 8.0, "band");
    // An arrow from the row above comes down in the middle of the first box: the name stands beside it.
    let aside = if band.row == 0 { 9.0 } else { BOX_WIDTH / 2.0 + 20.0 };
    let label = fit(&band.label, 13.0, to - from - aside - 9.0);
    svg.text((from + aside, above + 17.0), Anchor::Start, "band-name", &label);
}

fn class(link: &FlowLink) -> &'static str {
    if link.changed { "arrow changed" } else { "arrow" }
}

fn across(svg: &mut Svg, link: &FlowLink, from: &FlowBox, to: &FlowBox) {
    let (start, end) = (left(from.column) + BOX_WIDTH, left(to.column));
    let y = top(from.row) + BOX_HEIGHT / 2.0;
    svg.line((start + 2.0, y), (end - 8.0, y), class(link));
    let head = [(end - 9.0, y - 4.5), (end - 1.5, y), (end - 9.0, y + 4.5), (end - 9.0, y - 4.5)];
    svg.polyline(&head, &format!("{} head", class(link)));
    for (n, line) in link.label.iter().take(2).enumerate() {
        let y = if n == 0 { y - 7.0 } else { y + 17.0 };
        svg.open("", line);
        svg.text(((start + end) / 2.0 - 3.0, y), Anchor::Middle, "arrow-label", &fit(line, 11.0, GAP - 12.0));
        svg.close();
    }
}

/// From the bottom of one place over a corner to the top of another in the row below.
fn down(svg: &mut Svg, link: &FlowLink, from: &FlowBox, to: &FlowBox) {
    let middle = |part: &FlowBox| left(part.column) + BOX_WIDTH / 2.0;
    let (x, end_x) = (middle(from), middle(to));
    let (start, end) = (top(from.row) + BOX_HEIGHT, top(to.row));
    let turn = start + 28.0;
    svg.polyline(&[(x, start + 2.0), (x, turn), (end_x, turn), (end_x, end - 8.0)], &format!("{} bent", class(link)));
    let head = [(end_x - 4.5, end - 9.0), (end_x, end - 1.5), (end_x + 4.5, end - 9.0), (end_x - 4.5, end - 9.0)];
    svg.polyline(&head, &format!("{} head", class(link)));
    let label = link.label.join(" ");
    match from.column == to.column {
        true => svg.text((x + 10.0, turn + 4.0), Anchor::Start, "arrow-label", &label),
        false => svg.text(((x + end_x) / 2.0, turn - 6.0), Anchor::Middle, "arrow-label", &label),
    }
}

fn place(svg: &mut Svg, part: &FlowBox) {
    let (x, y) = (left(part.column), top(part.row));
    svg.open(&format!("class=\"place k-{}\"", part.kind), &part.lines.join("\n"));
    svg.rect((x, y), (BOX_WIDTH, BOX_HEIGHT), 6.0, "box");
    svg.text((x + 11.0, y + 20.0), Anchor::Start, "place-name", &fit(&part.title, 14.0, BOX_WIDTH - 18.0));
    for (n, line) in part.lines.iter().take(4).enumerate() {
        let y = y + 40.0 + n as f64 * LINE;
        svg.text((x + 11.0, y), Anchor::Start, "place-line", &tail_fit(line, BOX_WIDTH - 20.0));
    }
    svg.close();
}

/// A long name is told from its neighbours by its last part: that part is kept.
fn tail_fit(name: &str, width: f64) -> String {
    const SIZE: f64 = 12.0;
    if text_width(name, SIZE) <= width {
        return name.to_owned();
    }
    match name.rfind(['.', '/']) {
        Some(at) if !name.contains(' ') => fit(&format!("…{}", &name[at + 1..]), SIZE, width),
        _ => fit(name, SIZE, width),
    }
}
