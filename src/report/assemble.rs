use serde::Serialize;

use super::{
    CandidateRow, Coupling, CoverageView, Decision, Dossier, Inventory, LinkData, Overview, Ownership, Ranking,
    ReportInputs, SequenceView, candidates::candidates, coupling::coupling, coverage::coverage, decision::decision,
    dossier::dossiers, inventory::inventory, links::links, overview::clustering, ownership::ownership,
    ranking::ranking, sequence::sequence,
};

/// One report as ready text: HTML, Markdown and JSON are three forms of it.
#[derive(Clone, Debug, Serialize)]
pub struct ReportModel {
    /// `carve-report/1`.
    pub format: &'static str,
    /// What the estate is called.
    pub title: String,
    /// The page a decision is made from.
    pub decision: Decision,
    /// Every candidate with its evidence.
    pub candidates: Vec<CandidateRow>,
    /// How firm the ranking is.
    pub ranking: Ranking,
    /// The order of work, and how far it is.
    pub sequence: SequenceView,
    /// A dossier per planned service.
    pub dossiers: Vec<Dossier>,
    /// What there is.
    pub inventory: Inventory,
    /// Who holds the tables.
    pub ownership: Ownership,
    /// Who builds on whose data.
    pub coupling: Coupling,
    /// The clustered graph.
    pub overview: Overview,
    /// How much was read and understood.
    pub coverage: CoverageView,
    /// Who feeds whom.
    pub links: LinkData,
}

/// Turns the values of the rooms below into one report. The same inputs give the same report.
pub fn build(inputs: &ReportInputs<'_>) -> ReportModel {
    let clustering = clustering(inputs);
    ReportModel {
        format: "carve-report/1",
        title: inputs.title.to_owned(),
        decision: decision(inputs),
        candidates: candidates(inputs),
        ranking: ranking(inputs),
        sequence: sequence(inputs),
        dossiers: dossiers(inputs),
        inventory: inventory(inputs),
        ownership: ownership(inputs),
        coupling: coupling(inputs),
        links: links(inputs, &clustering),
        overview: clustering.overview,
        coverage: coverage(inputs),
    }
}
