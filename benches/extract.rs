//! PostgreSQL to parts, beside `psql \copy … csv` on the same rows in the same run:
//! `cargo bench --bench extract -- postgres://USER@HOST/DATABASE [ROWS…] [CASE…]`, the password in PGPASSWORD.
//!
//! `raw.orders` of 12 columns is made in that database when it is not there with so many rows, of one size after the
//! other (`2000000 10000000`: time should grow with the rows, memory should not). Each case runs in a
//! process of its own, three times in turn with the others; median time and peak memory are printed. Cases: `psql`,
//! `csv1` and `csv4` (hashed parts of 1,000 rows in a folder, one stream and four ranges), `parquet4`, `s3` (four ranges
//! into an S3 server in the same process, s3s-fs, that keeps writers apart), `wrap` (publish, import, all proofs, swap),
//! `wide` (1,000 rows into CSV parts, one of them with a text of 210 MB). CARVE_BENCH_FOLDER says where files go.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a program for developers")]
/// What several benchmarks share.
mod common {
    pub(crate) mod estate;
    pub(crate) mod memory;
    pub(crate) mod store;
}

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Stdio},
    time::Instant,
};

use camino::{Utf8Path, Utf8PathBuf};
use carve::{
    apply::{self, RunOptions, World},
    connector::{open_bucket, open_lake},
    plan::Action,
    progress::Silent,
    vocab::PartFormat,
};
use common::{estate::drafted, memory::peak_mib, store::served};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CASES: [&str; 7] = ["psql", "csv1", "csv4", "parquet4", "s3", "wrap", "wide"];
const ROUNDS: usize = 3;

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let url = words.next().unwrap_or_else(|| panic!("give the address of a database: postgres://USER@HOST/DATABASE"));
    let rest: Vec<String> = words.collect();
    if let [only, case, folder] = &rest[..]
        && only == "one"
    {
        return one(&url, case, Utf8Path::new(folder));
    }
    let sizes: Vec<u64> = rest.iter().filter_map(|word| word.parse().ok()).collect();
    let wanted: Vec<&str> = CASES.into_iter().filter(|case| rest.iter().any(|word| word == case)).collect();
    let cases = if wanted.is_empty() { CASES.to_vec() } else { wanted };
    let (parent, mut folders) = (parent(), Vec::new());
    for rows in if sizes.is_empty() { vec![2_000_000] } else { sizes } {
        fill(&url, rows);
        measured(&url, rows, &cases, &parent, &mut folders);
    }
    // Not sooner: ext4 without a journal looks long for an inode that was not deleted a minute ago.
    folders.iter().for_each(|folder| fs::remove_dir_all(folder).unwrap());
}

/// Runs the cases in turn, each in a new folder below `parent`, and prints a line a case.
fn measured(url: &str, rows: u64, cases: &[&'static str], parent: &Utf8Path, folders: &mut Vec<Utf8PathBuf>) {
    let mut found: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for case in cases {
            let folder = parent.join(format!("carve-extract-{}-{}", std::process::id(), folders.len()));
            found.entry(case).or_default().push(apart(url, case, &folder));
            folders.push(folder);
        }
    }
    println!("{rows} rows × 12 columns, median of {ROUNDS}");
    let base = found.get("psql").map(|all| median(all));
    for case in cases {
        let time = median(&found[case]);
        let peak = found[case].iter().map(|(_, peak)| *peak).fold(0.0, f64::max);
        let ratio = base.map(|base| format!("{:.2} × psql", time / base)).unwrap_or_default();
        println!("{case:<9} {time:>8.2} s   {ratio:<12}  peak {peak:>6.1} MiB");
    }
}

fn median(all: &[(f64, f64)]) -> f64 {
    let mut times: Vec<f64> = all.iter().map(|(time, _)| *time).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn parent() -> Utf8PathBuf {
    let parent = std::env::var("CARVE_BENCH_FOLDER").map_or_else(|_| std::env::temp_dir(), Into::into);
    Utf8PathBuf::from_path_buf(parent).unwrap()
}

/// One case in a process of its own, which leaves its files: seconds, and MiB that were resident at most.
fn apart(url: &str, case: &str, folder: &Utf8Path) -> (f64, f64) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    // What the S3 server in that process lets in.
    command
        .env("AWS_ACCESS_KEY_ID", "bench")
        .env("AWS_SECRET_ACCESS_KEY", "bench")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    let output = command.args([url, "one", case, folder.as_str()]).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{case}");
    let said = String::from_utf8(output.stdout).unwrap();
    let mut numbers = said.split_whitespace().map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

fn one(url: &str, case: &str, folder: &Utf8Path) {
    fs::create_dir_all(folder.join("bucket/mesh")).unwrap();
    let seconds = match case {
        "psql" => timed(|| psql(url, &format!("\\copy raw.orders to {folder}/orders.csv csv header"))),
        "wrap" => on_a_copy(url, |copy| runtime().block_on(carve(copy, case, folder))),
        "wide" => on_a_wide_one(url, |wide| runtime().block_on(carve(wide, case, folder))),
        _ => runtime().block_on(carve(url, case, folder)),
    };
    println!("{seconds} {}", peak_mib());
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

fn timed(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}

fn psql(url: &str, script: &str) {
    let status = Command::new("psql").args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", script]).status();
    assert!(status.unwrap().success(), "{script}");
}

/// Runs `work` on a copy of the database, because a wrap changes it.
fn on_a_copy(url: &str, work: impl FnOnce(&str) -> f64) -> f64 {
    let (server, name) = url.rsplit_once('/').unwrap();
    on_another(server, &format!("{name}_copy"), &format!("TEMPLATE {name}"), work)
}

/// Runs `work` on a database whose table has a row of 210 MB among others.
fn on_a_wide_one(url: &str, work: impl FnOnce(&str) -> f64) -> f64 {
    let (server, name) = url.rsplit_once('/').unwrap();
    let wide = "CREATE SCHEMA raw; CREATE TABLE raw.orders (id bigint PRIMARY KEY, note text);
        INSERT INTO raw.orders SELECT i, CASE i WHEN 500 THEN repeat('a text, of \"some\" length ', 8400000) ELSE 'short' END
        FROM generate_series(1, 1000) i";
    on_another(server, &format!("{name}_wide"), "", |url| {
        psql(url, wide);
        work(url)
    })
}

fn on_another(server: &str, name: &str, made: &str, work: impl FnOnce(&str) -> f64) -> f64 {
    let other = format!("{server}/template1");
    psql(&other, &format!("DROP DATABASE IF EXISTS {name}"));
    psql(&other, &format!("CREATE DATABASE {name} {made}"));
    if !made.is_empty() {
        psql(&format!("{server}/{name}"), "VACUUM ANALYZE raw.orders");
    }
    psql(&format!("{server}/{name}"), "CHECKPOINT");
    let seconds = work(&format!("{server}/{name}"));
    psql(&other, &format!("DROP DATABASE {name} WITH (FORCE)"));
    seconds
}

fn fill(url: &str, rows: u64) {
    let made = format!(
        "DO $$ BEGIN
           CREATE SCHEMA IF NOT EXISTS raw;
           IF to_regclass('raw.orders') IS NOT NULL THEN
             IF (SELECT count(*) FROM raw.orders) = {rows} THEN RETURN; END IF;
           END IF;
           DROP TABLE IF EXISTS raw.orders;
           CREATE TABLE raw.orders (id bigint PRIMARY KEY, customer_id integer NOT NULL, state text NOT NULL, note text,
             amount numeric(12,2) NOT NULL, tax double precision, currency char(3) NOT NULL, city text NOT NULL,
             placed_at timestamptz NOT NULL, paid_at timestamp, weight integer, channel varchar(20));
           INSERT INTO raw.orders SELECT i, i % 99991, CASE i % 5 WHEN 0 THEN 'open' ELSE 'closed' END,
             CASE WHEN i % 7 = 0 THEN NULL ELSE 'note \"' || i || '\"' END, i * 1.25, i * 0.19, 'EUR', 'Zürich',
             to_timestamp(1700000000 + i), CASE WHEN i % 3 = 0 THEN NULL
               ELSE (to_timestamp(1700000100 + i + 0.25) AT TIME ZONE 'UTC') END, i % 1000, 'web'
             FROM generate_series(1, {rows}) i;
         END $$"
    );
    psql(url, &made);
    psql(url, "VACUUM ANALYZE raw.orders");
}

/// A wrap up to the publication, or all of it; the seconds it took.
async fn carve(url: &str, case: &str, folder: &Utf8Path) -> f64 {
    let streams = if case == "csv1" { 1 } else { 4 };
    let bucket = match case {
        "s3" => served(&folder.join("bucket")).await,
        _ => "file:bucket/mesh".to_owned(),
    };
    let world = World {
        root: folder.to_owned(),
        further_roots: BTreeMap::new(),
        state: folder.join(".carve"),
        lake: open_lake("lake", &format!("{url}?password=env:PGPASSWORD&streams={streams}"), folder).await.unwrap(),
        bucket: open_bucket("bucket", &bucket, folder).await.unwrap(),
        origins: BTreeMap::new(),
        clock: jiff::Timestamp::now,
    };
    let format = if case == "parquet4" { PartFormat::Parquet } else { PartFormat::Csv };
    let mut plan = drafted(folder, "postgres");
    for step in &mut plan.steps {
        if let Action::Publish(publish) = &mut step.action {
            publish.endpoints.iter_mut().for_each(|endpoint| endpoint.format = format);
        }
    }
    let publish = plan.steps.iter().find(|step| matches!(step.action, Action::Publish(_))).unwrap().id.clone();
    let stop_after = (case != "wrap").then_some(publish);
    let began = Instant::now();
    let report = apply::run(&plan, &world, &RunOptions { stop_after, ..RunOptions::default() }, &Silent).await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    assert!(report.complete || case != "wrap");
    seconds
}
