//! The estate that benchmarks of a wrap carve a service out of.
use std::fs;

use camino::Utf8Path;
use carve::{
    estate::{LoadOptions, load},
    graph::DependencyGraph,
    lineage,
    plan::{self, DraftInputs, Plan},
    progress::Silent,
    scoring,
};

/// The plan of an estate in `folder` with one import job, which fills `raw.orders` from a source system of that kind.
pub(crate) fn drafted(folder: &Utf8Path, kind: &str) -> Plan {
    let job = format!(
        "format: carve-jobs/1\nsources: {{ shop: {{ kind: {kind} }} }}\njobs:\n  load:\n    kind: import\n    \
         from: shop\n    tables:\n      - {{ from: orders, into: raw.orders }}\n"
    );
    fs::write(folder.join("jobs.yaml"), job).unwrap();
    let (estate, mut diagnostics) = load(&[folder.to_owned()], &LoadOptions::default(), &Silent);
    let (lineage, faults) = lineage::read(&estate, &Silent);
    diagnostics.extend(faults);
    let (graph, _) = DependencyGraph::build(&estate, &lineage);
    let ranking = scoring::score(&estate, &lineage, &graph);
    let read_file = |file: &Utf8Path| fs::read_to_string(folder.join(file)).ok();
    let card = &ranking.cards[0];
    let (estate, graph, diagnostics) = (&estate, &graph, &diagnostics);
    plan::draft(&DraftInputs { estate, graph, diagnostics, card, of: 1, flags: "", read_file: &read_file }).unwrap()
}
