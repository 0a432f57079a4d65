//! Small estates, a call a fact.
use std::collections::BTreeMap;

use carve::{
    estate::{
        Commit, Declaration, Estate, Exposure, ImportedTable, Job, JobKind, Schedule, SourceSystem, Usage, UsedThing,
    },
    graph::DependencyGraph,
    lineage::{Access, Evidence, JobLineage, Lineage, StatementLineage, TableUse},
    scoring::{Ranking, score},
    vocab::{DatasetId, JobId, Span},
};

pub(super) fn id(text: &str) -> DatasetId {
    text.parse().unwrap()
}

pub(super) fn job(name: &str) -> Job {
    Job {
        id: JobId::new(name),
        kind: JobKind::Transform,
        at: Span::whole(format!("jobs/{name}.yaml")),
        declared_by: Declaration::CarveJobs,
        scripts: Vec::new(),
        imports: Vec::new(),
        moves: Vec::new(),
        reads: Vec::new(),
        writes: Vec::new(),
        depends_on: Vec::new(),
        schedule: None,
        owner: None,
        domain: None,
        enabled: true,
    }
}

/// Estate and lineage under construction.
#[derive(Clone, Default)]
pub(super) struct World {
    pub(super) estate: Estate,
    pub(super) lineage: Lineage,
}

impl World {
    /// A job that copies `from` into `into`, `runs` times a day.
    pub(super) fn import(mut self, name: &str, from: &str, into: &str, runs: f64) -> Self {
        let mut one = job(name);
        one.kind = JobKind::Import;
        let at = Span::whole(format!("jobs/{name}.yaml"));
        let (from, into) = (id(from), id(into));
        one.imports.push(ImportedTable { from, into, watermark: None, from_at: at.clone(), into_at: at });
        one.schedule = Some(Schedule { text: format!("{runs} a day"), runs_per_day: Some(runs) });
        self.estate.jobs.push(one);
        self
    }

    /// A job that declares what it reads and writes.
    pub(super) fn transform(mut self, name: &str, reads: &[&str], writes: &[&str]) -> Self {
        let at = Span::whole(format!("sql/{name}.sql"));
        let mut one = job(name);
        one.reads = reads.iter().map(|dataset| (id(dataset), at.clone())).collect();
        one.writes = writes.iter().map(|dataset| (id(dataset), at.clone())).collect();
        self.estate.jobs.push(one);
        self
    }

    /// A job of several statements, each a target and its sources, known by its SQL.
    pub(super) fn script(mut self, name: &str, statements: &[(&str, &[&str])]) -> Self {
        let at = Span::whole(format!("sql/{name}.sql"));
        let mut lineage = JobLineage::default();
        for (target, sources) in statements {
            let mut mention = |dataset: &str, access| {
                let (dataset, evidence) = (id(dataset), Evidence::Parsed);
                lineage.uses.push(TableUse { dataset, access, evidence, at: at.clone(), exact: true });
            };
            mention(target, Access::Write);
            sources.iter().for_each(|source| mention(source, Access::Read));
            lineage.statements.push(StatementLineage {
                kind: "insert".to_owned(),
                target: Some(id(target)),
                sources: sources.iter().map(|source| id(source)).collect(),
                ..StatementLineage::default()
            });
        }
        self.estate.jobs.push(job(name));
        self.lineage.jobs.insert(JobId::new(name), lineage);
        self
    }

    pub(super) fn last_job(mut self, change: impl FnOnce(&mut Job)) -> Self {
        change(self.estate.jobs.last_mut().unwrap());
        self
    }

    pub(super) fn exposure(mut self, name: &str, kind: &str, owner: &str, reads: &[&str], parts: &[&str]) -> Self {
        let at = Span::whole(format!("bi/{name}.yaml"));
        self.estate.exposures.push(Exposure {
            id: name.to_owned(),
            title: name.to_owned(),
            kind: kind.to_owned(),
            tool: "superset".to_owned(),
            owner: Some(owner.to_owned()),
            reads: reads.iter().map(|dataset| (id(dataset), at.clone())).collect(),
            scripts: Vec::new(),
            parts: parts.iter().map(|part| (*part).to_owned()).collect(),
            at,
        });
        self
    }

    pub(super) fn usage(mut self, team: &str, dataset: &str, count: u64) -> Self {
        let line = self.estate.usage.len() as u32 + 1;
        self.estate.usage.push(Usage {
            user: format!("someone of {team}"),
            team: Some(team.to_owned()),
            at: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            count,
            what: UsedThing::Table(id(dataset)),
            line: Span { line, ..Span::whole("usage.csv") },
        });
        self
    }

    pub(super) fn commit(mut self, file: &str, commit: &str, at: &str, files: u32) -> Self {
        let at = at.parse().unwrap();
        let history = &mut self.estate.history;
        history.newest = history.newest.max(Some(at));
        history.commits.entry(file.into()).or_default().push(Commit { id: commit.to_owned(), at, files });
        self
    }

    pub(super) fn source(mut self, name: &str, owner: &str, domain: &str) -> Self {
        let source = SourceSystem {
            name: name.to_owned(),
            kind: None,
            url: None,
            owner: Some(owner.to_owned()),
            domain: Some(domain.to_owned()),
            at: None,
        };
        self.estate.sources.insert(name.to_owned(), source);
        self
    }

    pub(super) fn candidate(mut self, name: &str, globs: &[&str]) -> Self {
        let globs = globs.iter().map(|glob| (*glob).to_owned()).collect();
        self.estate.settings.candidates.insert(name.to_owned(), globs);
        self
    }

    pub(super) fn knob(mut self, name: &str, value: f64) -> Self {
        self.estate.settings.scoring.extend(BTreeMap::from([(name.to_owned(), value)]));
        self
    }

    pub(super) fn graph(&self) -> DependencyGraph {
        DependencyGraph::build(&self.estate, &self.lineage).0
    }

    pub(super) fn ranking(&self) -> Ranking {
        score(&self.estate, &self.lineage, &self.graph())
    }
}

/// Two source systems and what is made of them.
pub(super) fn shop() -> World {
    World::default()
        .source("order_db", "team-orders", "orders")
        .source("crm", "team-crm", "customers")
        .import("load_orders", "order_db:orders", "raw.orders", 24.0)
        .import("load_lines", "order_db:lines", "raw.lines", 24.0)
        .import("load_people", "crm:people", "raw.people", 1.0)
        .transform("clean_orders", &["raw.orders", "raw.lines"], &["stage.orders"])
        .transform("clean_people", &["raw.people"], &["stage.people"])
        .transform("sales", &["stage.orders", "stage.people"], &["mart.sales"])
        .exposure("sales_source", "dataset", "team-bi", &["mart.sales"], &[])
        .exposure("sales_chart", "chart", "team-bi", &[], &["sales_source"])
        .exposure("sales_board", "dashboard", "team-sales", &[], &["sales_chart"])
}
