//! A secret written in the estate's own files goes nowhere but where it was.
use std::{fs, path::Path};

use crate::support::{carve, copy_all, files, planned, run};

const SECRET: &str = "hunter2-SECRET";

fn insert(shop: &Path, file: &str, from: &str, to: &str) {
    let path = shop.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has `{from}`");
    fs::write(path, text.replacen(from, &to.replace("SECRET!", SECRET), 1)).unwrap();
}

fn write(shop: &Path, file: &str, text: &str) {
    fs::create_dir_all(shop.join(file).parent().unwrap()).unwrap();
    fs::write(shop.join(file), text.replace("SECRET!", SECRET)).unwrap();
}

/// Secrets where people leave them: beside edits and far from them, in SQL, YAML, profiles, exports and logs.
fn plant(shop: &Path) {
    insert(
        shop,
        "sql/modelled/kpi_hourly.sql",
        "FROM raw.orders o",
        "-- dblink('host=db user=u password=SECRET!')\nFROM raw.orders o -- postgres://u:SECRET!@h/db",
    );
    insert(
        shop,
        "sql/transformed/orders/shipments_sla.sql",
        "    s.order_id,",
        "    s.order_id, 'password=SECRET!' as note,",
    );
    insert(shop, "sql/modelled/customer_360.sql", "raw.orders", "/* password => 'SECRET!' */ raw.orders");
    insert(
        shop,
        "jobs/web.yaml",
        "jobs:",
        "sources:\n  old_db: { kind: postgres, url: \"postgres://u:SECRET!@old.example/db\", owner: team-web }\njobs:",
    );
    let dataset = "superset/datasets/Lake/Open_orders_by_hour_16.yaml";
    insert(shop, dataset, "FROM raw.orders o", "FROM raw.orders o /* password=SECRET! */");
    write(
        shop,
        "ddl/mapping.sql",
        "CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'u', password 'SECRET!');\n\
        COPY raw.returns FROM 's3://b/x' CREDENTIALS 'aws_access_key_id=AKIAABCDEFGHIJKLMNOP;aws_secret_access_key=SECRET!';\n\
        SELECT * FROM dblink('host=db password=SECRET!', 'select * from raw.orders') AS t(id int);\n\
        SELEC broken FROM raw.orders WHERE password = 'SECRET!';\n",
    );
    write(
        shop,
        "jobs/broken.yaml",
        "format: carve-jobs/1\njobs:\n  x:\n    kind: import\n    password: SECRET!\n    from: nowhere\n    frum: postgres://u:SECRET!@h/raw.orders\n",
    );
    write(shop, "etl/dbt/profiles.yml", "shop:\n  outputs:\n    dev: { type: postgres, pass: SECRET!, user: u }\n");
    write(
        shop,
        "superset/databases/Old.yaml",
        "database_name: Old\nsqlalchemy_uri: postgresql://u:SECRET!@h/db\nuuid: 11111111-1111-1111-1111-111111111111\nversion: 1.0.0\n",
    );
    let log = fs::read_to_string(shop.join("logs/usage.csv")).unwrap();
    let line = "x,team-x,2026-01-02T10:00:00Z,\"select * from dblink('password=SECRET!') join raw.orders\",1\n";
    fs::write(shop.join("logs/usage.csv"), log + &line.replace("SECRET!", SECRET)).unwrap();
}

#[test]
fn nothing_that_carve_says_or_writes_holds_a_secret_of_the_estate() {
    let (_keep, shop) = planned();
    for folder in ["plans", "report"] {
        fs::remove_dir_all(shop.join(folder)).unwrap();
    }
    plant(&shop);
    let before = files(&shop);
    let keep = tempfile::tempdir().unwrap();
    copy_all(&shop, &keep.path().join("shop"));
    let orders = "orders";
    let commands: &[&[&str]] = &[
        &["init", "--dry-run"],
        &["scan", "--all"],
        &["plan"],
        &["explain", orders],
        &["lineage", "modelled.kpi_hourly"],
        &["lineage", "--sql", "ddl/mapping.sql"],
        &["apply", orders, "--dry-run"],
        &["apply", orders],
        &["status"],
        &["verify", orders],
        &["refresh", orders],
        &["switchover", orders],
        &["catalog"],
        &["report"],
        &["apply", "customer"],
        &["rollback", "customer"],
        &["rollback", orders],
    ];
    let mut told = Vec::new();
    for command in commands {
        for format in ["text", "json"] {
            let mut all = command.to_vec();
            all.extend(["--format", format]);
            let output = carve(&shop, &all).output().unwrap();
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            if let Some(line) = said.lines().find(|line| line.contains(SECRET)) {
                told.push(format!("carve {}: {line:.300}", all.join(" ")));
            }
            // A secret in its own file is read before the wrap is undone, and so is what was written by then.
            for (path, bytes) in files(&shop) {
                let backup = path.starts_with(".carve") && path.components().any(|part| part.as_os_str() == "backup");
                let own = before.contains_key(&path) || backup;
                if !own && bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()) {
                    told.push(format!("{} after carve {}", path.display(), all.join(" ")));
                }
            }
        }
    }
    told.dedup();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn a_file_with_a_secret_is_edited_as_it_is_and_its_patch_says_what_it_cannot() {
    let (_keep, shop) = planned();
    plant(&shop);
    run(&shop, &["plan"], 0);
    let file = "sql/modelled/kpi_hourly.sql";
    let before = fs::read_to_string(shop.join(file)).unwrap();
    run(&shop, &["apply", "orders"], 0);
    let expected = before.replace("FROM raw.orders o", "FROM raw.orders__import o");
    assert_eq!(fs::read_to_string(shop.join(file)).unwrap(), expected);
    let kept = fs::read_to_string(shop.join(".carve/orders/backup/orders.repoint.kpi_hourly").join(file)).unwrap();
    assert_eq!(kept, before, "a backup holds the very bytes");
    let patch = fs::read_to_string(shop.join(".carve/orders/patches/orders.repoint.kpi_hourly.patch")).unwrap();
    assert!(patch.starts_with(&format!("# {file}: a line with a secret is masked below")), "{patch}");
    run(&shop, &["rollback", "orders"], 0);
    assert_eq!(fs::read_to_string(shop.join(file)).unwrap(), before);
}
