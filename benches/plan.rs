//! Planning throughput beside bare parsing of the same text, in one run: `cargo bench --bench plan [FILES]`.
//!
//! An estate of generated SQL files is planned (read, lineage with columns, graph, scores), and the same
//! text is parsed with nothing but sqlparser, by one thread and by as many as planning used.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a program for developers")]
use std::{fs, time::Instant};

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

fn main() {
    let files = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(2000);
    let folder =
        Utf8PathBuf::from_path_buf(std::env::temp_dir().join(format!("carve-bench-{}", std::process::id()))).unwrap();
    let texts = generate(&folder, files);
    let (statements, plan_s) = plan(&folder);
    let one_s = timed(|| texts.iter().for_each(|text| parse(text)));
    let all_s = timed(|| texts.par_iter().for_each(|text| parse(text)));
    fs::remove_dir_all(&folder).unwrap();
    let rate = |seconds: f64| statements as f64 / seconds;
    println!("{files} files, {statements} statements, {} bytes", texts.iter().map(String::len).sum::<usize>());
    println!("carve plan              {plan_s:>8.3} s  {:>9.0} statements/s", rate(plan_s));
    println!(
        "sqlparser, one thread   {one_s:>8.3} s  {:>9.0} statements/s  plan / parse = {:.2}",
        rate(one_s),
        plan_s / one_s
    );
    println!(
        "sqlparser, all threads  {all_s:>8.3} s  {:>9.0} statements/s  plan / parse = {:.2}",
        rate(all_s),
        plan_s / all_s
    );
}

fn timed(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}

fn parse(text: &str) {
    assert!(!Parser::parse_sql(&GenericDialect {}, text).unwrap().is_empty());
}

fn plan(folder: &Utf8Path) -> (u64, f64) {
    let began = Instant::now();
    let (estate, _) = load(&[folder.to_owned()], &LoadOptions::default(), &Silent);
    let (lineage, _) = lineage::read(&estate, &Silent);
    let (graph, _) = DependencyGraph::build(&estate, &lineage);
    let ranking = scoring::score(&estate, &lineage, &graph);
    let seconds = began.elapsed().as_secs_f64();
    assert!(!ranking.cards.is_empty());
    (lineage.coverage.values().map(|c| c.statements).sum(), seconds)
}

/// Three layers: every file reads a few tables of the layer below it, as warehouses do.
fn generate(folder: &Utf8Path, files: usize) -> Vec<String> {
    let mut texts = Vec::with_capacity(files);
    for n in 0..files {
        let (schema, text) = match n % 3 {
            0 => ("transformed", transformed(n)),
            1 => ("modelled", modelled(n)),
            _ => ("reporting", reporting(n)),
        };
        let path = folder.join(format!("{schema}/job_{n}.sql"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &text).unwrap();
        texts.push(text);
    }
    texts
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
