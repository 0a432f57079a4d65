//! The door for formats: which files a reader claims, and what it makes of them.
//!
//! A format is one file or folder of `estate` with a type that is a [`Reader`], and one line in [`READERS`].
//! Claims are cheap: first the name of a file, then a look at its text. What a reader finds is plain values;
//! what it does not understand is told as a fault and counted.
mod around;
mod take;

pub(crate) use around::{Around, Sought, fits_path};
pub(crate) use take::{Taken, TakenJobs, expand};

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use crate::{
    diagnostics::Diagnostic,
    estate::{
        FileFormat, Job, Schedule, SourceSystem, bricolage, cron, dags, digdag, el, embulk, job_file, makefile,
        mapping::Mapped, oozie, shell, table_metadata, text_file::TextFile, workflows, yaml,
    },
    vocab::{DatasetId, JobId, Span},
};

/// Every reader of job files, in the order in which they claim: schedulers before what they run.
const READERS: &[&dyn Reader] = &[
    &dags::Airflow,
    &dags::Gusty,
    &table_metadata::TableMetadata,
    &dags::Prefect,
    &dags::Dagster,
    &digdag::Digdag,
    &embulk::Embulk,
    &el::Sling,
    &el::Meltano,
    &el::Airbyte,
    &el::Terraform,
    &el::Dlt,
    &workflows::GithubActions,
    &cron::Crontab,
    &oozie::Oozie,
    &bricolage::Bricolage,
    &makefile::Makefile,
    &shell::Shell,
];

/// One format of files that say what runs.
pub(crate) trait Reader: Sync {
    /// What its files are counted as.
    fn format(&self) -> FileFormat;

    /// Whether a file of this name may be one of its own. Only such files are opened.
    fn may_claim(&self, path: &Utf8Path) -> bool;

    /// Whether `file`, whose name fits, is one of its own.
    fn claims(&self, file: &TextFile) -> bool;

    /// Reads one of its files.
    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading;

    /// Reads all of its files, the readings in the order of `files`.
    fn read_all(&self, files: &[&TextFile], around: &Around<'_>) -> Vec<Reading> {
        files.par_iter().map(|file| self.read(file, around)).collect()
    }
}

/// What a reader makes of one file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// The jobs it declares.
    pub(crate) jobs: Vec<Job>,
    /// Source systems it declares, or knows by a connection's name.
    pub(crate) sources: BTreeMap<String, SourceSystem>,
    /// Source systems it names and does not declare, each with the place.
    pub(crate) named: Vec<(String, Span)>,
    /// Files that its jobs account for: they are no jobs of their own.
    pub(crate) claimed: BTreeSet<Utf8PathBuf>,
    /// Further files that are part of what was read, settings and modules.
    pub(crate) also_read: BTreeSet<Utf8PathBuf>,
    /// Names that stand for several jobs (a DAG for the last of its tasks).
    pub(crate) groups: BTreeMap<String, Vec<JobId>>,
    /// Names that stand for all jobs of a workflow, for what says when it runs.
    pub(crate) members: BTreeMap<String, Vec<JobId>>,
    /// Jobs whose bare SELECTs fill the tables that their files' places suggest.
    pub(crate) placed: BTreeSet<JobId>,
    /// Jobs whose targets a template names in part that is only known when they run.
    pub(crate) suggested: BTreeSet<JobId>,
    /// When dbt is run, and in which folder's project.
    pub(crate) dbt_runs: Vec<DbtRun>,
    /// Jobs, wherever declared, that run when this file says.
    pub(crate) schedules: Vec<(JobId, Schedule)>,
    /// Jobs of any file that run one before the other.
    pub(crate) orders: Vec<(JobId, JobId)>,
    /// Columns and owners of datasets it declares.
    pub(crate) declared: Vec<(DatasetId, crate::estate::DeclaredDataset)>,
    /// Tasks, commands and entries that do something with data.
    pub(crate) pieces: u64,
    /// Those of them whose data nobody can name before they run.
    pub(crate) opaque: u64,
    /// What is wrong with the file.
    pub(crate) faults: Vec<Diagnostic>,
}

/// A run of dbt by another tool.
#[derive(Clone, Debug)]
pub(crate) struct DbtRun {
    /// The project's folder, where the command says it.
    pub(crate) folder: Option<Utf8PathBuf>,
    /// When it runs.
    pub(crate) schedule: Option<Schedule>,
}

/// Whether any reader would look into a file of this name.
pub(crate) fn may_be_claimed(path: &Utf8Path) -> bool {
    READERS.iter().any(|reader| reader.may_claim(path))
}

/// Reads every one of `files` that a reader claims, each once, by the first that does: what the estate's own mappings
/// say comes first, and the presets last.
pub(crate) fn read_all(files: &[&TextFile], around: &Around<'_>) -> (Vec<Taken>, Vec<Diagnostic>) {
    let (own, faults) = Mapped::of(files, around);
    let presets = Mapped::presets();
    let further = own.further(around);
    let mut all: Vec<&TextFile> = files.iter().copied().chain(&further).collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all.dedup_by(|a, b| a.path == b.path);
    let readers: Vec<&dyn Reader> = [&job_file::CarveJobs as &dyn Reader, &own]
        .into_iter()
        .chain(READERS.iter().copied())
        .chain([&presets as &dyn Reader])
        .collect();
    let claim =
        |file: &&TextFile| readers.iter().position(|reader| reader.may_claim(&file.path) && reader.claims(file));
    let claims: Vec<Option<usize>> = all.par_iter().map(claim).collect();
    let mut taken = Vec::new();
    for (at, reader) in readers.iter().enumerate() {
        let own: Vec<&TextFile> =
            all.iter().zip(&claims).filter(|(_, claim)| **claim == Some(at)).map(|(file, _)| *file).collect();
        let readings = reader.read_all(&own, around);
        let of = |(file, mut reading): (&&TextFile, Reading)| {
            if matches!(file.path.extension(), Some("yaml" | "yml" | "dig")) {
                reading.faults.extend(yaml::further_document(file));
            }
            Taken { path: file.path.clone(), format: reader.format(), reading }
        };
        taken.extend(own.iter().zip(readings).map(of));
    }
    (taken, faults)
}
