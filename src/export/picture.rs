//! The edges of a whole estate, and the part of them around one dataset.
use std::collections::{BTreeMap, BTreeSet};

use super::rows::{ColumnRow, FeedRow};
use crate::{
    estate::{Estate, Job},
    graph::{DependencyGraph, Edge, Neighbourhood},
    lineage::{Access, EdgeKind, Evidence, JobLineage, Lineage, StatementLineage},
    vocab::{DatasetId, JobId, Span},
};

/// Which way to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What feeds it.
    Up,
    /// What it feeds.
    Down,
    /// Both.
    Both,
}

/// Rows of lineage, sorted, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// Dataset to dataset or exposure.
    pub feeds: Vec<FeedRow>,
    /// Column to column.
    pub columns: Vec<ColumnRow>,
}

impl Picture {
    /// All edges of the estate.
    pub fn of(estate: &Estate, lineage: &Lineage, graph: &DependencyGraph) -> Picture {
        let mut feeds: Vec<FeedRow> = Vec::new();
        for (job, sources, targets) in graph.flows() {
            let shown = Shown::of(graph, job, lineage.jobs.get(job));
            feeds.extend(shown.rows(job, &sources, &targets));
        }
        feeds.extend(exposure_rows(lineage));
        let mut columns: Vec<ColumnRow> = lineage.jobs.iter().flat_map(|(id, job)| column_rows(id, job)).collect();
        columns.extend(estate.jobs.iter().flat_map(import_rows));
        feeds.sort();
        feeds.dedup();
        columns.sort();
        columns.dedup();
        Picture { feeds, columns }
    }

    /// The edges of one script by itself, as the job `name`.
    pub fn of_script(name: &str, lineage: &JobLineage) -> Picture {
        let job = JobId::new(name);
        let row = |one: &StatementLineage, from: Option<&DatasetId>| FeedRow {
            upstream: from.cloned(),
            downstream: one.target.as_ref().map(ToString::to_string),
            downstream_kind: "dataset",
            job: Some(job.clone()),
            file: None,
            line: one.at.as_ref().map(|at| at.line),
            known: known_of(lineage, one),
        };
        let mut feeds: Vec<FeedRow> = Vec::new();
        for one in &lineage.statements {
            feeds.extend(one.sources.iter().map(|from| row(one, Some(from))));
            feeds.extend(one.sources.is_empty().then(|| row(one, None)));
        }
        Picture { columns: column_rows(&job, lineage).collect(), feeds }
    }

    /// The part around `dataset`, at most `depth` jobs away.
    pub fn around(
        self,
        graph: &DependencyGraph,
        dataset: &DatasetId,
        direction: Direction,
        depth: Option<u32>,
    ) -> Picture {
        let up = (direction != Direction::Down).then(|| graph.upstream(dataset, depth));
        let down = (direction != Direction::Up).then(|| graph.downstream(dataset, depth));
        let sides: Vec<Side<'_>> = [&up, &down].into_iter().flatten().map(|near| Side { dataset, near }).collect();
        let feeds = self.feeds.into_iter().filter(|row| sides.iter().any(|side| side.holds(row))).collect();
        let columns = self.columns.into_iter().filter(|row| sides.iter().any(|side| side.holds_column(row))).collect();
        Picture { feeds, columns }
    }

    /// The jobs of its rows.
    pub fn jobs(&self) -> BTreeSet<&JobId> {
        self.feeds.iter().filter_map(|row| row.job.as_ref()).collect()
    }
}

/// What lies on one side of a dataset.
struct Side<'a> {
    dataset: &'a DatasetId,
    near: &'a Neighbourhood,
}

impl Side<'_> {
    fn holds(&self, row: &FeedRow) -> bool {
        let job = row.job.as_ref().is_none_or(|job| self.near.jobs.contains_key(job));
        let to = row.downstream.as_deref().is_none_or(|name| match row.downstream_kind {
            "exposure" => self.near.exposures.contains_key(name),
            _ => name.parse().is_ok_and(|dataset| self.knows(&dataset)),
        });
        job && to && row.upstream.as_ref().is_none_or(|dataset| self.knows(dataset))
    }

    fn holds_column(&self, row: &ColumnRow) -> bool {
        let to = row.downstream.as_ref().is_none_or(|dataset| self.knows(dataset));
        to && self.knows(&row.upstream) && self.near.jobs.contains_key(&row.job)
    }

    fn knows(&self, dataset: &DatasetId) -> bool {
        dataset == self.dataset || self.near.datasets.contains_key(dataset)
    }
}

/// Where one job shows what it reads and writes.
struct Shown<'a> {
    edges: BTreeMap<(&'a DatasetId, Access), &'a Edge>,
    statements: BTreeMap<&'a DatasetId, Vec<&'a StatementLineage>>,
}

impl<'a> Shown<'a> {
    fn of(graph: &'a DependencyGraph, job: &JobId, lineage: Option<&'a JobLineage>) -> Self {
        let edges = graph.edges_of(job).iter().map(|edge| ((&edge.dataset, edge.access), edge)).collect();
        let mut statements: BTreeMap<&DatasetId, Vec<&StatementLineage>> = BTreeMap::new();
        for statement in lineage.map_or(&[][..], |lineage| &lineage.statements) {
            if let Some(target) = &statement.target {
                statements.entry(target).or_default().push(statement);
            }
        }
        Shown { edges, statements }
    }

    fn rows(&self, job: &JobId, sources: &[&'a DatasetId], targets: &[&'a DatasetId]) -> Vec<FeedRow> {
        let pairs: Vec<(Option<&DatasetId>, Option<&DatasetId>)> = match (sources, targets) {
            (_, []) => sources.iter().map(|source| (Some(*source), None)).collect(),
            ([], _) => targets.iter().map(|target| (None, Some(*target))).collect(),
            _ => targets.iter().flat_map(|to| sources.iter().map(move |from| (Some(*from), Some(*to)))).collect(),
        };
        // What nothing moves into is told by its own row, never as a row onto itself.
        let pairs = pairs.into_iter().filter(|(from, to)| from != to);
        pairs.map(|(from, to)| self.row(job, from, to)).collect()
    }

    fn row(&self, job: &JobId, from: Option<&DatasetId>, to: Option<&DatasetId>) -> FeedRow {
        let read = from.and_then(|from| self.edges.get(&(from, Access::Read)));
        let write = to.and_then(|to| self.edges.get(&(to, Access::Write)));
        let known = match (read, write) {
            (_, Some(write)) if write.evidence == Evidence::Inferred => Evidence::Inferred,
            (Some(edge), _) | (None, Some(edge)) => edge.evidence,
            (None, None) => Evidence::Inferred,
        };
        let places = read.or(write).map_or(&[][..], |edge| &edge.places);
        let within = from.zip(to).and_then(|(from, to)| self.place(from, to, places));
        let row = FeedRow {
            upstream: from.cloned(),
            downstream: to.map(ToString::to_string),
            downstream_kind: "dataset",
            job: Some(job.clone()),
            file: None,
            line: None,
            known,
        };
        row.at(within.or_else(|| places.first()))
    }

    /// The mention of `from` that stands in a statement which moves it into `to`.
    fn place<'p>(&self, from: &DatasetId, to: &DatasetId, places: &'p [Span]) -> Option<&'p Span> {
        let moving = self.statements.get(to)?.iter().filter(|one| one.sources.contains(from));
        let mut spans = moving.filter_map(|one| one.at.as_ref());
        spans.find_map(|own| places.iter().find(|at| inside(at, own)))
    }
}

fn inside(at: &Span, own: &Span) -> bool {
    at.file == own.file && own.start <= at.start && at.end <= own.end
}

fn exposure_rows(lineage: &Lineage) -> impl Iterator<Item = FeedRow> {
    lineage.exposures.iter().flat_map(|(id, uses)| {
        let reads = uses.iter().filter(|one| one.access == Access::Read);
        reads.map(|one| {
            let row = FeedRow {
                upstream: Some(one.dataset.clone()),
                downstream: Some(id.clone()),
                downstream_kind: "exposure",
                job: None,
                file: None,
                line: None,
                known: one.evidence,
            };
            row.at(Some(&one.at))
        })
    })
}

fn column_rows<'a>(id: &'a JobId, job: &'a JobLineage) -> impl Iterator<Item = ColumnRow> + 'a {
    job.statements.iter().flat_map(move |statement| {
        let at = statement.at.as_ref();
        let known = known_of(job, statement);
        statement.columns.iter().map(move |edge| ColumnRow {
            upstream: edge.from.clone(),
            upstream_column: edge.from_column.clone(),
            downstream: statement.target.clone(),
            downstream_column: edge.to_column.clone(),
            kind: edge.kind,
            direct: edge.kind.is_direct(),
            ambiguous: edge.ambiguous,
            job: id.clone(),
            file: at.map(|at| at.file.clone()),
            line: at.map(|at| at.line),
            known,
        })
    })
}

/// A statement is known as its reads are.
fn known_of(job: &JobLineage, statement: &StatementLineage) -> Evidence {
    let Some(own) = &statement.at else { return Evidence::Parsed };
    let reads = job.uses.iter().filter(|one| one.access == Access::Read && inside(&one.at, own));
    reads.map(|one| one.evidence).max().unwrap_or(Evidence::Parsed)
}

/// What a config copies is copied as it is, every column.
fn import_rows(job: &Job) -> impl Iterator<Item = ColumnRow> {
    job.imports.iter().map(|import| ColumnRow {
        upstream: import.from.clone(),
        upstream_column: "*".to_owned(),
        downstream: Some(import.into.clone()),
        downstream_column: "*".to_owned(),
        kind: EdgeKind::Identity,
        direct: true,
        ambiguous: false,
        job: job.id.clone(),
        file: Some(import.from_at.file.clone()),
        line: Some(import.from_at.line),
        known: Evidence::Declared,
    })
}
