//! The real binary between PostgreSQL and S3, killed at each journal boundary and at random moments of an apply and
//! of refreshes, then run again: no row is lost or doubled, and no reader ever sees half a publication.
//!
//! `CARVE_KILLS=200` kills so often instead of the few times of the stage.
use std::{
    fs,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use carve::{
    connector::Bucket,
    vocab::{Row, Value},
};

use super::{
    Database, ended,
    wrap::{Estate, planned, planned_between, scripts},
};
use crate::servers::store::{self, Random, published};
use crate::support::{carve, copy_all, folder};

/// The same estate with databases and a bucket of its own.
fn copy(of: &Estate) -> Estate {
    let (folder, source, lake) = (folder(), of.source.copy(), of.lake.copy());
    copy_all(of.path(), folder.path());
    let estate = Estate { folder, source, lake, bucket: store::own().unwrap() };
    estate.set(&of.source.url(""), &estate.source.url(""));
    estate.set(&of.lake.url(""), &estate.lake.url(""));
    estate.set(&of.bucket, &estate.bucket);
    estate
}

fn proven_in_the_end(estate: &Estate) {
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    let all = |table: &str| format!("SELECT * FROM {table} ORDER BY id");
    assert_eq!(estate.lake.sql(&all("raw.orders")), estate.source.sql(&all("orders")));
    assert_eq!(estate.lake.sql("SELECT count(*) FROM mart.paid"), "1250");
    assert_eq!(estate.lake.sql("SELECT count(*) FROM pg_class WHERE relname = 'orders__carve_staging'"), "0");
}

/// Runs carve until its journal line `at`, where it dies; whether it ended before that.
fn dies(estate: &Estate, arguments: &[&str], at: u32, side: &str) -> bool {
    let mut command = carve(estate.path(), arguments);
    command.env("CARVE_TEST_CRASH_AT", format!("{at}.{side}")).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status().unwrap().code() {
        Some(0) => true,
        Some(code) => panic!("crash at {at}.{side}: exit {code}, not a crash"),
        None => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_journal_boundary_it_still_ends_proven() {
    let Some(pristine) = planned("mode: in_place") else { return };
    let (mut at, mut killed) = (1, 0);
    loop {
        let mut finished = false;
        for side in ["before", "torn", "after"] {
            let estate = copy(&pristine);
            match dies(&estate, &["apply", "sales"], at, side) {
                true => finished = true,
                false => killed += 1,
            }
            if let Some((_, rows)) = published(&*store::open(&estate.bucket).await).await {
                assert_eq!(rows.len(), 2_500, "at {at}.{side} a reader saw that many");
            }
            proven_in_the_end(&estate);
        }
        if finished {
            break;
        }
        at += 1;
    }
    // Six steps, each with two lines at least, and three sides of a line.
    assert!(killed >= 36, "{killed} kills");
}

#[test]
fn a_refresh_killed_at_each_journal_boundary_goes_on() {
    let (Some(bucket), Some(source)) = (store::own(), Database::with(&scripts().0)) else { return };
    let lake = Database::with(&scripts().1).unwrap();
    let estate = planned_between(source, lake, &bucket, "mode: beside, origin: source");
    estate.run(&["apply", "sales"], 0);
    let all = |table: &str| format!("SELECT * FROM {table} ORDER BY id");
    let (mut at, mut killed) = (1, 0);
    loop {
        let mut finished = false;
        for side in ["before", "torn", "after"] {
            estate.source.sql("UPDATE orders SET total = total + 1");
            match dies(&estate, &["refresh", "sales"], at, side) {
                true => finished = true,
                false => killed += 1,
            }
            estate.run(&["refresh", "sales"], 0);
            assert_eq!(estate.lake.sql(&all("raw.orders__import")), estate.source.sql(&all("orders")), "{at}.{side}");
        }
        if finished {
            break;
        }
        at += 1;
    }
    estate.verified();
    assert!(killed >= 9, "{killed} kills");
}

/// How many kills at random moments: few in the stage, more where a person asks.
fn kills() -> u64 {
    std::env::var("CARVE_KILLS").map_or(10, |kills| kills.parse().unwrap())
}

/// What the kills were, for a person who asked for many.
#[derive(Default, Debug)]
struct Kills {
    /// The process was still at work.
    met: u64,
    /// It had ended.
    late: u64,
}

impl Kills {
    /// Starts carve and kills it at a moment of `random`, somewhere in the time that a whole run takes.
    fn once(&mut self, estate: &Estate, arguments: &[&str], whole: Duration, random: &mut Random) {
        let mut command = carve(estate.path(), arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(random.below(whole.as_micros() as u64)));
        let ended = child.try_wait().unwrap();
        let _ = child.kill();
        child.wait().unwrap();
        match ended {
            None => self.met += 1,
            Some(status) => {
                assert!(status.success(), "carve {arguments:?} ended with {status} before it was killed");
                self.late += 1;
            }
        }
    }
}

#[test]
fn an_apply_killed_at_random_moments_still_ends_proven() {
    let Some(pristine) = planned("mode: in_place, rows_per_part: 50") else { return };
    let first = copy(&pristine);
    let begun = Instant::now();
    proven_in_the_end(&first);
    let (whole, mut kills_made, mut random) = (begun.elapsed(), Kills::default(), Random::of(1));
    for _ in 0..(kills() / 10).max(1) {
        let estate = copy(&pristine);
        for _ in 0..5 {
            kills_made.once(&estate, &["apply", "sales"], whole / 2, &mut random);
        }
        proven_in_the_end(&estate);
    }
    eprintln!("apply: {kills_made:?}");
}

const ROWS: usize = 3_000;
/// Every row carries the generation of the whole table: one that is torn holds two.
const GENERATION: &str = "CREATE TABLE orders (id int PRIMARY KEY, note text, total numeric(10,2), at timestamptz, paid boolean, spent interval);
    INSERT INTO orders SELECT i, repeat('n', 200), 0 FROM generate_series(1, 3000) i;";

/// A reader of the lake, until the table `stop` is gone: it fails at the first sight of rows that are not of one
/// generation, not all there, or older than what it saw before.
const READER: &str = "DO $$ DECLARE n bigint; low numeric; high numeric; seen int := 0; last numeric := -1; BEGIN
    WHILE to_regclass('stop') IS NOT NULL LOOP
      SELECT count(*), min(total), max(total) FROM raw.orders__import INTO n, low, high;
      IF n <> 3000 OR low <> high OR low < last THEN RAISE EXCEPTION 'torn: % rows, % to %, after %', n, low, high, last; END IF;
      IF low > last THEN seen := seen + 1; last := low; END IF;
      COMMIT; PERFORM pg_sleep(0.002); COMMIT;
    END LOOP; RAISE WARNING 'saw % generations', seen; END $$";

/// Reads publications until told to stop, as [`READER`] does the table; how many generations it saw.
async fn watch(bucket: Arc<dyn Bucket>, stop: Arc<AtomicBool>) -> usize {
    let (mut last, mut seen) = (None, 0);
    while !stop.load(Ordering::SeqCst) {
        let (version, rows) = published(&*bucket).await.unwrap();
        let generation = |row: &Row| match &row[2] {
            Value::Decimal(text) => text.to_string(),
            other => panic!("{other:?} is no generation"),
        };
        let first = generation(&rows[0]);
        assert_eq!(rows.len(), ROWS, "{version}");
        assert!(rows.iter().all(|row| generation(row) == first), "{version} holds two generations");
        assert!(last <= Some(version), "{version} came after {last:?}");
        seen += usize::from(last != Some(version));
        last = Some(version);
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn refreshes_killed_at_random_moments_show_readers_whole_generations_only() {
    let (Some(bucket), Some(source)) = (store::own(), Database::with(GENERATION)) else { return };
    let lake = Database::with(&format!("{GENERATION} CREATE SCHEMA raw; ALTER TABLE orders SET SCHEMA raw")).unwrap();
    let estate =
        planned_between(source, lake, &bucket, "mode: beside, origin: source, rows_per_part: 100, continuity: report");
    estate.run(&["apply", "sales"], 0);
    estate.lake.sql("CREATE TABLE stop ()");
    let stop = Arc::new(AtomicBool::new(false));
    let watching = tokio::spawn(watch(store::open(&bucket).await, stop.clone()));
    let reader = estate.lake.start(READER);
    let (mut made, mut random, mut whole) = (Kills::default(), Random::of(2), Duration::from_secs(1));
    let all = |table: &str| format!("SELECT * FROM {table} ORDER BY id");
    let wanted = kills().div_ceil(2);
    while made.met + made.late < wanted {
        estate.source.sql("UPDATE orders SET total = total + 1");
        for _ in 0..=random.below(3) {
            made.once(&estate, &["refresh", "sales"], whole, &mut random);
        }
        let begun = Instant::now();
        estate.run(&["refresh", "sales"], 0);
        whole = begun.elapsed();
        assert_eq!(estate.lake.sql(&all("raw.orders__import")), estate.source.sql(&all("orders")));
    }
    estate.verified();
    stop.store(true, Ordering::SeqCst);
    let seen = watching.await.unwrap();
    estate.lake.sql("DROP TABLE stop");
    ended(reader);
    assert!(seen >= 2, "the reader saw {seen} publications");
    // Nothing lies about that no contract names.
    let objects = store::open(&bucket).await.list("data-services/sales/default/").await.unwrap();
    let versions: std::collections::BTreeSet<_> =
        objects.iter().map(|its| its.key.split(".datapart").next().unwrap().replace(".manifest.json", "")).collect();
    let contracts = store::open(&bucket).await.list("data-services/sales/schemata/").await.unwrap();
    assert_eq!(versions.len(), contracts.len(), "{versions:?}");
    eprintln!("refresh: {made:?}, {seen} publications seen");
    assert!(!fs::read_to_string(estate.path().join(".carve/sales/journal.jsonl")).unwrap().is_empty());
}
