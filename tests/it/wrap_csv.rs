//! The wrap of a folder of CSV files beside a raw table that has types.
use std::fs;

use crate::support::{carve, folder, run};

const SETTINGS: &str = "lake: { url: \"sqlite:lake\" }\nbucket: { url: \"file:bucket\" }\ndialect: sqlite\n\
                        wraps:\n  default: { mode: beside, origin: source }\n";
const JOBS: &str = "format: carve-jobs/1
sources:
  drop: { kind: files, url: \"file:drop\", owner: team, domain: things }
jobs:
  imp:
    kind: import
    schedule: \"@hourly\"
    from: drop
    tables:
      - { from: things, into: raw.things }
  daily: { sql: ../sql/daily.sql, target: mart.daily }
";

#[test]
fn a_column_of_a_csv_file_is_of_the_type_that_is_declared() {
    let keep = folder();
    let at = keep.path();
    for (file, text) in [
        ("carve.yaml", SETTINGS),
        ("jobs/jobs.yaml", JOBS),
        ("sql/daily.sql", "SELECT t, sum(id) AS n FROM raw.things GROUP BY t\n"),
        ("drop/things.csv", "id,t\n1,a\n2,\n,\"\"\n"),
        ("bucket/.keep", ""),
        ("lake/.keep", ""),
    ] {
        let path = at.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let lake = rusqlite::Connection::open(at.join("lake/raw.db")).unwrap();
    lake.execute_batch(
        "CREATE TABLE things (id INTEGER, t TEXT); INSERT INTO things VALUES (1, 'a'), (2, NULL), (NULL, '')",
    )
    .unwrap();
    let fails = |arguments: &[&str], words: &[&str]| {
        let output = carve(at, arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{told}");
        words.iter().for_each(|word| assert!(told.contains(word), "{word} is not in {told}"));
    };
    run(at, &["plan", "."], 0);
    fails(&["apply", "things"], &["`id`", "the type `integer`", "wraps"]);
    // As that failure says.
    run(at, &["rollback", "things"], 0);
    fs::write(at.join("carve.yaml"), format!("{SETTINGS}  things: {{ columns: {{ \"things.id\": integer }} }}\n"))
        .unwrap();
    run(at, &["plan", "."], 0);
    run(at, &["apply", "things"], 0);
    let kept =
        "SELECT group_concat(coalesce(typeof(id) || id, 'none') || coalesce(':' || t, ''), ' ') FROM things__import";
    let kept: String = lake.query_row(kept, [], |row| row.get(0)).unwrap();
    assert_eq!(kept, "integer1:a integer2 none:");
    run(at, &["verify", "things"], 0);
    fs::write(at.join("drop/things.csv"), "id,t\n1,a\n2x,b\n").unwrap();
    fails(&["refresh", "things"], &["`id`", "row 2", "holds `2x`, which is no integer"]);
}
