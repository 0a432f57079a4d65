//! Stores that lack what carve relies on: it is said, and made up for.
use carve::connector::{ConnectorError, PutOutcome};
use tempfile::TempDir;

use super::server::{Habits, serve};
use super::{in_child, open};
use crate::connector::{store::put, told};

#[test]
fn a_store_that_takes_any_checksum_is_told_and_read_back() {
    in_child("abilities::child_checksums");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by a_store_that_takes_any_checksum_is_told_and_read_back"]
async fn child_checksums() {
    let folder = TempDir::new().unwrap();
    let habits = Habits { ignores_checksums: true, damages: true, ..Habits::default() };
    let bucket = open(&format!("s3://mesh?path_style=true&endpoint={}", serve(&folder, habits).await)).await;
    let warnings = bucket.probe().await.unwrap();
    assert!(warnings.len() == 1 && warnings[0].contains("checksum") && warnings[0].contains("reads back"));
    assert_eq!(put(&*bucket, "fine", b"rows").await.unwrap(), PutOutcome::Created);
    let error = put(&*bucket, "damaged", b"rows").await.unwrap_err();
    assert!(error.may_pass() && told(&error).contains("other bytes than were sent"), "{}", told(&error));
    let left: Vec<_> = bucket.list("").await.unwrap().into_iter().map(|object| object.key).collect();
    assert_eq!(left, ["fine"], "a name under which damage lay is free again");
}

#[test]
fn a_store_where_several_win_a_race_is_told_and_one_lock_is_held() {
    in_child("abilities::child_race");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by a_store_where_several_win_a_race_is_told_and_one_lock_is_held"]
async fn child_race() {
    let folder = TempDir::new().unwrap();
    let habits = Habits { several_win: true, ..Habits::default() };
    let url = format!("s3://mesh?path_style=true&endpoint={}", serve(&folder, habits).await);
    let (one, two) = (open(&url).await, open(&url).await);
    for bucket in [&one, &two] {
        let warnings = bucket.probe().await.unwrap();
        assert!(warnings.len() == 1 && warnings[0].contains("several writers"), "{warnings:?}");
    }
    let (first, second) =
        tokio::join!(one.replace("lease", b"one".to_vec(), None), two.replace("lease", b"two".to_vec(), None));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(first != second, "one has the lock: {first}, {second}");
    let held = if first { "one" } else { "two" };
    assert_eq!(one.get("lease").await.unwrap(), held.as_bytes());
    assert_eq!(put(&*one, "part", b"one").await.unwrap(), PutOutcome::Created);
    assert_eq!(put(&*two, "part", b"one").await.unwrap(), PutOutcome::SameBytes);
    assert!(matches!(put(&*two, "part", b"two").await, Err(ConnectorError::Taken { .. })));
}
