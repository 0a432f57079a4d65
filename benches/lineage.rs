//! Full column lineage with a catalog beside bare parsing of the same text: `cargo bench --bench lineage FOLDER [ROUNDS]`.
//!
//! FOLDER holds one query a file and `schema.sql`, the DDL of their tables (`benches/peers.py queries` writes TPC-DS
//! so). One thread does both, turn by turn, each turn for a quarter of a second (kernels count processor time in ticks
//! of some milliseconds); the least processor time of a turn counts. A third word, `parse` or
//! `lineage`, does only that, for a profiler. `cargo bench --bench lineage shapes` times single scripts of shapes that
//! have made readers of SQL slow.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a program for developers")]
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hint::black_box,
    time::Instant,
};

use camino::{Utf8Path, Utf8PathBuf};
use carve::lineage::{EdgeKind, JobLineage, on_deep_stack, read_ddl, read_sql};
use sqlparser::{dialect::GenericDialect, parser::Parser};

/// What carve itself runs with: both sides of every ratio do.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Seconds that a turn takes at least.
const TURN_S: f64 = 0.25;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if words.first().is_some_and(|word| word == "shapes") {
        return on_deep_stack(|| shapes().iter().for_each(|(name, dialect, text)| shape(name, dialect, text)));
    }
    let folder = Utf8PathBuf::from(words.first().expect("a folder of queries"));
    let rounds: u32 = words.get(1).map_or(20, |word| word.parse().unwrap());
    on_deep_stack(|| run(&folder, rounds, words.get(2).map(String::as_str)));
}

fn run(folder: &Utf8Path, rounds: u32, only: Option<&str>) {
    let catalog = read_ddl(&fs::read_to_string(folder.join("schema.sql")).unwrap(), Some("generic"));
    let texts = texts(folder);
    let parse = || texts.iter().for_each(|text| drop(black_box(Parser::parse_sql(&GenericDialect, text).unwrap())));
    let mut edges = 0;
    let mut lineage = || {
        edges = 0;
        for text in &texts {
            let (read, _) = black_box(read_sql(text, Some("generic"), &catalog));
            assert_eq!(read.unparsed, 0, "{text}");
            edges += read.statements.iter().map(|one| one.columns.len()).sum::<usize>();
        }
    };
    let (mut parse_s, mut lineage_s) = (f64::MAX, f64::MAX);
    for _ in 0..rounds {
        if only != Some("lineage") {
            parse_s = parse_s.min(processor_s(&parse));
        }
        if only != Some("parse") {
            lineage_s = lineage_s.min(processor_s(&mut lineage));
        }
    }
    let bytes: usize = texts.iter().map(String::len).sum();
    let values: usize = texts.iter().map(|text| value_edges(&read_sql(text, Some("generic"), &catalog).0)).sum();
    let count = texts.len();
    println!("{count} queries, {bytes} bytes, {} tables, {edges} column edges, {values} of values", catalog.len());
    println!("sqlparser {:.3} ms, carve {:.3} ms, ratio {:.2}", parse_s * 1e3, lineage_s * 1e3, lineage_s / parse_s);
}

/// Pairs of columns between which a value goes, however changed.
fn value_edges(read: &JobLineage) -> usize {
    let carries = |kind| matches!(kind, EdgeKind::Identity | EdgeKind::Transformation | EdgeKind::Aggregation);
    let edges = read.statements.iter().flat_map(|one| &one.columns).filter(|edge| carries(edge.kind));
    edges.map(|edge| (&edge.from, &edge.from_column, &edge.to_column)).collect::<BTreeSet<_>>().len()
}

fn texts(folder: &Utf8Path) -> Vec<String> {
    let mut files: Vec<Utf8PathBuf> = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path()).collect();
    files.retain(|file| file.extension() == Some("sql") && file.file_name() != Some("schema.sql"));
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// Seconds of processor time that `work` takes once on this thread; wall time where the system does not tell.
fn processor_s(mut work: impl FnMut()) -> f64 {
    let (began, before, mut times) = (Instant::now(), scheduled_s(), 0);
    while times == 0 || began.elapsed().as_secs_f64() < TURN_S {
        work();
        times += 1;
    }
    let all_s = match (before, scheduled_s()) {
        (Some(before), Some(after)) => after - before,
        _ => began.elapsed().as_secs_f64(),
    };
    all_s / f64::from(times)
}

fn scheduled_s() -> Option<f64> {
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(told.split(' ').next()?.parse::<f64>().ok()? / 1e9)
}

fn shape(name: &str, dialect: &str, text: &str) {
    let began = Instant::now();
    let (read, faults) = read_sql(text, Some(dialect), &BTreeMap::new());
    let taken = began.elapsed().as_secs_f64();
    let edges: usize = read.statements.iter().map(|one| one.columns.len()).sum();
    println!("| {name} | {dialect} | {} | {taken:.3} s | {edges} | {} |", text.len(), faults.iter().len());
}

/// Name, dialect, text. The first are about scopes, the others about cutting a script into statements.
fn shapes() -> Vec<(&'static str, &'static str, String)> {
    println!("| Script | Dialect | Bytes | Time | Column edges | Faults |\n|---|---|---|---|---|---|");
    let list = |count: usize, between: &str, one: &dyn Fn(usize) -> String| {
        (0..count).map(one).collect::<Vec<_>>().join(between)
    };
    let twice = |n: usize| format!("c{} AS (SELECT x.a FROM c{n} x JOIN c{n} y ON x.a = y.a)", n + 1);
    let once = |n: usize| format!("c{} AS (SELECT a FROM c{n})", n + 1);
    let made = |with: String, last: usize| {
        format!("CREATE TABLE o AS WITH c0 AS (SELECT a FROM t), {with} SELECT a FROM c{last}")
    };
    let nested = format!("CREATE TABLE o AS {}SELECT a FROM t{}", "SELECT a FROM (".repeat(200), ") q".repeat(200));
    let columns = list(1_000, ", ", &|n| format!("c{n}"));
    let rows = list(5_000, ", ", &|n| format!("({n})"));
    vec![
        ("diamond of CTEs, 18 deep", "generic", made(list(18, ", ", &twice), 18)),
        ("1,000 columns", "generic", format!("CREATE TABLE o AS SELECT {columns} FROM (SELECT {columns} FROM t) q")),
        (
            "3,000 ORs",
            "generic",
            format!("CREATE TABLE o AS SELECT a FROM t WHERE {}", list(3_000, " OR ", &|n| format!("c{n} = {n}"))),
        ),
        (
            "5,000 VALUES",
            "generic",
            format!("CREATE TABLE o AS SELECT t.a FROM t JOIN (VALUES {rows}) v(x) ON t.b = v.x"),
        ),
        (
            "UNION of 500",
            "generic",
            format!("CREATE TABLE o AS {}", list(500, " UNION ALL ", &|n| format!("SELECT a FROM t{n}"))),
        ),
        ("200 CTEs in a chain", "generic", made(list(200, ", ", &once), 200)),
        ("200 nested subqueries", "generic", nested),
        (
            "50,000 CTEs side by side",
            "generic",
            made(list(50_000, ", ", &|n| format!("d{n} AS (SELECT {n} AS a FROM t{n})")), 0),
        ),
        ("1 MB of open parentheses", "generic", format!("SELECT {}", "(".repeat(1_000_000))),
        ("100,000 semicolons", "generic", ";".repeat(100_000)),
        ("comment of 1 MB on one line", "generic", format!("-- {}\nSELECT 1", "x".repeat(1_000_000))),
        ("50,000 DECLAREs on one line", "tsql", "DECLARE @a int ".repeat(50_000)),
        ("50,000 COPYs without their rows", "postgres", "COPY t FROM stdin;".repeat(50_000)),
        ("100,000 GOs on one line", "tsql", "GO ".repeat(100_000)),
        ("50,000 appends to a variable", "tsql", "SET @a = @a + 'more';".repeat(50_000)),
    ]
}
