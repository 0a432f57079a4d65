//! Faults that only the whole graph shows.
use crate::{
    diagnostics::{CodeEntry, Diagnostic, Diagnostics},
    estate::Estate,
    graph::{Cycle, DatasetFacts, DatasetIndex, Layer, gather::Gathered},
    lineage::Access,
    vocab::{DatasetId, JobId, Span},
};

/// Cycles, tables that nothing writes, tables that nothing reads.
pub(super) fn find(estate: &Estate, gathered: &Gathered, index: &DatasetIndex, cycles: &[Cycle]) -> Diagnostics {
    let mut found = Diagnostics::default();
    found.extend(cycles.iter().filter_map(|cycle| circle(estate, cycle)));
    let places = first_places(gathered);
    for ((dataset, facts), (read_at, written_at)) in index.iter().zip(places) {
        if let Some(at) = read_at.filter(|_| unwritten(estate, dataset, facts)) {
            let here = format!("`{dataset}` is read here, and no job writes it");
            found.push(Diagnostic::new(CodeEntry::E041, at.clone(), here));
        }
        if let Some(at) = written_at.filter(|_| unread(dataset, facts)) {
            let here = format!("`{dataset}` is written here, and no job, exposure or log entry reads it");
            found.push(Diagnostic::new(CodeEntry::E042, at.clone(), here));
        }
    }
    for (exposure, dataset, at) in &gathered.exposure_reads {
        let dataset = &gathered.datasets[*dataset];
        let facts = &index[dataset];
        if facts.read_by.is_empty() && unwritten(estate, dataset, facts) {
            let here = format!("`{}` reads `{dataset}`, which no job reads or writes", gathered.exposures[*exposure]);
            found.push(Diagnostic::new(CodeEntry::E052, at.clone(), here));
        }
    }
    found.sort();
    found
}

fn circle(estate: &Estate, cycle: &Cycle) -> Option<Diagnostic> {
    let first = cycle.jobs.first()?;
    let at = estate.jobs.iter().find(|job| job.id == *first)?.at.clone();
    let jobs = cycle.jobs.iter().map(JobId::as_str).collect::<Vec<_>>().join("`, `");
    let datasets = cycle.datasets.iter().map(DatasetId::to_string).collect::<Vec<_>>().join("`, `");
    Some(Diagnostic::new(CodeEntry::E040, at, format!("`{jobs}` feed each other through `{datasets}`")))
}

fn unwritten(estate: &Estate, dataset: &DatasetId, facts: &DatasetFacts) -> bool {
    let declared = estate.declared.get(dataset).is_some_and(|declared| declared.source.is_some());
    facts.written_by.is_empty() && facts.layer != Layer::Source && !declared
}

fn unread(dataset: &DatasetId, facts: &DatasetFacts) -> bool {
    let inside = facts.layer != Layer::Source && !dataset.is_file_set();
    inside && facts.read_by.is_subset(&facts.written_by) && facts.exposed_by.is_empty() && facts.users.is_empty()
}

/// Where each dataset is first read and first written.
fn first_places(gathered: &Gathered) -> Vec<(Option<&Span>, Option<&Span>)> {
    let mut all: Vec<(Option<&Span>, Option<&Span>)> = vec![(None, None); gathered.datasets.len()];
    for (edge, (_, at)) in gathered.edges.iter().zip(&gathered.ends) {
        let known = match edge.access {
            Access::Read => &mut all[*at].0,
            Access::Write => &mut all[*at].1,
            Access::Define | Access::Drop => continue,
        };
        *known = known.iter().copied().chain(edge.places.first()).min();
    }
    all
}
