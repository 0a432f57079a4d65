//! Differences planted in one row of a large table are told exactly, whichever they are.
//!
//! `CARVE_MISMATCH_ROWS=2000000` plants them among so many rows instead of the few of the stage.
use serde_json::{Value as Json, json};

use super::{Database, wrap::planned};
use crate::reconcile::{counts, verified};
use crate::support::folder;

fn rows() -> u64 {
    std::env::var("CARVE_MISMATCH_ROWS").map_or(20_000, |rows| rows.parse().unwrap())
}

/// A table without constraints, so that every difference can be planted; `kept` holds the row as it was.
fn table(rows: u64, at: u64) -> String {
    format!(
        "CREATE TABLE big (id bigint, a text, b text, c bigint, d double precision, e timestamptz, f text, g text, h int,
           i numeric(12,3), j date, k boolean);
         INSERT INTO big SELECT n, 'name ' || n, 'city ' || n % 1000, n * 7, n * 0.25, '2024-05-01 10:00:00.123456+00',
           CASE n % 2 WHEN 0 THEN '' END, 'g' || n % 13, n % 5, n * 0.001, '2024-01-01'::date + (n % 365)::int, n % 3 = 0
         FROM generate_series(1, {rows}) n;
         CREATE TABLE kept AS SELECT * FROM big WHERE id = {at};"
    )
}

struct Planted {
    what: &'static str,
    /// What is done to the row `$at` of the right side.
    sql: &'static str,
    /// Only left, only right, changed.
    counts: [u64; 3],
    /// Column, left, right, how.
    cells: Vec<[Json; 4]>,
}

fn all(at: u64) -> Vec<Planted> {
    let of = |what, sql, counts, cells| Planted { what, sql, counts, cells };
    let text = |text: &str| Json::from(text);
    let (name, city) = (format!("name {at}"), format!("city {}", at % 1000));
    let thousandths = |n: u64| json!(format!("{}.{:03}", n / 1000, n % 1000));
    let [first, second] = ["2024-05-01T10:00:00.123456Z", "2024-05-01T10:00:00.123457Z"].map(text);
    let (swapped, space) = (text("the two are swapped"), text("white space at the end"));
    vec![
        of("one row less", "DELETE FROM big WHERE id = $at", [1, 0, 0], vec![]),
        of(
            "one column",
            "UPDATE big SET i = i + 0.001 WHERE id = $at",
            [0, 0, 1],
            vec![[text("i"), thousandths(at), thousandths(at + 1), Json::Null]],
        ),
        of(
            "one microsecond",
            "UPDATE big SET e = e + interval '1 microsecond' WHERE id = $at",
            [0, 0, 1],
            vec![[text("e"), first, second, text("1 µs later")]],
        ),
        of(
            "NULL against empty",
            "UPDATE big SET f = NULL WHERE id = $at",
            [0, 0, 1],
            vec![[text("f"), text(""), Json::Null, text("NULL against empty text")]],
        ),
        of(
            "a space at the end",
            "UPDATE big SET b = b || ' ' WHERE id = $at",
            [0, 0, 1],
            vec![[text("b"), text(&city), text(&format!("{city} ")), space]],
        ),
        of("a row twice", "INSERT INTO big SELECT * FROM big WHERE id = $at", [0, 1, 0], vec![]),
        of(
            "two columns swapped",
            "UPDATE big SET a = b, b = a WHERE id = $at",
            [0, 0, 1],
            vec![
                [text("a"), text(&name), text(&city), swapped.clone()],
                [text("b"), text(&city), text(&name), swapped],
            ],
        ),
    ]
}

fn compared(left: &Database, right: &Database, more: &[&str]) -> Json {
    verified(folder().path(), &format!("{}#big", left.url("")), &format!("{}#big", right.url("")), more)
}

#[test]
fn each_difference_planted_in_a_large_table_is_told_exactly() {
    let rows = rows();
    let at = rows / 4 * 2;
    let Some(left) = Database::with(&table(rows, at)) else { return };
    let right = left.copy();
    let answer = compared(&left, &right, &["--key", "id"]);
    assert_eq!((&answer["equal"], &answer["right"]["rows"]), (&json!(true), &json!(rows)));
    for planted in all(at) {
        let what = planted.what;
        right.sql(&planted.sql.replace("$at", &at.to_string()));
        let answer = compared(&left, &right, &["--key", "id"]);
        assert_eq!(counts(&answer), planted.counts, "{what}");
        let differences = answer["differences"].as_array().unwrap();
        assert_eq!((differences.len(), answer["complete"].as_bool()), (1, Some(true)), "{what}");
        let found = &differences[0];
        match planted.counts {
            [0, 0, 1] => {
                assert_eq!(found["key"], json!({ "id": at.to_string() }), "{what}");
                let cell = |cell: &Json| ["column", "left", "right", "how"].map(|name| cell[name].clone());
                let mut cells: Vec<_> = found["cells"].as_array().unwrap().iter().map(cell).collect();
                // How far a decimal moved is told in words of its own.
                if what == "one column" {
                    cells[0][3] = Json::Null;
                }
                assert_eq!(cells, planted.cells, "{what}");
            }
            [only_left, ..] => {
                assert_eq!(found["kind"], if only_left == 1 { "only_left" } else { "only_right" }, "{what}");
                assert_eq!((&found["row"]["id"], &found["times"]), (&json!(at.to_string()), &json!(1)), "{what}");
            }
        }
        assert_eq!(answer["ranges_different"], 1, "{what}");
        // By whole rows as well, without a key to pair them.
        let [less, more, changed] = planted.counts;
        assert_eq!(counts(&compared(&left, &right, &[])), [less + changed, more + changed, 0], "{what}");
        right.sql(&format!("DELETE FROM big WHERE id = {at}; INSERT INTO big SELECT * FROM kept"));
    }
    assert_eq!(compared(&left, &right, &["--key", "id"])["equal"], true);
}

#[test]
fn all_differences_at_once_in_a_large_table_are_told_each() {
    let rows = rows();
    let Some(left) = Database::with(&table(rows, 2)) else { return };
    let right = left.copy();
    let planted = all(2);
    let place = |number: usize| rows / 2 + 2 * number as u64;
    for (number, planted) in planted.iter().enumerate() {
        right.sql(&planted.sql.replace("$at", &place(number).to_string()));
    }
    let answer = compared(&left, &right, &["--key", "id"]);
    assert_eq!((counts(&answer), answer["complete"].as_bool()), ([1, 1, 5], Some(true)));
    let of = |found: &Json| match found["kind"].as_str().unwrap() {
        "changed" => found["key"]["id"].as_str().unwrap().to_owned(),
        _ => found["row"]["id"].as_str().unwrap().to_owned(),
    };
    let mut told: Vec<String> = answer["differences"].as_array().unwrap().iter().map(of).collect();
    told.sort_by_key(|id| id.parse::<u64>().unwrap());
    let expected: Vec<String> = (0..planted.len()).map(|number| place(number).to_string()).collect();
    assert_eq!(told, expected);
    let columns =
        ["a", "b", "e", "f", "i"].map(|column| json!({ "column": column, "rows": if column == "b" { 2 } else { 1 } }));
    let mut found = answer["changed_by_column"].as_array().unwrap().clone();
    found.sort_by_key(|its| its["column"].as_str().unwrap().to_owned());
    assert_eq!(found, columns);
}

#[test]
fn what_a_key_leads_to_is_read_again_and_told_the_same() {
    let rows = rows();
    let Some(left) = Database::with(&table(rows, 2)) else { return };
    left.sql("ALTER TABLE big ALTER id TYPE int; UPDATE big SET id = id - 1000; ALTER TABLE big ADD PRIMARY KEY (id)");
    left.sql("VACUUM ANALYZE big");
    let right = left.copy();
    // Far apart and at both ends of what both have, and beyond it.
    let far = i32::MAX;
    right.sql(&format!(
        "DELETE FROM big WHERE id = -999; UPDATE big SET d = 0.1 WHERE id IN (-5, {0}); UPDATE big SET id = {far} WHERE id = 77",
        rows - 1000
    ));
    let answer = compared(&left, &right, &["--limit", "100"]);
    assert_eq!((counts(&answer), answer["complete"].as_bool()), ([2, 1, 2], Some(true)));
    let key = |found: &Json| match found["kind"] == "changed" {
        true => found["key"]["id"].as_str().unwrap().to_owned(),
        false => found["row"]["id"].as_str().unwrap().to_owned(),
    };
    let told: Vec<String> = answer["differences"].as_array().unwrap().iter().map(key).collect();
    assert_eq!(told, ["-999".to_owned(), "-5".to_owned(), "77".to_owned(), (rows - 1000).to_string(), far.to_string()]);
    // The other side has the numbers as text: it is read as a whole, and left out is what the first leaves out.
    right.sql("ALTER TABLE big DROP CONSTRAINT big_pkey, ALTER id TYPE text");
    assert_eq!(counts(&compared(&left, &right, &[])), [2, 1, 2]);
}

#[test]
fn what_was_changed_in_an_import_is_told_by_verify_of_its_service() {
    let Some(estate) = planned("mode: beside, origin: source") else { return };
    estate.run(&["apply", "sales"], 0);
    estate.lake.sql("CREATE TABLE kept AS SELECT * FROM raw.orders__import WHERE id = 1001");
    for (sql, told) in [
        ("DELETE FROM t WHERE id = 1001", vec!["only in the parts", "id=1001"]),
        ("UPDATE t SET total = total + 0.01 WHERE id = 1001", vec!["id=1001", "`total`", "1501.51"]),
        ("UPDATE t SET at = at + interval '1 microsecond' WHERE id = 1001", vec!["id=1001", "`at`", "1 µs later"]),
        ("UPDATE t SET note = NULL WHERE id = 1001", vec!["id=1001", "`note`", "NULL"]),
        ("UPDATE t SET note = note || ' ' WHERE id = 1001", vec!["id=1001", "`note`", "white space at the end"]),
        ("INSERT INTO t SELECT 9999, note, total, at, paid, spent FROM t WHERE id = 1001", vec!["only in", "id=9999"]),
    ] {
        estate.lake.sql(&sql.replace(" t ", " raw.orders__import "));
        let (code, said) = estate.tried(&["verify", "sales"]);
        assert_eq!(code, Some(7), "{sql}\n{said}");
        assert!(told.iter().all(|words| said.contains(words)), "{sql}: {told:?}\n{said}");
        estate.lake.sql(
            "DELETE FROM raw.orders__import WHERE id IN (1001, 9999); INSERT INTO raw.orders__import SELECT * FROM kept",
        );
    }
    estate.verified();
}
