//! The whole wrap of an API's data by the real binary: plan, apply, prove, refresh; and no byte of the token anywhere.
use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use crate::api::{Api, Asked, Reply};
use crate::support::{carve, expect, files, folder};

const TOKEN: &str = "hunter2-SECRET";
const PAGE: usize = 1_000;

/// What the microservice holds: identity and note.
type Held = Arc<Mutex<Vec<(i64, String)>>>;

struct Estate {
    folder: tempfile::TempDir,
    api: Api,
    held: Held,
    /// Whether a row is added at the front before each question.
    busy: Arc<Mutex<bool>>,
}

fn answer(asked: &Asked, held: &Held, busy: &Mutex<bool>) -> Reply {
    if asked.headers.get("authorization").map(String::as_str) != Some(&format!("Bearer {TOKEN}")) {
        return Reply::With(401, vec![], format!("not {:?}", asked.headers));
    }
    if asked.path != "/v1/orders" {
        return Reply::With(404, vec![], format!("nothing here for {:?}", asked.headers));
    }
    let mut held = held.lock().unwrap();
    if *busy.lock().unwrap() {
        let lowest = held[0].0;
        held.insert(0, (lowest - 1, "new".to_owned()));
    }
    let from = asked.number("offset", 0).min(held.len());
    let page = &held[from..(from + PAGE).min(held.len())];
    let item = |(id, note): &(i64, String)| {
        let note = serde_json::to_string(note).unwrap();
        let total = id % 100;
        format!("{{\"id\": {id}, \"note\": {note}, \"total\": {total}.10, \"lines\": [{{\"sku\": \"a\", \"n\": 1}}]}}")
    };
    let items: Vec<String> = page.iter().map(item).collect();
    Reply::Json(format!("{{\"items\": [{}], \"offset\": {from}, \"total\": {}}}", items.join(",\n"), held.len()))
}

impl Estate {
    fn new() -> Estate {
        let held: Held = Arc::new(Mutex::new((1..2_501).map(|id| (id, format!("note {}", id % 7))).collect()));
        let busy = Arc::new(Mutex::new(false));
        let (its, when) = (held.clone(), busy.clone());
        let api = Api::serve(move |asked| answer(asked, &its, &when));
        let estate = Estate { folder: folder(), api, held, busy };
        for folder in ["bucket", "lake"] {
            fs::create_dir(estate.path().join(folder)).unwrap();
        }
        let legacy = rusqlite::Connection::open(estate.path().join("lake/raw.db")).unwrap();
        legacy.execute_batch("CREATE TABLE orders (id INTEGER, note TEXT, total TEXT, lines TEXT)").unwrap();
        estate.write(
            "carve.yaml",
            &format!(
                "lake: {{ url: \"sqlite:lake\", dialect: sqlite }}\nbucket: {{ url: \"file:bucket\" }}\n\
                 sources: {{ shop: {{ url: \"{}\" }} }}\n\
                 wraps: {{ default: {{ mode: beside, origin: source, continuity: report }} }}\n",
                estate.api.url("?token=env:SHOP_TOKEN")
            ),
        );
        estate.write(
            "jobs/jobs.yaml",
            "format: carve-jobs/1\n\
             defaults: { owner: team, domain: sales, dialect: sqlite, schedule: \"@daily\" }\n\
             jobs:\n  import_orders:\n    kind: import\n    from: shop\n    tables:\n      - { from: orders, into: raw.orders }\n  \
             daily:\n    sql: ../sql/daily.sql\n    target: mart.daily\n",
        );
        estate.write("sql/daily.sql", "SELECT note, count(*) AS n FROM raw.orders GROUP BY note\n");
        estate.run(&["plan", "."], 0);
        estate
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs carve; no byte of what it says holds the token.
    fn run(&self, arguments: &[&str], code: i32) -> String {
        self.run_with(TOKEN, arguments, code)
    }

    fn run_with(&self, token: &str, arguments: &[&str], code: i32) -> String {
        let output = carve(self.path(), arguments).env("SHOP_TOKEN", token).output().unwrap();
        expect(&output, arguments, code);
        let said = String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap();
        assert!(!said.contains(TOKEN), "{said}");
        said
    }

    fn verified(&self) {
        let output = carve(self.path(), &["verify", "sales", "--format", "json"]).env("SHOP_TOKEN", TOKEN).output();
        let verified: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
        assert_eq!(verified["equal"], true, "{verified}");
    }

    /// What the lake says to a question about the import.
    fn lake(&self, question: &str) -> String {
        let lake = rusqlite::Connection::open(self.path().join("lake/raw.db")).unwrap();
        let sql = format!("SELECT CAST({question} AS TEXT) FROM orders__import");
        lake.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    fn publications(&self) -> usize {
        files(&self.path().join("bucket/data-services/sales/schemata")).len()
    }

    fn no_file_holds_the_token(&self) {
        for (path, bytes) in files(self.path()) {
            assert!(!bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()), "{path:?}");
        }
    }
}

#[test]
fn an_api_is_wrapped_proven_and_followed() {
    let estate = Estate::new();
    estate.run(&["apply", "sales", "--dry-run"], 0);
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    assert_eq!(estate.lake("count(*) || ' ' || sum(id)"), "2500 3126250");
    assert_eq!(estate.lake("max(CASE id WHEN 7 THEN total || lines END)"), r#"7.1[{"n":1,"sku":"a"}]"#);
    let contract = files(&estate.path().join("bucket/data-services/sales/schemata"));
    let contract = String::from_utf8(contract.values().next().unwrap().clone()).unwrap();
    assert!(contract.contains("primaryKey: true"), "{contract}");
    let asked = estate.api.asked().len();
    assert!(estate.run(&["refresh", "sales"], 0).contains("nothing changed"));
    // Three pages a reading; described twice at most, and read once more where that agrees.
    assert!(estate.api.asked().len() - asked <= 10, "{:?}", &estate.api.asked()[asked..]);

    {
        let mut held = estate.held.lock().unwrap();
        held.remove(1_500);
        held[7].1 = "tab\t👩‍👧 é".to_owned();
        held.push((9_007_199_254_740_993, String::new()));
    }
    assert!(estate.run(&["refresh", "sales"], 0).contains("published v1.0.1"));
    estate.verified();
    assert_eq!(estate.lake("count(*) || ' ' || max(id)"), "2500 9007199254740993");
    assert_eq!(estate.lake("max(CASE id WHEN 8 THEN note END)"), "tab\t👩‍👧 é");
    assert!(estate.run(&["refresh", "sales"], 0).contains("nothing changed"));
    assert_eq!(estate.publications(), 2);
    estate.no_file_holds_the_token();
    estate.run(&["rollback", "sales"], 0);
    estate.no_file_holds_the_token();
}

#[test]
fn an_endpoint_that_gives_no_items_any_more_is_followed_and_none_begins_with_one() {
    let estate = Estate::new();
    let kept = std::mem::take(&mut *estate.held.lock().unwrap());
    // Nothing tells the columns of what was never published.
    let said = estate.run(&["apply", "sales"], 4);
    assert!(said.contains("gives no items") && said.contains("run carve again when there are some"), "{said}");
    assert!(!estate.path().join("bucket/data-services/sales").exists());
    estate.held.lock().unwrap().clone_from(&kept);
    estate.run(&["apply", "sales"], 0);

    estate.held.lock().unwrap().clear();
    assert!(estate.run(&["refresh", "sales"], 0).contains("published v1.0.1"));
    estate.verified();
    assert_eq!(estate.lake("count(*)"), "0");
    assert!(estate.run(&["refresh", "sales"], 0).contains("nothing changed"));

    estate.held.lock().unwrap().extend(kept.into_iter().take(3));
    assert!(estate.run(&["refresh", "sales"], 0).contains("published v1.0.2"));
    estate.verified();
    assert_eq!(estate.lake("count(*) || ' ' || sum(id)"), "3 6");
}

#[test]
fn what_changes_while_it_is_read_is_never_published() {
    let estate = Estate::new();
    estate.run(&["apply", "sales"], 0);
    *estate.busy.lock().unwrap() = true;
    let said = estate.run(&["refresh", "sales"], 5);
    assert!(said.contains("at one state") && said.contains("reads=1"), "{said}");
    assert_eq!(estate.publications(), 1);
    *estate.busy.lock().unwrap() = false;
    assert!(estate.run(&["refresh", "sales"], 0).contains("published v1.0.1"));
    estate.verified();
    estate.no_file_holds_the_token();
}

#[test]
fn credentials_that_the_api_does_not_take_block_before_step_one() {
    let estate = Estate::new();
    let said = estate.run_with("wrong", &["apply", "sales"], 4);
    assert!(said.contains("401") && said.contains("token=env:NAME"), "{said}");
    let said = estate.run_with("", &["apply", "sales"], 4);
    assert!(said.contains("SHOP_TOKEN"), "{said}");
    assert!(!estate.path().join("bucket/data-services/sales").exists());
    estate.run(&["apply", "sales"], 0);
    estate.no_file_holds_the_token();
}
