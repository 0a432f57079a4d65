//! One state of all files, while others write.
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use carve::connector::{Origin, open_origin};
use carve::vocab::{Row, Value};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{all_rows, base, drained, id, told};

fn database(folder: &TempDir, name: &str, script: &str) -> Connection {
    let connection = Connection::open(folder.path().join(name)).unwrap();
    connection.busy_timeout(Duration::from_secs(20)).unwrap();
    connection.execute_batch(script).unwrap();
    connection
}

async fn origin(folder: &TempDir, url: &str) -> Arc<dyn Origin> {
    open_origin("source:test", url, base(folder)).await.unwrap()
}

fn total(rows: &[Row]) -> i64 {
    rows.iter().map(|row| if let Value::Integer(amount) = row[1] { amount } else { 0 }).sum()
}

/// Another process moves amounts between accounts in two files, one transaction each; the sum never changes.
async fn sums_hold_while_amounts_move(journal: &str) {
    let folder = TempDir::new().unwrap();
    let accounts = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO accounts SELECT i, 100 FROM n;";
    for file in ["one.db", "two.db"] {
        database(&folder, file, &format!("PRAGMA journal_mode={journal}; {accounts}"));
    }
    let writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "connector::snapshot::child_writer", "--ignored", "--nocapture"])
        .env("CARVE_TEST_FOLDER", folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let origin = origin(&folder, "sqlite:.").await;
    let mut states = BTreeSet::new();
    // As many states as it takes to see the writer at work, and some more.
    for turn in 0..1_000 {
        let schema = origin.describe(&id("one.accounts")).await.unwrap().schema;
        let mut snapshot = origin.snapshot().await.unwrap();
        let one = drained(snapshot.rows(&id("one.accounts"), &schema).await.unwrap()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        let two = drained(snapshot.rows(&id("two.accounts"), &schema).await.unwrap()).await.unwrap();
        assert_eq!(total(&one) + total(&two), 400_000);
        states.insert(total(&one));
        if turn >= 15 && states.len() >= 8 {
            break;
        }
    }
    std::fs::write(folder.path().join("stop"), "").unwrap();
    let ended = writer.wait_with_output().unwrap();
    assert!(ended.status.success() && states.len() >= 8, "the writer wrote meanwhile");
}

#[test]
#[ignore = "started by sums_hold_while_amounts_move"]
fn child_writer() {
    let Ok(folder) = std::env::var("CARVE_TEST_FOLDER") else { return };
    let folder = std::path::Path::new(&folder);
    // The main file makes a transaction over several files atomic.
    let connection = Connection::open(folder.join("one.db")).unwrap();
    connection.busy_timeout(Duration::from_secs(20)).unwrap();
    connection.execute("ATTACH ?1 AS two", [folder.join("two.db").to_str().unwrap()]).unwrap();
    for number in 1..100_000 {
        let account = number % 2000 + 1;
        let transfer = format!(
            "BEGIN IMMEDIATE; UPDATE main.accounts SET amount = amount - 7 WHERE id = {account};
             UPDATE two.accounts SET amount = amount + 7 WHERE id = {account}; COMMIT"
        );
        if connection.execute_batch(&transfer).is_err() {
            connection.execute_batch("ROLLBACK").unwrap_or_default();
        }
        if folder.join("stop").exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_over_two_files_never_tears() {
    sums_hold_while_amounts_move("delete").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_over_two_files_in_wal_mode_never_tears() {
    sums_hold_while_amounts_move("wal").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_streams_of_one_snapshot_run_side_by_side() {
    let folder = TempDir::new().unwrap();
    database(
        &folder,
        "a.db",
        "CREATE TABLE t (i INTEGER PRIMARY KEY, x TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
         WHERE i < 20000) INSERT INTO t SELECT i, 'x' || i FROM n;",
    );
    let origin = origin(&folder, "sqlite:a.db").await;
    let schema = origin.describe(&id("t")).await.unwrap().schema;
    let mut snapshot = origin.snapshot().await.unwrap();
    // More rows than wait unread, so that each stream has to be read while the others are open.
    let mut left = snapshot.rows(&id("t"), &schema).await.unwrap();
    let mut right = snapshot.rows(&id("t"), &schema).await.unwrap();
    assert_eq!(snapshot.count(&id("t")).await.unwrap(), 20_000);
    let mut rows = 0;
    while let (Some(one), Some(other)) = (left.recv().await, right.recv().await) {
        let [one, other] = [one, other].map(|batch| batch.unwrap().into_rows().unwrap());
        assert_eq!(one, other);
        rows += one.len();
    }
    assert_eq!(rows, 20_000);
    drop(snapshot.rows(&id("t"), &schema).await.unwrap());
    assert_eq!(snapshot.count(&id("t")).await.unwrap(), 20_000);
}

#[tokio::test]
async fn a_description_tells_keys_types_and_nulls() {
    let folder = TempDir::new().unwrap();
    database(
        &folder,
        "a.db",
        "CREATE TABLE Orders (id INTEGER PRIMARY KEY, b VARCHAR(9) NOT NULL, c REAL, d DATETIME, e NUMERIC(8,2), f BLOB,
           g BOOLEAN, h, i GENERATED ALWAYS AS (id * 2) VIRTUAL, \"odd \"\"name\" TEXT);
         INSERT INTO Orders (b, e, g, h) VALUES ('x', 1.5, 1, 'text'), ('y', 2, 0, NULL);
         CREATE TABLE lines (n INT, o TEXT, p, PRIMARY KEY (o, n)) WITHOUT ROWID;
         CREATE TABLE keyed (k TEXT PRIMARY KEY);
         CREATE VIEW seen AS SELECT id, h FROM orders;
         UPDATE Orders SET d = '2024-01-01';
         CREATE TABLE copied AS SELECT d, e, g, h, count(*) AS n FROM orders;",
    );
    let origin = origin(&folder, "sqlite:a.db").await;
    let described = origin.describe(&id("orders")).await.unwrap().schema;
    let brief: Vec<String> = described
        .columns
        .iter()
        .map(|c| format!("{} {:?} {}{}", c.name, c.logical, c.physical, if c.nullable { "" } else { " !" }))
        .collect();
    assert_eq!(
        brief,
        [
            "id Integer INTEGER !",
            "b Text VARCHAR(9) !",
            "c Double REAL",
            "d Text DATETIME",
            "e Number NUMERIC(8,2)",
            "f Bytes BLOB",
            "g Integer BOOLEAN",
            "h Text ",
            "i Integer ",
            "odd \"name Text TEXT",
        ]
    );
    assert_eq!(described.key, ["id"]);
    // CREATE TABLE AS forgets most types: NUM stands for a date, a number and a truth value.
    let copied = origin.describe(&id("copied")).await.unwrap().schema;
    let brief: Vec<String> =
        copied.columns.iter().map(|c| format!("{} {:?} {}", c.name, c.logical, c.physical)).collect();
    assert_eq!(brief, ["d Text NUM", "e Number NUM", "g Number NUM", "h Text ", "n Integer "]);
    let lines = origin.describe(&id("main.lines")).await.unwrap().schema;
    assert_eq!(lines.key, ["o", "n"]);
    assert!(lines.columns.iter().map(|c| c.nullable).eq([false, false, true]));
    // In SQLite NULL may stand in a primary key that is not the row number.
    assert!(origin.describe(&id("keyed")).await.unwrap().schema.columns[0].nullable);
    assert_eq!(origin.describe(&id("seen")).await.unwrap().schema.key, Vec::<String>::new());
    let error = origin.describe(&id("absent")).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no table `absent`");
}

#[tokio::test]
async fn rows_come_in_an_order_that_values_alone_decide() {
    let folder = TempDir::new().unwrap();
    let tables = "CREATE TABLE keyless (a INTEGER, b TEXT COLLATE NOCASE, c);
        CREATE TABLE keyed (k TEXT COLLATE NOCASE PRIMARY KEY, v INTEGER);";
    let mut rows = ["(2, 'a', 1)", "(1, 'B', 1.0)", "(1, 'b', 1)", "(NULL, NULL, NULL)", "(1, 'B', 1)", "(2, 'a', 1)"];
    let mut keyed = ["('b', 1)", "('C', 2)", "('a', 3)", "(NULL, 5)", "(NULL, 4)"];
    let mut answers = Vec::new();
    for file in ["a.db", "b.db"] {
        let insert =
            format!("INSERT INTO keyless VALUES {}; INSERT INTO keyed VALUES {}", rows.join(","), keyed.join(","));
        database(&folder, file, &format!("{tables}{insert}"));
        let origin = origin(&folder, &format!("sqlite:{file}")).await;
        answers.push((all_rows(&*origin, "keyless").await.unwrap(), all_rows(&*origin, "keyed").await.unwrap()));
        rows.reverse();
        keyed.reverse();
    }
    assert_eq!(format!("{:?}", answers[0]), format!("{:?}", answers[1]));
    let keys: Vec<&Value> = answers[0].1.iter().map(|row| &row[0]).collect();
    let text = |text: &str| Value::Text(text.into());
    assert_eq!(
        keys,
        [&Value::Null, &Value::Null, &text("C"), &text("a"), &text("b")],
        "by bytes, whatever the collation"
    );
}

#[tokio::test]
async fn values_that_do_not_fit_are_refused_by_name() {
    let folder = TempDir::new().unwrap();
    database(
        &folder,
        "a.db",
        "CREATE TABLE ints (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO ints VALUES (1, 5), (2, 12.5);
         CREATE TABLE texts (id INTEGER PRIMARY KEY, t TEXT); INSERT INTO texts VALUES (1, CAST(X'61ff62' AS TEXT));
         CREATE TABLE dates (id INTEGER PRIMARY KEY, d DATE); INSERT INTO dates VALUES (1, '2024-01-31'), (2, 20240131);
         CREATE TABLE mixed (id INTEGER PRIMARY KEY, m); INSERT INTO mixed VALUES (1, 1), (2, NULL), (3, 'x');",
    );
    let origin = origin(&folder, "sqlite:a.db").await;
    for (table, place, found) in [
        ("ints", "row 2 of `ints`: column `n`", "12.5"),
        ("texts", "row 1 of `texts`: column `t`", "not UTF-8 from its byte 2"),
        ("dates", "row 2 of `dates`: column `d`", "20240131"),
        ("mixed", "row 3 of `mixed`: column `m`", "mixes kinds"),
    ] {
        let text = told(&all_rows(&*origin, table).await.unwrap_err());
        assert!(text.contains(place) && text.contains(found), "{text}");
        assert!(text.contains("omit") || text.contains("wraps.<service>.columns"), "{text}");
    }
}

#[tokio::test]
async fn a_column_that_is_declared_otherwise_is_read_so_or_refused() {
    use carve::vocab::LogicalType as L;
    let folder = TempDir::new().unwrap();
    database(
        &folder,
        "a.db",
        "CREATE TABLE t (flag BOOLEAN, day DATE, at DATETIME, zoned TEXT, price TEXT, n INTEGER);
         INSERT INTO t VALUES (1, '2024-02-29', '2024-02-29 10:00:00.5', '2024-02-29T10:00:00+01:00', '12.50', 5);",
    );
    let origin = origin(&folder, "sqlite:a.db").await;
    let mut snapshot = origin.snapshot().await.unwrap();
    let types = [L::Boolean, L::Date, L::Timestamp, L::TimestampTz, L::Decimal, L::Double];
    let mut schema = origin.describe(&id("t")).await.unwrap().schema;
    for (column, logical) in schema.columns.iter_mut().zip(types) {
        column.logical = logical;
    }
    let rows = drained(snapshot.rows(&id("t"), &schema).await.unwrap()).await.unwrap();
    let instant = 1_709_197_200_000_000; // 2024-02-29T09:00:00Z
    let expected = [
        Value::Boolean(true),
        Value::DateDays(19_782),
        Value::TimestampMicros(instant + 3_600_500_000),
        Value::InstantMicros(instant),
        Value::Decimal("12.50".into()),
        Value::Double(5.0),
    ];
    assert_eq!(rows, [expected]);
    schema.columns[4].logical = L::Integer;
    let text = told(&drained(snapshot.rows(&id("t"), &schema).await.unwrap()).await.unwrap_err());
    assert!(text.contains("column `price`") && text.contains("`text`"), "{text}");
}

#[tokio::test]
async fn what_is_no_database_is_told_so() {
    let folder = TempDir::new().unwrap();
    std::fs::write(
        folder.path().join("a.db"),
        "this is plain text, and enough of it to fill a header of SQLite ".repeat(9),
    )
    .unwrap();
    let text = told(&origin(&folder, "sqlite:a.db").await.probe().await.unwrap_err());
    assert!(text.contains("no SQLite database"), "{text}");
}

#[tokio::test]
async fn a_file_in_wal_mode_that_nobody_has_open_is_read() {
    let folder = TempDir::new().unwrap();
    drop(database(&folder, "a.db", "PRAGMA journal_mode=wal; CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (1);"));
    assert!(!folder.path().join("a.db-wal").exists(), "it was closed in good order");
    let origin = origin(&folder, "sqlite:a.db").await;
    assert_eq!(all_rows(&*origin, "t").await.unwrap(), [[Value::Integer(1)]]);
}
