//! What a task, a command or an entry was found to do with data, and the job it makes.
use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use crate::{
    diagnostics::Diagnostic,
    estate::{
        ImportedTable, Job, JobKind, Move, Schedule, Script, SourceSystem,
        reader::{DbtRun, Reading},
    },
    vocab::{DatasetId, JobId, Span},
};

/// What a task or a line of commands does with data.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) scripts: Vec<Script>,
    pub(crate) imports: Vec<ImportedTable>,
    pub(crate) reads: Vec<(DatasetId, Span)>,
    pub(crate) writes: Vec<(DatasetId, Span)>,
    pub(crate) moves: Vec<Move>,
    pub(crate) sources: BTreeMap<String, SourceSystem>,
    /// SQL files and scripts that are run.
    pub(crate) claimed: BTreeSet<Utf8PathBuf>,
    pub(crate) dbt_runs: Vec<DbtRun>,
    /// Files of other formats that a tool on the command line runs.
    pub(crate) runs: BTreeSet<JobId>,
    /// Whether the commands load from outside, or write out.
    pub(crate) loads: bool,
    pub(crate) unloads: bool,
    pub(crate) pieces: u64,
    pub(crate) opaque: u64,
    pub(crate) faults: Vec<Diagnostic>,
}

impl Found {
    /// Whether nothing was found that touches data.
    pub(crate) fn is_idle(&self) -> bool {
        self.scripts.is_empty() && self.imports.is_empty() && self.reads.is_empty() && self.writes.is_empty()
    }

    /// Adds one command that fills `into` from `from` alone.
    pub(crate) fn moves(&mut self, from: (DatasetId, Span), into: (DatasetId, Span)) {
        self.moves.push(Move { from: from.0.clone(), into: into.0.clone(), at: into.1.clone() });
        self.reads.push(from);
        self.writes.push(into);
    }

    /// Adds what another text of the same job does.
    pub(crate) fn add(&mut self, other: Found) {
        self.scripts.extend(other.scripts);
        self.imports.extend(other.imports);
        self.reads.extend(other.reads);
        self.writes.extend(other.writes);
        self.moves.extend(other.moves);
        self.sources.extend(other.sources);
        self.claimed.extend(other.claimed);
        self.dbt_runs.extend(other.dbt_runs);
        self.runs.extend(other.runs);
        self.loads |= other.loads;
        self.unloads |= other.unloads;
        self.pieces += other.pieces;
        self.opaque += other.opaque;
        self.faults.extend(other.faults);
    }

    /// Enters what was found into `reading`: its counts and faults, and the job `id` at `at` where it touches data.
    pub(crate) fn enter<'r>(
        self,
        id: JobId,
        at: Span,
        schedule: Option<&Schedule>,
        reading: &'r mut Reading,
    ) -> Option<&'r mut Job> {
        reading.pieces += self.pieces;
        reading.opaque += self.opaque;
        let is_idle = self.is_idle();
        let touches_nothing = is_idle && self.opaque == 0;
        reading.faults.extend(self.faults);
        reading.claimed.extend(self.claimed);
        reading.dbt_runs.extend(self.dbt_runs.into_iter().map(|mut run| {
            run.schedule = schedule.cloned();
            run
        }));
        if let Some(schedule) = schedule {
            reading.schedules.extend(self.runs.into_iter().map(|id| (id, schedule.clone())));
        }
        for (name, system) in self.sources {
            reading.sources.entry(name).or_insert(system);
        }
        if touches_nothing {
            return None;
        }
        let kind = match self.scripts.is_empty() {
            true if self.loads || !self.imports.is_empty() => JobKind::Import,
            true if self.unloads => JobKind::Export,
            _ => JobKind::Transform,
        };
        reading.jobs.push(Job {
            kind,
            scripts: self.scripts,
            imports: self.imports,
            reads: self.reads,
            writes: self.writes,
            moves: self.moves,
            schedule: schedule.cloned(),
            ..Job::of_tool(id, at)
        });
        reading.jobs.last_mut()
    }
}
