//! Layer × who holds it: how many tables stand where today, and where they will.
use super::{
    super::{Ownership, OwnershipRow, text},
    svg::{Anchor, Svg, unit},
};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 130.0;
const CELL: f64 = 300.0;
const ROW: f64 = 74.0;
const TOP: f64 = 34.0;

/// The chart; empty without tables.
pub(super) fn draw(ownership: &Ownership) -> String {
    if ownership.rows.is_empty() {
        return String::new();
    }
    let mut svg = Svg::new(WIDTH, TOP + ROW * ownership.rows.len() as f64 + 6.0);
    for (column, title) in ["central: the lake alone", "decentral: behind a data service"].iter().enumerate() {
        svg.text((LEFT + CELL * (column as f64 + 0.5), TOP - 12.0), Anchor::Middle, "column", title);
    }
    for (at, row) in ownership.rows.iter().enumerate() {
        line(&mut svg, TOP + ROW * at as f64, row);
    }
    svg.finish("chart ownership", "Tables in the central lake and behind data services, today and in the end")
}

fn line(svg: &mut Svg, y: f64, row: &OwnershipRow) {
    let all = (row.central_now + row.decentral_now) as f64;
    svg.text((LEFT - 14.0, y + ROW / 2.0), Anchor::End, "label", &row.layer);
    svg.text((LEFT - 14.0, y + ROW / 2.0 + 15.0), Anchor::End, "tick", &text::thousands(all as u64));
    let cells = [(row.central_now, row.central_then, "central"), (row.decentral_now, row.decentral_then, "decentral")];
    for (column, (now, then, class)) in cells.into_iter().enumerate() {
        let x = LEFT + CELL * column as f64;
        svg.rect((x, y), (CELL - 6.0, ROW - 6.0), 6.0, "frame");
        // Today's share above, the share to come below it.
        let width = |count: u64| unit(count as f64 / all.max(1.0)) * (CELL - 30.0);
        svg.rect((x + 12.0, y + 42.0), (width(now), 7.0), 2.0, &format!("held {class}"));
        svg.rect((x + 12.0, y + 52.0), (width(then), 7.0), 2.0, &format!("held {class} then"));
        let words = match now == then {
            true => text::thousands(now),
            false => format!("{} → {}", text::thousands(now), text::thousands(then)),
        };
        svg.text((x + 12.0, y + 30.0), Anchor::Start, "held-count", &words);
    }
}
