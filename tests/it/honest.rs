//! What carve says when the world is not as it was: never that all is well.
use std::{
    fs,
    path::Path,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use crate::support::{carve, planned, run};

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs carve, expects this code and every one of these words; gives back all it said.
fn says(shop: &Path, arguments: &[&str], code: i32, words: &[&str]) -> String {
    let output = carve(shop, arguments).env("COLUMNS", "300").output().unwrap();
    let told = said(&output);
    assert_eq!(output.status.code(), Some(code), "carve {arguments:?}: {told}");
    for word in words {
        assert!(told.contains(word), "`{word}` is not in what carve {arguments:?} says: {told}");
    }
    told
}

fn lake(shop: &Path, sql: &str) {
    rusqlite::Connection::open(shop.join("lake/raw.db")).unwrap().execute_batch(sql).unwrap();
}

fn append(file: &Path, text: &str) {
    let old = fs::read_to_string(file).unwrap();
    fs::write(file, old + text).unwrap();
}

#[test]
fn a_refresh_that_would_break_a_job_is_blocked_and_names_it_by_file_and_line() {
    let (_keep, shop) = planned();
    run(&shop, &["apply", "orders"], 0);
    lake(&shop, "ALTER TABLE orders DROP COLUMN currency");
    let words = ["orders_clean", "sql/transformed/orders/orders_clean.sql:", "`currency` is gone", "--accept-breaking"];
    let told = says(&shop, &["refresh", "orders"], 4, &words);
    assert!(!told.contains("web_"), "jobs that do not read the table are not named: {told}");
    let contracts = || fs::read_dir(shop.join("bucket/data-services/orders/schemata")).unwrap().count();
    assert_eq!(contracts(), 1, "nothing is published");
    let has = "SELECT currency FROM orders__import LIMIT 1";
    rusqlite::Connection::open(shop.join("lake/raw.db")).unwrap().prepare(has).unwrap();
    says(&shop, &["refresh", "orders", "--accept-breaking"], 0, &["v2.0.0"]);
    assert_eq!(contracts(), 2);
}

#[test]
fn without_its_bucket_nothing_is_done_proven_or_unpublished() {
    let (_keep, shop) = planned();
    fs::rename(shop.join("bucket"), shop.join("gone")).unwrap();
    says(&shop, &["apply", "orders", "--dry-run"], 4, &["no such folder"]);
    says(&shop, &["apply", "orders"], 4, &["no such folder"]);
    // It was blocked before its first step, and still knows how many there are.
    let status: serde_json::Value = serde_json::from_str(&run(&shop, &["status", "--format", "json"], 0)).unwrap();
    let services = status["services"].as_array().unwrap();
    let orders = services.iter().find(|its| its["service"] == "orders").unwrap();
    assert!(orders["steps"].as_u64().unwrap() > 0, "{orders}");
    fs::rename(shop.join("gone"), shop.join("bucket")).unwrap();
    run(&shop, &["apply", "orders"], 0);
    fs::rename(shop.join("bucket"), shop.join("gone")).unwrap();
    for arguments in [&["apply", "orders"][..], &["apply", "orders", "--dry-run"], &["verify", "orders"]] {
        let told = says(&shop, arguments, 4, &["no such folder"]);
        assert!(!told.contains("Done"), "{told}");
    }
    says(&shop, &["catalog"], 1, &["no such folder"]);
    assert!(!shop.join("catalog").exists(), "no page says that nothing is published");
    says(&shop, &["status"], 0, &["no such folder", "what the journal knows", "v1.0.0?", "then"]);
    assert!(!shop.join("bucket").exists());
}

#[cfg(feature = "s3")]
#[test]
fn a_finished_plan_whose_store_is_down_is_not_called_done() {
    let (_keep, shop) = planned();
    run(&shop, &["apply", "web"], 0);
    let settings = fs::read_to_string(shop.join("carve.yaml")).unwrap();
    let nowhere = "s3://mesh?endpoint=http://127.0.0.1:9&path_style=true&region=us-east-1";
    fs::write(shop.join("carve.yaml"), settings.replace("file:bucket", nowhere)).unwrap();
    let output = carve(&shop, &["apply", "web"])
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    let told = said(&output);
    assert!(matches!(output.status.code(), Some(4 | 5 | 7)) && !told.contains("Done"), "{told}");
}

#[test]
fn a_dry_run_says_of_each_step_what_it_did_not_try() {
    let (_keep, shop) = planned();
    let words =
        ["not tried in a dry run: whether the bucket can be written (web.publish)", "whether the lake can be written"];
    says(&shop, &["apply", "web", "--dry-run"], 0, &words);
}

#[test]
fn what_a_verification_found_is_in_the_status_until_a_refresh_mends_it() {
    let (_keep, shop) = planned();
    run(&shop, &["apply", "orders"], 0);
    lake(
        &shop,
        "UPDATE orders__import SET currency = 'XXX' WHERE order_id = (SELECT min(order_id) FROM orders__import)",
    );
    says(&shop, &["verify", "orders"], 7, &[]);
    says(&shop, &["status"], 0, &["not any more", "the last `carve verify` found", "currency"]);
    says(&shop, &["refresh", "orders"], 0, &[]);
    let told = says(&shop, &["status"], 0, &[]);
    assert!(!told.contains("not any more"), "{told}");
}

#[test]
fn a_plan_that_was_altered_is_no_missing_plan() {
    let (_keep, shop) = planned();
    for entry in fs::read_dir(shop.join("plans")).unwrap() {
        append(&entry.unwrap().path(), "x: 1\n");
    }
    let told = says(&shop, &["status"], 0, &["not read:"]);
    assert!(!told.contains("No service is planned yet"), "{told}");
}

#[test]
fn an_apply_at_work_is_running_and_a_polite_request_to_end_is_heard() {
    let (_keep, shop) = planned();
    // A raw table of many rows keeps it at work for a while.
    lake(
        &shop,
        "WITH RECURSIVE n(i) AS (SELECT 10000000 UNION ALL SELECT i + 1 FROM n LIMIT 60000)
         INSERT INTO orders (order_id, customer_id, status, ordered_at, updated_at)
         SELECT i, 1, 'new', '2025-01-01 00:00:00', '2025-01-01 00:00:00' FROM n",
    );
    let mut child = carve(&shop, &["apply", "orders"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let journal = shop.join(".carve/orders/journal.jsonl");
    let begun = Instant::now();
    while !fs::read_to_string(&journal).unwrap_or_default().contains("\"began\"") {
        assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    let told = says(&shop, &["status"], 0, &[]);
    let still = child.try_wait().unwrap().is_none();
    assert!(!still || told.contains(&format!("process {}", child.id())) && !told.contains("failed"), "{told}");
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let told = said(&output);
    assert!(matches!(output.status.code(), Some(0 | 130)), "{:?} {told}", output.status);
    assert!(output.status.code() == Some(0) || told.contains("interrupted"), "{told}");
}

#[test]
fn a_name_under_wraps_that_means_nothing_stops_the_plan() {
    for (wraps, words) in [
        (
            "orders: { columns: { ordres.comment: omit } }",
            ["`columns: ordres.comment`", "did you mean `orders.comment`?"],
        ),
        ("orders: { columns: { nowhere.comment: omit } }", ["`columns: nowhere.comment`", "orders"]),
        ("ordesr: { columns: { orders.comment: omit } }", ["`wraps.ordesr`", "did you mean `orders`?"]),
    ] {
        let (_keep, shop) = planned();
        let before = fs::read(shop.join("plans/orders.yaml")).unwrap();
        append(&shop.join("carve.yaml"), &format!("wraps: {{ {wraps} }}\n"));
        says(&shop, &["plan", "--service", "orders"], 1, &words);
        assert_eq!(fs::read(shop.join("plans/orders.yaml")).unwrap(), before, "{wraps}");
    }
}

#[test]
fn a_misspelt_table_among_those_of_a_candidate_is_told_as_an_error() {
    let (_keep, shop) = planned();
    append(&shop.join("carve.yaml"), "candidates: { basket: ['raw.orders', 'raw.ordr_lines'] }\n");
    says(&shop, &["plan", "--dry-run"], 1, &["error: setting not used:", "`raw.ordr_lines` fits no dataset"]);
}

#[test]
fn a_wrapped_service_is_compared_by_what_its_plan_recorded() {
    let (_keep, shop) = planned();
    run(&shop, &["apply", "web"], 0);
    says(&shop, &["explain", "web", "--vs", "orders"], 0, &["when it was planned", "now", "cannot be said"]);
    fs::remove_file(shop.join("plans/web.yaml")).unwrap();
    says(&shop, &["explain", "orders", "--vs", "web"], 4, &["`web` is a data service", "its scores are not known"]);
}

#[test]
fn a_script_in_the_place_of_a_dataset_is_told_the_way_to_read_scripts() {
    let (_keep, shop) = planned();
    let script = "sql/transformed/orders/orders_clean.sql";
    says(&shop, &["lineage", script], 64, &["carve lineage --sql sql/transformed/orders/orders_clean.sql"]);
}

#[test]
fn where_nothing_is_to_be_switched_no_page_is_said_to_be_there() {
    let (_keep, shop) = planned();
    fs::remove_dir_all(shop.join("superset")).unwrap();
    let told = says(&shop, &["switchover", "web"], 0, &["nothing to switch"]);
    assert!(!told.contains("A page for each"), "{told}");
}
