//! One table read by several connections in one state: the rows of one stream, in its order.
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use carve::connector::{Origin, Snapshot};
use carve::vocab::{Row, Value};

use super::Database;
use crate::connector::{drained, id};

/// The rows of every range of `table`, one range after the other; and how many ranges there are.
async fn ranged(snapshot: &mut dyn Snapshot, origin: &dyn Origin, table: &str) -> (Vec<Row>, usize) {
    let schema = origin.describe(&id(table)).await.unwrap().schema;
    let count = snapshot.count(&id(table)).await.unwrap();
    let ranges = snapshot.ranges(&id(table), &schema, count, 64).await.unwrap();
    let several = ranges.len();
    let (mut rows, mut reading) = (Vec::new(), Vec::new());
    for range in ranges {
        reading.push((range.rows, tokio::spawn(drained(range.stream))));
    }
    for (counted, read) in reading {
        let read = read.await.unwrap().unwrap();
        assert_eq!(counted, read.len() as u64);
        rows.extend(read);
    }
    (rows, several)
}

/// All rows of `table` as they come, in no order; and how many streams there are.
async fn scattered(snapshot: &mut dyn Snapshot, origin: &dyn Origin, table: &str) -> (Vec<Row>, usize) {
    let schema = origin.describe(&id(table)).await.unwrap().schema;
    let streams = snapshot.scattered(&id(table), &schema).await.unwrap();
    let several = streams.len();
    let reading: Vec<_> = streams.into_iter().map(|stream| tokio::spawn(drained(stream))).collect();
    let mut rows = Vec::new();
    for read in reading {
        rows.extend(read.await.unwrap().unwrap());
    }
    (rows, several)
}

fn total(rows: &[Row]) -> i64 {
    rows.iter().map(|row| if let Value::Integer(amount) = row[1] { amount } else { 0 }).sum()
}

fn sorted(rows: &[Row]) -> Vec<String> {
    let mut told: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    told.sort();
    told
}

/// A table of 12,000 wide rows with the sum 1,200,000, and what moves amounts between far rows of it.
const BANK: &str = "CREATE TABLE bank (id int PRIMARY KEY, amount int NOT NULL, pad text) WITH (fillfactor = 40);
    INSERT INTO bank SELECT i, 100, repeat('x', 120) FROM generate_series(1, 12000) i; CREATE TABLE go_on ();
    VACUUM ANALYZE bank;";
const TRANSFERS: &str = "DO $$ DECLARE a int; BEGIN
    WHILE to_regclass('go_on') IS NOT NULL LOOP
      a := 1 + floor(random() * 6000);
      UPDATE bank SET amount = amount - 7 WHERE id = a;
      UPDATE bank SET amount = amount + 7 WHERE id = 12001 - a;
      COMMIT;
    END LOOP; END $$";

#[tokio::test(flavor = "multi_thread")]
async fn fifty_extractions_in_four_ranges_see_one_sum_while_amounts_move() {
    let Some(database) = Database::with("") else { return };
    BANK.split(';').for_each(|statement| drop(database.sql(statement)));
    let writers = [database.start(TRANSFERS), database.start(TRANSFERS)];
    let origin = database.origin().await;
    let (mut states, begun) = (BTreeSet::new(), Instant::now());
    for turn in 0..50 {
        let mut snapshot = origin.snapshot().await.unwrap();
        let (rows, ranges) = ranged(&mut *snapshot, &*origin, "bank").await;
        assert_eq!((ranges, rows.len(), total(&rows)), (4, 12_000, 1_200_000), "extraction {turn}");
        let (same, streams) = scattered(&mut *snapshot, &*origin, "bank").await;
        assert_eq!((streams, sorted(&same) == sorted(&rows)), (4, true), "extraction {turn}");
        // Each transfer goes from one half to the other.
        states.insert(total(&rows[..6_000]));
        if begun.elapsed() > Duration::from_secs(90) && states.len() >= 20 {
            break;
        }
    }
    database.sql("DROP TABLE go_on");
    writers.into_iter().for_each(|writer| drop(super::ended(writer)));
    assert!(states.len() >= 20, "the writers wrote meanwhile: {} states", states.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_give_the_rows_of_one_stream_in_its_order_whatever_the_key() {
    let keys = [
        ("id int", "i", 4),
        ("id bigint", "-9223372036854775807 + i", 4),
        ("id numeric", "i / 7.0", 4),
        ("id uuid", "md5(i::text)::uuid", 4),
        ("id timestamptz", "'2024-01-01'::timestamptz + i * interval '1 minute'", 4),
        ("id date", "'0044-03-15 BC'::date + i", 4),
        ("id text", "'k' || i", 1),
        ("id int, part int DEFAULT 1", "i % 3, i", 3),
    ];
    for (columns, values, most) in keys {
        let named = if columns.contains("part") { "id, part" } else { "id" };
        let Some(database) = Database::with(&format!(
            "CREATE TABLE t ({columns}, pad text, PRIMARY KEY ({named}));
             INSERT INTO t SELECT {values}, repeat('y', 150) FROM generate_series(1, 15000) i;"
        )) else {
            return;
        };
        database.sql("ANALYZE t");
        let origin = database.origin().await;
        let schema = origin.describe(&id("t")).await.unwrap().schema;
        let mut snapshot = origin.snapshot().await.unwrap();
        let one = drained(snapshot.rows(&id("t"), &schema).await.unwrap()).await.unwrap();
        let (several, ranges) = ranged(&mut *snapshot, &*origin, "t").await;
        assert_eq!(several, one, "{columns}");
        assert!((most.min(2)..=most).contains(&ranges), "{columns}: {ranges} ranges");
        let (any, streams) = scattered(&mut *snapshot, &*origin, "t").await;
        assert_eq!((sorted(&any), streams), (sorted(&one), 4), "{columns}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_statistics_keys_of_whole_numbers_are_cut_between_their_ends_and_others_not_at_all() {
    let Some(database) = Database::with(
        "CREATE TABLE n (id bigint PRIMARY KEY, pad text) WITH (autovacuum_enabled = off);
         CREATE TABLE u (id uuid PRIMARY KEY, pad text) WITH (autovacuum_enabled = off);
         INSERT INTO n SELECT i, repeat('z', 150) FROM generate_series(1, 15000) i;
         INSERT INTO u SELECT md5(id::text)::uuid, pad FROM n;
         CREATE VIEW v AS SELECT * FROM n; CREATE TABLE keyless AS SELECT * FROM n;
         CREATE TABLE parted (id int PRIMARY KEY, pad text) PARTITION BY RANGE (id);
         CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (5000);
         CREATE TABLE parted_2 PARTITION OF parted DEFAULT; INSERT INTO parted SELECT * FROM n;
         CREATE TABLE small AS SELECT * FROM n LIMIT 10; CREATE TABLE empty (id int PRIMARY KEY);",
    ) else {
        return;
    };
    let origin = database.origin().await;
    let mut snapshot = origin.snapshot().await.unwrap();
    for (table, ranges, streams) in
        [("n", 4, 4), ("u", 1, 4), ("v", 1, 1), ("keyless", 1, 4), ("parted", 4, 1), ("small", 1, 1), ("empty", 1, 1)]
    {
        let schema = origin.describe(&id(table)).await.unwrap().schema;
        let one = drained(snapshot.rows(&id(table), &schema).await.unwrap()).await.unwrap();
        assert_eq!(ranged(&mut *snapshot, &*origin, table).await, (one.clone(), ranges), "{table}");
        let (any, several) = scattered(&mut *snapshot, &*origin, table).await;
        assert_eq!((sorted(&any), several), (sorted(&one), streams), "{table}");
    }
    assert!(snapshot.notes().is_empty(), "{:?}", snapshot.notes());
    let alone = carve::connector::open_origin("source:x", &database.url("&streams=1"), "/".into()).await.unwrap();
    let mut snapshot = alone.snapshot().await.unwrap();
    assert_eq!(ranged(&mut *snapshot, &*alone, "n").await.1, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_neither_emptied_nor_rewritten_between_the_beginnings_of_its_ranges() {
    let Some(database) = Database::with(
        "CREATE TABLE t AS SELECT i, repeat('z', 150) AS pad FROM generate_series(1, 15000) i; DELETE FROM t WHERE i % 2 = 0",
    ) else {
        return;
    };
    let origin = database.origin().await;
    let schema = origin.describe(&id("t")).await.unwrap().schema;
    let mut snapshot = origin.snapshot().await.unwrap();
    let streams = snapshot.scattered(&id("t"), &schema).await.unwrap();
    let rewrite = database.start("SET lock_timeout = '200ms'; TRUNCATE t");
    let said = rewrite.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&said.stderr).contains("lock timeout"), "{said:?}");
    let mut rows = 0;
    for stream in streams {
        rows += drained(stream).await.unwrap().len();
    }
    assert_eq!(rows, 7_500);
}

/// A table of enough pages to be worth several connections.
const PAGES: &str = "CREATE TABLE t (id int PRIMARY KEY, pad text);
    INSERT INTO t SELECT i, repeat('z', 150) FROM generate_series(1, 15000) i;";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lets_no_more_connections_in_is_read_by_those_there_are() {
    let Some(mut database) = Database::with(PAGES) else { return };
    let url = database.reader("CONNECTION LIMIT 3");
    let origin = carve::connector::open_origin("source:x", &url, "/".into()).await.unwrap();
    let mut snapshot = origin.snapshot().await.unwrap();
    let (rows, ranges) = ranged(&mut *snapshot, &*origin, "t").await;
    // One of the three holds the snapshot.
    assert_eq!((rows.len(), ranges), (15_000, 2));
    let notes = snapshot.notes().join("\n");
    assert!(notes.contains("2 connections read side by side") && notes.contains("too many connections"), "{notes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_exports_no_snapshot_is_read_by_one_connection_and_that_is_said() {
    let Some(mut database) = Database::with(PAGES) else { return };
    let url = database.reader("");
    database.sql("REVOKE EXECUTE ON FUNCTION pg_catalog.pg_export_snapshot() FROM PUBLIC");
    let origin = carve::connector::open_origin("source:x", &url, "/".into()).await.unwrap();
    let mut snapshot = origin.snapshot().await.unwrap();
    database.sql("DELETE FROM t WHERE id > 10");
    let (rows, ranges) = ranged(&mut *snapshot, &*origin, "t").await;
    assert_eq!((rows.len(), ranges), (15_000, 1), "the state of before");
    assert_eq!(scattered(&mut *snapshot, &*origin, "t").await, (rows, 1), "and of the second reading");
    let notes = snapshot.notes().join("\n");
    assert!(notes.contains("one connection reads everything") && notes.contains("pg_export_snapshot"), "{notes}");
}
