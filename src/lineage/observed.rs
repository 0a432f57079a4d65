//! What events show, joined with what SQL says: an edge that the SQL explains is not explained again.
use std::collections::{BTreeMap, BTreeSet};

use super::known_names::KnownNames;
use crate::{
    estate::{Declaration, Estate, ObservedColumn, ObservedMove},
    lineage::{Access, ColumnEdge, EdgeKind, Evidence, JobLineage, Lineage, StatementLineage, TableUse},
    vocab::{DatasetId, JobId, Span},
};

/// Adds to `lineage` what `estate.observed` shows and its SQL does not.
pub(in crate::lineage) fn merge(estate: &Estate, lineage: &mut Lineage) {
    if estate.observed.is_empty() {
        return;
    }
    let names = KnownNames::of(estate, &lineage.jobs, &lineage.catalog, &lineage.names);
    let writers = writers(estate, &lineage.jobs);
    let only_events: BTreeSet<&JobId> =
        estate.jobs.iter().filter(|job| job.declared_by == Declaration::Events).map(|job| &job.id).collect();
    let mut found: BTreeMap<JobId, Vec<ObservedMove>> = BTreeMap::new();
    for observed in &estate.observed {
        let moves: Vec<ObservedMove> = observed.moves.iter().map(|one| renamed(one, &names)).collect();
        // The same work under another name: one job of the estate alone fills all that was written.
        let home = only_events.contains(&observed.job).then(|| sole_writer(&moves, &writers)).flatten();
        found.entry(home.unwrap_or(&observed.job).clone()).or_default().extend(moves);
    }
    for (job, moves) in found {
        let own = lineage.jobs.entry(job).or_default();
        let parsed = Parsed::of(own);
        moves.iter().for_each(|one| add(own, &parsed, one));
    }
}

fn renamed(one: &ObservedMove, names: &KnownNames<'_>) -> ObservedMove {
    let column = |column: &ObservedColumn| ObservedColumn { from: names.own(&column.from), ..column.clone() };
    ObservedMove {
        inputs: one.inputs.iter().map(|dataset| names.own(dataset)).collect(),
        outputs: one
            .outputs
            .iter()
            .map(|(dataset, columns)| (names.own(dataset), columns.iter().map(column).collect()))
            .collect(),
        at: one.at.clone(),
    }
}

/// The jobs that fill each dataset, by SQL or by what their config says.
fn writers(estate: &Estate, jobs: &BTreeMap<JobId, JobLineage>) -> BTreeMap<DatasetId, BTreeSet<JobId>> {
    let mut writers: BTreeMap<DatasetId, BTreeSet<JobId>> = BTreeMap::new();
    for (id, job) in jobs {
        let writes = job.uses.iter().filter(|one| one.access == Access::Write);
        for one in writes {
            writers.entry(one.dataset.clone()).or_default().insert(id.clone());
        }
    }
    for job in &estate.jobs {
        let said = job.writes.iter().map(|(dataset, _)| dataset).chain(job.imports.iter().map(|import| &import.into));
        for dataset in said {
            writers.entry(dataset.clone()).or_default().insert(job.id.clone());
        }
    }
    writers
}

fn sole_writer<'w>(moves: &[ObservedMove], writers: &'w BTreeMap<DatasetId, BTreeSet<JobId>>) -> Option<&'w JobId> {
    let mut homes: BTreeSet<&JobId> = BTreeSet::new();
    for dataset in moves.iter().flat_map(|one| one.outputs.keys()) {
        homes.extend(writers.get(dataset)?);
    }
    if homes.len() == 1 { homes.pop_first() } else { None }
}

/// What the SQL of a job says already.
struct Parsed {
    reads: BTreeSet<DatasetId>,
    writes: BTreeSet<DatasetId>,
    columns: BTreeSet<(DatasetId, ColumnEdge)>,
}

impl Parsed {
    fn of(job: &JobLineage) -> Self {
        let sure = |access: Access| {
            let uses = job.uses.iter().filter(move |one| one.access == access && one.evidence < Evidence::Observed);
            uses.map(|one| one.dataset.clone()).collect()
        };
        let into = |one: &StatementLineage| {
            let target = one.target.clone();
            let edges = one.columns.clone();
            target.into_iter().flat_map(move |target| edges.clone().into_iter().map(move |edge| (target.clone(), edge)))
        };
        Parsed {
            reads: sure(Access::Read),
            writes: sure(Access::Write),
            columns: job.statements.iter().flat_map(into).collect(),
        }
    }
}

fn add(job: &mut JobLineage, parsed: &Parsed, one: &ObservedMove) {
    let new_reads: BTreeSet<&DatasetId> = one.inputs.difference(&parsed.reads).collect();
    for (dataset, access) in new_reads.iter().map(|dataset| (*dataset, Access::Read)).chain(
        one.outputs.keys().filter(|dataset| !parsed.writes.contains(*dataset)).map(|dataset| (dataset, Access::Write)),
    ) {
        push_use(job, dataset, access, &one.at);
    }
    for (target, columns) in &one.outputs {
        // Reads that a statement explains are not laid at the door of every output.
        let explained = sources_of(one, columns);
        let new = |dataset: &&DatasetId| !parsed.writes.contains(target) || new_reads.contains(dataset);
        let sources: Vec<DatasetId> = explained.into_iter().filter(new).cloned().collect();
        let columns: Vec<ColumnEdge> = columns.iter().map(edge).collect();
        let new = |edge: &ColumnEdge| !parsed.columns.contains(&(target.clone(), edge.clone()));
        let columns: Vec<ColumnEdge> = columns.into_iter().filter(new).collect();
        if !sources.is_empty() || !columns.is_empty() {
            job.statements.push(StatementLineage {
                kind: "observed".to_owned(),
                at: Some(one.at.clone()),
                target: Some(target.clone()),
                output: Vec::new(),
                sources,
                columns,
            });
        }
    }
}

/// What fed one output: what its columns name, and inputs that no output's columns account for.
fn sources_of<'a>(one: &'a ObservedMove, columns: &'a BTreeSet<ObservedColumn>) -> BTreeSet<&'a DatasetId> {
    let named: BTreeSet<&DatasetId> = one.outputs.values().flatten().map(|column| &column.from).collect();
    let loose = one.inputs.iter().filter(|dataset| !named.contains(dataset));
    loose.chain(columns.iter().map(|column| &column.from)).collect()
}

fn push_use(job: &mut JobLineage, dataset: &DatasetId, access: Access, at: &Span) {
    let one = TableUse { dataset: dataset.clone(), access, evidence: Evidence::Observed, at: at.clone(), exact: false };
    if !job.uses.contains(&one) {
        job.uses.push(one);
    }
}

fn edge(column: &ObservedColumn) -> ColumnEdge {
    let kind = match (column.subtype.as_str(), column.direct) {
        ("AGGREGATION", _) => EdgeKind::Aggregation,
        ("IDENTITY", true) | ("", true) => EdgeKind::Identity,
        (_, true) => EdgeKind::Transformation,
        ("JOIN", _) => EdgeKind::Join,
        ("GROUP_BY", _) => EdgeKind::GroupBy,
        ("SORT", _) => EdgeKind::Sort,
        ("WINDOW", _) => EdgeKind::Window,
        ("CONDITIONAL", _) => EdgeKind::Conditional,
        (_, false) => EdgeKind::Filter,
    };
    ColumnEdge {
        from: column.from.clone(),
        from_column: column.from_column.clone(),
        to_column: column.to_column.clone(),
        kind,
        ambiguous: false,
    }
}
