//! The store contract over HTTP: against s3s-fs in this process, and against the server that
//! `CARVE_TEST_S3_URL` names, with credentials from the environment as anywhere else.
//!
//! Environment variables cannot be set safely in a running process, so each test starts this binary
//! again with the credentials set and lets the ignored test of the same name do the work.
#![cfg(feature = "s3")]
mod abilities;
mod credentials;
mod encryption;
mod server;

use std::process::Command;
use std::sync::Arc;

use camino::Utf8Path;
use carve::connector::{Bucket, ConnectorError, PutOutcome, open_bucket};
use carve::vocab::Digest;
use tempfile::TempDir;
use tokio::net::TcpListener;

use self::server::{ACCESS_KEY, Habits, SECRET_KEY, serve};
use super::{
    store::{contract, put},
    told,
};

async fn open(url: &str) -> Arc<dyn Bucket> {
    open_bucket("bucket", url, Utf8Path::new(".")).await.unwrap()
}

/// Runs the ignored test `name` of this file in a process with test credentials.
fn in_child(name: &str) {
    in_child_with(name, ACCESS_KEY, SECRET_KEY);
}

fn in_child_with(name: &str, access_key: &str, secret_key: &str) {
    in_child_where(name, &[("AWS_ACCESS_KEY_ID", access_key), ("AWS_SECRET_ACCESS_KEY", secret_key)]);
}

/// Runs it with `variables`, and no other that AWS's tools know.
fn in_child_where(name: &str, variables: &[(&str, &str)]) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", &format!("connector::s3::{name}"), "--ignored", "--nocapture"]);
    std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")).for_each(|(name, _)| {
        child.env_remove(name);
    });
    let output = child.envs(variables.iter().copied()).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn an_s3_server_keeps_the_contract() {
    in_child("child_contract");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by an_s3_server_keeps_the_contract"]
async fn child_contract() {
    let folder = TempDir::new().unwrap();
    let endpoint = serve(&folder, Habits::default()).await;
    let url = format!("s3://mesh/a/prefix?region=eu-central-1&path_style=true&endpoint={endpoint}");
    let bucket = open(&url).await;
    assert_eq!(bucket.shown(), "s3://mesh/a/prefix");
    contract(bucket, open(&url).await, &[]).await;
    many_objects_come_in_pages(open(&url).await).await;
}

/// One page of a listing holds at most 1,000 objects.
async fn many_objects_come_in_pages(bucket: Arc<dyn Bucket>) {
    let tries = (0..1_005).map(|number| {
        let bucket = bucket.clone();
        async move { bucket.put_new(&format!("many/{number:04}"), vec![b'x'], &Digest::of("x")).await.unwrap() }
    });
    let mut waiting: Vec<_> = tries.collect();
    while !waiting.is_empty() {
        let some = waiting.split_off(waiting.len().saturating_sub(32));
        assert!(futures::future::join_all(some).await.iter().all(|outcome| *outcome == PutOutcome::Created));
    }
    let keys: Vec<String> = bucket.list("many/").await.unwrap().into_iter().map(|object| object.key).collect();
    assert_eq!(keys.len(), 1_005);
    assert_eq!((keys[0].as_str(), keys[1_004].as_str()), ("many/0000", "many/1004"));
}

#[test]
fn a_store_that_ignores_conditions_is_told_and_still_never_overwritten() {
    in_child("child_ignoring");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by a_store_that_ignores_conditions_is_told_and_still_never_overwritten"]
async fn child_ignoring() {
    let folder = TempDir::new().unwrap();
    let ignoring = Habits { ignores_conditions: true, ..Habits::default() };
    let url = format!("s3://mesh?path_style=true&endpoint={}", serve(&folder, ignoring).await);
    let bucket = open(&url).await;
    let warnings = bucket.probe().await.unwrap();
    assert!(warnings.len() == 2 && warnings[0].contains("If-None-Match") && warnings[1].contains("If-Match"));
    assert_eq!(put(&*bucket, "a", b"one").await.unwrap(), PutOutcome::Created);
    assert_eq!(put(&*bucket, "a", b"one").await.unwrap(), PutOutcome::SameBytes);
    assert!(matches!(put(&*bucket, "a", b"two").await, Err(ConnectorError::Taken { .. })));
    assert!(!bucket.replace("a", b"two".to_vec(), None).await.unwrap());
    assert!(!bucket.replace("a", b"two".to_vec(), Some("\"0\"")).await.unwrap());
    let etag = bucket.head("a").await.unwrap().unwrap().etag;
    assert!(bucket.replace("a", b"two".to_vec(), Some(&etag)).await.unwrap());
}

#[test]
fn a_store_that_says_no_is_quoted_without_secrets() {
    in_child_with("child_refused", ACCESS_KEY, "not-the-secret");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by a_store_that_says_no_is_quoted_without_secrets"]
async fn child_refused() {
    let folder = TempDir::new().unwrap();
    let endpoint = serve(&folder, Habits::default()).await;
    let bucket = open(&format!("s3://mesh?path_style=true&endpoint={endpoint}")).await;
    let refused = told(&bucket.probe().await.unwrap_err());
    assert!(refused.contains("s3://mesh") && refused.contains("403"), "{refused}");
    assert!(!refused.contains("not-the-secret") && !refused.contains(SECRET_KEY), "{refused}");
    let nobody = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let bucket = open(&format!("s3://mesh?path_style=true&endpoint=http://{nobody}")).await;
    let unreachable = told(&bucket.probe().await.unwrap_err());
    assert!(unreachable.contains("cannot be reached"), "{unreachable}");
}

#[test]
fn a_bucket_that_is_not_there_is_named() {
    in_child("child_no_bucket");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by a_bucket_that_is_not_there_is_named"]
async fn child_no_bucket() {
    let folder = TempDir::new().unwrap();
    let endpoint = serve(&folder, Habits::default()).await;
    let bucket = open(&format!("s3://absent?path_style=true&endpoint={endpoint}")).await;
    let text = told(&bucket.probe().await.unwrap_err());
    assert!(text.contains("s3://absent") && text.contains("NoSuchBucket"), "{text}");
    let error = open_bucket("bucket", "s3://UPPER", Utf8Path::new(".")).await.err().unwrap();
    assert!(error.to_string().contains("lower-case"), "{error}");
}

/// For an independent server: `CARVE_TEST_S3_URL=s3://mesh/run-1?endpoint=http://127.0.0.1:5000&path_style=true`
/// with `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` set. The bucket must exist, the prefix must be unused.
#[tokio::test(flavor = "multi_thread")]
async fn an_independent_s3_server_keeps_the_contract() {
    let Ok(url) = std::env::var("CARVE_TEST_S3_URL") else { return };
    // What such a store lacks is its own affair, as long as it keeps writers apart.
    let lacks = open(&url).await.probe().await.unwrap();
    assert!(lacks.iter().all(|its| its.contains("checksum")), "{lacks:?}");
    contract(open(&url).await, open(&url).await, &lacks).await;
    many_objects_come_in_pages(open(&url).await).await;
}
