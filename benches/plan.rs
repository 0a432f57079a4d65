//! Planning beside bare parsing of the same text, in one run: `cargo bench --bench plan [FILES|smallFILES|FOLDER]…`.
//!
//! For each number an estate of so many generated SQL files is planned (read, lineage with columns, graph, scores, the
//! plans of the three best candidates), and the same text is parsed with nothing but sqlparser, by as many threads
//! (`RAYON_NUM_THREADS` sets how many). The files are as long as those of public estates are; `small` before the number
//! makes them a seventh of that. A folder is planned as it is, and its scripts are parsed as their templates render, in
//! their dialects, as far as sqlparser takes them. Both the time on the clock and the time of all processors together are told:
//! the latter hardly minds what else the machine does. Each estate has a process of its own, so that its peak of memory
//! is its own. A row of a Markdown table each. `TMPDIR` says where the files go.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a program for developers")]
/// What several benchmarks share.
mod common {
    pub(crate) mod memory;
}

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use camino::{Utf8Path, Utf8PathBuf};
use carve::{
    estate::{LoadOptions, load},
    graph::DependencyGraph,
    lineage,
    plan::{DraftInputs, draft},
    progress::Silent,
    scoring,
};
use rayon::prelude::*;
use sqlparser::{
    dialect::{GenericDialect, dialect_from_str},
    parser::Parser,
};

/// Before the number of files in the words for a process that plans one estate.
const ONE: &str = "one-estate";

/// Plans that `carve plan` drafts where nobody says how many.
const PLANS: usize = 3;

/// What carve itself runs with: both sides of every ratio do.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if words.first().is_some_and(|word| word == ONE) {
        return one(&words[1]);
    }
    if words.is_empty() {
        words = vec!["1000".to_owned(), "10000".to_owned()];
    }
    println!(
        "| Estate | Statements | MB | Threads | read | lineage | graph | scores | plans | all | peak memory | \
         sqlparser | plan / parse | processor: plan | sqlparser | plan / parse | refused |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    );
    for subject in words {
        let itself = std::env::current_exe().unwrap();
        assert!(Command::new(itself).args([ONE, &subject]).status().unwrap().success());
    }
}

/// Plans what `subject` names, in this process.
fn one(subject: &str) {
    let made = Made::of(subject);
    let folder = match made {
        Some(_) => Utf8PathBuf::from_path_buf(std::env::temp_dir().join(format!("carve-bench-{}", std::process::id())))
            .unwrap(),
        None => Utf8PathBuf::from(subject),
    };
    made.iter().for_each(|made| made.write(&folder));
    let began_s = processors_s();
    let (statements, phases) = plan(&folder);
    let worked_s = processors_s() - began_s;
    let peak = common::memory::peak_mib();
    let texts = match &made {
        Some(made) => (0..made.files).map(|n| ("generic", made.text_of(n).1)).collect(),
        None => rendered(&folder),
    };
    let began_s = processors_s();
    let refused = AtomicUsize::new(0);
    let parse_s = timed(|| {
        texts.par_iter().for_each(|(dialect, text)| {
            refused.fetch_add(usize::from(!parses(dialect, text)), Ordering::Relaxed);
        });
    });
    let parse_worked_s = processors_s() - began_s;
    if made.is_some() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let plan_s: f64 = phases.iter().sum();
    let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
    print!("| {subject} | {statements} | {:.1} | {} |", bytes as f64 / 1e6, rayon::current_num_threads());
    phases.iter().for_each(|phase| print!(" {phase:.3} s |"));
    print!(" {plan_s:.3} s | {peak:.0} MiB | {parse_s:.3} s | {:.1} |", plan_s / parse_s);
    println!(
        " {worked_s:.2} s | {parse_worked_s:.2} s | {:.1} | {} |",
        worked_s / parse_worked_s,
        refused.into_inner()
    );
}

/// Every script of an estate as its templates render, with its dialect.
fn rendered(folder: &Utf8Path) -> Vec<(&'static str, String)> {
    let (estate, _) = load(&[folder.to_owned()], &LoadOptions::default(), &Silent);
    let scripts = estate.jobs.iter().flat_map(|job| &job.scripts);
    scripts
        .map(|script| (estate.dialect_of(script).unwrap_or("generic"), lineage::render(script, &estate).text))
        .collect()
}

/// Seconds of processors that this process has used, threads that ended included; in steps of a hundredth.
fn processors_s() -> f64 {
    let told = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = told.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = behind_name.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn timed(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}

fn parses(dialect: &str, text: &str) -> bool {
    let dialect = if dialect == "tsql" { "mssql" } else { dialect };
    let dialect = dialect_from_str(dialect).unwrap_or_else(|| Box::new(GenericDialect {}));
    Parser::parse_sql(&*dialect, text).is_ok()
}

/// Statements, and seconds of reading files, lineage, graph, scores, plans.
fn plan(folder: &Utf8Path) -> (u64, [f64; 5]) {
    let mut marks = vec![Instant::now()];
    let (estate, mut diagnostics) = load(&[folder.to_owned()], &LoadOptions::default(), &Silent);
    marks.push(Instant::now());
    let (lineage, faults) = lineage::read(&estate, &Silent);
    diagnostics.extend(faults);
    marks.push(Instant::now());
    let (graph, faults) = DependencyGraph::build(&estate, &lineage);
    diagnostics.extend(faults);
    marks.push(Instant::now());
    let ranking = scoring::score(&estate, &lineage, &graph);
    marks.push(Instant::now());
    let (of, read_file) = (ranking.cards.len() as u32, |file: &Utf8Path| fs::read_to_string(folder.join(file)).ok());
    for card in ranking.cards.iter().filter(|card| !card.candidate.raw.is_empty()).take(PLANS) {
        let inputs = DraftInputs {
            estate: &estate,
            graph: &graph,
            diagnostics: &diagnostics,
            card,
            of,
            flags: "",
            read_file: &read_file,
        };
        assert!(!draft(&inputs).unwrap().steps.is_empty());
    }
    marks.push(Instant::now());
    assert!(!ranking.cards.is_empty());
    let phases = std::array::from_fn(|at| (marks[at + 1] - marks[at]).as_secs_f64());
    (lineage.coverage.values().map(|c| c.statements).sum(), phases)
}

/// An estate to be made.
struct Made {
    files: usize,
    /// Columns that the longest query selects beyond those that every query does.
    wide: usize,
}

impl Made {
    /// What a number says, `small` before it or not; `None` for a folder.
    fn of(subject: &str) -> Option<Made> {
        let small = subject.strip_prefix("small");
        let files = small.unwrap_or(subject).parse().ok()?;
        Some(Made { files, wide: if small.is_some() { 0 } else { 170 } })
    }

    /// Three layers: every file reads a few tables of the layer below it, as warehouses do.
    fn write(&self, folder: &Utf8Path) {
        for n in 0..self.files {
            let (schema, text) = self.text_of(n);
            let path = folder.join(format!("{schema}/job_{n}.sql"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn text_of(&self, n: usize) -> (&'static str, String) {
        // Most are short and a few are long; the three of a chain are of one width.
        let more = self.wide * (n / 3 * 7919 % 100).pow(2) / 10_000;
        match n % 3 {
            0 => ("transformed", transformed(n, more)),
            1 => ("modelled", modelled(n, more)),
            _ => ("reporting", reporting(n, more)),
        }
    }
}

/// `more` items, one a line.
fn items(more: usize, of: impl Fn(usize) -> String) -> String {
    (0..more).map(|at| format!("  {}, -- column {at}\n", of(at))).collect()
}

fn transformed(n: usize, more: usize) -> String {
    let system = n % 17;
    let columns = items(more, |at| match at % 5 {
        0 => format!("TRIM(r.text_{at}) AS text_{at}"),
        1 => format!("CAST(r.sum_{at} AS DECIMAL(18, 2)) AS sum_{at}"),
        2 => format!(
            "CASE WHEN r.code_{at} IN ('a', 'b') THEN 'open' WHEN r.code_{at} = 'c' THEN NULL ELSE r.code_{at} END AS code_{at}"
        ),
        3 => format!("COALESCE(r.day_{at}, r.loaded_at) AS day_{at}"),
        _ => format!("r.plain_{at}"),
    });
    format!(
        "-- cleans the raw table\nDROP TABLE IF EXISTS transformed.t_{n};\nCREATE TABLE transformed.t_{n} AS\n\
         WITH newest AS (SELECT id, MAX(loaded_at) AS loaded_at FROM source_{system}.r_{n} GROUP BY id)\n\
         SELECT r.id, TRIM(r.name) AS name, CAST(r.amount AS DECIMAL(18, 2)) AS amount, r.customer_id,\n{columns}\
         CASE WHEN r.state = 'x' THEN 'closed' ELSE r.state END AS state, n.loaded_at\n\
         FROM source_{system}.r_{n} AS r JOIN newest AS n ON n.id = r.id AND n.loaded_at = r.loaded_at\n\
         WHERE r.deleted_at IS NULL;\n"
    )
}

fn modelled(n: usize, more: usize) -> String {
    let (a, b) = (n - 1, (n * 7 / 3) / 3 * 3 % n.max(3));
    let columns = items(more, |at| match at % 5 {
        1 => format!("SUM(a.sum_{at}) OVER (PARTITION BY a.customer_id ORDER BY a.loaded_at) AS sum_{at}"),
        0 => format!("UPPER(a.text_{at}) AS text_{at}"),
        2 => format!("COALESCE(a.code_{at}, b.state) AS code_{at}"),
        3 => format!("a.day_{at}"),
        _ => format!("a.plain_{at}"),
    });
    format!(
        "CREATE TABLE modelled.m_{n} AS\nSELECT a.id, a.name, b.amount, a.state,\n{columns}\
         SUM(b.amount) OVER (PARTITION BY a.customer_id ORDER BY a.loaded_at) AS running\n\
         FROM transformed.t_{a} a LEFT JOIN transformed.t_{b} b ON a.customer_id = b.customer_id\n\
         WHERE a.amount > 0;\nDELETE FROM modelled.m_{n} WHERE id IN (SELECT id FROM transformed.t_{a} WHERE state = 'closed');\n"
    )
}

fn reporting(n: usize, more: usize) -> String {
    let m = n - 1;
    let sums = |of: &dyn Fn(usize) -> String| items(more / 5, |at| of(at * 5 + 1));
    let (columns, outer) = (sums(&|at| format!("sum_{at}")), sums(&|at| format!("SUM(sum_{at})")));
    format!(
        "INSERT INTO reporting.r_{n} (state, {columns}orders, revenue)\nSELECT state, {outer}COUNT(*), SUM(amount) FROM (\n\
         SELECT state, {columns}amount FROM modelled.m_{m} UNION ALL SELECT state, {columns}running FROM modelled.m_{m}\n) u\n\
         GROUP BY state HAVING COUNT(*) > 1 ORDER BY state;\n"
    )
}
