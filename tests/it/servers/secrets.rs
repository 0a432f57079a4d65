//! What opens PostgreSQL, MariaDB, an API and S3 is planted where it belongs, and found nowhere else: in no answer, no
//! error, no file and no object, whether things go well or badly.
use std::{fs, path::Path};

use super::{mariadb, postgres, store};
use crate::api::{Api, Reply};
use crate::support::{carve, files, folder};

const TOKEN: &str = "planted-api-token";
const STORE: &str = "planted-store-secret";
const WRONG: &str = "planted-wrong-password";

const TABLE: &str = "(id int PRIMARY KEY, note varchar(40))";
const ROWS: &str = "VALUES (1, 'a'), (2, ''), (3, NULL)";

struct Estate {
    folder: tempfile::TempDir,
    /// Addresses with the password in them, by the variable that holds each.
    variables: Vec<(&'static str, String)>,
    told: Vec<String>,
}

impl Estate {
    fn secrets() -> Vec<String> {
        let own = [TOKEN, STORE, WRONG].map(str::to_owned);
        own.into_iter().chain([postgres::password(), mariadb::password()]).collect()
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs carve in both forms and listens for secrets; the code of the last run.
    fn run(&mut self, arguments: &[&str]) -> Option<i32> {
        let mut code = None;
        for format in ["json", "text"] {
            let arguments = [arguments, &["--format", format]].concat();
            let mut command = carve(self.path(), &arguments);
            command.env("API_TOKEN", TOKEN).env("AWS_SECRET_ACCESS_KEY", STORE).env("WRONG", WRONG);
            command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
            let output = command.envs(self.variables.iter().cloned()).output().unwrap();
            code = output.status.code();
            let said = [&output.stdout[..], &output.stderr[..]].concat();
            self.look(&format!("carve {}", arguments.join(" ")), &said);
            assert!(!String::from_utf8_lossy(&said).contains("panicked"), "{}", String::from_utf8_lossy(&said));
            for (path, bytes) in files(self.path()) {
                self.look(&format!("{} after carve {}", path.display(), arguments.join(" ")), &bytes);
            }
        }
        code
    }

    fn look(&mut self, place: &str, bytes: &[u8]) {
        for secret in Estate::secrets() {
            if bytes.windows(secret.len()).any(|window| window == secret.as_bytes()) {
                self.told.push(format!("{place} holds {secret}"));
            }
        }
    }
}

fn jobs(system: &str, table: &str) -> String {
    format!(
        "format: carve-jobs/1\ndefaults: {{ owner: team-{system}, domain: {system}, dialect: postgres, schedule: \"@daily\" }}\n\
         jobs:\n  import_{table}:\n    kind: import\n    from: {system}\n    tables:\n      - {{ from: {table}, into: raw.{table} }}\n  \
         count_{table}:\n    sql: ../sql/{table}.sql\n    target: mart.{table}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_carve_says_writes_or_publishes_holds_what_opens_a_server() {
    let make = |table: &str| format!("CREATE TABLE {table} {TABLE}; INSERT INTO {table} {ROWS};");
    let (Some(bucket), Some(shop)) = (store::own(), postgres::Database::with(&make("orders"))) else { return };
    let Some(crm) = mariadb::Database::with(&make("people")) else { return };
    let tables =
        ["orders", "people", "prices"].map(|table| format!("{} ALTER TABLE {table} SET SCHEMA raw;", make(table)));
    let lake =
        postgres::Database::with(&format!("CREATE SCHEMA raw; CREATE SCHEMA mart; {}", tables.concat())).unwrap();
    let api = Api::serve(|asked| match asked.headers.get("authorization").map(String::as_str) {
        Some(token) if token == format!("Bearer {TOKEN}") => Reply::Json(
            "[{\"id\": 1, \"note\": \"a\"}, {\"id\": 2, \"note\": \"\"}, {\"id\": 3, \"note\": null}]".to_owned(),
        ),
        // An API that tells what it was sent, as some do.
        other => Reply::With(401, vec![], format!("no: {other:?}")),
    });
    let with_password = |url: &str, password: &str| {
        let plain = url.split('?').next().unwrap();
        plain.replace("carve@", &format!("carve:{password}@"))
    };
    let variables = vec![
        ("LAKE_URL", with_password(&lake.url(""), &postgres::password())),
        ("CRM_URL", with_password(&crm.url(""), &mariadb::password())),
        ("WRONG_LAKE", with_password(&lake.url(""), WRONG)),
        ("WRONG_CRM", with_password(&crm.url(""), WRONG)),
    ];
    let mut estate = Estate { folder: folder(), variables, told: Vec::new() };
    let settings = format!(
        "lake: {{ url: \"env:LAKE_URL\", dialect: postgres }}\nbucket: {{ url: \"{bucket}\" }}\ndialect: postgres\nsources:\n  \
         shop: {{ url: \"{}\" }}\n  crm: {{ url: \"env:CRM_URL\" }}\n  tariff: {{ url: \"{}\" }}\n\
         wraps: {{ default: {{ mode: beside, origin: source, continuity: report }} }}\n",
        shop.url(""),
        api.url("?token=env:API_TOKEN")
    );
    estate.write("carve.yaml", &settings);
    for (system, table) in [("shop", "orders"), ("crm", "people"), ("tariff", "prices")] {
        estate.write(&format!("jobs/{table}.yaml"), &jobs(system, table));
        estate.write(&format!("sql/{table}.sql"), &format!("SELECT count(*) AS n FROM raw.{table}\n"));
    }
    for command in [&["scan"][..], &["plan", "."], &["apply", "--all", "--dry-run"]] {
        assert_eq!(estate.run(command), Some(0), "{command:?}");
    }
    let services = ["shop", "crm", "tariff"];
    assert_eq!(estate.run(&["apply", "--all"]), Some(0));
    for service in services {
        for command in
            [&["verify", service][..], &["refresh", service, "--metrics", "m.prom"], &["switchover", service]]
        {
            assert_eq!(estate.run(command), Some(0), "{command:?}");
        }
    }
    for command in [&["status"][..], &["catalog"], &["report"]] {
        assert_eq!(estate.run(command), Some(0), "{command:?}");
    }
    let sides =
        ["verify", "--left", "env:LAKE_URL#raw.people__import", "--right", "env:CRM_URL#people", "--junit", "j.xml"];
    assert_eq!(estate.run(&sides), Some(0));
    let api_side = api.url("?token=env:API_TOKEN#prices");
    assert_eq!(estate.run(&["verify", "--left", &api_side, "--right", "env:LAKE_URL#raw.prices__import"]), Some(0));

    // And all of it when the servers say no, or are not there.
    for (service, from, to) in [
        ("shop", "env:LAKE_URL", "env:WRONG_LAKE"),
        ("crm", "env:CRM_URL", "env:WRONG_CRM"),
        ("tariff", "token=env:API_TOKEN", "token=env:WRONG"),
        ("shop", store::server_of(&bucket), "127.0.0.1:9"),
        ("shop", "s3://mesh", "s3://not-there"),
        ("shop", &shop.url(""), &shop.url("").replace("CARVE_TEST_POSTGRES_PASSWORD", "WRONG")),
        ("shop", &shop.url(""), &with_password(&shop.url(""), WRONG)),
    ] {
        let wrong = settings.replace(from, to);
        assert_ne!(wrong, settings);
        estate.write("carve.yaml", &wrong);
        assert_ne!(estate.run(&["refresh", service]), Some(0), "{from}");
        estate.run(&["status"]);
    }
    for side in ["env:WRONG_LAKE#raw.orders", "env:WRONG_CRM#people", "env:LAKE_URL#nowhere"] {
        assert_ne!(estate.run(&["verify", "--left", side, "--right", "env:LAKE_URL#raw.orders"]), Some(0), "{side}");
    }
    estate.write("carve.yaml", &settings);
    for service in services {
        assert_eq!(estate.run(&["rollback", service]), Some(0));
    }
    let bucket = store::open(&bucket).await;
    let objects = bucket.list("").await.unwrap();
    assert!(objects.len() > 6, "{objects:?}");
    for object in objects {
        estate.look(&object.key, &bucket.get(&object.key).await.unwrap());
    }
    // The one place where a person typed one: the settings that were refused.
    estate.told.retain(|told| !told.starts_with("carve.yaml"));
    estate.told.dedup();
    assert!(estate.told.is_empty(), "{}", estate.told.join("\n"));
}
