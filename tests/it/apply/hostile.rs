//! Tables as hostile as SQLite allows: each arrives exactly, in every format, or is refused by name with nothing
//! committed.
use carve::{
    apply::{self, ApplyError, Needs, RunOptions},
    plan::Action,
    progress::Silent,
    vocab::PartFormat,
};

use super::engines::Town;

const FORMATS: [PartFormat; 3] = [PartFormat::Csv, PartFormat::Jsonl, PartFormat::Parquet];

/// A wrap of `orders` made by `script`, imported beside.
fn town(script: &str, format: PartFormat) -> Town {
    let mut town = Town::new(false, false, format);
    town.sql("lake/raw.db", &format!("DROP TABLE orders; {script}"));
    let Action::Publish(publish) = &mut town.plan.steps[0].action else { panic!("publish comes first") };
    publish.endpoints[0].rows_per_part = 1000;
    town
}

/// Every value of a table with its kind, as a sorted list of rows.
fn cells(town: &Town, table: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(town.path("lake/raw.db")).unwrap();
    let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        Ok((0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect::<Vec<_>>().join("|"))
    });
    let mut rows: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
    rows.sort();
    rows
}

fn rows(count: u32) -> String {
    format!(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT);
         INSERT INTO orders WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {count})
         SELECT i, 'row ' || i FROM n WHERE i <= {count} AND {count} > 0"
    )
}

fn wide(columns: u32, key: &str) -> String {
    let named: Vec<String> = (1..columns).map(|at| format!("c{at} INTEGER")).collect();
    format!(
        "CREATE TABLE orders (id INTEGER{key}, {}); INSERT INTO orders (id, c1999) VALUES (1, 7), (2, NULL)",
        named.join(", ")
    )
}

#[tokio::test]
async fn every_hostile_table_arrives_exactly_in_every_format() {
    let cases: Vec<(&str, String)> = vec![
        ("no rows", rows(0)),
        ("one row", rows(1)),
        ("as many rows as a part holds", rows(1000)),
        ("one row more", rows(1001)),
        ("2,000 columns", wide(2000, " PRIMARY KEY")),
        ("2,000 columns without a key", wide(2000, "")),
        (
            "names that are keywords, quotes, blanks, emoji",
            "CREATE TABLE orders (\"select\" INTEGER PRIMARY KEY, \"a\"\"b\" TEXT, \" c \" TEXT, \"naïve 🎉\" TEXT, \"d,e\" TEXT,
               \"f;--\" TEXT, [g']h] TEXT, \"table\" TEXT);
             INSERT INTO orders VALUES (1, 'x', 'y', 'z', ',', '\"', '''', char(13))"
                .replace("[g']h]", "\"g']h\""),
        ),
        (
            "no key, and doubled rows",
            "CREATE TABLE orders (a TEXT, b INTEGER); INSERT INTO orders VALUES ('x', 1), ('x', 1), (NULL, NULL), (NULL, NULL)".into(),
        ),
        (
            "a key that holds NULL twice",
            "CREATE TABLE orders (a TEXT PRIMARY KEY, b TEXT); INSERT INTO orders VALUES (NULL, 'x'), (NULL, 'x'), ('k', '')".into(),
        ),
        (
            "WITHOUT ROWID, a key of two columns",
            "CREATE TABLE orders (b TEXT, a INTEGER, c TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
             INSERT INTO orders VALUES ('x', 2, NULL), ('y', 1, '')".into(),
        ),
        (
            "generated columns",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER AS (a * 2), c TEXT AS ('<' || a || '>') STORED);
             INSERT INTO orders (id, a) VALUES (1, 21), (2, NULL)".into(),
        ),
        (
            "STRICT",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, a INT, b REAL, c TEXT, d BLOB) STRICT;
             INSERT INTO orders VALUES (1, 1, 1.0, '1', x'31'), (2, NULL, 1e300, '', x'')".into(),
        ),
        (
            "whole numbers beyond 2^53, and both ends of 64 bits",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, a INTEGER);
             INSERT INTO orders VALUES (9007199254740993, -9223372036854775808), (-9223372036854775808, 9223372036854775807)".into(),
        ),
        (
            "infinities, the smallest and the largest double, minus nought without a type",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, a REAL, b);
             INSERT INTO orders VALUES (1, 9e999, -0.0), (2, -9e999, 0.1), (3, 5e-324, 1e-7), (4, 1.7976931348623157e308, 2.5)".into(),
        ),
        (
            "dates as text, some of them none",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, a DATE, b TIMESTAMP);
             INSERT INTO orders VALUES (1, '2024-02-30', 'yesterday'), (2, '', '9999-12-31T23:59:60Z'), (3, NULL, '0000-00-00')".into(),
        ),
        (
            "text with NUL, line ends, quotes, a byte order mark, combined letters",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, a TEXT);
             INSERT INTO orders VALUES (1, 'a' || char(0) || 'b'), (2, char(0)), (3, char(13)), (4, char(10)), (5, char(13, 10)),
               (6, char(65279) || 'x'), (7, 'e' || char(769)), (8, '\"'), (9, ' '), (10, 'NULL'), (11, ''), (12, NULL),
               (13, char(8232)), (14, char(1114111)), (15, '\\N'), (16, '\\')".into(),
        ),
        (
            "blobs: none, empty, of NULs, of text, of bytes that are no text",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, a BLOB);
             INSERT INTO orders VALUES (1, NULL), (2, x''), (3, x'00'), (4, x'61'), (5, x'ff0a0d22'), (6, zeroblob(70000))".into(),
        ),
        (
            "one text of a million letters",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO orders VALUES (1, replace(hex(zeroblob(500000)), '0', 'é'))".into(),
        ),
    ];
    for (what, script) in &cases {
        for format in FORMATS {
            let town = town(script, format);
            let (before, world) = (cells(&town, "orders"), town.world().await);
            let report = match town.apply(&world).await {
                Ok(report) => report,
                Err(error) => panic!("{what} as {format:?}: {error}: {}", chain(&error)),
            };
            assert!(report.complete, "{what} as {format:?}");
            assert_eq!(cells(&town, "orders__import"), before, "{what} as {format:?}");
            let verified = apply::verify(&town.plan, &world, &RunOptions::default(), &Silent).await.unwrap();
            assert!(verified.equal, "{what} as {format:?}: {:?}", verified.problems);
        }
    }
}

/// An error's causes, and every finding where it has some.
fn chain(error: &ApplyError) -> String {
    if let ApplyError::Blocked { findings, .. } = error {
        return findings.iter().map(|finding| finding.what.as_str()).collect::<Vec<_>>().join("; ");
    }
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn what_cannot_be_exact_is_refused_by_name_and_nothing_is_committed() {
    let cases = [
        (
            "text that is not UTF-8",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO orders VALUES (1, 'x'), (2, CAST(x'61ff' AS TEXT))",
            &["row 2", "`a`", "not UTF-8"][..],
        ),
        (
            "text in a column of whole numbers",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, a INTEGER); INSERT INTO orders VALUES (1, 1), (2, 'two')",
            &["row 2", "`a`", "the text \"two\""],
        ),
        (
            "a blob among texts",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO orders VALUES (1, x'00')",
            &["row 1", "`a`", "a blob"],
        ),
        (
            "kinds that mix in a column without a type",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, a); INSERT INTO orders VALUES (1, 1), (2, 'x')",
            &["row 2", "`a`", "mixes kinds"],
        ),
        (
            "a column without a name",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, \"\" TEXT); INSERT INTO orders VALUES (1, 'x')",
            &["a column without a name"],
        ),
    ];
    for (what, script, expected) in cases {
        for format in FORMATS {
            let town = town(script, format);
            let world = town.world().await;
            let error = town.apply(&world).await.unwrap_err();
            let told = format!("{error}: {}", chain(&error));
            assert!(expected.iter().all(|word| told.contains(word)), "{what} as {format:?}: {told}");
            assert_eq!(error.needs(), Needs::Change, "{what}: running again cannot help: {told}");
            let contracts = world.bucket.list("data-services/orders/schemata/").await.unwrap();
            assert!(contracts.is_empty(), "{what} as {format:?}");
        }
    }
}

#[tokio::test]
async fn a_number_that_parquet_cannot_keep_is_refused_with_the_cure_and_csv_keeps_it() {
    let script = "CREATE TABLE orders (id INTEGER PRIMARY KEY, a NUMERIC);
                  INSERT INTO orders VALUES (1, 9007199254740993), (2, 0.5)";
    let refused = town(script, PartFormat::Parquet);
    let error = refused.apply(&refused.world().await).await.unwrap_err();
    assert_eq!(error.needs(), Needs::Change);
    let ApplyError::Blocked { findings, .. } = error else { panic!("{error}") };
    let hint = findings[0].hint.as_ref().unwrap();
    assert!(hint.contains("`wraps.orders`") && hint.contains("`format`"), "{hint}");
    let kept = town(script, PartFormat::Csv);
    let before = cells(&kept, "orders");
    kept.apply(&kept.world().await).await.unwrap();
    assert_eq!(cells(&kept, "orders__import"), before);
}
