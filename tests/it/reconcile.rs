//! `carve verify --left … --right …` on the real binary: every planted difference is told exactly.
use std::{fs, path::Path};

use serde_json::Value as Json;

use super::support::{carve, expect, folder, run};

/// Forty-odd rows with everything that tools lose: NULL beside empty text, spaces at ends, microseconds, long decimals.
const ROWS: &str = "
    CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, city TEXT, seen TIMESTAMP, note TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
    INSERT INTO t SELECT i, 'name ' || i, 'city ' || (i % 7), '2024-05-01 10:00:00.123456',
                         CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'n ' END FROM n;";

fn database(file: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.execute_batch(ROWS).unwrap();
    connection.execute_batch(sql).unwrap();
}

/// Compares the rows with the rows changed by `sql`.
fn compared(sql: &str, more: &[&str]) -> Json {
    let keep = folder();
    database(&keep.path().join("a.db"), "");
    database(&keep.path().join("b.db"), sql);
    verified(keep.path(), "sqlite:a.db#t", "sqlite:b.db#t", more)
}

/// What `carve verify` answers of two tables; its exit code must agree.
pub(crate) fn verified(at: &Path, left: &str, right: &str, more: &[&str]) -> Json {
    let arguments = [&["verify", "--left", left, "--right", right, "--format", "json"][..], more].concat();
    let output = carve(at, &arguments).output().unwrap();
    let answer: Json = serde_json::from_slice(&output.stdout).unwrap();
    expect(&output, &arguments, if answer["equal"] == true { 0 } else { 7 });
    answer
}

/// Rows that only the left side has, only the right one, and rows that differ.
pub(crate) fn counts(answer: &Json) -> [u64; 3] {
    ["only_left", "only_right", "changed"].map(|name| answer[name].as_u64().unwrap())
}

#[test]
fn equal_tables_are_equal_by_every_range() {
    let answer = compared("", &[]);
    assert_eq!((counts(&answer), &answer["equal"], &answer["ranges_different"]), ([0, 0, 0], &true.into(), &0.into()));
    assert_eq!(answer["left"]["rows"], 500);
    assert_eq!(answer["left"]["fingerprint"], answer["right"]["fingerprint"]);
}

#[test]
fn each_small_difference_is_told_by_key_and_column() {
    for (sql, column, how) in [
        ("UPDATE t SET name = 'name 10!' WHERE id = 10", "name", Json::Null),
        ("UPDATE t SET seen = '2024-05-01 10:00:00.123457' WHERE id = 10", "seen", Json::Null),
        ("UPDATE t SET note = NULL WHERE id = 10", "note", "NULL against empty text".into()),
        ("UPDATE t SET city = city || ' ' WHERE id = 10", "city", "white space at the end".into()),
    ] {
        let answer = compared(sql, &[]);
        assert_eq!(counts(&answer), [0, 0, 1], "{sql}");
        assert_eq!(answer["changed_by_column"], serde_json::json!([{ "column": column, "rows": 1 }]), "{sql}");
        let found = &answer["differences"][0];
        assert_eq!((&found["key"]["id"], &found["cells"][0]["column"]), (&"10".into(), &column.into()), "{sql}");
        assert_eq!(found["cells"][0]["how"], how, "{sql}");
        assert_eq!(answer["ranges_different"], 1, "{sql}");
    }
}

#[test]
fn a_row_less_and_a_row_more_stand_on_their_side() {
    assert_eq!(counts(&compared("DELETE FROM t WHERE id = 7", &[])), [1, 0, 0]);
    let answer = compared("INSERT INTO t (id, name) VALUES (9999, 'new')", &[]);
    assert_eq!(counts(&answer), [0, 1, 0]);
    assert_eq!(answer["differences"][0]["row"]["id"], "9999");
    assert_eq!(answer["differences"][0]["row"]["note"], Json::Null);
}

#[test]
fn swapped_columns_are_called_swapped() {
    let answer = compared("UPDATE t SET name = city, city = name WHERE id = 20", &[]);
    assert_eq!(counts(&answer), [0, 0, 1]);
    let cells = answer["differences"][0]["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 2);
    assert!(cells.iter().all(|cell| cell["how"] == "the two are swapped"), "{cells:?}");
}

#[test]
fn a_duplicate_row_of_a_table_without_a_key_is_one_row_more() {
    let keep = folder();
    let rows = "CREATE TABLE d (a TEXT, b TEXT); INSERT INTO d VALUES ('x', NULL), ('x', NULL), ('y', '');";
    database(&keep.path().join("a.db"), rows);
    database(&keep.path().join("b.db"), &format!("{rows} INSERT INTO d VALUES ('x', NULL);"));
    let arguments = ["verify", "--left", "sqlite:a.db#d", "--right", "sqlite:b.db#d", "--format", "json"];
    let answer: Json = serde_json::from_str(&run(keep.path(), &arguments, 7)).unwrap();
    assert_eq!(counts(&answer), [0, 1, 0]);
    assert_eq!(answer["differences"][0]["times"], 1);
    assert_eq!(answer["differences"][0]["row"], serde_json::json!({ "a": "x", "b": null }));
}

#[test]
fn every_row_different_is_counted_and_only_some_are_shown() {
    let answer = compared("UPDATE t SET name = city, city = name", &["--limit", "3"]);
    assert_eq!((counts(&answer), answer["complete"].as_bool()), ([0, 0, 500], Some(true)));
    assert_eq!(answer["differences"].as_array().unwrap().len(), 3);
}

#[test]
fn columns_that_only_one_side_has_are_a_difference_unless_left_out() {
    let answer = compared("ALTER TABLE t ADD COLUMN extra TEXT", &[]);
    assert_eq!((&answer["equal"], &answer["ranges_different"]), (&false.into(), &0.into()));
    assert_eq!(answer["unlike_columns"][0], "column `extra` is only on the right");
    assert_eq!(compared("ALTER TABLE t ADD COLUMN extra TEXT", &["--except", "extra"])["equal"], true);
    assert_eq!(compared("UPDATE t SET note = 'x'", &["--columns", "name,city"])["equal"], true);
}

#[test]
fn a_file_and_a_database_meet_by_value_and_a_key_pairs_their_rows() {
    let keep = folder();
    database(&keep.path().join("a.db"), "DELETE FROM t WHERE id > 3");
    let csv = "id,name,city,seen,note\r\n2,name 2,city 2,2024-05-01 10:00:00.123456,\"n \"\r\n\
               1,name 1,city 1,2024-05-01 10:00:00.123456,\"\"\r\n3,name 3,city 3,2024-05-01 10:00:00.123456,\r\n";
    fs::write(keep.path().join("b.csv"), csv).unwrap();
    let arguments = ["verify", "--left", "sqlite:a.db#t", "--right", "b.csv", "--format", "json"];
    let answer: Json = serde_json::from_str(&run(keep.path(), &arguments, 0)).unwrap();
    assert_eq!(answer["left"]["fingerprint"], answer["right"]["fingerprint"]);
    // Another microsecond, and NULL in the place of the empty text.
    fs::write(keep.path().join("b.csv"), csv.replace("\"\"", "").replacen("123456", "123457", 1)).unwrap();
    let answer: Json = serde_json::from_str(&run(keep.path(), &arguments, 7)).unwrap();
    let columns = serde_json::json!([{ "column": "seen", "rows": 1 }, { "column": "note", "rows": 1 }]);
    assert_eq!((counts(&answer), &answer["changed_by_column"]), ([0, 0, 2], &columns));
}

#[test]
fn jsonl_and_csv_of_one_name_in_one_folder_are_two_tables() {
    let keep = folder();
    fs::write(keep.path().join("t.csv"), "id,note\n1,a\n2,\n").unwrap();
    fs::write(keep.path().join("t.jsonl"), "{\"id\":2,\"note\":null}\n{\"id\":1,\"note\":\"a\"}\n").unwrap();
    run(keep.path(), &["verify", "--left", "t.csv", "--right", "t.jsonl", "--key", "id"], 0);
    fs::write(keep.path().join("t.jsonl"), "{\"id\":2,\"note\":\"\"}\n{\"id\":1,\"note\":\"a\"}\n").unwrap();
    let told = run(keep.path(), &["verify", "--left", "t.csv", "--right", "file:t.jsonl", "--key", "id"], 7);
    assert!(told.contains("NULL against empty text") && told.contains("Different."), "{told}");
}

#[test]
fn junit_holds_a_case_a_column() {
    let keep = folder();
    database(&keep.path().join("a.db"), "");
    database(&keep.path().join("b.db"), "UPDATE t SET note = '<&>' WHERE id = 5");
    let arguments = ["verify", "--left", "sqlite:a.db#t", "--right", "sqlite:b.db#t", "--junit", "out/verify.xml"];
    run(keep.path(), &arguments, 7);
    let xml = fs::read_to_string(keep.path().join("out/verify.xml")).unwrap();
    // Columns alike, as many rows, the same rows, and five columns; the rows and `note` fail.
    assert!(xml.contains("tests=\"8\" failures=\"2\""), "{xml}");
    assert!(xml.contains("name=\"note\">\n      <failure message=\"differs in 1 rows\">"), "{xml}");
    assert!(xml.contains("&lt;&amp;&gt;") && !xml.contains("<&>"), "{xml}");
}

#[test]
fn what_cannot_be_compared_is_neither_equal_nor_different() {
    let keep = folder();
    database(&keep.path().join("a.db"), "");
    let verify = |left: &str, right: &str, more: &[&str], code: i32, words: &str| {
        let arguments = [&["verify", "--left", left, "--right", right][..], more].concat();
        let output = carve(keep.path(), &arguments).output().unwrap();
        expect(&output, &arguments, code);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains(words), "{arguments:?}\n{told}");
        assert!(!told.contains("hunter2"), "{told}");
    };
    let good = "sqlite:a.db#t";
    verify(good, "sqlite:a.db#nowhere", &[], 4, "there is no table `nowhere`");
    verify(good, "sqlite:gone.db#t", &[], 4, "gone.db");
    verify(good, "missing.csv", &[], 4, "missing");
    verify(good, "oracle:x#t", &[], 4, "oracle");
    verify(good, "a.db", &[], 64, "`#` and the table are missing");
    verify(good, good, &["--key", "idd"], 4, "did you mean `id`?");
    verify(good, "postgres://me:hunter2@127.0.0.1:1/x#t", &[], 4, "a password stands in it");
    verify(good, "postgres://me@127.0.0.1:1/x#t", &[], 5, "postgres t");
    run(keep.path(), &["verify"], 64);
    run(keep.path(), &["verify", "--left", good], 64);
    run(keep.path(), &["verify", "orders", "--left", good, "--right", good], 64);
}

#[test]
fn a_table_that_another_program_holds_is_locked_and_not_different() {
    let keep = folder();
    database(&keep.path().join("a.db"), "");
    let holder = rusqlite::Connection::open(keep.path().join("a.db")).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let url = "sqlite:a.db?busy_timeout_ms=50#t";
    run(keep.path(), &["verify", "--left", url, "--right", url], 6);
}

/// `CARVE_RECONCILE_ROWS=2000000 carve's test binary -- --ignored reconcile::`: planted differences among many rows.
#[test]
#[ignore = "makes two databases of two million rows"]
fn planted_differences_among_two_million_rows_are_told_exactly() {
    let rows: u64 = std::env::var("CARVE_RECONCILE_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000_000);
    let keep = folder();
    let make = format!(
        "CREATE TABLE big (id INTEGER PRIMARY KEY, a TEXT, b TEXT, c INTEGER, d DOUBLE, e TIMESTAMP, f TEXT, g TEXT,
                           h INTEGER, i TEXT, j TEXT, k TEXT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         INSERT INTO big SELECT i, 'name ' || i, 'city ' || (i % 1000), i * 7, i * 0.25, '2024-05-01 10:00:00.123456',
                                CASE i % 2 WHEN 0 THEN '' ELSE NULL END, 'g' || (i % 13), i % 5, 'x', 'y', 'z' FROM n;"
    );
    database(&keep.path().join("a.db"), &make);
    fs::copy(keep.path().join("a.db"), keep.path().join("b.db")).unwrap();
    let verify = |what: &str, sql: &str, expected: [u64; 3], columns: &[(&str, u64)]| {
        let changed = rusqlite::Connection::open(keep.path().join("b.db")).unwrap();
        changed.execute_batch(sql).unwrap();
        drop(changed);
        let begun = std::time::Instant::now();
        let code = if expected == [0, 0, 0] { 0 } else { 7 };
        let told = run(
            keep.path(),
            &["verify", "--left", "sqlite:a.db#big", "--right", "sqlite:b.db#big", "--format", "json"],
            code,
        );
        eprintln!("{what}: {:.1} s", begun.elapsed().as_secs_f64());
        let answer: Json = serde_json::from_str(&told).unwrap();
        assert_eq!(counts(&answer), expected, "{what}");
        let columns: Vec<Json> =
            columns.iter().map(|(column, rows)| serde_json::json!({ "column": column, "rows": rows })).collect();
        assert_eq!(answer["changed_by_column"], Json::from(columns), "{what}");
    };
    let at = rows / 2 / 2 * 2;
    verify("equal", "SELECT 1", [0, 0, 0], &[]);
    let back = |column: &str| {
        format!("UPDATE big SET {column} = (SELECT o.{column} FROM old.big o WHERE o.id = {at}) WHERE id = {at}")
    };
    let restore = |columns: &[&str]| {
        let all: Vec<String> = columns.iter().map(|column| back(column)).collect();
        format!("ATTACH '{}' AS old; {}; DETACH old;", keep.path().join("a.db").display(), all.join("; "))
    };
    verify("1 row", &format!("DELETE FROM big WHERE id = {at}"), [1, 0, 0], &[]);
    let again = format!(
        "ATTACH '{}' AS old; INSERT INTO big SELECT * FROM old.big WHERE id = {at}; DETACH old;",
        keep.path().join("a.db").display()
    );
    verify("1 column", &format!("{again} UPDATE big SET i = 'X' WHERE id = {at}"), [0, 0, 1], &[("i", 1)]);
    let next = |undo: &[&str], sql: &str| format!("{} {sql} WHERE id = {at}", restore(undo));
    let micro = next(&["i"], "UPDATE big SET e = '2024-05-01 10:00:00.123457'");
    verify("1 microsecond", &micro, [0, 0, 1], &[("e", 1)]);
    verify("NULL against empty", &next(&["e"], "UPDATE big SET f = NULL"), [0, 0, 1], &[("f", 1)]);
    verify("trailing space", &next(&["f"], "UPDATE big SET b = b || ' '"), [0, 0, 1], &[("b", 1)]);
    verify("swapped columns", &next(&["b"], "UPDATE big SET a = b, b = a"), [0, 0, 1], &[("a", 1), ("b", 1)]);
    let twice = format!(
        "{} INSERT INTO big SELECT {rows} + 1, a, b, c, d, e, f, g, h, i, j, k FROM big WHERE id = {at}",
        restore(&["a", "b"])
    );
    verify("1 row more", &twice, [0, 1, 0], &[]);
}
