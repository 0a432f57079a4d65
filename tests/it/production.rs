//! `carve refresh` and `carve apply` under the conditions of a real scheduler.
use std::{fs, path::Path};

use crate::support::{carve, expect, planned, run};

fn gauge(file: &Path, line: &str) -> String {
    let text = fs::read_to_string(file).unwrap();
    let found = text.lines().find_map(|its| its.strip_prefix(line));
    found.unwrap_or_else(|| panic!("{line} is not in\n{text}")).trim().to_owned()
}

#[test]
fn metrics_tell_every_run_and_keep_the_last_success() {
    let (_keep, shop) = planned();
    run(&shop, &["apply", "web"], 0);
    let file = shop.join("metrics/web.prom");
    let arguments = ["refresh", "web", "--metrics", "metrics/web.prom"];
    let misspelt = carve(&shop, &arguments).output().unwrap();
    let said = String::from_utf8_lossy(&misspelt.stderr).into_owned();
    assert!(misspelt.status.code() == Some(64) && said.contains("there is no folder `metrics`"), "{said}");
    assert!(!shop.join("metrics").exists(), "a misspelt path makes nothing");
    fs::create_dir_all(shop.join("metrics")).unwrap();
    run(&shop, &arguments, 0);
    let success = gauge(&file, "carve_refresh_last_success_timestamp_seconds{service=\"web\"}");
    assert!(success.parse::<i64>().unwrap() > 1_700_000_000);
    assert_eq!(gauge(&file, "carve_refresh_exit_code{service=\"web\"}"), "0");
    assert_eq!(gauge(&file, "carve_service_version_info{service=\"web\",version=\"1.0.0\"}"), "1");
    assert!(gauge(&file, "carve_service_bytes{service=\"web\"}").parse::<u64>().unwrap() > 0);
    assert!(gauge(&file, "carve_service_rows{service=\"web\"}").parse::<u64>().unwrap() > 0);
    fs::rename(shop.join("bucket"), shop.join("gone")).unwrap();
    let output = carve(&shop, &arguments).output().unwrap();
    let code = output.status.code().unwrap();
    assert_ne!(code, 0);
    assert_eq!(gauge(&file, "carve_refresh_exit_code{service=\"web\"}"), code.to_string());
    assert_eq!(gauge(&file, "carve_refresh_last_success_timestamp_seconds{service=\"web\"}"), success);
    assert_eq!(fs::read_dir(shop.join("metrics")).unwrap().count(), 1, "nothing else is left beside it");
    fs::rename(shop.join("gone"), shop.join("bucket")).unwrap();
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let output = carve(&shop, &arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("name another file with `--metrics`"), "{said}");
    assert!(said.contains("web: nothing changed"), "what the refresh came to is told all the same: {said}");
}

#[test]
fn a_refresh_of_one_service_does_not_wait_for_another() {
    let (_keep, shop) = planned();
    run(&shop, &["apply", "web", "orders"], 0);
    let lock = fs::File::create(shop.join(".carve/orders/lock")).unwrap();
    lock.lock().unwrap();
    fs::write(
        shop.join(".carve/orders/lock"),
        "{\"pid\":7,\"host\":\"h\",\"since\":\"2020-01-01T00:00:00Z\",\"doing\":\"refresh of `orders`\"}",
    )
    .unwrap();
    run(&shop, &["refresh", "web"], 0);
    let output = carve(&shop, &["refresh", "orders", "--retries", "3"]).output().unwrap();
    expect(&output, &["refresh", "orders"], 6);
    assert!(String::from_utf8_lossy(&output.stderr).contains("process 7 on `h`"));
}

#[test]
fn a_lake_that_another_program_holds_is_locked_and_not_blocked() {
    let (_keep, shop) = planned();
    let settings = fs::read_to_string(shop.join("carve.yaml")).unwrap();
    assert!(settings.contains("sqlite:lake"), "{settings}");
    fs::write(shop.join("carve.yaml"), settings.replacen("sqlite:lake", "sqlite:lake?busy_timeout_ms=50", 1)).unwrap();
    let holder = rusqlite::Connection::open(shop.join("lake/raw.db")).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    run(&shop, &["apply", "web"], 6);
    holder.execute_batch("ROLLBACK").unwrap();
    run(&shop, &["apply", "web"], 0);
}

#[test]
fn a_run_that_was_killed_is_interrupted_and_told_how_it_goes_on() {
    let (_keep, shop) = planned();
    let status = carve(&shop, &["apply", "web"]).env("CARVE_TEST_CRASH_AT", "4.after").output().unwrap().status;
    assert!(!status.success());
    let answer: serde_json::Value = serde_json::from_str(&run(&shop, &["status", "--format", "json"], 0)).unwrap();
    let web = answer["services"].as_array().unwrap().iter().find(|its| its["service"] == "web").unwrap();
    assert_eq!(web["stage"], "interrupted", "{web}");
    assert!(web["stopped_at"].as_str().unwrap().contains("`carve apply web` goes on"), "{web}");
    run(&shop, &["apply", "web"], 0);
}

#[test]
fn a_value_that_cannot_be_published_is_told_before_step_one() {
    let (_keep, shop) = planned();
    let lake = rusqlite::Connection::open(shop.join("lake/raw.db")).unwrap();
    lake.execute_batch("UPDATE orders SET customer_id = 'no number' WHERE rowid = (SELECT min(rowid) FROM orders)")
        .unwrap();
    drop(lake);
    let output = carve(&shop, &["apply", "orders"]).output().unwrap();
    expect(&output, &["apply", "orders"], 4);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("customer_id"), "{told}");
    assert!(!shop.join("bucket/data-services/orders").exists(), "nothing was stored");
}
