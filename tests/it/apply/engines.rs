//! The same steps over the real engines: SQLite as source and lake, a folder as bucket.
use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8PathBuf;
use carve::{
    apply::{self, ApplyError, RefreshOptions, RunOptions, World},
    connector::{ConnectorError, Fault, FaultyBucket, FaultyLake, Rule, open_bucket, open_lake, open_origin},
    plan::{Action, Plan, PublishEndpoint},
    progress::Silent,
    vocab::PartFormat,
};

use super::shop::{SQL, dataset, plan};

const TABLE: &str =
    "(id INTEGER PRIMARY KEY, total NUMERIC, note TEXT, seen TIMESTAMP, paid BOOLEAN, raw BLOB, ratio DOUBLE)";
/// What NUMERIC holds fits a double here: parquet parts refuse the rest by name, which the service room tests.
/// NULL, the empty string, quotes, line feeds, emoji, large and tiny numbers, far dates.
const ROWS: &str = "(1, NULL, '', '0001-01-01 00:00:00', NULL, x'', NULL),
    (2, 12.5, 'a \"quoted\", comma', '9999-12-31 23:59:59.999999', 1, x'00ff', 1e308),
    (3, 900719925474099, 'line one' || char(10) || 'line two' || char(13, 10), NULL, 0, NULL, -0.0),
    (4, -9223372036854775808, 'NULL', '2026-01-02 03:04:05', 1, x'0d0a', 0.1),
    (9007199254740993, 0, '👩‍👩‍👧 naïve', '1969-12-31 23:59:59.5', 0, x'2c', 5e-324)";

pub(super) struct Town {
    keep: tempfile::TempDir,
    pub(super) plan: Plan,
}

impl Town {
    pub(super) fn new(in_place: bool, from_source: bool, format: PartFormat) -> Town {
        let keep = tempfile::tempdir().unwrap();
        let town = Town { plan: plan(in_place.then_some("raw.orders__before_carve")), keep };
        for folder in ["sql", "lake", "bucket"] {
            std::fs::create_dir_all(town.path(folder)).unwrap();
        }
        std::fs::write(town.path("sql/orders.sql"), SQL).unwrap();
        for file in ["source.db", "lake/raw.db"] {
            town.sql(file, &format!("CREATE TABLE orders {TABLE}; INSERT INTO orders VALUES {ROWS}"));
        }
        town.from(from_source, format)
    }

    fn from(mut self, source: bool, format: PartFormat) -> Town {
        let Action::Publish(publish) = &mut self.plan.steps[0].action else { panic!("publish comes first") };
        let endpoint: &mut PublishEndpoint = &mut publish.endpoints[0];
        endpoint.format = format;
        if source {
            "source:order_db".clone_into(&mut endpoint.from);
            endpoint.table = dataset("order_db:orders");
        }
        self
    }

    pub(super) fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.keep.path().join(name)).unwrap()
    }

    pub(super) fn sql(&self, file: &str, script: &str) {
        rusqlite::Connection::open(self.path(file)).unwrap().execute_batch(script).unwrap();
    }

    /// The lake's tables, views and indexes as they were made; carve's own books left out.
    pub(super) fn schema(&self) -> Vec<String> {
        let connection = rusqlite::Connection::open(self.path("lake/raw.db")).unwrap();
        let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'carve_%' ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// Every cell of a table of the lake, as SQLite quotes it.
    fn cells(&self, table: &str) -> Vec<String> {
        let connection = rusqlite::Connection::open(self.path("lake/raw.db")).unwrap();
        let columns = ["id", "total", "note", "seen", "paid", "raw", "ratio"].map(|name| format!("quote({name})"));
        let sql = format!("SELECT {} FROM {table} ORDER BY id", columns.join(" || '|' || "));
        let mut statement = connection.prepare(&sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    pub(super) async fn world(&self) -> World {
        let base = self.path("");
        let source = open_origin("source:order_db", "sqlite:source.db", &base).await.unwrap();
        World {
            root: base.clone(),
            further_roots: BTreeMap::new(),
            state: self.path(".carve"),
            lake: open_lake("lake", "sqlite:lake", &base).await.unwrap(),
            bucket: open_bucket("bucket", "file:bucket", &base).await.unwrap(),
            origins: BTreeMap::from([("source:order_db".to_owned(), source)]),
            clock: jiff::Timestamp::now,
        }
    }

    pub(super) async fn apply(&self, world: &World) -> Result<apply::RunReport, ApplyError> {
        apply::run(&self.plan, world, &RunOptions::default(), &Silent).await
    }
}

#[tokio::test]
async fn every_value_comes_through_every_format_unchanged() {
    for format in [PartFormat::Csv, PartFormat::Jsonl, PartFormat::Parquet] {
        for (in_place, from_source) in [(false, false), (true, false), (false, true), (true, true)] {
            let town = Town::new(in_place, from_source, format);
            let before = town.cells("orders");
            let world = town.world().await;
            let report = town.apply(&world).await.unwrap();
            assert!(report.complete);
            let live = if in_place { "orders" } else { "orders__import" };
            assert_eq!(town.cells(live), before, "{format:?} {in_place} {from_source}");
            let verified = apply::verify(&town.plan, &world, &RunOptions::default(), &Silent).await.unwrap();
            assert!(verified.equal, "{:?}", verified.problems);
            apply::rollback(&town.plan, &world, &RunOptions::default(), &Silent).await.unwrap();
            assert_eq!(town.cells("orders"), before);
        }
    }
}

#[tokio::test]
async fn a_refresh_follows_the_source_and_a_second_one_publishes_nothing() {
    for (in_place, from_source) in [(false, false), (true, false), (false, true)] {
        let town = Town::new(in_place, from_source, PartFormat::Csv);
        let world = town.world().await;
        town.apply(&world).await.unwrap();
        let change = "UPDATE {} SET note = 'changed' WHERE id = 2; DELETE FROM {} WHERE id = 3; \
                      INSERT INTO {} (id, note) VALUES (6, 'new')";
        let (file, table) = match (from_source, in_place) {
            (true, _) => ("source.db", "orders"),
            (false, true) => ("lake/raw.db", "orders__before_carve"),
            (false, false) => ("lake/raw.db", "orders"),
        };
        town.sql(file, &change.replace("{}", table));
        let options = RefreshOptions::default();
        let report = apply::refresh(&town.plan, &world, &options, &Silent).await.unwrap();
        assert_eq!((report.published, report.rows), (true, 5));
        let live = town.cells(if in_place { "orders" } else { "orders__import" });
        assert!(live[1].contains("'changed'") && live[2].starts_with("4|") && live[3].contains("'new'"), "{live:?}");
        let again = apply::refresh(&town.plan, &world, &options, &Silent).await.unwrap();
        assert_eq!((again.published, again.imported.len()), (false, 0));
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_once_costs_one_more_run_and_nothing_else() {
    let good = Town::new(false, false, PartFormat::Csv);
    good.apply(&good.world().await).await.unwrap();
    for name in [
        "put_new",
        "settle",
        "get",
        "list",
        "create_staging",
        "load_parts",
        "swap",
        "set_note",
        "query",
        "snapshot",
        "rows",
    ] {
        for (nth, fault) in [(1, Fault::Before), (1, Fault::After), (2, Fault::After), (4, Fault::After)] {
            let town = Town::new(false, false, PartFormat::Csv);
            let world = town.world().await;
            let rule: Rule = carve::connector::fail_nth(name, nth, fault);
            let faulty = World {
                lake: Arc::new(FaultyLake::new(world.lake.clone(), rule.clone())),
                bucket: Arc::new(FaultyBucket::new(world.bucket.clone(), rule)),
                ..world.clone()
            };
            // Some are so late that they never come, and some are tried again at once.
            let first = town.apply(&faulty).await;
            assert!(
                !matches!(first, Err(ApplyError::NotEqual { .. } | ApplyError::Journal(_))),
                "{name} {nth} {fault:?}"
            );
            town.apply(&world).await.unwrap();
            assert_eq!(town.cells("orders__import"), good.cells("orders__import"), "{name} {nth} {fault:?}");
            let contracts = world.bucket.list("data-services/orders/schemata/").await.unwrap();
            assert_eq!(contracts.len(), 1, "{name} {nth} {fault:?}");
        }
    }
}

#[tokio::test]
async fn stopped_between_batches_of_parts_the_next_run_loads_the_rest_and_no_row_twice() {
    let many = |town: &mut Town| {
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 249)";
        town.sql("lake/raw.db", &format!("{numbers} INSERT INTO orders (id, note) SELECT i, 'n' || i FROM n"));
        let Action::Publish(publish) = &mut town.plan.steps[0].action else { panic!("publish comes first") };
        publish.endpoints[0].rows_per_part = 1;
    };
    // 155 rows are as many parts, which come in batches of 64.
    for (nth, fault, left) in
        [(1, Fault::Before, 3), (1, Fault::After, 2), (2, Fault::Before, 2), (3, Fault::Before, 1)]
    {
        let mut town = Town::new(false, false, PartFormat::Csv);
        many(&mut town);
        let before = town.cells("orders");
        let world = town.world().await;
        let with = |rule: Rule| World { lake: Arc::new(FaultyLake::new(world.lake.clone(), rule)), ..world.clone() };
        assert!(town.apply(&with(carve::connector::fail_nth("load_parts", nth, fault))).await.is_err());
        let calls = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = calls.clone();
        let rule: Rule = Arc::new(move |call| {
            counted.fetch_add(usize::from(call.name == "load_parts"), std::sync::atomic::Ordering::Relaxed);
            Fault::None
        });
        town.apply(&with(rule)).await.unwrap();
        let calls = calls.load(std::sync::atomic::Ordering::Relaxed);
        // The batch that was fetched meanwhile may have been loaded before the failure was heard of.
        assert!((left.max(2) - 1..=left).contains(&calls), "{nth} {fault:?}: {calls}");
        assert_eq!(town.cells("orders__import"), before, "{nth} {fault:?}");
    }
}

#[tokio::test]
async fn a_source_that_is_not_there_blocks_before_step_one_and_is_named() {
    let town = Town::new(false, true, PartFormat::Csv);
    std::fs::remove_file(town.path("source.db")).unwrap();
    let error = town.apply(&town.world().await).await.unwrap_err();
    let ApplyError::Blocked { findings, .. } = error else { panic!("{error}") };
    assert!(findings.iter().any(|finding| finding.what.contains("source:order_db")), "{findings:?}");
    assert!(!town.path("bucket/data-services/orders").exists());
}

#[tokio::test]
async fn a_bucket_that_is_not_there_blocks_before_step_one() {
    let town = Town::new(false, false, PartFormat::Csv);
    std::fs::remove_dir(town.path("bucket")).unwrap();
    let error = town.apply(&town.world().await).await.unwrap_err();
    let ApplyError::Blocked { findings, .. } = error else { panic!("{error}") };
    assert!(findings.iter().any(|finding| finding.what.starts_with("the bucket")), "{findings:?}");
}

#[tokio::test]
async fn a_view_on_the_raw_table_reads_the_import_after_an_in_place_swap() {
    let town = Town::new(true, false, PartFormat::Csv);
    town.sql("lake/raw.db", "CREATE VIEW paid AS SELECT id FROM orders WHERE paid");
    let world = town.world().await;
    town.apply(&world).await.unwrap();
    town.sql("lake/raw.db", "DELETE FROM orders__before_carve");
    let (_, mut rows) = world.lake.query("select count(*) from raw.paid").await.unwrap();
    let rows = rows.recv().await.unwrap().unwrap().into_rows().unwrap();
    assert_eq!(rows, [[carve::vocab::Value::Integer(2)]]);
    let gone: Result<_, ConnectorError> = world.lake.describe(&dataset("raw.orders__carve_staging")).await;
    assert!(gone.is_err());
}
