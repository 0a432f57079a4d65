//! In what share of all weights a candidate holds each rank.
use super::{
    super::{RankShare, text},
    svg::{Anchor, Svg, fit, unit},
};

const WIDTH: f64 = 760.0;
const LABELS: f64 = 190.0;
const ROW: f64 = 26.0;
const TOP: f64 = 30.0;
/// Ranks with a shade of their own; later ones take the last two in turn.
const SHADES: usize = 6;

/// The chart of `shares`.
pub(super) fn draw(shares: &[RankShare]) -> String {
    if shares.is_empty() {
        return String::new();
    }
    let mut svg = Svg::new(WIDTH, TOP + shares.len() as f64 * ROW + 4.0);
    legend(&mut svg, shares);
    for (at, share) in shares.iter().enumerate() {
        let top = TOP + at as f64 * ROW;
        let name = format!("{}  {}", share.rank, share.name);
        svg.text((LABELS - 10.0, top + 16.0), Anchor::End, "label", &fit(&name, 12.0, LABELS - 14.0));
        bar(&mut svg, top, share);
    }
    svg.finish("chart acceptability", "Share of all weights in which each candidate holds each rank")
}

fn legend(svg: &mut Svg, shares: &[RankShare]) {
    let ranks = shares.iter().map(|share| share.shares.len()).max().unwrap_or(0);
    for shade in 0..ranks.min(SHADES + 1) {
        let x = LABELS + shade as f64 * 74.0;
        let words = if shade < SHADES { format!("rank {}", shade + 1) } else { "later".to_owned() };
        svg.rect((x, 6.0), (12.0, 12.0), 2.0, &format!("share s{}", shade + 1));
        svg.text((x + 17.0, 16.0), Anchor::Start, "tick", &words);
    }
}

/// The shade of a rank that counts from 0.
fn shade(rank: usize) -> usize {
    if rank < SHADES { rank + 1 } else { SHADES + (rank - SHADES + 1) % 2 }
}

fn bar(svg: &mut Svg, top: f64, share: &RankShare) {
    let whole = WIDTH - LABELS - 8.0;
    let mut x = LABELS;
    for (rank, part) in share.shares.iter().copied().map(unit).enumerate() {
        let (shade, width) = (shade(rank), part * whole);
        if width < 0.05 {
            continue;
        }
        let percent = text::decimal(part * 100.0, 0);
        svg.open("", &format!("{} holds rank {} under {percent} % of the weights", share.name, rank + 1));
        svg.rect((x, top + 3.0), (width, ROW - 6.0), 0.0, &format!("share s{shade}"));
        svg.close();
        if width > 58.0 {
            let (class, words) = (format!("on-share o{shade}"), format!("{}: {percent} %", rank + 1));
            svg.text((x + width / 2.0, top + 17.0), Anchor::Middle, &class, &words);
        }
        x += width;
    }
}
