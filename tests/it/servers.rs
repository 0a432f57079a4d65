//! The whole wrap against real servers: `bash tests/run.sh servers` starts them.
#[cfg(feature = "mysql")]
mod mariadb;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(all(feature = "postgres", feature = "mysql", feature = "http", feature = "s3"))]
mod secrets;
#[cfg(all(feature = "postgres", feature = "s3"))]
mod store;

use std::{fs, path::Path, process::Command};

use crate::support::{expect, planned, set_bucket};

/// The address of an empty bucket, from the stage that starts servers. Without one there is nothing to
/// test here, but the stage itself must not pass that way.
fn bucket() -> Option<String> {
    let url = std::env::var("CARVE_TEST_S3_URL").ok();
    let url = url.map(|url| url.replace("/contract?", "/wrap?"));
    assert!(url.is_some() || std::env::var_os("CARVE_REQUIRE_SERVERS").is_none(), "CARVE_TEST_S3_URL is not set");
    url
}

fn carve(shop: &Path, arguments: &[&str], code: i32) -> String {
    let mut command: Command = crate::support::carve(shop, arguments);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "planted-secret-key");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    let output = command.output().unwrap();
    expect(&output, arguments, code);
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(!String::from_utf8_lossy(&said).contains("planted-secret-key"));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_wrap_into_s3_ends_proven_and_a_refresh_without_changes_publishes_nothing() {
    let Some(url) = bucket() else { return };
    let (_keep, shop) = planned();
    set_bucket(&shop, &url);
    carve(&shop, &["apply", "web", "--dry-run"], 0);
    carve(&shop, &["apply", "web"], 0);
    let verified: serde_json::Value =
        serde_json::from_str(&carve(&shop, &["verify", "web", "--format", "json"], 0)).unwrap();
    assert_eq!(verified["equal"], true, "{verified}");
    assert!(carve(&shop, &["refresh", "web"], 0).contains("nothing changed"));
    let page = carve(&shop, &["catalog"], 0);
    assert!(page.contains("catalog/index.html"), "{page}");
    carve(&shop, &["rollback", "web"], 0);
    carve(&shop, &["apply", "web"], 0);
}

#[test]
fn a_server_that_is_gone_ends_before_step_one_and_may_come_back() {
    let (_keep, shop) = planned();
    let nowhere = "s3://mesh?endpoint=http://127.0.0.1:9&path_style=true&region=us-east-1";
    set_bucket(&shop, nowhere);
    carve(&shop, &["apply", "web"], 5);
    let journal = fs::read(shop.join(".carve/web/journal.jsonl")).unwrap_or_default();
    assert!(journal.is_empty(), "{}", String::from_utf8_lossy(&journal));
}
