//! In-place takeover while others read: each sees the old table or the new one, whole.
use std::time::Duration;

use carve::vocab::{LogicalType, Row, Schema, Value};

use super::{Database, ended};
use crate::connector::{id, schema, told};
use crate::one_part::OnePart;

const ROWS: i64 = 2_000;
const TABLE: &str = "CREATE SCHEMA raw; CREATE TABLE raw.t (id bigint PRIMARY KEY, gen bigint);
    INSERT INTO raw.t SELECT i, 0 FROM generate_series(1, 2000) i; CREATE VIEW raw.v AS SELECT * FROM raw.t; CREATE TABLE stop ();";

fn shape() -> Schema {
    let mut schema = schema(&[("id", LogicalType::Integer), ("gen", LogicalType::Integer)]);
    schema.key = vec!["id".into()];
    schema
}

/// The rows of one generation in two parts.
fn parts(generation: i64) -> [Vec<Row>; 2] {
    let rows =
        |from: i64| (from..from + ROWS / 2).map(|n| vec![Value::Integer(n), Value::Integer(generation)]).collect();
    [rows(1), rows(1 + ROWS / 2)]
}

async fn load(lake: &dyn carve::connector::Lake, generation: i64) {
    lake.create_staging(&id("raw.t__carve_staging"), &shape()).await.unwrap();
    for (name, rows) in ["part01", "part02"].into_iter().zip(parts(generation)) {
        lake.load_part(&id("raw.t__carve_staging"), name, &shape(), rows).await.unwrap();
    }
}

async fn swap(lake: &dyn carve::connector::Lake) -> Result<(), carve::connector::ConnectorError> {
    lake.swap(&id("raw.t__carve_staging"), &id("raw.t"), Some(&id("raw.t__previous"))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_of_a_table_and_of_its_view_see_one_generation_whole() {
    let Some(database) = Database::with(TABLE) else { return };
    let read = |what: &str| {
        format!(
            "DO $$ DECLARE n bigint; low bigint; high bigint; seen int := 0; last bigint := -1; BEGIN
               WHILE to_regclass('stop') IS NOT NULL LOOP
                 EXECUTE 'SELECT count(*), min(gen), max(gen) FROM {what}' INTO n, low, high;
                 IF n <> {ROWS} OR low <> high OR low < last THEN RAISE EXCEPTION 'torn: % rows, % to %, after %', n, low, high, last; END IF;
                 IF low > last THEN seen := seen + 1; last := low; END IF;
                 COMMIT;
               END LOOP;
               CREATE TABLE IF NOT EXISTS seen (n int); INSERT INTO seen VALUES (seen); END $$"
        )
    };
    let readers = [database.start(&read("raw.t")), database.start(&read("raw.v"))];
    let lake = database.lake("").await;
    for generation in 1..=10 {
        load(&*lake, generation).await;
        swap(&*lake).await.unwrap();
        lake.drop_table(&id("raw.t__previous")).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    // Both readers make the table of what they saw, one after the other.
    database.sql("CREATE TABLE seen (n int); DROP TABLE stop");
    for reader in readers {
        ended(reader);
    }
    assert_eq!(
        database.sql("SELECT count(*) FROM seen WHERE n >= 3"),
        "2",
        "both saw tables change: {}",
        database.sql("TABLE seen")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_began_before_the_import_was_loaded_is_waited_for() {
    let Some(database) = Database::with(TABLE) else { return };
    // It has a snapshot before anything is loaded, and reads the table only later, by its name.
    let reader = database.start(
        "BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE TEMP TABLE began AS SELECT 1; SELECT pg_sleep(4);
         SELECT count(*) || ' of ' || max(gen) FROM raw.t; COMMIT",
    );
    tokio::time::sleep(Duration::from_millis(700)).await;
    let hasty = database.lake("&lock_timeout_ms=300").await;
    load(&*hasty, 1).await;
    let error = swap(&*hasty).await.unwrap_err();
    assert!(error.may_pass() && told(&error).contains("begun before the import was loaded"), "{}", told(&error));
    swap(&*database.lake("").await).await.unwrap();
    assert!(ended(reader).contains("2000 of 0"), "the reader saw the old table whole");
    assert_eq!(database.sql("SELECT min(gen) FROM raw.v"), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_that_cannot_have_the_table_says_who_is_to_end_and_changes_nothing() {
    let Some(database) = Database::with(TABLE) else { return };
    let lake = database.lake("&lock_timeout_ms=300").await;
    load(&*lake, 1).await;
    let reader = database.start("BEGIN; SELECT count(*) FROM raw.v; SELECT pg_sleep(4); COMMIT");
    tokio::time::sleep(Duration::from_millis(700)).await;
    let error = swap(&*lake).await.unwrap_err();
    // While another test writes to the same server, the reader's snapshot may be as old as that: told in other words.
    let why = told(&error);
    let known = why.contains("holds the table") || why.contains("begun before the import was loaded");
    assert!(error.may_pass() && known && why.contains("let it end, then run carve again"), "{why}");
    assert_eq!(database.sql("SELECT max(gen) FROM raw.t"), "0");
    ended(reader);
    swap(&*lake).await.unwrap();
    assert_eq!(database.sql("SELECT max(gen) FROM raw.v"), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_a_table_that_is_dropped_is_waited_for_while_others_read_on() {
    let Some(database) = Database::with(&format!("{TABLE} CREATE TABLE raw.gone (x int)")) else { return };
    let hold = "BEGIN; CREATE TABLE IF NOT EXISTS began (); COMMIT; BEGIN; SELECT count(*) FROM raw.gone; SELECT pg_sleep(4); COMMIT";
    let until_begun = async || {
        while database.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "0" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let reader = database.start(hold);
    until_begun().await;
    let lake = database.lake("&lock_timeout_ms=500").await;
    let error = lake.drop_table(&id("raw.gone")).await.unwrap_err();
    assert!(told(&error).contains("lock_timeout_ms=60000"), "{}", told(&error));
    database.lake("&lock_timeout_ms=20000").await.drop_table(&id("raw.gone")).await.unwrap();
    assert_eq!(database.sql("SELECT to_regclass('raw.gone') IS NULL"), "t");
    ended(reader);
}
