//! One state of the file, whatever is written meanwhile.
use camino::Utf8Path;
use carve::connector::{open_lake, open_origin};
use carve::vocab::Value;

use super::{File, drained, id, refused};

#[tokio::test]
async fn streams_of_one_snapshot_see_one_state_while_the_lake_is_written() {
    let file = File::with(
        "CREATE TABLE a AS SELECT range AS x FROM range(5000); CREATE TABLE b AS SELECT range AS x FROM range(5000)",
    );
    let lake = file.lake().await;
    let schema = lake.describe(&id("a")).await.unwrap().schema;
    let mut snapshot = lake.snapshot().await.unwrap();
    let first = snapshot.rows(&id("a"), &schema).await.unwrap();
    lake.execute("DELETE FROM a; DELETE FROM b; ALTER TABLE b RENAME TO c").await.unwrap();
    let second = snapshot.rows(&id("b"), &schema).await.unwrap();
    let expected: Vec<_> = (0..5000).map(|x| vec![Value::Integer(x)]).collect();
    assert_eq!(drained(first).await.unwrap(), expected);
    assert_eq!(drained(second).await.unwrap(), expected);
    assert_eq!(snapshot.count(&id("b")).await.unwrap(), 5000);
    assert!(!lake.exists(&id("b")).await.unwrap());
}

#[tokio::test]
async fn a_source_is_only_read_and_the_lakes_own_file_is_named_as_such() {
    let file = File::with("CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)");
    let base = Utf8Path::from_path(file.folder.path()).unwrap();
    let origin = open_origin("source:shop", "duckdb:lake.duckdb", base).await.unwrap();
    assert_eq!(super::all_rows(&*origin, "a").await.unwrap(), [[Value::Integer(1)]]);
    let lake = open_lake("lake", "duckdb:lake.duckdb", base).await.unwrap();
    refused(lake.probe_write().await, "name the lake as the origin");
    drop(origin);
    lake.probe_write().await.unwrap();
}
