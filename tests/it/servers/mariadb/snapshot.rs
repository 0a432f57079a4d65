//! One state of the server, while others write.
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use carve::vocab::{Row, Value};

use super::Database;
use crate::connector::{all_rows, drained, id, told};

fn total(rows: &[Row]) -> i64 {
    rows.iter().map(|row| if let Value::Integer(amount) = row[1] { amount } else { 0 }).sum()
}

const TABLES: &str = "CREATE TABLE one (id int PRIMARY KEY, amount int NOT NULL); CREATE TABLE two LIKE one; CREATE TABLE go_on (a int);
    INSERT INTO one SELECT seq, 100 FROM seq_1_to_3000; INSERT INTO two SELECT * FROM one; INSERT INTO go_on VALUES (1);";
const TRANSFER: &str = "DELIMITER //
CREATE PROCEDURE transfer() BEGIN
  DECLARE a, n int DEFAULT 1;
  WHILE n > 0 DO
    SET a = 1 + floor(rand() * 3000);
    START TRANSACTION;
    UPDATE one SET amount = amount - 7 WHERE id = a;
    UPDATE two SET amount = amount + 7 WHERE id = a;
    COMMIT;
    SELECT count(*) INTO n FROM go_on;
  END WHILE;
END//";

/// Extracts both tables so many times while amounts move between them, for so long at most.
async fn extractions(turns: usize, at_most: Duration) {
    let Some(database) = Database::with(TABLES) else { return };
    database.sql(TRANSFER);
    let writers = [database.start("CALL transfer()"), database.start("CALL transfer()")];
    let origin = database.origin().await;
    let (mut states, begun) = (BTreeSet::new(), Instant::now());
    for turn in 0..turns {
        let schema = origin.describe(&id("one")).await.unwrap().schema;
        let mut snapshot = origin.snapshot().await.unwrap();
        let one = drained(snapshot.rows(&id("one"), &schema).await.unwrap()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let two = drained(snapshot.rows(&id("two"), &schema).await.unwrap()).await.unwrap();
        assert_eq!(total(&one) + total(&two), 600_000, "extraction {turn}");
        assert_eq!(snapshot.count(&id("two")).await.unwrap(), two.len() as u64);
        states.insert(total(&one));
        if begun.elapsed() > at_most && states.len() >= 8 {
            break;
        }
    }
    database.sql("DELETE FROM go_on");
    writers.into_iter().for_each(super::ended);
    assert!(states.len() >= 8, "the writers wrote meanwhile: {states:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_extractions_see_one_sum_while_amounts_move() {
    extractions(50, Duration::from_secs(60)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_of_the_moment_it_was_taken_and_not_of_its_first_reading() {
    let Some(database) = Database::with("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)") else {
        return;
    };
    let origin = database.origin().await;
    let schema = origin.describe(&id("t")).await.unwrap().schema;
    let mut snapshot = origin.snapshot().await.unwrap();
    database.sql("INSERT INTO t VALUES (2)");
    assert_eq!(snapshot.count(&id("t")).await.unwrap(), 1);
    assert_eq!(drained(snapshot.rows(&id("t"), &schema).await.unwrap()).await.unwrap(), [[Value::Integer(1)]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_emptied_or_rebuilt_after_the_snapshot_is_an_error_and_not_empty() {
    for change in
        ["TRUNCATE t", "ALTER TABLE t ADD b int, ALGORITHM = COPY", "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY)"]
    {
        let Some(database) = Database::with("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)") else {
            return;
        };
        let origin = database.origin().await;
        let mut snapshot = origin.snapshot().await.unwrap();
        database.sql(change);
        let error = snapshot.count(&id("t")).await.unwrap_err();
        assert!(error.may_pass() && told(&error).contains("run carve again"), "{change}: {}", told(&error));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_left_ends_and_the_next_one_sees_the_same_state() {
    let Some(database) = Database::with(
        "CREATE TABLE t (i int PRIMARY KEY, x varchar(200)); INSERT INTO t SELECT seq, repeat('x', 200) FROM seq_1_to_300000",
    ) else {
        return;
    };
    let origin = database.origin().await;
    let schema = origin.describe(&id("t")).await.unwrap().schema;
    let mut snapshot = origin.snapshot().await.unwrap();
    for _ in 0..3 {
        let mut left = snapshot.rows(&id("t"), &schema).await.unwrap();
        left.recv().await.unwrap().unwrap();
    }
    database.sql("DELETE FROM t WHERE i > 10");
    let mut rows = snapshot.rows(&id("t"), &schema).await.unwrap();
    let mut seen = 0;
    while let Some(batch) = rows.recv().await {
        seen += batch.unwrap().len();
    }
    assert_eq!((seen, snapshot.count(&id("t")).await.unwrap()), (300_000, 300_000));
}

#[tokio::test]
async fn a_table_that_takes_no_part_in_a_snapshot_is_refused_by_name_and_read_when_asked_for() {
    let Some(database) = Database::with(
        "CREATE TABLE old (id int PRIMARY KEY) ENGINE = MyISAM; INSERT INTO old VALUES (1); CREATE VIEW over_it AS SELECT id FROM old",
    ) else {
        return;
    };
    let error = told(&database.origin().await.describe(&id("old")).await.unwrap_err());
    assert!(error.contains("MyISAM") && error.contains("ENGINE = InnoDB") && error.contains("?engines=any"), "{error}");
    let error = told(&database.origin().await.describe(&id("over_it")).await.unwrap_err());
    assert!(error.contains("it is a view") && error.contains(".old` (MyISAM)"), "{error}");
    let origin = database.origin_with("&engines=any").await;
    assert_eq!(all_rows(&*origin, "old").await.unwrap(), [[Value::Integer(1)]]);
}

#[tokio::test]
async fn an_origin_writes_nothing() {
    let Some(database) = Database::with(
        "CREATE TABLE log (a int); CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
         CREATE TABLE gone (a int); CREATE VIEW broken AS SELECT a FROM gone; DROP TABLE gone",
    ) else {
        return;
    };
    database.sql(
        "DELIMITER //
         CREATE FUNCTION noted() RETURNS int BEGIN INSERT INTO log VALUES (1); RETURN 1; END//
         CREATE VIEW noting AS SELECT id, noted() AS n FROM t//",
    );
    let origin = database.origin_with("&engines=any").await;
    for view in ["noting", "broken"] {
        let error = told(&origin.describe(&id(view)).await.unwrap_err());
        assert!(error.contains("tells of no column"), "{view}: {error}");
    }
    let mut snapshot = origin.snapshot().await.unwrap();
    let error = told(&snapshot.count(&id("noting")).await.unwrap_err());
    assert!(error.contains("only statements that read"), "{error}");
    assert_eq!(database.sql("SELECT count(*) FROM log"), "0");
}

#[tokio::test]
async fn rows_larger_than_a_packet_come_whole() {
    let Some(database) = Database::with(
        "CREATE TABLE big (a longtext, id int PRIMARY KEY); INSERT INTO big VALUES (repeat('ab', 10000000), 1), ('c', 2)",
    ) else {
        return;
    };
    let rows = all_rows(&*database.origin().await, "big").await.unwrap();
    let [Value::Text(large), Value::Text(small)] = [&rows[0][0], &rows[1][0]] else { panic!("text") };
    assert!(large.len() == 20_000_000 && large.bytes().skip(1).step_by(2).all(|b| b == b'b') && small == "c");
}
