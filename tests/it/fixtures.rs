//! The fixture estates are what they say: complete, runnable where they must run, the same every time.
mod edges;
mod folder;
mod shop;
mod truth;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use camino::{Utf8Path, Utf8PathBuf};
use carve::{
    cli::demo_data::{
        LegacyLake, RUN_VALUES, SETTINGS, create_sources, estate_files, late_rows, make_history, write_estate,
    },
    progress::Silent,
    vocab::DatasetId,
};
use serde_yaml::Value;

use self::{
    edges::{differences, found, lines},
    folder::{estates, files_below},
    shop::{run_all, shop_jobs},
    truth::truth,
};

fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap().join("shop");
    (folder, path)
}

#[test]
fn every_file_of_the_shop_is_built_in() {
    let built_in: BTreeSet<String> = estate_files().iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(built_in, files_below(&estates().join("shop")), "run fixtures/estates/embed-shop.sh");
}

#[test]
fn the_shop_has_sixty_jobs_and_more_with_names_of_their_own() {
    let jobs = shop_jobs();
    let names: BTreeSet<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names.len(), jobs.len(), "a name is used twice");
    assert!(jobs.len() >= 60, "{} jobs", jobs.len());
    assert!(jobs.iter().any(|job| !job.enabled()));
}

#[test]
fn every_sql_file_that_a_job_names_is_there() {
    let files: BTreeSet<&str> = estate_files().iter().map(|(path, _)| *path).collect();
    for job in shop_jobs() {
        for file in job.files() {
            assert!(files.contains(file.as_str()), "{} names {file}", job.name);
        }
    }
}

#[test]
fn the_truth_speaks_of_every_job_and_of_no_other() {
    let jobs: BTreeSet<String> = shop_jobs().into_iter().map(|job| job.name).collect();
    assert_eq!(jobs, truth("shop").jobs.into_keys().collect());
}

#[test]
fn every_job_that_is_on_runs_and_fills_what_the_truth_says() {
    let (_guard, shop) = scratch();
    create_sources(&shop, 0.02, 1, &Silent).unwrap();
    let lake = LegacyLake::open(&shop).unwrap();
    run_all(&lake);
    for (job, edges) in truth("shop").jobs {
        if shop_jobs().iter().any(|known| known.name == job && known.enabled()) {
            for table in edges.writes.iter().filter(|table| !table.is_file_set()) {
                lake.count(table).unwrap_or_else(|_| panic!("{job} did not make {table}"));
            }
        }
    }
    for table in ["transformed.orders_clean", "modelled.customer_360", "reporting.executive"] {
        assert!(lake.count(&table.parse().unwrap()).unwrap() > 0, "{table} is empty");
    }
}

#[test]
fn the_jobs_run_a_second_time_on_their_own_results() {
    let (_guard, shop) = scratch();
    create_sources(&shop, 0.01, 1, &Silent).unwrap();
    let lake = LegacyLake::open(&shop).unwrap();
    run_all(&lake);
    let daily = "transformed.orders_daily".parse().unwrap();
    let before = lake.count(&daily).unwrap();
    run_all(&lake);
    assert_eq!(lake.count(&daily).unwrap(), before);
}

#[test]
#[ignore = "the demo's full size: run by hand with CARVE_TIMES=1 to see what takes how long"]
fn the_full_size_is_built_in_seconds() {
    let (_guard, shop) = scratch();
    let start = std::time::Instant::now();
    let summary = create_sources(&shop, 1.0, 1, &Silent).unwrap();
    eprintln!("{} rows in {} ms: {:?}", summary.rows(), start.elapsed().as_millis(), summary.tables);
    run_all(&LegacyLake::open(&shop).unwrap());
    eprintln!("lake built after {} ms", start.elapsed().as_millis());
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let (_guard, root) = scratch();
    let made = |name: &str, seed: u64| {
        let target = root.join(name);
        create_sources(&target, 0.005, seed, &Silent).unwrap();
        let files = files_below(target.as_std_path());
        files.into_iter().map(|file| (file.clone(), fs::read(target.join(&file)).unwrap())).collect::<BTreeMap<_, _>>()
    };
    let first = made("a", 7);
    assert_eq!(first.len(), 4);
    assert!(first == made("b", 7));
    assert!(first != made("c", 8));
}

#[test]
fn late_rows_come_change_and_go() {
    let (_guard, shop) = scratch();
    create_sources(&shop, 0.01, 1, &Silent).unwrap();
    let lake = LegacyLake::open(&shop).unwrap();
    let orders: DatasetId = "raw.orders".parse().unwrap();
    let import = || lake.import("sqlite:sources/order_api.db", "orders", &orders).unwrap();
    let before = import();
    let late = late_rows(&shop).unwrap();
    assert_eq!(import(), before + late.inserted - late.deleted);
    assert_eq!((late.inserted, late.deleted), (25, 5));
    assert!(late.updated > 0);
    assert_eq!(late_rows(&shop).unwrap().inserted, 25, "time goes by again");
}

#[test]
fn late_rows_without_a_source_are_an_error_and_make_none() {
    let (_guard, shop) = scratch();
    assert!(late_rows(&shop).is_err());
    assert!(!shop.exists());
}

#[test]
fn the_history_is_the_same_every_time_and_ends_at_the_estate() {
    let (_guard, root) = scratch();
    let made = |name: &str| {
        let target = root.join(name);
        write_estate(&target).unwrap();
        (make_history(&target).unwrap(), target)
    };
    let (first, target) = made("a");
    assert_eq!(first, made("b").0);
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git").arg("-C").arg(&target).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(git(&["status", "--porcelain"]), "", "the last commit is what lies in the folder");
    assert_eq!(git(&["rev-list", "--count", "HEAD"]).trim(), "152");
    let renames = git(&["log", "--diff-filter=R", "-M", "--name-status", "--format="]);
    assert!(renames.contains("sql/transformed/orders/orders_clean.sql"), "{renames}");
}

#[test]
fn the_demo_settings_fill_in_what_the_scheduler_does() {
    let settings: Value = serde_yaml::from_str(SETTINGS).unwrap();
    for (name, value) in RUN_VALUES {
        assert_eq!(settings["vars"][*name].as_str(), Some(*value), "{name}");
    }
}

#[test]
fn the_shop_says_what_nobody_reads() {
    let text = fs::read_to_string(estates().join("shop.truth.yaml")).unwrap();
    let all: Value = serde_yaml::from_str(&text).unwrap();
    let names = |value: &Value| -> BTreeSet<DatasetId> {
        value.as_sequence().unwrap().iter().map(|name| name.as_str().unwrap().parse().unwrap()).collect()
    };
    let jobs = truth("shop").jobs;
    let mut read: BTreeSet<DatasetId> = jobs.values().flat_map(|job| job.reads.clone()).collect();
    for readers in ["dashboards", "lone_charts"] {
        read.extend(all[readers].as_mapping().unwrap().values().flat_map(names));
    }
    let written = jobs.values().flat_map(|job| job.writes.clone()).filter(|dataset| !dataset.is_file_set());
    let unread: BTreeSet<DatasetId> = written.filter(|dataset| !read.contains(dataset)).collect();
    assert_eq!(unread, names(&all["facts"]["written_but_never_read"]));
}

#[test]
fn every_chart_has_its_dataset_and_every_dashboard_its_charts() {
    let files = |folder: &str| -> Vec<Value> {
        let inside = estate_files().iter().filter(|(path, _)| path.starts_with(folder) && path.ends_with(".yaml"));
        inside.map(|(_, bytes)| serde_yaml::from_slice(bytes).unwrap()).collect()
    };
    let ids = |values: &[Value]| -> BTreeSet<String> {
        values.iter().map(|value| value["uuid"].as_str().unwrap().to_owned()).collect()
    };
    let (datasets, charts) = (files("superset/datasets/"), files("superset/charts/"));
    let dashboards = files("superset/dashboards/");
    let (dataset_ids, chart_ids) = (ids(&datasets), ids(&charts));
    assert!(charts.iter().all(|chart| dataset_ids.contains(chart["dataset_uuid"].as_str().unwrap())));
    let places = dashboards.iter().flat_map(|dashboard| dashboard["position"].as_mapping().unwrap().values());
    let shown: Vec<&str> = places.filter_map(|place| place.get("meta")?.get("uuid")?.as_str()).collect();
    assert!(shown.iter().all(|chart| chart_ids.contains(*chart)));
    assert!(dashboards.len() >= 4 && charts.len() >= 12 && shown.len() >= charts.len());
}

#[test]
fn the_folder_of_sql_has_a_truth_for_every_file() {
    let files = files_below(&estates().join("sql-folder"));
    let sql: BTreeSet<String> = files.into_iter().filter(|file| file.ends_with(".sql")).collect();
    assert_eq!(sql, truth("sql-folder").jobs.into_keys().collect());
}

#[test]
fn the_dbt_project_has_a_truth_for_every_model() {
    let stem = |file: &str| Path::new(file).file_stem().unwrap().to_str().unwrap().to_owned();
    let nodes = files_below(&estates().join("dbt-mini")).into_iter().filter(|file| {
        let is_model = file.starts_with("models/") && file.ends_with(".sql");
        is_model || file.starts_with("snapshots/") || file.ends_with(".csv")
    });
    let models: BTreeSet<String> = nodes.map(|file| stem(&file)).collect();
    assert_eq!(models, truth("dbt-mini").jobs.into_keys().collect());
}

#[test]
fn the_values_that_break_exports_are_among_the_orders() {
    let (_guard, shop) = scratch();
    create_sources(&shop, 0.02, 1, &Silent).unwrap();
    let db = rusqlite::Connection::open(shop.join("sources/order_api.db")).unwrap();
    let rows = |condition: &str| -> i64 {
        let count = format!("SELECT count(*) FROM orders WHERE {condition}");
        db.query_row(&count, [], |row| row.get(0)).unwrap()
    };
    for condition in [
        "comment IS NULL",
        "comment = ''",
        "comment = 'NULL'",
        "comment LIKE '%\"%'",
        "comment LIKE '%' || char(13) || char(10) || '%'",
        "comment LIKE '%🎁%'",
        "external_ref = 9223372036854775807",
        "external_ref = -9223372036854775807 - 1",
        "risk_score = 5e-324",
        "risk_score = 9e999",
        "deliver_by = '0001-01-01'",
        "deliver_by = '9999-12-31'",
    ] {
        assert!(rows(condition) > 0, "no order with {condition}");
    }
}

#[test]
fn a_login_is_told_twice_now_and_then() {
    let (_guard, shop) = scratch();
    create_sources(&shop, 0.02, 1, &Silent).unwrap();
    let db = rusqlite::Connection::open(shop.join("sources/customer_api.db")).unwrap();
    let count = |what: &str| db.query_row(what, [], |row| row.get::<_, i64>(0)).unwrap();
    let all = count("SELECT count(*) FROM logins");
    assert!(count("SELECT count(*) FROM (SELECT DISTINCT * FROM logins)") < all);
}

#[test]
fn carve_finds_the_true_edges_of_the_shop() {
    let truth = truth("shop");
    let true_lines = lines(truth.jobs.iter().chain(&truth.bare));
    assert_eq!(differences(&true_lines, &found("shop"), &[]), BTreeMap::new());
}

#[test]
fn carve_finds_the_true_edges_of_the_dbt_project() {
    let truth = truth("dbt-mini");
    let true_lines = lines(truth.jobs.iter().chain(&truth.python));
    // carve renders a first run, in which an incremental model does not read itself; and a ref in a comment
    // reads no row.
    let known = ["fct_rides reads analytics_marts.fct_rides", "stg_refunds reads analytics.stg_invoices"];
    assert_eq!(differences(&true_lines, &found("dbt-mini"), &known), BTreeMap::new());
}

#[test]
fn carve_finds_the_true_edges_of_the_folder_of_sql() {
    let truth = truth("sql-folder");
    assert_eq!(differences(&lines(&truth.jobs), &found("sql-folder"), &[]), BTreeMap::new());
}
