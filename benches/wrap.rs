//! Wrap throughput and peak memory: `cargo bench --bench wrap [ROWS]` (2,000,000 by default).
//!
//! A raw table of 12 columns in a SQLite lake goes through a whole wrap into a folder: publish in parts of
//! 1,000 rows, import, transport and continuity proof, swap. Time and peak resident memory are printed.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a program for developers")]
/// What several benchmarks share.
mod common {
    pub(crate) mod estate;
    pub(crate) mod memory;
}

use std::{collections::BTreeMap, fs, time::Instant};

use camino::{Utf8Path, Utf8PathBuf};
use carve::{
    apply::{self, RunOptions, World},
    connector::{open_bucket, open_lake},
    progress::Silent,
};
use common::{estate::drafted, memory::peak_mib};

fn main() {
    let rows: u64 = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(2_000_000);
    let folder =
        Utf8PathBuf::from_path_buf(std::env::temp_dir().join(format!("carve-wrap-{}", std::process::id()))).unwrap();
    fs::create_dir_all(folder.join("lake")).unwrap();
    fs::create_dir_all(folder.join("bucket")).unwrap();
    fill(&folder, rows);
    let before = peak_mib();
    let seconds = tokio::runtime::Runtime::new().unwrap().block_on(wrap(&folder));
    println!("{rows} rows × 12 columns, whole wrap with proofs");
    println!("time         {seconds:>9.1} s   {:.0} rows/s", rows as f64 / seconds);
    println!("peak memory  {:>9.1} MiB ({:.1} MiB before the wrap)", peak_mib(), before);
    fs::remove_dir_all(&folder).unwrap();
}

fn fill(folder: &Utf8Path, rows: u64) {
    let lake = rusqlite::Connection::open(folder.join("lake/raw.db")).unwrap();
    lake.execute_batch(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, state TEXT, note TEXT, amount REAL, tax REAL,
         currency TEXT, city TEXT, placed_at TEXT, paid_at TEXT, weight INTEGER, channel TEXT);",
    )
    .unwrap();
    lake.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
         INSERT INTO orders SELECT i, i % 99991, CASE i % 5 WHEN 0 THEN 'open' ELSE 'closed' END,
         CASE WHEN i % 7 = 0 THEN NULL ELSE 'note \"' || i || '\"' END, i * 1.25, i * 0.19, 'EUR', 'Zürich',
         datetime(1700000000 + i, 'unixepoch'), CASE WHEN i % 3 = 0 THEN NULL ELSE datetime(1700000100 + i, 'unixepoch') END,
         i % 1000, 'web' FROM n",
        [rows as i64],
    )
    .unwrap();
}

async fn wrap(folder: &Utf8Path) -> f64 {
    let world = World {
        root: folder.to_owned(),
        further_roots: BTreeMap::new(),
        state: folder.join(".carve"),
        lake: open_lake("lake", "sqlite:lake", folder).await.unwrap(),
        bucket: open_bucket("bucket", "file:bucket", folder).await.unwrap(),
        origins: BTreeMap::new(),
        clock: jiff::Timestamp::now,
    };
    let plan = drafted(folder, "sqlite");
    let began = Instant::now();
    let report = apply::run(&plan, &world, &RunOptions::default(), &Silent).await.unwrap();
    assert!(report.complete);
    began.elapsed().as_secs_f64()
}
