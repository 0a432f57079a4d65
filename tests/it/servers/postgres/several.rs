//! Two services of one lake in PostgreSQL: applied side by side, killed, one of them broken; neither touches the other.
use std::{fs, process::Stdio};

use super::{Database, password};
use crate::servers::store::{self, Random};
use crate::support::{carve, expect, folder};

const SHOP: &str = "CREATE TABLE orders (id int PRIMARY KEY, note text, total numeric(10,2));
    INSERT INTO orders SELECT i, 'n' || i, i * 1.5 FROM generate_series(1, 3000) i;";
const CRM: &str = "CREATE TABLE people (id int PRIMARY KEY, name text); INSERT INTO people SELECT i, 'p' || i FROM generate_series(1, 3000) i;";

struct Two {
    folder: tempfile::TempDir,
    shop: Database,
    crm: Database,
    lake: Database,
}

impl Two {
    fn planned() -> Option<Two> {
        let bucket = store::own()?;
        let both = "CREATE SCHEMA raw; CREATE SCHEMA mart; ALTER TABLE orders SET SCHEMA raw; ALTER TABLE people SET SCHEMA raw";
        let lake = Database::with(&format!("{SHOP} {CRM} {both}"))?;
        let two = Two { folder: folder(), shop: Database::with(SHOP)?, crm: Database::with(CRM)?, lake };
        let write = |file: &str, text: String| {
            let path = two.folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "carve.yaml",
            format!(
                "lake: {{ url: \"{}\", dialect: postgres }}\nbucket: {{ url: \"{bucket}\" }}\ndialect: postgres\n\
                 sources: {{ shop: {{ url: \"{}\" }}, crm: {{ url: \"{}\" }} }}\n\
                 wraps: {{ default: {{ mode: beside, origin: source, rows_per_part: 100 }} }}\n",
                two.lake.url(""),
                two.shop.url(""),
                two.crm.url("")
            ),
        );
        for (domain, system, table) in [("sales", "shop", "orders"), ("people", "crm", "people")] {
            let name = format!("import_{table}");
            write(
                &format!("jobs/{domain}.yaml"),
                format!(
                    "format: carve-jobs/1\ndefaults: {{ owner: team-{domain}, domain: {domain}, dialect: postgres, schedule: \"@daily\" }}\n\
                     jobs:\n  {name}:\n    kind: import\n    from: {system}\n    tables:\n      - {{ from: {table}, into: raw.{table} }}\n  \
                     count_{table}:\n    sql: ../sql/{table}.sql\n    target: mart.{table}\n"
                ),
            );
            write(&format!("sql/{table}.sql"), format!("SELECT count(*) AS n FROM raw.{table}\n"));
        }
        two.run(&["plan", "."], 0);
        Some(two)
    }

    fn run(&self, arguments: &[&str], code: i32) -> String {
        let output = carve(self.folder.path(), arguments).output().unwrap();
        expect(&output, arguments, code);
        let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
        assert!(!said.contains(&password()));
        said
    }

    fn whole(&self) {
        for (service, source, table) in [("sales", &self.shop, "orders"), ("people", &self.crm, "people")] {
            self.run(&["verify", service], 0);
            let all = |table: &str| format!("SELECT * FROM {table} ORDER BY id");
            assert_eq!(self.lake.sql(&all(&format!("raw.{table}__import"))), source.sql(&all(table)));
        }
    }
}

#[test]
fn two_services_are_applied_at_a_time_and_killed_at_a_time() {
    let Some(two) = Two::planned() else { return };
    let mut random = Random::of(3);
    for _ in 0..4 {
        let mut command = carve(two.folder.path(), &["apply", "--all", "--jobs", "2"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100 + random.below(900)));
        let _ = child.kill();
        child.wait().unwrap();
    }
    let said = two.run(&["apply", "--all", "--jobs", "2"], 0);
    assert!(said.contains("sales") && said.contains("people"), "{said}");
    two.whole();
    for service in ["sales", "people"] {
        assert!(two.run(&["refresh", service], 0).contains("nothing changed"));
    }
    two.run(&["rollback", "sales"], 0);
    assert_eq!(two.lake.sql("SELECT to_regclass('raw.orders__import') IS NULL"), "t");
    two.run(&["verify", "people"], 0);
}

#[test]
fn a_service_whose_source_is_gone_holds_the_other_one_not_back() {
    let Some(two) = Two::planned() else { return };
    two.crm.sql("ALTER TABLE people RENAME TO folk");
    let said = two.run(&["apply", "--all", "--jobs", "2"], 4);
    assert!(said.contains("there is no table `crm:people`"), "{said}");
    two.run(&["verify", "sales"], 0);
    two.crm.sql("ALTER TABLE folk RENAME TO people");
    two.run(&["apply", "--all", "--jobs", "2"], 0);
    two.whole();
}
