//! What the estate says about each candidate, gathered once for all of them before any is judged.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use camino::Utf8Path;

use crate::{
    estate::{Estate, Exposure, Job, JobKind},
    graph::{DatasetFacts, DependencyGraph, Edge, Layer, Origins},
    lineage::{Access, Lineage},
    scoring::{Candidate, EvidenceRow, Parameters, bundles, candidates::Group},
    vocab::{DatasetId, JobId, Span},
};

/// The estate as scoring sees it.
pub(super) struct Survey<'a> {
    pub(super) estate: &'a Estate,
    pub(super) lineage: &'a Lineage,
    pub(super) graph: &'a DependencyGraph,
    pub(super) parameters: &'a Parameters,
    pub(super) jobs: BTreeMap<&'a JobId, &'a Job>,
    pub(super) exposures: BTreeMap<&'a str, &'a Exposure>,
    /// Exposures that people open: no BI dataset, no part of another exposure.
    pub(super) use_cases: BTreeSet<&'a str>,
    /// Exposures that read a dataset by themselves, and where they say so.
    pub(super) direct: BTreeMap<&'a DatasetId, BTreeMap<&'a str, &'a Span>>,
    /// Files of statements that define a dataset without filling it.
    pub(super) definitions: BTreeMap<&'a DatasetId, BTreeSet<&'a Utf8Path>>,
    /// Consumption that rests on each dataset.
    pub(super) reach: BTreeMap<DatasetId, f64>,
}

/// One candidate and what was found of it.
pub(super) struct Piece {
    pub(super) candidate: Candidate,
    /// Made in the lake from other datasets.
    pub(super) derived: bool,
    /// Jobs that write its source-aligned datasets.
    pub(super) aligned_jobs: BTreeSet<JobId>,
    /// Tables of source systems that its raw datasets are taken from.
    pub(super) source_tables: BTreeMap<DatasetId, BTreeSet<DatasetId>>,
    /// Candidates it is made of, by place.
    pub(super) after: BTreeSet<usize>,
    /// Teams and users that read it or what is made of it.
    pub(super) consumers: BTreeMap<String, Consumer>,
}

/// One team or user that reads.
#[derive(Default)]
pub(super) struct Consumer {
    /// Reads in the usage log.
    pub(super) queries: u64,
    /// Exposures owned.
    pub(super) exposures: u64,
    /// The first place that shows it.
    pub(super) at: Option<Span>,
}

impl Piece {
    /// Jobs that wrapping it touches.
    pub(super) fn touched(&self) -> BTreeSet<&JobId> {
        let candidate = &self.candidate;
        candidate.import_jobs.iter().chain(&candidate.dependents).chain(&self.aligned_jobs).collect()
    }
}

impl<'a> Survey<'a> {
    pub(super) fn of(
        estate: &'a Estate,
        lineage: &'a Lineage,
        graph: &'a DependencyGraph,
        parameters: &'a Parameters,
    ) -> Self {
        let mut survey = Survey {
            estate,
            lineage,
            graph,
            parameters,
            jobs: estate.jobs.iter().map(|job| (&job.id, job)).collect(),
            exposures: estate.exposures.iter().map(|exposure| (exposure.id.as_str(), exposure)).collect(),
            use_cases: use_cases(estate),
            direct: direct_reads(estate, lineage),
            definitions: definitions(graph),
            reach: BTreeMap::new(),
        };
        let consumed = |facts: &DatasetFacts| match survey.nobody_is_known() {
            true if is_end(facts) => 1.0,
            _ => facts.users.len() as f64,
        };
        let users = graph.datasets().iter().map(|(dataset, facts)| (dataset.clone(), consumed(facts)));
        let opened = survey.use_cases.iter().map(|id| ((*id).to_owned(), 1.0));
        survey.reach = graph.consumption(&users.collect(), &opened.collect(), parameters.damping);
        survey
    }

    /// Whether neither a log nor an exposure says who reads. Then each table at the end of the lake,
    /// written and read by no other job, stands for one reader: somebody wanted it.
    pub(super) fn nobody_is_known(&self) -> bool {
        self.estate.exposures.is_empty() && self.estate.usage.is_empty()
    }

    /// Fills in every piece, in the order of `groups`.
    pub(super) fn pieces(&self, groups: Vec<Group>) -> Vec<Piece> {
        let seeds: BTreeMap<DatasetId, u32> =
            groups.iter().enumerate().flat_map(|(at, g)| g.raw.iter().map(move |d| (d.clone(), at as u32))).collect();
        let origins = self.graph.origins(&seeds);
        let mut pieces: Vec<Piece> = groups.into_iter().map(Piece::from).collect();
        let mut home: HashMap<&DatasetId, usize> = seeds.iter().map(|(d, at)| (d, *at as usize)).collect();
        let raw = home.clone();
        self.find_aligned(&origins, &mut pieces, &mut home);
        self.find_flows(&mut pieces, &raw, &home);
        self.find_jobs(&mut pieces, &raw, &home);
        self.find_exposures(&origins, &mut pieces);
        self.find_users(&origins, &mut pieces);
        for (at, piece) in pieces.iter_mut().enumerate() {
            let fed_by = piece.candidate.raw.iter().filter(|_| piece.derived).flat_map(|d| origins.of(d));
            piece.after = fed_by.map(|other| other as usize).filter(|other| *other != at).collect();
            piece.candidate.owner = self.owner(piece);
        }
        bundles::tie(self.graph, &raw, &mut pieces);
        pieces
    }

    fn find_aligned<'g>(
        &'g self,
        origins: &Origins<'_>,
        pieces: &mut [Piece],
        home: &mut HashMap<&'g DatasetId, usize>,
    ) {
        let transformed = self.graph.datasets().iter().filter(|(_, facts)| facts.layer == Layer::Transformed);
        for (dataset, _) in transformed {
            if let (Some(only), false) = (origins.only(dataset), home.contains_key(dataset)) {
                pieces[only as usize].candidate.aligned.push(dataset.clone());
                home.insert(dataset, only as usize);
            }
        }
    }

    fn find_flows(&self, pieces: &mut [Piece], raw: &HashMap<&DatasetId, usize>, home: &HashMap<&DatasetId, usize>) {
        let layer = |dataset: &DatasetId| self.graph.datasets().get(dataset).map(|facts| facts.layer);
        let mut modelled: Vec<BTreeSet<DatasetId>> = vec![BTreeSet::new(); pieces.len()];
        for (_, sources, targets) in self.graph.flows() {
            let from: BTreeSet<usize> = sources.iter().filter_map(|source| home.get(*source).copied()).collect();
            for target in targets {
                if let Some(at) = raw.get(target) {
                    let outside = sources.iter().filter(|source| layer(source) == Some(Layer::Source));
                    let tables = outside.map(|source| (*source).clone());
                    pieces[*at].source_tables.entry(target.clone()).or_default().extend(tables);
                }
                if !home.contains_key(target) && layer(target) != Some(Layer::Source) {
                    for at in &from {
                        modelled[*at].insert(target.clone());
                    }
                }
            }
        }
        for (piece, modelled) in pieces.iter_mut().zip(modelled) {
            piece.candidate.modelled = modelled.into_iter().collect();
        }
    }

    fn find_jobs(&self, pieces: &mut [Piece], raw: &HashMap<&DatasetId, usize>, home: &HashMap<&DatasetId, usize>) {
        let mut readers: Vec<BTreeSet<&JobId>> = vec![BTreeSet::new(); pieces.len()];
        let mut importers: Vec<BTreeSet<&JobId>> = vec![BTreeSet::new(); pieces.len()];
        for edge in self.graph.edges() {
            let Some(at) = home.get(&edge.dataset).copied() else { continue };
            match (raw.contains_key(&edge.dataset), edge.access) {
                (true, Access::Read) => readers[at].insert(&edge.job),
                (true, Access::Write) if pieces[at].derived || self.imports(&edge.job) => {
                    importers[at].insert(&edge.job)
                }
                (false, Access::Write) => pieces[at].aligned_jobs.insert(edge.job.clone()),
                _ => false,
            };
        }
        for (piece, (readers, importers)) in pieces.iter_mut().zip(readers.into_iter().zip(importers)) {
            piece.candidate.dependents = readers.difference(&importers).map(|job| (*job).clone()).collect();
            piece.candidate.import_jobs = importers.into_iter().cloned().collect();
        }
    }

    /// Whether a job copies from a source system: it says so, or reads one.
    fn imports(&self, job: &JobId) -> bool {
        let source = |edge: &Edge| {
            let layer = self.graph.datasets().get(&edge.dataset).map(|facts| facts.layer);
            edge.access == Access::Read && layer == Some(Layer::Source)
        };
        self.jobs.get(job).is_some_and(|job| job.kind == JobKind::Import) || self.graph.edges_of(job).iter().any(source)
    }

    fn find_exposures(&self, origins: &Origins<'_>, pieces: &mut [Piece]) {
        for (id, exposure) in &self.exposures {
            for at in origins.of_exposure(id) {
                let piece = &mut pieces[at as usize];
                piece.candidate.exposures.push((*id).to_owned());
                if let Some(owner) = &exposure.owner {
                    let consumer = piece.consumers.entry(owner.clone()).or_default();
                    consumer.exposures += 1;
                    consumer.at.get_or_insert_with(|| exposure.at.clone());
                }
            }
        }
    }

    fn find_users(&self, origins: &Origins<'_>, pieces: &mut [Piece]) {
        for (at, usage) in self.estate.usage.iter().enumerate() {
            let datasets = self.lineage.reads_of(at, &usage.what);
            let reached: BTreeSet<u32> = datasets.iter().flat_map(|dataset| origins.of(dataset)).collect();
            for piece in reached {
                let who = usage.team.as_ref().unwrap_or(&usage.user);
                let consumer = pieces[piece as usize].consumers.entry(who.clone()).or_default();
                consumer.queries = consumer.queries.saturating_add(usage.count);
                // The first in the order of places, whatever order the log was given in.
                if consumer.exposures == 0 && consumer.at.as_ref().is_none_or(|known| usage.line < *known) {
                    consumer.at = Some(usage.line.clone());
                }
            }
        }
    }

    /// The team most of its import jobs belong to, else that of its raw datasets. The source system's
    /// team does not own what the lake copied from it.
    fn owner(&self, piece: &Piece) -> Option<String> {
        let jobs = piece.candidate.import_jobs.iter().filter_map(|job| self.jobs.get(job)?.owner.as_ref());
        let datasets = piece.candidate.raw.iter().filter_map(|d| self.graph.datasets().get(d)?.owner.as_ref());
        most_named(jobs).or_else(|| most_named(datasets))
    }
}

impl From<Group> for Piece {
    fn from(group: Group) -> Self {
        let candidate = Candidate {
            name: group.name,
            system: group.system,
            domain: group.domain,
            owner: None,
            declared: group.declared,
            raw: group.raw,
            aligned: Vec::new(),
            modelled: Vec::new(),
            import_jobs: Vec::new(),
            dependents: Vec::new(),
            exposures: Vec::new(),
            bundled_with: BTreeSet::new(),
        };
        Piece {
            candidate,
            derived: group.derived,
            aligned_jobs: BTreeSet::new(),
            source_tables: BTreeMap::new(),
            after: BTreeSet::new(),
            consumers: BTreeMap::new(),
        }
    }
}

fn is_end(facts: &DatasetFacts) -> bool {
    facts.layer != Layer::Source && !facts.written_by.is_empty() && facts.read_by.is_subset(&facts.written_by)
}

fn most_named<'a>(names: impl Iterator<Item = &'a String>) -> Option<String> {
    let mut counts: BTreeMap<&String, u32> = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    let most = counts.values().copied().max()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(name, _)| name.clone())
}

fn use_cases(estate: &Estate) -> BTreeSet<&str> {
    let parts: BTreeSet<&String> =
        estate.exposures.iter().flat_map(|whole| whole.parts.iter().filter(|part| **part != whole.id)).collect();
    let opened = |exposure: &&Exposure| !exposure.kind.eq_ignore_ascii_case("dataset") && !parts.contains(&exposure.id);
    estate.exposures.iter().filter(opened).map(|exposure| exposure.id.as_str()).collect()
}

fn direct_reads<'a>(estate: &'a Estate, lineage: &'a Lineage) -> BTreeMap<&'a DatasetId, BTreeMap<&'a str, &'a Span>> {
    let mut direct: BTreeMap<&DatasetId, BTreeMap<&str, &Span>> = BTreeMap::new();
    for exposure in &estate.exposures {
        let by_sql = lineage.exposures.get(&exposure.id).into_iter().flatten().filter(|u| u.access == Access::Read);
        let named = exposure.reads.iter().map(|(dataset, at)| (dataset, at));
        for (dataset, at) in named.chain(by_sql.map(|one| (&one.dataset, &one.at))) {
            direct.entry(dataset).or_default().entry(&exposure.id).or_insert(at);
        }
    }
    direct
}

fn definitions(graph: &DependencyGraph) -> BTreeMap<&DatasetId, BTreeSet<&Utf8Path>> {
    let mut found: BTreeMap<_, BTreeSet<&Utf8Path>> = BTreeMap::new();
    for edge in graph.edges().iter().filter(|edge| edge.access == Access::Define) {
        let files = edge.places.iter().map(|place| place.file.as_path());
        found.entry(&edge.dataset).or_default().extend(files);
    }
    found
}

/// Rows of evidence that a reader can take in: the first fifty, then how many more there are.
pub(super) fn shortened(mut rows: Vec<EvidenceRow>) -> Vec<EvidenceRow> {
    const SHOWN: usize = 50;
    let more = rows.len().saturating_sub(SHOWN);
    if more > 0 {
        rows.truncate(SHOWN);
        rows.push(EvidenceRow { what: format!("{more} more"), because: "counted as well".to_owned(), at: None });
    }
    rows
}
