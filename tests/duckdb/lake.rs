//! The central lake: staging, ledger, swap, scripts, queries.
use std::process::{Command, Stdio};

use carve::connector::{ConnectorError, Lake};
use carve::vocab::{LogicalType, Row, Schema, Value};

use super::one_part::OnePart;
use super::{File, all_rows, drained, id, one, refused, schema, sql, told};

const STAGING: &str = "raw.orders__carve_staging";

fn orders() -> Schema {
    let mut orders = schema(&[("id", LogicalType::Integer), ("note", LogicalType::Text)]);
    orders.key = vec!["id".into()];
    orders.columns[0].nullable = false;
    orders.columns[0].physical = "int4".into();
    orders
}

fn row(number: i64, note: &str) -> Row {
    vec![Value::Integer(number), Value::Text(note.into())]
}

async fn stage(lake: &dyn Lake, rows: Vec<Row>) {
    lake.create_staging(&id(STAGING), &orders()).await.unwrap();
    assert!(lake.load_part(&id(STAGING), "part01", &orders(), rows).await.unwrap());
}

async fn swap(lake: &dyn Lake) -> Result<(), ConnectorError> {
    lake.swap(&id(STAGING), &id("raw.orders"), Some(&id("raw.orders__before"))).await
}

async fn answer(lake: &dyn Lake, sql: &str) -> Vec<Row> {
    drained(lake.query(sql).await.unwrap().1).await.unwrap()
}

fn texts(all: &[&str]) -> Vec<Row> {
    all.iter().map(|text| vec![Value::Text((*text).into())]).collect()
}

#[tokio::test]
async fn a_part_and_its_ledger_entry_come_together_or_not_at_all() {
    let file = File::with("CREATE SCHEMA raw; CREATE TABLE raw.theirs (id INTEGER)");
    let lake = file.lake().await;
    lake.create_staging(&id(STAGING), &orders()).await.unwrap();
    let load = async |part: &str, rows: Vec<Row>| lake.load_part(&id(STAGING), part, &orders(), rows).await;
    assert!(load("part01", vec![row(1, "a"), row(2, "b")]).await.unwrap());
    assert!(!load("part01", vec![row(1, "a"), row(2, "b")]).await.unwrap(), "a part is loaded once");
    refused(load("part02", vec![row(3, "c"), row(1, "again")]).await, "Duplicate key");
    refused(load("part02", vec![row(3, "c"), row(1 << 31, "wide")]).await, "column `id`");
    assert_eq!(lake.loaded_parts(&id(STAGING)).await.unwrap(), ["part01"]);
    assert_eq!(all_rows(&*lake, STAGING).await.unwrap(), [row(1, "a"), row(2, "b")]);
    assert!(load("part02", vec![row(3, "c")]).await.unwrap());
    assert_eq!(lake.loaded_parts(&id(STAGING)).await.unwrap(), ["part01", "part02"]);
    // A second staging of the same name begins empty, and takes the same keys again.
    stage(&*lake, vec![row(1, "new")]).await;
    assert_eq!(lake.loaded_parts(&id(STAGING)).await.unwrap(), ["part01"]);
    refused(lake.load_part(&id("raw.theirs"), "part01", &orders(), vec![]).await, "no staging table");
    refused(lake.create_staging(&id("raw.theirs"), &orders()).await, "carve did not make");
}

#[tokio::test]
async fn a_successor_has_the_indexes_comments_and_readers_of_the_table_it_replaces() {
    let file = File::with(
        "CREATE SCHEMA raw; CREATE TABLE raw.\"Orders\" (id INTEGER PRIMARY KEY, note VARCHAR);
         INSERT INTO raw.\"Orders\" VALUES (1, 'old');
         COMMENT ON TABLE raw.\"Orders\" IS 'it''s all'; COMMENT ON COLUMN raw.\"Orders\".note IS 'free';
         CREATE INDEX \"by note\" ON raw.\"Orders\" (lower(note)); CREATE UNIQUE INDEX one_note ON raw.\"Orders\" (note);
         CREATE VIEW raw.seen AS SELECT o.note AS said FROM raw.\"Orders\" o;
         CREATE VIEW through AS SELECT count(*) AS n FROM raw.seen WHERE said = 'new'",
    );
    let lake = file.lake().await;
    stage(&*lake, vec![row(1, "new"), row(2, "newer")]).await;
    lake.take_indexes(&id(STAGING), &orders(), Some(&id("raw.orders"))).await.unwrap();
    swap(&*lake).await.unwrap();
    swap(&*lake).await.expect("done already is done");
    assert_eq!(answer(&*lake, "SELECT said FROM raw.seen ORDER BY 1").await, texts(&["new", "newer"]));
    assert_eq!(answer(&*lake, "SELECT n FROM through").await, [[Value::Integer(1)]]);
    let indexes = "SELECT table_name || ' ' || is_unique || ' ' || expressions FROM duckdb_indexes() ORDER BY 1";
    let both = texts(&[
        "Orders false ['(lower(note))']",
        "Orders true [note]",
        "orders__before false ['(lower(note))']",
        "orders__before true [note]",
    ]);
    assert_eq!(answer(&*lake, indexes).await, both);
    let described = lake.describe(&id("raw.orders")).await.unwrap();
    assert_eq!(described.comment.as_deref(), Some("it's all"));
    assert_eq!(described.schema.columns[1].description.as_deref(), Some("free"));
    assert_eq!(described.schema.key, ["id"]);
    assert_eq!(lake.loaded_parts(&id("raw.orders")).await.unwrap(), ["part01"]);
    // And back, and forth once more.
    lake.swap(&id("raw.orders__before"), &id("raw.orders"), Some(&id(STAGING))).await.unwrap();
    assert_eq!(answer(&*lake, "SELECT said FROM raw.seen").await, texts(&["old"]));
    assert_eq!(answer(&*lake, indexes).await.len(), 4, "no index is made twice");
    swap(&*lake).await.unwrap();
    drop(lake);
    // What DuckDB itself finds in the file afterwards.
    assert_eq!(one(&file.path(), "SELECT string_agg(note, ',' ORDER BY id) FROM raw.\"Orders\""), "new,newer");
    let doubled = "INSERT INTO raw.\"Orders\" VALUES (3, 'new')";
    assert!(duckdb::Connection::open(file.path()).unwrap().execute_batch(doubled).is_err(), "the unique index works");
}

#[tokio::test]
async fn what_a_swap_would_break_is_told_by_the_rehearsal_which_leaves_nothing() {
    let cases = [
        ("CREATE TABLE raw.child (id INTEGER REFERENCES raw.orders (id))", "a foreign key of `raw.child` leads to it"),
        ("CREATE VIEW v AS SELECT more FROM raw.orders", "\"v\" would break"),
        ("CREATE INDEX i ON raw.orders (more)", "the index `i` (more)"),
        ("ALTER TABLE raw.orders RENAME TO base; CREATE VIEW raw.orders AS SELECT id FROM raw.base", "is a view"),
        ("CREATE TABLE raw.orders__before (x INTEGER)", "`raw.orders__before` is in the way"),
        ("CREATE TABLE raw.orders__carve_staging (x INTEGER)", "carve did not make"),
    ];
    for (script, why) in cases {
        let table = "CREATE SCHEMA raw; CREATE TABLE raw.orders (id INTEGER PRIMARY KEY, note VARCHAR, more INTEGER)";
        let file = File::with(&format!("{table}; {script}"));
        let there = "SELECT string_agg(sql, ' ' ORDER BY sql) FROM (SELECT sql FROM duckdb_tables() UNION ALL \
             SELECT sql FROM duckdb_indexes() UNION ALL SELECT sql FROM duckdb_views() WHERE NOT internal)";
        let before = one(&file.path(), there);
        let lake = file.lake().await;
        let rehearsed = lake.rehearse(&id(STAGING), &id("raw.orders"), &id("raw.orders__before"), &orders()).await;
        refused(rehearsed, why);
        drop(lake);
        assert_eq!(one(&file.path(), there), before, "{why}");
    }
    let file = File::with(
        "CREATE SCHEMA raw; CREATE TABLE raw.kinds (k VARCHAR PRIMARY KEY);
         CREATE TABLE raw.orders (id INTEGER PRIMARY KEY CHECK (id > 0), note VARCHAR DEFAULT 'x' UNIQUE REFERENCES raw.kinds)",
    );
    let lake = file.lake().await;
    let lacking = lake.rehearse(&id(STAGING), &id("raw.orders"), &id("raw.orders__before"), &orders()).await.unwrap();
    assert_eq!(
        lacking,
        ["the import that takes the place of `raw.orders` holds its rows, key and indexes, but not its UNIQUE \
          constraints, its CHECK constraints, its foreign keys, its defaults and formulas of generated columns"]
    );
    let at_once = lake.rehearse(&id("new.n__staging"), &id("new.n"), &id("new.n__before"), &orders()).await;
    assert!(at_once.unwrap().is_empty() && !lake.exists(&id("new.n")).await.unwrap());
}

#[tokio::test]
async fn rows_that_break_a_unique_index_are_refused_before_the_swap() {
    let file = File::with(
        "CREATE SCHEMA raw; CREATE TABLE raw.orders (id INTEGER, note VARCHAR); INSERT INTO raw.orders VALUES (1, 'old');
         CREATE UNIQUE INDEX u ON raw.orders (note)",
    );
    let lake = file.lake().await;
    stage(&*lake, vec![row(1, "a"), row(2, "a")]).await;
    refused(lake.take_indexes(&id(STAGING), &orders(), Some(&id("raw.orders"))).await, "break the unique index `u");
    // The swap itself would say so too, and changes nothing then.
    refused(swap(&*lake).await, "break the unique index `u");
    assert_eq!(answer(&*lake, "SELECT note FROM raw.orders").await, texts(&["old"]));
    assert!(lake.exists(&id(STAGING)).await.unwrap() && !lake.exists(&id("raw.orders__before")).await.unwrap());
}

#[tokio::test]
async fn a_script_is_one_transaction() {
    let file = File::with("CREATE TABLE a (x INTEGER)");
    let lake = file.lake().await;
    let script = "BEGIN; INSERT INTO a VALUES (1); -- why;\nCOMMIT;\n\nINSERT INTO a SELECT nonsense;";
    let text = told(&lake.execute(script).await.unwrap_err());
    assert!(text.contains("statement 4") && text.contains("line 4") && text.contains("nonsense"), "{text}");
    refused(lake.execute("INSERT INTO a VALUES (1); ROLLBACK;").await, "one transaction");
    assert_eq!(answer(&*lake, "SELECT count(*) FROM a").await, [[Value::Integer(0)]]);
    lake.execute("CREATE SCHEMA s; CREATE TABLE s.b AS FROM a; INSERT INTO a VALUES (1), (length($$a;$$))")
        .await
        .unwrap();
    assert_eq!(answer(&*lake, "FROM a ORDER BY x").await, [[Value::Integer(1)], [Value::Integer(2)]]);
}

#[tokio::test]
async fn a_query_reads_and_nothing_else() {
    let file = File::with("CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1), (2)");
    let lake = file.lake().await;
    let sql = "WITH t AS (SELECT x, x AS x, x::VARCHAR || ';' FROM a) SELECT *, 1.50 AS \"odd \"\"name\" FROM t \
         ORDER BY 1 DESC LIMIT 1; -- end";
    let (schema, rows) = lake.query(&sql.replace("; -- end", " -- end")).await.unwrap();
    assert_eq!(schema.columns.last().unwrap().name, "odd \"name");
    let two = || Value::Integer(2);
    assert_eq!(drained(rows).await.unwrap(), [[two(), two(), Value::Text("2;".into()), Value::Decimal("1.50".into())]]);
    for other in ["INSERT INTO a VALUES (3) RETURNING x", "CREATE TABLE b (x INTEGER)", "SELECT 1; DELETE FROM a"] {
        refused(lake.query(other).await.map(|_| ()), "it is no query");
    }
    // Brackets that close ours do not lead out of the transaction, which cannot write.
    let out = lake.query("SELECT 1); DELETE FROM a; SELECT * FROM (SELECT 1").await.map(|_| ());
    refused(out, "read-only");
    assert_eq!(answer(&*lake, "SELECT count(*) FROM a").await, [[two()]]);
}

#[tokio::test]
async fn notes_and_names_are_kept() {
    let file = File::with(
        "CREATE SCHEMA raw; CREATE TABLE raw.a (x INTEGER); CREATE INDEX i ON raw.a (x); CREATE TABLE raw.b (x INTEGER);
         CREATE VIEW raw.v AS SELECT 1 AS x",
    );
    let lake = file.lake().await;
    lake.probe_write().await.unwrap();
    assert_eq!(lake.note("k").await.unwrap(), None);
    for value in ["it's", "new"] {
        lake.set_note("k", value).await.unwrap();
        assert_eq!(lake.note("k").await.unwrap().as_deref(), Some(value));
    }
    refused(lake.rename(&id("raw.a"), &id("raw.b")).await, "`raw.b` exists already");
    refused(lake.rename(&id("raw.a"), &id("mart.a")).await, "within its schema");
    refused(lake.rename(&id("raw.v"), &id("raw.w")).await, "is a view");
    refused(lake.swap(&id("raw.a"), &id("raw.b"), None).await, "`raw.b` is in the way");
    lake.rename(&id("raw.a"), &id("raw.c")).await.unwrap();
    assert!(lake.exists(&id("raw.c")).await.unwrap() && !lake.exists(&id("raw.a")).await.unwrap());
    assert_eq!(answer(&*lake, "SELECT table_name FROM duckdb_indexes()").await, texts(&["c"]));
    lake.drop_table(&id("raw.c")).await.unwrap();
    lake.drop_table(&id("raw.c")).await.unwrap();
    lake.drop_table(&id("absent.c")).await.unwrap();
    assert!(!lake.exists(&id("raw.c")).await.unwrap());
}

#[tokio::test]
async fn a_file_that_is_not_there_or_no_database_says_so() {
    let file = File::with("SELECT 1");
    let lake = file.lake().await;
    std::fs::remove_file(file.path()).unwrap();
    refused(lake.probe().await, "there is no such file");
    std::fs::write(file.path(), vec![b'x'; 20_000]).unwrap();
    refused(lake.probe().await, "no DuckDB database");
}

/// Run by the test below as a process of its own.
#[test]
#[ignore = "holds a file for another test"]
fn hold() {
    let Some(path) = std::env::var_os("CARVE_TEST_HOLD") else { return };
    let held = duckdb::Connection::open(path).unwrap();
    std::fs::write(std::env::var_os("CARVE_TEST_HELD").unwrap(), "").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(60));
    drop(held);
}

#[tokio::test]
async fn a_file_that_another_process_holds_is_busy_and_may_be_free_later() {
    let file = File::with("CREATE TABLE a (x INTEGER)");
    let held = file.folder.path().join("held");
    let mut holder = Command::new(std::env::current_exe().unwrap());
    holder
        .args(["--ignored", "--exact", "lake::hold"])
        .env("CARVE_TEST_HOLD", file.path())
        .env("CARVE_TEST_HELD", &held);
    let mut holder = holder.stdout(Stdio::null()).spawn().unwrap();
    while !held.exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let lake = file.lake().await;
    let error = lake.probe().await.unwrap_err();
    let text = told(&error);
    assert!(error.may_pass() && text.contains("the file is busy") && text.contains("busy_timeout_ms"), "{text}");
    holder.kill().unwrap();
    holder.wait().unwrap();
    lake.probe().await.unwrap();
    drop(lake);
    sql(&file.path(), "INSERT INTO a VALUES (1)");
}
