//! The whole wrap, by the real binary: plan, apply, prove, refresh, roll back.
use std::{
    fs,
    path::Path,
    process::{Child, Output, Stdio},
};

use super::{Database, password};
use crate::support::{carve, expect, files, folder};

/// What the lake's team has: a source system, a raw copy of it in the lake, jobs and a view on top.
const SOURCE: &str = "CREATE TABLE orders (id int PRIMARY KEY, note text, total numeric(10,2), at timestamptz, paid boolean, spent interval);
    INSERT INTO orders SELECT i, nullif('n' || i % 7, 'n3'), i * 1.5, '2024-01-01'::timestamptz + i * interval '1 minute', i % 2 = 0, i * interval '1 s'
    FROM generate_series(1, 2500) i;";
const LAKE: &str = "CREATE SCHEMA raw; CREATE SCHEMA mart; ALTER TABLE orders SET SCHEMA raw; CREATE INDEX by_note ON raw.orders (note);
    CREATE VIEW mart.paid AS SELECT id, total FROM raw.orders WHERE paid;";

pub(super) struct Estate {
    pub(super) folder: tempfile::TempDir,
    pub(super) source: Database,
    pub(super) lake: Database,
    /// Its bucket's address.
    pub(super) bucket: String,
}

impl Estate {
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs carve; no byte of what it says holds the password.
    pub(super) fn run(&self, arguments: &[&str], code: i32) -> String {
        let output = self.output(arguments);
        expect(&output, arguments, code);
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same, whatever the exit code; what was said on both outputs comes with it.
    pub(super) fn tried(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.output(arguments);
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    fn output(&self, arguments: &[&str]) -> Output {
        let output = carve(self.path(), arguments).output().unwrap();
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        assert!(!String::from_utf8_lossy(&said).contains(&password()));
        output
    }

    /// carve at work, its words kept from the terminal.
    pub(super) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = carve(self.path(), arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// carve.yaml, changed.
    pub(super) fn set(&self, from: &str, to: &str) {
        let file = self.path().join("carve.yaml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(file, text.replace(from, to)).unwrap();
    }

    pub(super) fn verified(&self) {
        let verified: serde_json::Value =
            serde_json::from_str(&self.run(&["verify", "sales", "--format", "json"], 0)).unwrap();
        assert_eq!(verified["equal"], true, "{verified}");
    }
}

/// The source system, and the lake with its copy.
pub(super) fn scripts() -> (String, String) {
    (SOURCE.to_owned(), format!("{SOURCE}{LAKE}"))
}

/// An estate whose plan is drafted, and whose bucket is a folder.
pub(super) fn planned(wraps: &str) -> Option<Estate> {
    let (source, lake) = scripts();
    Some(planned_between(Database::with(&source)?, Database::with(&lake)?, "file:bucket", wraps))
}

/// The same over these databases and with this bucket.
pub(super) fn planned_between(source: Database, lake: Database, bucket: &str, wraps: &str) -> Estate {
    let estate = Estate { folder: folder(), source, lake, bucket: bucket.to_owned() };
    let write = |file: &str, text: String| {
        let path = estate.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "carve.yaml",
        format!(
            "lake: {{ url: \"{}\", dialect: postgres }}\nbucket: {{ url: \"{bucket}\" }}\ndialect: postgres\n\
             sources: {{ shop: {{ url: \"{}\" }} }}\nwraps: {{ default: {{ {wraps} }} }}\n",
            estate.lake.url(""),
            estate.source.url("")
        ),
    );
    let defaults = "defaults: { owner: team, domain: sales, dialect: postgres, schedule: \"@daily\" }";
    write(
        "jobs/jobs.yaml",
        format!(
            "format: carve-jobs/1\n{defaults}\njobs:\n  import_orders:\n    kind: import\n    from: shop\n    tables:\n      \
             - {{ from: orders, into: raw.orders }}\n  daily:\n    sql: ../sql/daily.sql\n    target: mart.daily\n"
        ),
    );
    let daily =
        "SELECT at::date AS day, count(*) AS n, sum(total) AS total, max(spent) AS spent FROM raw.orders GROUP BY 1\n";
    write("sql/daily.sql", daily.to_owned());
    fs::create_dir(estate.path().join("bucket")).unwrap();
    estate.run(&["plan", "."], 0);
    estate
}

const CHANGES: &str = "UPDATE orders SET note = E'tab\\t\\\\N' WHERE id = 7; DELETE FROM orders WHERE id = 9;
    INSERT INTO orders VALUES (3000, '', -0.01, '0044-03-15 12:00+00 BC', NULL, '-1 mon');";

#[test]
fn a_wrap_beside_from_the_source_is_proven_refreshed_and_rolled_back() {
    let Some(estate) = planned("mode: beside, origin: source") else { return };
    estate.run(&["apply", "sales", "--dry-run"], 0);
    assert_eq!(
        estate.lake.sql("SELECT to_regclass('raw.orders__import') IS NULL AND to_regnamespace('carve_books') IS NULL"),
        "t"
    );
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    assert!(fs::read_to_string(estate.path().join("sql/daily.sql")).unwrap().contains("raw.orders__import"));
    assert!(estate.run(&["refresh", "sales"], 0).contains("nothing changed"));
    estate.source.sql(CHANGES);
    assert!(estate.run(&["refresh", "sales"], 0).contains("published v1.0.1"));
    estate.verified();
    let all = |table: &str| format!("SELECT * FROM {table} ORDER BY id");
    assert_eq!(estate.lake.sql(&all("raw.orders__import")), estate.source.sql(&all("orders")));
    // A difference in the lake is found: one microsecond.
    estate.lake.sql("UPDATE raw.orders__import SET at = at + interval '1 microsecond' WHERE id = 100");
    estate.run(&["verify", "sales"], 7);
    estate.run(&["rollback", "sales"], 0);
    // Carve's own books go with the last table they speak of.
    let gone = "SELECT to_regclass('raw.orders__import') IS NULL AND to_regnamespace('carve_books') IS NULL";
    assert_eq!(estate.lake.sql(gone), "t");
    assert!(!fs::read_to_string(estate.path().join("sql/daily.sql")).unwrap().contains("__import"));
    no_file_holds_the_password(&estate);
}

#[test]
fn a_wrap_in_place_keeps_the_view_and_comes_back() {
    let Some(estate) = planned("mode: in_place") else { return };
    let rows = "SELECT sum(total) FROM mart.paid; SELECT count(*) FROM raw.orders";
    let before = estate.lake.sql(rows);
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    assert_eq!(estate.lake.sql(rows), before);
    estate.lake.sql(&CHANGES.replace(" orders ", " raw.orders__before_carve "));
    assert!(estate.run(&["refresh", "sales"], 0).contains("published v1.0.1"));
    estate.verified();
    let all = |table: &str| format!("SELECT * FROM {table} ORDER BY id");
    assert_eq!(estate.lake.sql(&all("raw.orders")), estate.lake.sql(&all("raw.orders__before_carve")));
    estate.run(&["rollback", "sales"], 0);
    assert_eq!(
        estate.lake.sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'orders\\_\\_%' AND relkind = 'r'"),
        "0"
    );
    assert_eq!(estate.lake.sql("SELECT note FROM raw.orders WHERE id = 7"), "tab\t\\N");
    assert_eq!(estate.lake.sql("SELECT id FROM mart.paid WHERE id = 10"), "10");
    let books = "SELECT to_regnamespace('carve_books') IS NULL, to_regclass('carve_books.mine') IS NULL";
    assert_eq!(estate.lake.sql(books), "t|t", "carve's own books go with the last table they speak of");
    estate.run(&["apply", "sales"], 0);
    estate.lake.sql("CREATE TABLE carve_books.mine (x int)");
    estate.run(&["rollback", "sales"], 0);
    assert_eq!(estate.lake.sql(books), "f|f", "what others keep there stays");
    no_file_holds_the_password(&estate);
}

#[test]
fn an_origin_in_postgres_fills_a_lake_in_sqlite_and_the_other_way_round() {
    let Some(estate) = planned("mode: beside, origin: source, continuity: report") else { return };
    let settings = fs::read_to_string(estate.path().join("carve.yaml")).unwrap();
    let (lake, source) = (estate.lake.url(""), estate.source.url(""));
    let sqlite = estate.path().join("lake.db");
    let table =
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT, total NUMERIC, at TEXT, paid BOOLEAN, spent TEXT);";
    rusqlite::Connection::open(&sqlite).unwrap().execute_batch(table).unwrap();
    fs::create_dir(estate.path().join("lake")).unwrap();
    fs::copy(&sqlite, estate.path().join("lake/raw.db")).unwrap();
    fs::write(
        estate.path().join("carve.yaml"),
        settings.replace(&lake, "sqlite:lake").replace("lake\", dialect: postgres", "lake\", dialect: sqlite"),
    )
    .unwrap();
    estate.run(&["plan", "."], 0);
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    estate.run(&["rollback", "sales"], 0);
    let rows = "INSERT INTO orders VALUES (1, 'a', 1.5, '2024-01-01', 1, NULL), (9007199254740993, '', 2, NULL, 0, 'x'), (3, NULL, 1e300, '', NULL, '')";
    rusqlite::Connection::open(&sqlite).unwrap().execute_batch(rows).unwrap();
    fs::write(estate.path().join("carve.yaml"), settings.replace(&source, "sqlite:lake.db")).unwrap();
    estate.run(&["plan", "."], 0);
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    assert_eq!(
        estate.lake.sql("SELECT id, note, total FROM raw.orders__import WHERE total < 5 ORDER BY id"),
        "1|a|1.5\n9007199254740993||2"
    );
}

fn no_file_holds_the_password(estate: &Estate) {
    let password = password();
    for (path, bytes) in files(estate.path()) {
        let found = bytes.windows(password.len()).any(|window| window == password.as_bytes());
        assert!(!found, "{path:?} holds the password");
    }
}
