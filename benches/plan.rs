//! Planning beside bare parsing of the same text, in one run: `cargo bench --bench plan [FILES]…`.
//!
//! For each number an estate of so many generated SQL files is planned (read, lineage with columns, graph, scores), and
//! the same text is parsed with nothing but sqlparser, by one thread and by as many as planning used. Each estate has a
//! process of its own, so that its peak of memory is its own. A row of a Markdown table each. `TMPDIR` says where the
//! files go.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a program for developers")]
use std::{fs, process::Command, time::Instant};

use camino::{Utf8Path, Utf8PathBuf};
use carve::{
    estate::{LoadOptions, load},
    graph::DependencyGraph,
    lineage,
    progress::Silent,
    scoring,
};
use rayon::prelude::*;
use sqlparser::{dialect::GenericDialect, parser::Parser};

/// Before the number of files in the words for a process that plans one estate.
const ONE: &str = "one-estate";

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
        "| Files | Statements | MB | read | lineage | graph | scores | all | peak memory | sqlparser, 1 thread | \
         plan / parse | sqlparser, all threads | plan / parse |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|"
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
    let (statements, phases) = plan(&folder);
    let peak = peak_mib();
    let texts: Vec<String> = (0..files).map(|n| text_of(n).1).collect();
    let one_s = timed(|| texts.iter().for_each(|text| parse(text)));
    let all_s = timed(|| texts.par_iter().for_each(|text| parse(text)));
    fs::remove_dir_all(&folder).unwrap();
    let plan_s: f64 = phases.iter().sum();
    let bytes: usize = texts.iter().map(String::len).sum();
    print!("| {files} | {statements} | {:.1} |", bytes as f64 / 1e6);
    phases.iter().for_each(|phase| print!(" {phase:.3} s |"));
    println!(
        " {plan_s:.3} s | {peak:.0} MiB | {one_s:.3} s | {:.2} | {all_s:.3} s | {:.2} |",
        plan_s / one_s,
        plan_s / all_s
    );
}

/// The most memory this process ever held; 0 where the system does not tell.
fn peak_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).map_or(0.0, |kib| kib / 1024.0)
}

fn timed(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}

fn parse(text: &str) {
    assert!(!Parser::parse_sql(&GenericDialect {}, text).unwrap().is_empty());
}

/// Statements, and seconds of reading files, lineage, graph, scores.
fn plan(folder: &Utf8Path) -> (u64, [f64; 4]) {
    let mut marks = vec![Instant::now()];
    let (estate, _) = load(&[folder.to_owned()], &LoadOptions::default(), &Silent);
    marks.push(Instant::now());
    let (lineage, _) = lineage::read(&estate, &Silent);
    marks.push(Instant::now());
    let (graph, _) = DependencyGraph::build(&estate, &lineage);
    marks.push(Instant::now());
    let ranking = scoring::score(&estate, &lineage, &graph);
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
