//! Charts as SVG, a file each. Colours are classes of `report.css`, so that light, dark and print share one drawing.
mod acceptability;
mod axis;
mod bubbles;
mod burn_down;
mod flip_map;
mod flow;
mod labels;
mod overview;
mod ownership;
mod quadrant;
mod svg;
mod waterfall;

use serde::Serialize;

use super::ReportModel;

/// Every drawing of a report, ready to stand in a page.
#[derive(Serialize)]
pub(super) struct Charts {
    /// Effort × value; empty without candidates, as are the next three.
    bubbles: String,
    quadrant: String,
    acceptability: String,
    flip_map: String,
    /// One per candidate, in the table's order.
    waterfalls: Vec<String>,
    /// Empty before the first wrap.
    burn_down: String,
    /// Empty without datasets.
    overview: String,
    /// Empty without tables in the lake.
    ownership: String,
    /// Before and after, one pair per dossier.
    flows: Vec<[String; 2]>,
}

/// Draws everything that `model` has numbers for.
pub(super) fn draw(model: &ReportModel) -> Charts {
    Charts {
        bubbles: bubbles::draw(&model.candidates, model.ranking.alpha),
        quadrant: quadrant::draw(&model.candidates),
        acceptability: acceptability::draw(&model.ranking.shares),
        flip_map: flip_map::draw(&model.ranking),
        waterfalls: model.candidates.iter().map(waterfall::draw).collect(),
        burn_down: burn_down::draw(&model.sequence.burn_down),
        overview: overview::draw(&model.overview),
        ownership: ownership::draw(&model.ownership),
        flows: model
            .dossiers
            .iter()
            .map(|dossier| [flow::draw(&dossier.flows[0]), flow::draw(&dossier.flows[1])])
            .collect(),
    }
}
