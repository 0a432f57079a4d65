//! Planning beside bare parsing of the same text, in one run: `cargo bench --bench plan [FILES]…`.
//!
//! For each number an estate of so many generated SQL files is planned (read, lineage with columns, graph, scores, the
//! plans of the three best candidates), and the same text is parsed with nothing but sqlparser, by as many threads
//! (`RAYON_NUM_THREADS` sets how many). Both the time on the clock and the time of all processors together are told:
//! the latter hardly minds what else the machine does. Each estate has a process of its own, so that its peak of memory
//! is its own. A row of a Markdown table each. `TMPDIR` says where the files go.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a program for developers")]
/// What several benchmarks share.
mod common {
    pub(crate) mod memory;
}

use std::{fs, process::Command, time::Instant};

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
use sqlparser::{dialect::GenericDialect, parser::Parser};

/// Before the number of files in the words for a process that plans one estate.
const ONE: &str = "one-estate";

/// Plans that `carve plan` drafts where nobody says how many.
const PLANS: usize = 3;

/// What carve itself runs with: both sides of every ratio do.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut sizes: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if words.iter().any(|word| word == ONE) {
        return one(sizes[0]);
    }
    if sizes.is_empty() {
        sizes = vec![1_000, 10_000];
    }
    println!(
        "| Files | Statements | MB | Threads | read | lineage | graph | scores | plans | all | peak memory | \
         sqlparser | plan / parse | processor: plan | sqlparser | plan / parse |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    );
    for size in sizes {
        let itself = std::env::current_exe().unwrap();
        assert!(Command::new(itself).args([ONE, &size.to_string()]).status().unwrap().success());
    }
}

fn one(files: usize) {
    let folder =
        Utf8PathBuf::from_path_buf(std::env::temp_dir().join(format!("carve-bench-{}", std::process::id()))).unwrap();
    generate(&folder, files);
    let began_s = processors_s();
    let (statements, phases) = plan(&folder);
    let worked_s = processors_s() - began_s;
    let peak = common::memory::peak_mib();
    let texts: Vec<String> = (0..files).map(|n| text_of(n).1).collect();
    let began_s = processors_s();
    let parse_s = timed(|| texts.par_iter().for_each(|text| parse(text)));
    let parse_worked_s = processors_s() - began_s;
    fs::remove_dir_all(&folder).unwrap();
    let plan_s: f64 = phases.iter().sum();
    let bytes: usize = texts.iter().map(String::len).sum();
    print!("| {files} | {statements} | {:.1} | {} |", bytes as f64 / 1e6, rayon::current_num_threads());
    phases.iter().for_each(|phase| print!(" {phase:.3} s |"));
    print!(" {plan_s:.3} s | {peak:.0} MiB | {parse_s:.3} s | {:.1} |", plan_s / parse_s);
    println!(" {worked_s:.2} s | {parse_worked_s:.2} s | {:.1} |", worked_s / parse_worked_s);
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

fn parse(text: &str) {
    assert!(!Parser::parse_sql(&GenericDialect {}, text).unwrap().is_empty());
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

/// Three layers: every file reads a few tables of the layer below it, as warehouses do.
fn generate(folder: &Utf8Path, files: usize) {
    for n in 0..files {
        let (schema, text) = text_of(n);
        let path = folder.join(format!("{schema}/job_{n}.sql"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn text_of(n: usize) -> (&'static str, String) {
    match n % 3 {
        0 => ("transformed", transformed(n)),
        1 => ("modelled", modelled(n)),
        _ => ("reporting", reporting(n)),
    }
}

fn transformed(n: usize) -> String {
    let system = n % 17;
    format!(
        "-- cleans the raw table\nDROP TABLE IF EXISTS transformed.t_{n};\nCREATE TABLE transformed.t_{n} AS\n\
         WITH newest AS (SELECT id, MAX(loaded_at) AS loaded_at FROM source_{system}.r_{n} GROUP BY id)\n\
         SELECT r.id, TRIM(r.name) AS name, CAST(r.amount AS DECIMAL(18, 2)) AS amount, r.customer_id,\n\
         CASE WHEN r.state = 'x' THEN 'closed' ELSE r.state END AS state, n.loaded_at\n\
         FROM source_{system}.r_{n} AS r JOIN newest AS n ON n.id = r.id AND n.loaded_at = r.loaded_at\n\
         WHERE r.deleted_at IS NULL;\n"
    )
}

fn modelled(n: usize) -> String {
    let (a, b) = (n - 1, (n * 7 / 3) / 3 * 3 % n.max(3));
    format!(
        "CREATE TABLE modelled.m_{n} AS\nSELECT a.id, a.name, b.amount, a.state,\n\
         SUM(b.amount) OVER (PARTITION BY a.customer_id ORDER BY a.loaded_at) AS running\n\
         FROM transformed.t_{a} a LEFT JOIN transformed.t_{b} b ON a.customer_id = b.customer_id\n\
         WHERE a.amount > 0;\nDELETE FROM modelled.m_{n} WHERE id IN (SELECT id FROM transformed.t_{a} WHERE state = 'closed');\n"
    )
}

fn reporting(n: usize) -> String {
    let m = n - 1;
    format!(
        "INSERT INTO reporting.r_{n} (state, orders, revenue)\nSELECT state, COUNT(*), SUM(amount) FROM (\n\
         SELECT state, amount FROM modelled.m_{m} UNION ALL SELECT state, running FROM modelled.m_{m}\n) u\n\
         GROUP BY state HAVING COUNT(*) > 1 ORDER BY state;\n"
    )
}
