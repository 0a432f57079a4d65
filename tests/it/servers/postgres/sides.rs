//! Tables of unlike places against each other, and a whole life of a wrap beside the raw table, with the lake as origin.
use std::fs;

use serde_json::Value as Json;

use super::wrap::{Estate, planned, planned_between, scripts};
use crate::reconcile::counts;
use crate::support::files;

fn compared(estate: &Estate, left: &str, right: &str, code: i32) -> Json {
    serde_json::from_str(
        &estate.run(&["verify", "--left", left, "--right", right, "--key", "id", "--format", "json"], code),
    )
    .unwrap()
}

#[test]
fn a_table_in_postgres_its_publication_in_parquet_and_one_in_sqlite_are_compared_by_value() {
    let Some(estate) = planned("mode: beside, origin: source, format: parquet, rows_per_part: 100000") else { return };
    estate.run(&["apply", "sales"], 0);
    let table = format!("{}#raw.orders__import", estate.lake.url(""));
    let part =
        files(estate.path()).into_keys().find(|path| path.extension().is_some_and(|its| its == "parquet")).unwrap();
    let part = part.to_str().unwrap().to_owned();
    let sqlite = rusqlite::Connection::open(estate.path().join("other.db")).unwrap();
    sqlite
        .execute_batch(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT, total TEXT, at TEXT, paid TEXT, spent TEXT)",
        )
        .unwrap();
    let rows = estate.lake.sql(
        "SELECT id, coalesce('''' || note || '''', 'NULL'), total, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), paid::text, spent
         FROM raw.orders__import ORDER BY id",
    );
    for row in rows.lines() {
        let cells: Vec<&str> = row.split('|').collect();
        let [id, note, total, at, paid, spent] = cells[..] else { panic!("{row}") };
        sqlite
            .execute_batch(&format!("INSERT INTO orders VALUES ({id}, {note}, '{total}', '{at}', '{paid}', '{spent}')"))
            .unwrap();
    }
    for (left, right) in
        [(table.as_str(), part.as_str()), (part.as_str(), "sqlite:other.db#orders"), ("sqlite:other.db#orders", &table)]
    {
        let answer = compared(&estate, left, right, 0);
        assert_eq!(answer["left"]["rows"], 2_500, "{left} {right}");
        assert_eq!(answer["left"]["fingerprint"], answer["right"]["fingerprint"], "{left} {right}");
    }
    sqlite.execute_batch("UPDATE orders SET total = '15.01' WHERE id = 10; DELETE FROM orders WHERE id = 11").unwrap();
    estate.lake.sql("UPDATE raw.orders__import SET note = '' WHERE id = 12 AND note IS NOT NULL");
    for (left, right, expected) in [
        (part.as_str(), "sqlite:other.db#orders", [1, 0, 1]),
        ("sqlite:other.db#orders", table.as_str(), [0, 1, 2]),
        (table.as_str(), part.as_str(), [0, 0, 1]),
    ] {
        let answer = compared(&estate, left, right, 7);
        assert_eq!(counts(&answer), expected, "{left} {right}: {answer}");
    }
}

#[test]
#[cfg(feature = "s3")]
fn a_wrap_beside_the_raw_table_lives_through_everything_that_comes_after_it() {
    use super::Database;
    let Some(bucket) = crate::servers::store::own() else { return };
    let (source, lake) = scripts();
    let (Some(source), Some(lake)) = (Database::with(&source), Database::with(&lake)) else { return };
    let estate = planned_between(source, lake, &bucket, "mode: beside");
    let all = |table: &str| estate.lake.sql(&format!("SELECT * FROM {table} ORDER BY id"));
    let raw = all("raw.orders");
    let job = fs::read_to_string(estate.path().join("sql/daily.sql")).unwrap();
    estate.run(&["apply", "sales", "--dry-run"], 0);
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    assert_eq!((all("raw.orders__import"), all("raw.orders")), (raw.clone(), raw.clone()));
    let repointed = fs::read_to_string(estate.path().join("sql/daily.sql")).unwrap();
    assert_eq!(repointed, job.replace("raw.orders", "raw.orders__import"));
    // What reads the raw table still does, and the job reads the import.
    assert_eq!(estate.lake.sql("SELECT count(*) FROM mart.paid"), "1250");
    assert_eq!(estate.lake.sql(&job), estate.lake.sql(&repointed));

    assert!(estate.run(&["refresh", "sales"], 0).contains("nothing changed"));
    estate.lake.sql("DELETE FROM raw.orders WHERE id = 9; UPDATE raw.orders SET note = '' WHERE id = 10");
    assert!(estate.run(&["refresh", "sales"], 0).contains("published v1.0.1"));
    estate.verified();
    assert_eq!(all("raw.orders__import"), all("raw.orders"));
    assert_eq!(estate.lake.sql("SELECT count(*) FROM raw.orders__import__previous"), "2500");
    // A column more at the origin is an addition; one less that the job reads is refused.
    estate.lake.sql("ALTER TABLE raw.orders ADD COLUMN extra text DEFAULT 'x'");
    assert!(estate.run(&["refresh", "sales"], 0).contains("published v1.1.0"));
    estate.verified();
    assert_eq!(all("raw.orders__import"), all("raw.orders"));
    for command in [&["status"][..], &["switchover", "sales"], &["catalog"], &["report"], &["explain", "sales"]] {
        estate.run(command, 0);
    }
    let now = all("raw.orders");
    estate.run(&["rollback", "sales"], 0);
    assert_eq!(fs::read_to_string(estate.path().join("sql/daily.sql")).unwrap(), job);
    assert_eq!(all("raw.orders"), now);
    assert_eq!(
        estate.lake.sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'orders\\_\\_%' AND relkind = 'r'"),
        "0"
    );
    // And again, from the same plan.
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    assert_eq!(all("raw.orders__import"), now);
}
