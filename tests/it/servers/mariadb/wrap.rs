//! The whole wrap out of MariaDB into a lake of SQLite files, by the real binary.
use std::{fs, path::Path};

use super::{Database, password};
use crate::support::{carve, expect, files, folder};

const SOURCE: &str = "CREATE TABLE orders (id int unsigned PRIMARY KEY AUTO_INCREMENT, note varchar(40) COMMENT 'by the customer',
      total decimal(10,2) NOT NULL, at timestamp(6) NULL, paid boolean, spent time(6), state enum('new','done') CHARACTER SET latin1,
      photo blob);
    INSERT INTO orders SELECT seq, nullif(concat('n', seq % 7), 'n3'), seq * 1.5, '2024-01-01' + INTERVAL seq MINUTE, seq % 2,
      sec_to_time(seq), if(seq % 3, 'new', 'done'), unhex(sha1(seq)) FROM seq_1_to_2500;";
/// What the old import made of the first 2,400 orders.
const LAKE: &str = "CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT, total TEXT, at TEXT, paid INTEGER, spent TEXT, state TEXT, photo BLOB);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2400)
    INSERT INTO orders SELECT i, nullif('n' || i % 7, 'n3'), printf('%.2f', i * 1.5), NULL, i % 2, NULL, NULL, NULL FROM n;";

pub(super) struct Estate {
    folder: tempfile::TempDir,
}

impl Estate {
    /// An estate whose plan is drafted, over the tables at `source`.
    pub(super) fn planned(source: &str, wraps: &str) -> Estate {
        let estate = Estate { folder: folder() };
        let write = |file: &str, text: String| {
            let path = estate.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "carve.yaml",
            format!(
                "lake: {{ url: \"sqlite:lake\", dialect: sqlite }}\nbucket: {{ url: \"file:bucket\" }}\ndialect: sqlite\n\
                 sources: {{ shop: {{ url: \"{source}\" }} }}\nwraps: {{ default: {{ {wraps} }} }}\n"
            ),
        );
        let defaults = "defaults: { owner: team, domain: sales, dialect: sqlite, schedule: \"@daily\" }";
        write(
            "jobs/jobs.yaml",
            format!(
                "format: carve-jobs/1\n{defaults}\njobs:\n  import_orders:\n    kind: import\n    from: shop\n    tables:\n      \
                 - {{ from: orders, into: raw.orders }}\n  daily:\n    sql: ../sql/daily.sql\n    target: mart.daily\n"
            ),
        );
        write("sql/daily.sql", "SELECT state, count(*) AS n FROM raw.orders GROUP BY 1\n".to_owned());
        fs::create_dir(estate.path().join("bucket")).unwrap();
        fs::create_dir(estate.path().join("lake")).unwrap();
        estate.lake(LAKE);
        estate.run(&["plan", "."], 0);
        estate
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn lake(&self, script: &str) {
        rusqlite::Connection::open(self.path().join("lake/raw.db")).unwrap().execute_batch(script).unwrap();
    }

    /// The rows that SQLite answers with, a line a row.
    pub(super) fn lake_says(&self, sql: &str) -> String {
        let connection = rusqlite::Connection::open(self.path().join("lake/raw.db")).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    /// Runs carve; no byte of what it says holds the password.
    pub(super) fn run(&self, arguments: &[&str], code: i32) -> String {
        let output = carve(self.path(), arguments).output().unwrap();
        expect(&output, arguments, code);
        let said = String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap();
        assert!(!said.contains(&password()));
        said
    }

    pub(super) fn verified(&self) {
        let said = self.run(&["verify", "sales", "--format", "json"], 0);
        let verified: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(verified["equal"], true, "{verified}");
    }
}

const CHANGES: &str = "UPDATE orders SET note = 'tab\\t😀' WHERE id = 7; DELETE FROM orders WHERE id = 9;
    INSERT INTO orders VALUES (4294967295, '', -0.01, '1970-01-01 00:00:01.000001', NULL, '23:59:59.999999', 'done', '');";

#[test]
fn a_wrap_from_mariadb_is_proven_refreshed_and_rolled_back() {
    let Some(source) = Database::with(SOURCE) else { return };
    let estate = Estate::planned(&source.url(""), "mode: beside, origin: source, continuity: report");
    estate.run(&["apply", "sales", "--dry-run"], 0);
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    assert!(estate.run(&["refresh", "sales"], 0).contains("nothing changed"));
    source.sql(CHANGES);
    assert!(estate.run(&["refresh", "sales"], 0).contains("published v1.0.1"));
    estate.verified();
    let line = "id || '|' || coalesce(note, 'NULL') || '|' || total || '|' || at || '|' || spent || '|' || state || '|' || hex(photo)";
    assert_eq!(
        estate.lake_says(&format!("SELECT {line} FROM orders__import WHERE id > 2500 OR id = 7 ORDER BY id")),
        format!(
            "7|tab\t😀|10.50|2024-01-01T00:07:00Z|00:00:07|new|{}\n\
             4294967295||-0.01|1970-01-01T00:00:01.000001Z|23:59:59.999999|done|",
            source.sql("SELECT hex(photo) FROM orders WHERE id = 7")
        )
    );
    assert_eq!(estate.lake_says("SELECT count(*) || '' FROM orders__import"), "2500");
    let written = files(estate.path());
    let (_, contract) = written.iter().rfind(|(path, _)| path.to_string_lossy().ends_with(".odcs.yaml")).unwrap();
    let contract = String::from_utf8_lossy(contract);
    for told in ["by the customer", "int unsigned", "decimal(10,2)", "timestamp(6)"] {
        assert!(contract.contains(told), "{told} in\n{contract}");
    }
    // A difference in the lake is found: one microsecond.
    estate.lake("UPDATE orders__import SET at = '2024-01-01T00:08:00.000001Z' WHERE id = 8");
    estate.run(&["verify", "sales"], 7);
    estate.run(&["rollback", "sales"], 0);
    no_file_holds_the_password(&estate);
}

#[test]
fn a_value_that_cannot_be_kept_stops_the_wrap_with_its_place_and_the_cure_works() {
    let Some(source) = Database::with(SOURCE) else { return };
    source.sql("UPDATE orders SET spent = '-838:59:59' WHERE id = 2000");
    let estate = Estate::planned(&source.url(""), "mode: beside, origin: source, continuity: report");
    let said = estate.run(&["apply", "sales"], 4);
    assert!(said.contains("row 2000") && said.contains("`spent`") && said.contains("-838:59:59.000000"), "{said}");
    estate.run(&["rollback", "sales"], 0);
    let settings = fs::read_to_string(estate.path().join("carve.yaml")).unwrap();
    let cured =
        settings.replace("continuity: report }", "continuity: report }, sales: { columns: { orders.spent: text } }");
    fs::write(estate.path().join("carve.yaml"), cured).unwrap();
    estate.run(&["plan", "."], 0);
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    assert_eq!(estate.lake_says("SELECT spent FROM orders__import WHERE id = 2000"), "-838:59:59.000000");
}

fn no_file_holds_the_password(estate: &Estate) {
    let password = password();
    for (path, bytes) in files(estate.path()) {
        let found = bytes.windows(password.len()).any(|window| window == password.as_bytes());
        assert!(!found, "{path:?} holds the password");
    }
}
