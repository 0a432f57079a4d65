//! What people type. `commands` says what it means.
use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

const EXIT_CODES: &str = "\
Exit codes: 0 done or nothing to do, 1 error, 2 changes present (--detailed-exitcode), 3 plan stale or altered,
4 blocked, 5 stopped midway (run again to go on), 6 locked, 7 verification failed, 64 usage, 130 interrupted.";

/// Carves data-lake pipelines out into data services, one piece at a time.
#[derive(Debug, Parser)]
#[command(name = "carve", version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
    /// How to answer.
    #[command(flatten)]
    pub(super) global: Global,
}

/// Flags of every command.
#[derive(Clone, Debug, Args)]
pub(super) struct Global {
    /// Text for people, JSON for programs.
    #[arg(long, value_enum, default_value_t, global = true, help_heading = "Answer")]
    pub(super) format: Format,
    /// Colour; `auto` honours NO_COLOR.
    #[arg(long, value_enum, default_value_t, global = true, help_heading = "Answer")]
    pub(super) color: Color,
    /// Nothing but the answer and failures.
    #[arg(short, long, global = true, help_heading = "Answer")]
    pub(super) quiet: bool,
}

/// How an answer looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// `carve lineage`: one JSON object a line.
    Jsonl,
    /// `carve lineage`: a Graphviz drawing.
    Dot,
    /// `carve lineage`: a Mermaid flowchart.
    Mermaid,
    /// `carve lineage`: OpenLineage events, one a line.
    Openlineage,
}

/// When an answer has colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Which estate: the same flags on every command that works on one.
#[derive(Clone, Debug, Args)]
pub(super) struct EstateFlag {
    /// A folder of the estate, `.` unless given; may be given again. The first holds carve.yaml.
    #[arg(long = "estate", value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    pub(super) folders: Vec<Utf8PathBuf>,
    /// Where plans, report and carve's state are; otherwise in the estate's first folder.
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    pub(super) out: Option<Utf8PathBuf>,
    /// Settings to use in place of carve.yaml.
    #[arg(long, value_name = "FILE")]
    pub(super) settings: Option<Utf8PathBuf>,
}

/// The same, and folders as plain words: for commands about the whole estate, whose words name nothing else.
#[derive(Clone, Debug, Args)]
pub(super) struct EstatePaths {
    /// Folders of the estate: short for `--estate FOLDER`.
    #[arg(value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    words: Vec<Utf8PathBuf>,
    #[command(flatten)]
    flag: EstateFlag,
}

impl EstatePaths {
    /// All folders, those given as words first.
    pub(super) fn flag(&self) -> EstateFlag {
        let folders = self.words.iter().chain(&self.flag.folders).cloned().collect();
        EstateFlag { folders, ..self.flag.clone() }
    }
}

/// One verb each.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a commented carve.yaml from what was detected.
    Init(InitArgs),
    /// Show what was read, how much was understood, and every place that was not.
    Scan(ScanArgs),
    /// Rank what could become a data service; write plan files and the report.
    Plan(PlanArgs),
    /// Show how a score came about, or what decides between two.
    Explain(ExplainArgs),
    /// Show what feeds a dataset and what it feeds, or read one SQL script.
    Lineage(LineageArgs),
    /// Run a plan: publish, import, prove, repoint. Run it again to go on after a stop.
    Apply(ApplyArgs),
    /// Publish what changed at the origin and import it: the job a scheduler runs after the wrap.
    Refresh(RefreshArgs),
    /// Prove again that the newest publication, the import and the origin hold the same rows.
    Verify(Box<VerifyArgs>),
    /// Undo a plan, last step first.
    Rollback(ServiceArgs),
    /// Show how far each service is.
    Status(StatusArgs),
    /// Write, for every BI source on the wrapped tables, how it moves, how that is proven, and the way back.
    Switchover(SwitchoverArgs),
    /// Write the pages by which services are found.
    Catalog(CatalogArgs),
    /// Write the report again, with other templates if you like.
    Report(ReportArgs),
    /// Build an invented company in a folder and carve its first service out.
    Demo(DemoArgs),
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// Arguments of `carve init`.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Which estate.
    #[command(flatten)]
    pub(super) estate: EstatePaths,
    /// Print it, write nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Arguments of `carve scan`.
#[derive(Debug, Args)]
pub(super) struct ScanArgs {
    /// Which estate.
    #[command(flatten)]
    pub(super) estate: EstatePaths,
    /// List every place; otherwise the first of each fault.
    #[arg(long)]
    pub(super) all: bool,
}

/// Arguments of `carve plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// Which estate.
    #[command(flatten)]
    pub(super) estate: EstatePaths,
    /// Write the plan of this service; may be given again. Otherwise the best-ranked are written.
    #[arg(long, value_name = "SERVICE")]
    pub(super) service: Vec<String>,
    /// How many of the best-ranked get a plan file.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(super) top: usize,
    /// Print only, write nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Exit 2 when a plan file is new or changed.
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    /// Folder of templates that replace those of the report: docs/REPORT.md lists them.
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    pub(super) templates: Option<Utf8PathBuf>,
}

/// Arguments of `carve explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The candidate, or a service that was one.
    pub(super) service: String,
    /// Another candidate, to say what decides between them.
    #[arg(long, value_name = "SERVICE")]
    pub(super) vs: Option<String>,
    /// Which estate.
    #[command(flatten)]
    pub(super) estate: EstateFlag,
}

/// Arguments of `carve lineage`.
#[derive(Clone, Debug, Args)]
pub(super) struct LineageArgs {
    /// The dataset, as `schema.table` or `system:table`; or one of its columns, as `schema.table.column`.
    #[arg(required_unless_present_any = ["scripts", "edges"], conflicts_with_all = ["scripts", "edges"])]
    pub(super) dataset: Option<String>,
    /// Only what feeds it.
    #[arg(long, conflicts_with = "downstream", requires = "dataset")]
    pub(super) upstream: bool,
    /// Only what it feeds.
    #[arg(long, requires = "dataset")]
    pub(super) downstream: bool,
    /// How many jobs away at most (for a column: statements).
    #[arg(long, value_name = "N", requires = "dataset")]
    pub(super) depth: Option<u32>,
    /// Show columns.
    #[arg(long)]
    pub(super) columns: bool,
    /// Every edge of the estate, with job, file, line and how it is known.
    #[arg(long)]
    pub(super) edges: bool,
    /// Every step of scripts: temp tables as `temp:JOB.TABLE`, each rename and swap. Otherwise only what is there
    /// before and after a script.
    #[arg(long)]
    pub(super) raw: bool,
    /// Read this script instead of an estate; `-` reads standard input.
    #[arg(long, value_name = "FILE", group = "scripts", conflicts_with_all = ["folders", "edges"])]
    pub(super) sql: Option<Utf8PathBuf>,
    /// Read scripts by the line, JSON in and JSON out; without FILE from standard input.
    #[arg(long, value_name = "FILE", group = "scripts", num_args = 0..=1, default_missing_value = "-",
          conflicts_with_all = ["sql", "folders", "edges", "columns"])]
    pub(super) batch: Option<Utf8PathBuf>,
    /// The scripts' dialect; detected otherwise.
    #[arg(long, requires = "scripts")]
    pub(super) dialect: Option<String>,
    /// Columns of tables, as JSON, YAML or DDL (.sql): docs/COMMANDS.md shows the forms.
    #[arg(long, value_name = "FILE", requires = "scripts")]
    pub(super) catalog: Option<Utf8PathBuf>,
    /// OpenLineage: the namespace of the lake's own datasets and of its jobs.
    #[arg(long, value_name = "NAME", default_value = "lake")]
    pub(super) namespace: String,
    /// OpenLineage: the time of the events; otherwise the newest commit's, or 1970 where there is none.
    #[arg(long, value_name = "TIME")]
    pub(super) event_time: Option<String>,
    /// Which estate.
    #[command(flatten)]
    pub(super) estate: EstateFlag,
}

/// Arguments of `carve apply`.
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// The services, or their plan files; of several, those that touch no table and no file in common run side by side.
    #[arg(required_unless_present = "all", value_name = "SERVICE")]
    pub(super) services: Vec<String>,
    /// Apply every plan under `plans/`, the best ranked first.
    #[arg(long, conflicts_with = "services")]
    pub(super) all: bool,
    /// Walk the same steps and every precondition, write nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Services at work at a time, at most; a SQLite lake takes one.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) jobs: u16,
    /// Stop after this step; the same command goes on from there.
    #[arg(long, value_name = "STEP")]
    pub(super) stop_after: Option<String>,
    /// Which estate.
    #[command(flatten)]
    pub(super) estate: EstateFlag,
}

/// Arguments of commands about one service.
#[derive(Debug, Args)]
pub(super) struct ServiceArgs {
    /// The service, or its plan file.
    pub(super) service: String,
    /// Which estate.
    #[command(flatten)]
    pub(super) estate: EstateFlag,
}

/// Arguments of `carve verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The service, or its plan file; without one, `--left` and `--right` name two tables.
    #[arg(required_unless_present = "left", conflicts_with = "left")]
    pub(super) service: Option<String>,
    /// A table anywhere, `URL#TABLE`: `sqlite:lake.db#orders`, `postgres://me@host/db#raw.orders`,
    /// `file:folder#orders`, `env:NAME#orders`, or a `.csv`, `.parquet` or `.jsonl` file. No estate is needed.
    #[arg(long, value_name = "URL#TABLE", requires = "right", help_heading = "Any two tables")]
    pub(super) left: Option<String>,
    /// The table to compare it with.
    #[arg(long, value_name = "URL#TABLE", requires = "left", help_heading = "Any two tables")]
    pub(super) right: Option<String>,
    /// Columns that pair the rows; otherwise the left table's key, the right one's, or whole rows.
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', requires = "left", help_heading = "Any two tables")]
    pub(super) key: Vec<String>,
    /// Compare only these columns, and the key.
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', requires = "left", help_heading = "Any two tables")]
    pub(super) columns: Vec<String>,
    /// Leave these columns out.
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', requires = "left", help_heading = "Any two tables")]
    pub(super) except: Vec<String>,
    /// Differences shown at most; all are counted.
    #[arg(long, value_name = "N", default_value_t = 20, requires = "left", help_heading = "Any two tables")]
    pub(super) limit: usize,
    /// Write the result as JUnit XML to this file too.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) junit: Option<Utf8PathBuf>,
    /// Which estate.
    #[command(flatten)]
    pub(super) estate: EstateFlag,
}

/// Arguments of `carve refresh`.
#[derive(Debug, Args)]
pub(super) struct RefreshArgs {
    /// Which service.
    #[command(flatten)]
    pub(super) service: ServiceArgs,
    /// Publish anew even when nothing changed: the way out when published objects were damaged.
    #[arg(long)]
    pub(super) republish: bool,
    /// Believe sizes of parts and the lake's note of an import while its rows are as many, instead of reading both again.
    #[arg(long)]
    pub(super) trust: bool,
    /// Publish a schema that breaks known readers in the estate: a column they read is gone, has another type or may
    /// now be NULL, or is no longer of the key.
    #[arg(long)]
    pub(super) accept_breaking: bool,
    /// Newest publications kept; the newest two always are.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) keep: u32,
    /// Try again so often when it fails for a cause that may pass, after 1, 2, 4 … 60 seconds.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) retries: u32,
    /// Write what the run came to into this file, for Prometheus: `/var/lib/node_exporter/orders.prom`.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) metrics: Option<Utf8PathBuf>,
}

/// Arguments of `carve switchover`.
#[derive(Debug, Args)]
pub(super) struct SwitchoverArgs {
    /// Which service.
    #[command(flatten)]
    pub(super) service: ServiceArgs,
    /// Folder of templates that replace the built-in ones: docs/REPORT.md lists them.
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    pub(super) templates: Option<Utf8PathBuf>,
}

/// Arguments of `carve status`.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Which estate.
    #[command(flatten)]
    pub(super) estate: EstatePaths,
}

/// Arguments of `carve catalog`.
#[derive(Debug, Args)]
pub(super) struct CatalogArgs {
    /// Which estate.
    #[command(flatten)]
    pub(super) estate: EstatePaths,
    /// Folder of templates that replace the built-in ones: docs/REPORT.md lists them.
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    pub(super) templates: Option<Utf8PathBuf>,
}

/// Arguments of `carve report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Which estate.
    #[command(flatten)]
    pub(super) estate: EstatePaths,
    /// Folder of templates that replace the built-in ones: docs/REPORT.md lists them.
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    pub(super) templates: Option<Utf8PathBuf>,
}

fn scale(text: &str) -> Result<f64, String> {
    let scale: f64 = text.parse().map_err(|_| "no number".to_owned())?;
    // NaN is in no range.
    (0.001..=100.0).contains(&scale).then_some(scale).ok_or_else(|| "from 0.001 to 100".to_owned())
}

/// Arguments of `carve demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Where; must not exist, or be an earlier demo, which is replaced.
    #[arg(default_value = "carve-demo")]
    pub(super) folder: Utf8PathBuf,
    /// How much data, from 0.001 to 100: 1 makes some 500,000 rows.
    #[arg(long, default_value_t = 1.0, value_parser = scale)]
    pub(super) scale: f64,
    /// Stop once the plans are written: applying is left to you.
    #[arg(long)]
    pub(super) no_apply: bool,
    /// Another seed gives other rows.
    #[arg(long, default_value_t = 7)]
    pub(super) seed: u64,
    /// Change rows at the source of a demo that is there, and run the shop's own imports: something for
    /// `carve refresh` to follow.
    #[arg(long, conflicts_with_all = ["scale", "no_apply", "seed"])]
    pub(super) late_rows: bool,
}
