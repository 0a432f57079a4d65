//! The whole wrap, by the real binary: plan, apply, prove, refresh, roll back.
use std::{fs, path::Path, path::PathBuf};

use super::support::{carve, expect, folder};
use super::{one, sql};

/// What the lake's team has: a source system, a raw copy of it in the lake, jobs and a view on top.
const ROWS: &str = "(id INTEGER PRIMARY KEY, note VARCHAR, total DECIMAL(10,2), seen TIMESTAMP WITH TIME ZONE, paid BOOLEAN, spent INTERVAL)";
const SOURCE: &str = "SET TimeZone = 'UTC'; CREATE TABLE orders %ROWS%; INSERT INTO orders SELECT i, nullif('n' || i % 7, 'n3'), i * 1.5,
    TIMESTAMPTZ '2024-01-01 00:00:00+00' + i * INTERVAL '1 minute', i % 2 = 0, to_seconds(i) FROM range(1, 2501) t(i);";
const LAKE: &str =
    "CREATE SCHEMA mart; CREATE INDEX by_note ON raw.orders (note); COMMENT ON TABLE raw.orders IS 'all of them';
    CREATE VIEW mart.paid AS SELECT id, total FROM raw.orders WHERE paid;";
const CHANGES: &str = "UPDATE orders SET note = 'tab' || chr(9) || '\\N' WHERE id = 7; DELETE FROM orders WHERE id = 9;
    INSERT INTO orders VALUES (3000, '', -0.01, '0044-03-15 (BC) 12:00:00+00', NULL, '-1 month');";

pub(super) struct Estate {
    pub(super) folder: tempfile::TempDir,
}

impl Estate {
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn lake(&self) -> PathBuf {
        self.path().join("lake.duckdb")
    }

    fn source(&self) -> PathBuf {
        self.path().join("shop.duckdb")
    }

    pub(super) fn run(&self, arguments: &[&str], code: i32) -> String {
        let output = carve(self.path(), arguments).output().unwrap();
        expect(&output, arguments, code);
        String::from_utf8(output.stdout).unwrap()
    }

    pub(super) fn verified(&self) {
        let verified: serde_json::Value =
            serde_json::from_str(&self.run(&["verify", "sales", "--format", "json"], 0)).unwrap();
        assert_eq!(verified["equal"], true, "{verified}");
    }

    /// Every row of a table, as DuckDB writes it; for the orders of the source, without a schema.
    pub(super) fn all(&self, table: &str) -> String {
        let (file, table) = if table == "orders" { (self.source(), table) } else { (self.lake(), table) };
        one(&file, &format!("SELECT string_agg(CAST(o AS VARCHAR), chr(10) ORDER BY id) FROM {table} o"))
    }
}

/// An estate whose plan is drafted.
pub(super) fn planned(wraps: &str) -> Estate {
    let estate = Estate { folder: folder() };
    let source = SOURCE.replace("%ROWS%", ROWS);
    sql(&estate.source(), &source);
    sql(&estate.lake(), &format!("CREATE SCHEMA raw; USE raw; {source}; {LAKE}"));
    let write = |file: &str, text: String| {
        let path = estate.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "carve.yaml",
        format!(
            "lake: {{ url: \"duckdb:lake.duckdb?busy_timeout_ms=200\", dialect: duckdb }}\nbucket: {{ url: \"file:bucket\" }}\n\
             dialect: duckdb\nsources: {{ shop: {{ url: \"duckdb:shop.duckdb\" }} }}\nwraps: {{ default: {{ {wraps} }} }}\n"
        ),
    );
    let defaults = "defaults: { owner: team, domain: sales, dialect: duckdb, schedule: \"@daily\" }";
    write(
        "jobs/jobs.yaml",
        format!(
            "format: carve-jobs/1\n{defaults}\njobs:\n  import_orders:\n    kind: import\n    from: shop\n    tables:\n      \
             - {{ from: orders, into: raw.orders }}\n  daily:\n    sql: ../sql/daily.sql\n    target: mart.daily\n"
        ),
    );
    let daily = "SELECT seen::DATE AS day, count(*) AS n, sum(total) AS total, max(spent) AS spent FROM raw.orders GROUP BY 1\n";
    write("sql/daily.sql", daily.to_owned());
    fs::create_dir(estate.path().join("bucket")).unwrap();
    estate.run(&["plan", "."], 0);
    estate
}

#[test]
fn a_wrap_beside_from_the_source_is_proven_refreshed_and_rolled_back() {
    let estate = planned("mode: beside, origin: source");
    estate.run(&["apply", "sales", "--dry-run"], 0);
    assert_eq!(one(&estate.lake(), "SELECT count(*) FROM duckdb_tables()"), "1");
    let applied = estate.run(&["apply", "sales"], 0);
    assert!(applied.contains("downstream  daily (mart.daily)         equal"), "{applied}");
    estate.verified();
    assert!(fs::read_to_string(estate.path().join("sql/daily.sql")).unwrap().contains("raw.orders__import"));
    assert!(estate.run(&["refresh", "sales"], 0).contains("nothing changed"));
    sql(&estate.source(), CHANGES);
    assert!(estate.run(&["refresh", "sales"], 0).contains("published v1.0.1"));
    estate.verified();
    assert_eq!(estate.all("raw.orders__import"), estate.all("orders"));
    // A difference in the lake is found: one microsecond.
    sql(&estate.lake(), "UPDATE raw.orders__import SET seen = seen + INTERVAL '1 microsecond' WHERE id = 100");
    estate.run(&["verify", "sales"], 7);
    estate.run(&["rollback", "sales"], 0);
    assert_eq!(one(&estate.lake(), "SELECT string_agg(table_name, ',') FROM duckdb_tables()"), "orders");
    let schemas = "SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'carve'";
    assert_eq!(one(&estate.lake(), schemas), "0", "carve's own books go with the last table they speak of");
    assert!(!fs::read_to_string(estate.path().join("sql/daily.sql")).unwrap().contains("__import"));
}

#[test]
fn a_wrap_in_place_keeps_view_index_and_comment_and_comes_back() {
    let estate = planned("mode: in_place");
    let paid = "SELECT sum(total) || ' ' || count(*) FROM mart.paid";
    let (before, rows) = (one(&estate.lake(), paid), estate.all("raw.orders"));
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    assert_eq!((one(&estate.lake(), paid), estate.all("raw.orders")), (before, rows));
    let kept = "SELECT comment || ' ' || index_count FROM duckdb_tables() WHERE table_name = 'orders'";
    // The primary key's index and the other.
    assert_eq!(one(&estate.lake(), kept), "all of them 2");
    let columns =
        "SELECT string_agg(data_type, ',' ORDER BY column_index) FROM duckdb_columns() WHERE table_name = 'orders'";
    assert_eq!(one(&estate.lake(), columns), "INTEGER,VARCHAR,DECIMAL(10,2),TIMESTAMP WITH TIME ZONE,BOOLEAN,INTERVAL");
    sql(&estate.lake(), &CHANGES.replace(" orders ", " raw.orders__before_carve "));
    assert!(estate.run(&["refresh", "sales"], 0).contains("published v1.0.1"));
    estate.verified();
    assert_eq!(estate.all("raw.orders"), estate.all("raw.orders__before_carve"));
    // What an index finds is what is there.
    assert_eq!(one(&estate.lake(), "SELECT id FROM raw.orders WHERE note = ''"), "3000");
    estate.run(&["rollback", "sales"], 0);
    assert_eq!(one(&estate.lake(), "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'raw'"), "1");
    assert_eq!(one(&estate.lake(), "SELECT note FROM raw.orders WHERE id = 7"), "tab\t\\N");
    assert_eq!(one(&estate.lake(), "SELECT count(*) FROM raw.orders WHERE note = 'n1'"), "358");
    assert_eq!(one(&estate.lake(), "SELECT id FROM mart.paid WHERE id = 10"), "10");
    let books = "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'carve'";
    assert_eq!(one(&estate.lake(), books), "0");
    estate.run(&["apply", "sales"], 0);
    sql(&estate.lake(), "CREATE TABLE carve.mine (x INTEGER)");
    estate.run(&["rollback", "sales"], 0);
    assert_eq!(one(&estate.lake(), books), "4", "what others keep there stays, and the books, empty, with it");
}

#[test]
fn a_lake_that_another_program_has_open_blocks_before_step_one_and_says_what_to_do() {
    let estate = planned("mode: in_place");
    let held = duckdb::Connection::open(estate.lake()).unwrap();
    let output = carve(estate.path(), &["apply", "sales"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("the file is busy") && said.contains("busy_timeout_ms"), "{said}");
    assert_eq!(output.status.code(), Some(6), "{said}");
    drop(held);
    estate.run(&["apply", "sales"], 0);
}

#[test]
fn an_origin_in_sqlite_fills_a_lake_in_duckdb_and_the_other_way_round() {
    let estate = planned("mode: beside, origin: source, continuity: report");
    let settings = fs::read_to_string(estate.path().join("carve.yaml")).unwrap();
    fs::write(estate.path().join("sql/daily.sql"), "SELECT note, count(*) AS n FROM raw.orders GROUP BY 1\n").unwrap();
    let table =
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT, total NUMERIC, seen TEXT, paid BOOLEAN, spent TEXT);";
    let rows = "INSERT INTO orders VALUES (1, 'a', 1.5, '2024-01-01', 1, NULL), (9007199254740993, '', 2, NULL, 0, 'x'), (3, NULL, 1e300, '', NULL, '')";
    let sqlite = rusqlite::Connection::open(estate.path().join("shop.db")).unwrap();
    sqlite.execute_batch(&format!("{table}{rows}")).unwrap();
    fs::write(estate.path().join("carve.yaml"), settings.replace("duckdb:shop.duckdb", "sqlite:shop.db")).unwrap();
    estate.run(&["plan", "."], 0);
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    let found =
        "SELECT string_agg(concat_ws('|', id, note, total), ' ' ORDER BY id) FROM raw.orders__import WHERE total < 5";
    assert_eq!(one(&estate.lake(), found), "1|a|1.5 9007199254740993||2.0");
    estate.run(&["rollback", "sales"], 0);
    fs::create_dir(estate.path().join("lake")).unwrap();
    let lake = rusqlite::Connection::open(estate.path().join("lake/raw.db")).unwrap();
    lake.execute_batch(table).unwrap();
    let lake = "duckdb:lake.duckdb?busy_timeout_ms=200\", dialect: duckdb";
    fs::write(estate.path().join("carve.yaml"), settings.replace(lake, "sqlite:lake\", dialect: sqlite")).unwrap();
    estate.run(&["plan", "."], 0);
    estate.run(&["apply", "sales"], 0);
    estate.verified();
}
