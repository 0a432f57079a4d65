//! The clustered graph: a column a layer, a box a cluster.
use super::{
    super::{Cluster, ClusterLink, Overview, overview::heading},
    svg::{Anchor, Svg, fit},
};

const BOX: (f64, f64) = (168.0, 38.0);
const GAP: f64 = 84.0;
const ROW: f64 = 50.0;
const TOP: f64 = 34.0;

/// The drawing of `overview`; empty without clusters.
pub(super) fn draw(overview: &Overview) -> String {
    let columns = overview.clusters.iter().map(|c| c.column + 1).max().unwrap_or(0);
    if columns == 0 {
        return String::new();
    }
    let size = |column: usize| overview.clusters.iter().filter(|c| c.column == column).count();
    let sizes: Vec<usize> = (0..columns).map(size).collect();
    let tallest = sizes.iter().copied().max().unwrap_or(1);
    let height = tallest as f64 * ROW;
    let width = columns as f64 * BOX.0 + (columns - 1) as f64 * GAP + 2.0;
    let corner = |c: &Cluster| {
        let step = height / sizes[c.column] as f64;
        let y = TOP + (c.row as f64 + 0.5) * step - BOX.1 / 2.0;
        (1.0 + c.column as f64 * (BOX.0 + GAP), y)
    };
    let mut svg = Svg::new(width, TOP + height + 4.0);
    for column in 0..columns {
        if let Some(first) = overview.clusters.iter().find(|c| c.column == column) {
            svg.text((corner(first).0, 16.0), Anchor::Start, "column", heading(&first.layer));
        }
    }
    for link in &overview.links {
        let ends = overview.clusters.get(link.from).zip(overview.clusters.get(link.to));
        if let Some((from, to)) = ends {
            line(&mut svg, link, (from, corner(from)), (to, corner(to)));
        }
    }
    for cluster in &overview.clusters {
        node(&mut svg, cluster, corner(cluster));
    }
    svg.finish("chart overview", "Groups of tables by layer, and how much feeds what")
}

type Placed<'a> = (&'a Cluster, (f64, f64));

fn line(svg: &mut Svg, link: &ClusterLink, (from, a): Placed<'_>, (to, b): Placed<'_>) {
    let middle = BOX.1 / 2.0;
    let right = |p: (f64, f64)| (p.0 + BOX.0, p.1 + middle);
    let left = |p: (f64, f64)| (p.0, p.1 + middle);
    let (start, end, bend) = match from.column.cmp(&to.column) {
        std::cmp::Ordering::Less => (right(a), left(b), (b.0 - a.0 - BOX.0) * 0.45),
        std::cmp::Ordering::Equal => (right(a), right(b), GAP * 0.55),
        std::cmp::Ordering::Greater => (left(a), right(b), -GAP * 0.5),
    };
    let end_bend = if from.column == to.column { end.0 + bend } else { end.0 - bend };
    let class = if from.column < to.column { "flow" } else { "flow back" };
    let weight = (1.0 + (link.pairs as f64).ln_1p() * 1.1).min(8.0);
    let attributes = format!("data-from=\"{}\" data-to=\"{}\" stroke-width=\"{weight:.1}\"", link.from, link.to);
    svg.open("", &format!("{} → {}: {} pairs", from.label, to.label, link.pairs));
    svg.curve([start, (start.0 + bend, start.1), (end_bend, end.1), end], class, &attributes);
    svg.close();
}

fn node(svg: &mut Svg, cluster: &Cluster, at: (f64, f64)) {
    let attributes = format!(
        "class=\"node l-{}\" data-cluster=\"{}\" tabindex=\"0\" role=\"button\"",
        cluster.layer.to_lowercase(),
        cluster.id
    );
    svg.open(&attributes, &format!("{}: {}", cluster.label, cluster.count_text));
    svg.rect(at, BOX, 5.0, "box");
    svg.rect(at, (4.0, BOX.1), 2.0, "edge");
    svg.text((at.0 + 12.0, at.1 + 16.0), Anchor::Start, "name", &fit(&cluster.label, 13.6, BOX.0 - 20.0));
    svg.text((at.0 + 12.0, at.1 + 31.0), Anchor::Start, "tick", &cluster.count_text);
    svg.close();
}
