//! What an estate is, once read: plain values, nothing resolved yet. Lineage reads the SQL in it.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use super::{Fragments, SameNames};
use crate::vocab::{Column, DatasetId, Digest, JobId, Span};

/// Everything one lake's team has, as read from disk.
#[derive(Clone, Debug, Default)]
pub struct Estate {
    /// The folders read, as given; `Span::file` counts from the first, or from `name/` of a further one.
    pub roots: Vec<Root>,
    /// Every file that was considered, in the order of paths.
    pub files: Vec<EstateFile>,
    /// The jobs, in the order of their names.
    pub jobs: Vec<Job>,
    /// SQL files that templates include.
    pub fragments: Fragments,
    /// dbt projects, which rendering needs.
    pub dbt_projects: Vec<DbtProject>,
    /// Operational databases, APIs and file drops data comes from, declared or found.
    pub sources: BTreeMap<String, SourceSystem>,
    /// What is declared about datasets: columns, owners, descriptions.
    pub declared: BTreeMap<DatasetId, DeclaredDataset>,
    /// Dashboards, charts, reports and apps.
    pub exposures: Vec<Exposure>,
    /// Who read what, from logs.
    pub usage: Vec<Usage>,
    /// What OpenLineage events show of jobs that ran, in the order of their names.
    pub observed: Vec<ObservedJob>,
    /// Commits behind each file.
    pub history: History,
    /// What the job files of each format gave.
    pub coverage: BTreeMap<FileFormat, FormatCoverage>,
    /// How the dialects of scripts were chosen: how many of each, by reason and dialect.
    pub dialects: BTreeMap<(DialectBy, String), u64>,
    /// Dialects of scripts that declare none, by file and by where the script starts in it.
    pub chosen: BTreeMap<Utf8PathBuf, BTreeMap<usize, &'static str>>,
    /// Jobs whose bare queries' targets are only suggested, by a file's place or by a template that nobody fills.
    pub suggested: BTreeSet<JobId>,
    /// Names that mean one dataset, once the SQL is read.
    pub same_names: SameNames,
    /// `carve.yaml`, or its defaults.
    pub settings: EstateSettings,
}

/// Why a script is read in its dialect, surest reason first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DialectBy {
    /// A config, an adapter or the program that runs it says so.
    Declared,
    /// Signs in its own text.
    Signs,
    /// Most files around it speak it.
    Folder,
    /// Most files of the estate speak it.
    Estate,
    /// Nothing says which.
    Nothing,
}

/// How much the files of one format gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FormatCoverage {
    /// Files, with those they are made of.
    pub files: u64,
    /// Jobs they declare.
    pub jobs: u64,
    /// Tasks, commands, entries, charts and dashboards that do something with data.
    pub pieces: u64,
    /// Those of them whose data nobody can name before they run.
    pub opaque: u64,
}

/// One folder of the estate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Where it is on this machine. Never written into any output.
    pub path: Utf8PathBuf,
    /// What stands before its files in a `Span`: empty for the first root, `name/` for a further one.
    pub prefix: Utf8PathBuf,
}

/// One file of the estate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EstateFile {
    /// Path as in `Span::file`.
    pub path: Utf8PathBuf,
    /// What it was read as.
    pub format: FileFormat,
    /// SHA-256 of its bytes; of no bytes where it was not read (`Other`, `Unreadable`).
    pub digest: Digest,
    /// Size in bytes.
    pub bytes: u64,
}

/// What a file was read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// SQL, templated or not.
    Sql,
    /// carve's own job schema.
    CarveJobs,
    /// carve.yaml.
    Settings,
    /// dbt_project.yml, schema files, manifest.
    Dbt,
    /// A file of a Superset export.
    Superset,
    /// A file of a Metabase serialization.
    Metabase,
    /// A file of a LookML project.
    #[serde(rename = "lookml")]
    LookMl,
    /// A Grafana dashboard or library panel.
    Grafana,
    /// A Tableau workbook or data source.
    Tableau,
    /// A semantic model or report of Power BI.
    #[serde(rename = "powerbi")]
    PowerBi,
    /// Queries or dashboards of Redash.
    Redash,
    /// A page or query of Evidence.
    Evidence,
    /// A chart or dashboard of Lightdash.
    Lightdash,
    /// A usage log.
    UsageLog,
    /// A DAG file of Airflow, or a module that one imports.
    Airflow,
    /// OpenLineage events.
    OpenLineage,
    /// A file with flows of Prefect.
    Prefect,
    /// A file with jobs and assets of Dagster.
    Dagster,
    /// A script with a pipeline of dlt.
    Dlt,
    /// A crontab.
    Crontab,
    /// A workflow of Digdag or Treasure Workflow.
    Digdag,
    /// Settings of Embulk.
    Embulk,
    /// A task file of Gusty.
    Gusty,
    /// `metadata.yaml` beside a table's SQL.
    TableMetadata,
    /// A replication of Sling.
    Sling,
    /// A project of Meltano.
    Meltano,
    /// A connection of Airbyte.
    Airbyte,
    /// Terraform that declares connections or transfers.
    Terraform,
    /// A config that a mapping reads.
    Mapped,
    /// A workflow of GitHub Actions.
    GithubActions,
    /// A workflow or coordinator of Oozie.
    Oozie,
    /// A makefile that runs SQL.
    Makefile,
    /// A job or job net of Bricolage.
    Bricolage,
    /// A shell script that runs SQL.
    Shell,
    /// Known to be none of carve's business (README, image, script of another tool).
    Other,
    /// Could not be read.
    Unreadable,
}

/// What a job does for the lake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Copies from a source system into the lake.
    Import,
    /// Reads and writes in the lake.
    Transform,
    /// Writes out of the lake.
    Export,
}

/// Something that runs: reads datasets, writes datasets.
#[derive(Clone, Debug)]
pub struct Job {
    /// Unique name.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Where it is declared (a config entry, a model file, a SQL file).
    pub at: Span,
    /// Why the job is known: a config, a dbt model, or a bare file.
    pub declared_by: Declaration,
    /// SQL it runs, in order.
    pub scripts: Vec<Script>,
    /// Tables it copies, for imports that are configuration rather than SQL.
    pub imports: Vec<ImportedTable>,
    /// Datasets it reads beyond its SQL, with the place that says so.
    pub reads: Vec<(DatasetId, Span)>,
    /// Datasets it writes beyond its SQL.
    pub writes: Vec<(DatasetId, Span)>,
    /// Which of `reads` alone fills which of `writes`, where one command of several says both.
    pub moves: Vec<Move>,
    /// Jobs that must run before.
    pub depends_on: Vec<JobId>,
    /// When it runs.
    pub schedule: Option<Schedule>,
    /// Team that owns it.
    pub owner: Option<String>,
    /// Domain, where one is declared.
    pub domain: Option<String>,
    /// Whether anything runs it.
    pub enabled: bool,
}

impl Job {
    /// The job `id` of a tool's file at `at`, which does nothing yet.
    pub fn of_tool(id: JobId, at: Span) -> Self {
        Job {
            id,
            kind: JobKind::Transform,
            at,
            declared_by: Declaration::Tool,
            scripts: Vec::new(),
            imports: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            moves: Vec::new(),
            depends_on: Vec::new(),
            schedule: None,
            owner: None,
            domain: None,
            enabled: true,
        }
    }
}

impl Schedule {
    /// The schedule written as `text`.
    pub fn of(text: impl Into<String>) -> Self {
        let text = text.into();
        Schedule { runs_per_day: crate::vocab::runs_per_day(&text), text }
    }
}

/// Why a job is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Declaration {
    /// An entry of carve's job schema.
    CarveJobs,
    /// A dbt model, seed or snapshot.
    DbtModel,
    /// A task, command or entry in the file of a scheduler or another tool.
    Tool,
    /// A SQL file that no config names.
    BareSql,
    /// Events of its runs alone.
    Events,
}

/// SQL text to be read.
#[derive(Clone, Debug)]
pub struct Script {
    /// Where the text lies; `start` is the text's first byte in its file (not 0 for SQL inside YAML).
    pub at: Span,
    /// The text as it stands in the file, templates and all.
    pub text: Arc<str>,
    /// Whether each byte of `text` is the byte in the file at `at`, so that spans lead back into it. Marks of a BI
    /// tool's own templates may be blanked out, and placeholders of a program be empty values, byte for byte.
    pub verbatim: bool,
    /// How templates in it are filled.
    pub templating: Templating,
    /// Dialect declared or taken from an adapter; `None` means detect.
    pub dialect: Option<String>,
    /// Schema of tables that the text names without one, where the caller's command line says it.
    pub schema: Option<String>,
    /// Where a bare SELECT's rows go.
    pub target: Option<DatasetId>,
    /// How the result is stored (`table`, `view`, `append`, dbt's own words); `None` where nothing says so.
    pub materialized: Option<String>,
    /// Values for template names (`params` of a job over `vars` of the estate).
    pub params: BTreeMap<String, String>,
}

/// How templates in a script are filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Templating {
    /// Jinja, `${…}` and the like with stubs for unknown names.
    Generic,
    /// As model `model` of `Estate::dbt_projects[project]`.
    Dbt {
        /// Index into `Estate::dbt_projects`.
        project: usize,
        /// The model's name.
        model: String,
    },
    /// Compiled already (from a manifest): nothing to fill.
    Compiled,
}

/// One table an import copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedTable {
    /// The table in its source system.
    pub from: DatasetId,
    /// The raw table in the lake.
    pub into: DatasetId,
    /// Column by which new rows are known; `None` means the whole table is copied.
    pub watermark: Option<String>,
    /// Where `from` is written.
    pub from_at: Span,
    /// Where `into` is written (repointing edits this).
    pub into_at: Span,
}

/// Rows that one command moves from one dataset into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// What it reads.
    pub from: DatasetId,
    /// What it fills.
    pub into: DatasetId,
    /// Where it stands.
    pub at: Span,
}

/// When a job runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Schedule {
    /// As written.
    pub text: String,
    /// Mean runs per day; `None` where the text was not understood.
    pub runs_per_day: Option<f64>,
}

/// An operational database, API or file drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSystem {
    /// Its name in dataset names.
    pub name: String,
    /// `sqlite`, `files`, `postgres` …, where known.
    pub kind: Option<String>,
    /// Where it is, for apply; may be `env:NAME`. Never written into any output.
    pub url: Option<String>,
    /// Team that owns it.
    pub owner: Option<String>,
    /// Business domain.
    pub domain: Option<String>,
    /// Where it is declared; `None` when only seen in use.
    pub at: Option<Span>,
}

/// What is declared about a dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredDataset {
    /// Columns in order, where known.
    pub columns: Vec<Column>,
    /// What it means.
    pub description: Option<String>,
    /// Team that owns it.
    pub owner: Option<String>,
    /// Business domain.
    pub domain: Option<String>,
    /// Whether this is declared as data from outside (a dbt source), and of which system.
    pub source: Option<String>,
    /// Where it is declared.
    pub at: Option<Span>,
}

/// A dashboard, chart, report or app that reads datasets.
#[derive(Clone, Debug)]
pub struct Exposure {
    /// Unique name: `superset/dashboard/Sales`.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// `dashboard`, `chart`, `dataset`, `application` …
    pub kind: String,
    /// The tool: `superset`, `dbt`, `metabase` …
    pub tool: String,
    /// Team or person.
    pub owner: Option<String>,
    /// Tables it reads by name.
    pub reads: Vec<(DatasetId, Span)>,
    /// SQL it runs (virtual datasets).
    pub scripts: Vec<Script>,
    /// Exposures it is made of (charts of a dashboard, the dataset of a chart), by id.
    pub parts: Vec<String>,
    /// Where it is.
    pub at: Span,
}

/// What the events of one job show, all its runs together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedJob {
    /// The job of the estate it is.
    pub job: JobId,
    /// What was read with what was written: one entry a set that occurred.
    pub moves: Vec<ObservedMove>,
}

/// One run of a job, as its events show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedMove {
    /// What it read.
    pub inputs: BTreeSet<DatasetId>,
    /// What it wrote, with the columns that fed it.
    pub outputs: BTreeMap<DatasetId, BTreeSet<ObservedColumn>>,
    /// The first event that shows it.
    pub at: Span,
}

/// One column that fed another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObservedColumn {
    /// Where the value came from.
    pub from: DatasetId,
    /// Its column.
    pub from_column: String,
    /// The column it fed; `*` for the whole row.
    pub to_column: String,
    /// Subtype of the transformation in the standard's words (`IDENTITY`, `JOIN` …); empty where none is said.
    pub subtype: String,
    /// Whether the value itself flowed.
    pub direct: bool,
}

/// Reads of some datasets by one user within one day, from a log.
#[derive(Clone, Debug)]
pub struct Usage {
    /// Who.
    pub user: String,
    /// Team of the user where the log says it.
    pub team: Option<String>,
    /// When, as the log says; `None` where it only sums up.
    pub at: Option<Timestamp>,
    /// How often.
    pub count: u64,
    /// What: a table, or SQL to be read.
    pub what: UsedThing,
    /// The log's line.
    pub line: Span,
}

/// What a log line names.
#[derive(Clone, Debug)]
pub enum UsedThing {
    /// A table.
    Table(DatasetId),
    /// SQL text.
    Sql(Script),
    /// A chart or dashboard of Superset, by its number there.
    Exposure {
        /// `chart` or `dashboard`.
        kind: &'static str,
        /// Its number, which its export's file name ends in.
        number: u64,
    },
}

/// What version control remembers, newest commit first.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The newest commit's time: ages count from here, never from the clock.
    pub newest: Option<Timestamp>,
    /// Commits that touched each file (path as in `Span::file`), renames followed, merges skipped.
    pub commits: BTreeMap<Utf8PathBuf, Vec<Commit>>,
}

/// One commit, as seen from one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Abbreviated hash.
    pub id: String,
    /// When it was authored.
    pub at: Timestamp,
    /// How many files it touched: bulk commits count less.
    pub files: u32,
}

/// A dbt project's facts that rendering and naming need.
#[derive(Clone, Debug, Default)]
pub struct DbtProject {
    /// `name` of dbt_project.yml.
    pub name: String,
    /// Folder, as in `Span::file`.
    pub folder: Utf8PathBuf,
    /// Model, seed or snapshot name → relation; `package.name` too for those of packages, and the bare name of a model
    /// with versions is its latest.
    pub nodes: BTreeMap<String, DatasetId>,
    /// (source name, table name) → relation in the lake.
    pub sources: BTreeMap<(String, String), DbtSource>,
    /// `vars` of the project, as JSON values.
    pub vars: BTreeMap<String, serde_json::Value>,
    /// Macro files: (package, path, text). The project's own last, so that they win.
    pub macros: Vec<(String, Utf8PathBuf, Arc<str>)>,
    /// Adapter, where a profile or manifest names it.
    pub adapter: Option<String>,
    /// (project name, node name) → relation, of all projects of the estate.
    pub neighbours: Arc<BTreeMap<(String, String), DatasetId>>,
}

impl DbtProject {
    /// The relation behind `ref('name')`, `ref('package', 'name')` and `ref('name', v=2)`.
    ///
    /// A package is one installed into the project, else another project of the estate.
    pub fn referred(&self, package: Option<&str>, name: &str, version: Option<&str>) -> Option<&DatasetId> {
        let name = version.map_or_else(|| name.to_owned(), |version| versioned_name(name, version));
        let elsewhere = package.filter(|package| *package != self.name).and_then(|package| {
            let installed = self.nodes.get(&format!("{package}.{name}"));
            installed.or_else(|| self.neighbours.get(&(package.to_owned(), name.clone())))
        });
        elsewhere.or_else(|| self.nodes.get(&name))
    }
}

/// dbt's name for version `version` of a model.
pub(crate) fn versioned_name(model: &str, version: &str) -> String {
    format!("{model}_v{}", version.replace('.', "_"))
}

/// One table of a dbt source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbtSource {
    /// The relation it stands for.
    pub relation: DatasetId,
    /// Where the table is declared.
    pub at: Span,
}

/// `carve.yaml` as carve means it. A file that is not there means all defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct EstateSettings {
    /// Where the file is, as in `Span::file`.
    pub at: Option<Utf8PathBuf>,
    /// Dialect where nothing nearer says one.
    pub dialect: Option<String>,
    /// Template values for every script.
    pub vars: BTreeMap<String, String>,
    /// Namespaces of OpenLineage events → a source system, or `lake`.
    pub namespaces: BTreeMap<String, String>,
    /// Domain → rules: dataset or job name globs that belong to it.
    pub domains: BTreeMap<String, Vec<String>>,
    /// Candidates the user declares: service name → raw dataset globs.
    pub candidates: BTreeMap<String, Vec<String>>,
    /// Declared criticality per candidate, 0 to 1.
    pub criticality: BTreeMap<String, f64>,
    /// Overrides of scoring parameters by dotted name (`lambda`, `alpha`, `cost.source_table.likely` …).
    pub scoring: BTreeMap<String, f64>,
    /// Connections for apply by role: `lake`, `bucket`; values may be `env:NAME`. Never written out.
    pub connections: BTreeMap<String, String>,
    /// Source systems it declares; the estate's own list holds them too.
    pub sources: BTreeMap<String, SourceSystem>,
    /// Wrap options by service, then the defaults under `""`.
    pub wraps: BTreeMap<String, WrapSettings>,
    /// Path globs left out.
    pub exclude: Vec<String>,
    /// Largest file read, in bytes.
    pub file_bytes: u64,
}

/// How one service is wrapped. `None` means the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrapSettings {
    /// `beside` (default) or `in_place`.
    pub mode: Option<String>,
    /// `lake` (default: the raw table) or `source`.
    pub origin: Option<String>,
    /// `csv` (default), `parquet` or `jsonl`.
    pub format: Option<String>,
    /// Rows a part holds at most; 1,000 by default.
    pub rows_per_part: Option<u32>,
    /// `exact` (default), `superset` or `report`: the continuity proof's policy.
    pub continuity: Option<String>,
    /// New owner.
    pub owner: Option<String>,
    /// Columns left out or typed otherwise: `table.column` → logical type, or `omit`.
    pub columns: BTreeMap<String, String>,
}

impl Default for EstateSettings {
    fn default() -> Self {
        EstateSettings {
            at: None,
            dialect: None,
            vars: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            domains: BTreeMap::new(),
            candidates: BTreeMap::new(),
            criticality: BTreeMap::new(),
            scoring: BTreeMap::new(),
            connections: BTreeMap::new(),
            sources: BTreeMap::new(),
            wraps: BTreeMap::new(),
            exclude: Vec::new(),
            file_bytes: 32 * 1024 * 1024,
        }
    }
}
