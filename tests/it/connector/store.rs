//! The same questions to every bucket.
use std::sync::Arc;

use carve::connector::{Bucket, ConnectorError, PutOutcome, open_bucket};
use carve::vocab::Digest;
use tempfile::TempDir;

use super::{base, told};

pub(super) async fn put(bucket: &dyn Bucket, key: &str, bytes: &[u8]) -> Result<PutOutcome, ConnectorError> {
    bucket.put_new(key, bytes.to_vec(), &Digest::of(bytes)).await
}

/// What every bucket promises. `bucket` is empty; `twin` is another handle on the same one; `lacks` is what it says that
/// its store does not honour.
pub(super) async fn contract(bucket: Arc<dyn Bucket>, twin: Arc<dyn Bucket>, lacks: &[String]) {
    assert_eq!(bucket.probe().await.unwrap(), lacks);
    assert!(bucket.list("").await.unwrap().is_empty(), "a probe leaves nothing behind");
    names_are_never_reused(&*bucket, &*twin).await;
    only_one_writer_creates(&bucket).await;
    replacing_needs_the_version_that_was_seen(&bucket, &*twin).await;
    what_is_not_there_is_not_there(&*bucket).await;
    listing_is_sorted_and_by_prefix(&*bucket).await;
    odd_keys_and_damaged_bytes_are_refused(&*bucket).await;
}

async fn names_are_never_reused(bucket: &dyn Bucket, twin: &dyn Bucket) {
    let large = vec![b'x'; 1 << 20];
    for (key, bytes) in [("n/one", &b"one"[..]), ("n/empty", b""), ("n/large", &large), ("n/bytes", &[0, 255, 13, 10])]
    {
        assert_eq!(put(bucket, key, bytes).await.unwrap(), PutOutcome::Created);
        assert_eq!(put(twin, key, bytes).await.unwrap(), PutOutcome::SameBytes);
        assert!(matches!(put(twin, key, b"two").await, Err(ConnectorError::Taken { key: taken }) if taken == key));
        assert_eq!(twin.get(key).await.unwrap(), bytes);
        assert_eq!(twin.head(key).await.unwrap().unwrap().bytes, bytes.len() as u64);
    }
    // The same length, other bytes.
    assert!(matches!(put(bucket, "n/one", b"eno").await, Err(ConnectorError::Taken { .. })));
}

async fn only_one_writer_creates(bucket: &Arc<dyn Bucket>) {
    for round in 0..5 {
        let key = format!("race/{round}");
        let tries = (0..12_u8).map(|writer| {
            let (bucket, key) = (bucket.clone(), key.clone());
            tokio::spawn(async move { put(&*bucket, &key, &[writer]).await })
        });
        let mut created = 0;
        for outcome in futures::future::join_all(tries).await {
            match outcome.unwrap() {
                Ok(PutOutcome::Created) => created += 1,
                Err(ConnectorError::Taken { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(created, 1);
    }
}

async fn replacing_needs_the_version_that_was_seen(bucket: &Arc<dyn Bucket>, twin: &dyn Bucket) {
    assert!(bucket.replace("lease", b"first".to_vec(), None).await.unwrap());
    assert!(!twin.replace("lease", b"other".to_vec(), None).await.unwrap());
    let seen = twin.head("lease").await.unwrap().unwrap();
    let listed = twin.list("lease").await.unwrap();
    assert_eq!((listed.len(), listed[0].key.as_str(), listed[0].bytes), (1, "lease", 5));
    assert!(bucket.replace("lease", b"second".to_vec(), Some(&seen.etag)).await.unwrap());
    assert!(!twin.replace("lease", b"third".to_vec(), Some(&seen.etag)).await.unwrap(), "another was faster");
    assert_eq!(twin.get("lease").await.unwrap(), b"second");

    let etag = bucket.head("lease").await.unwrap().unwrap().etag;
    let tries = (0..12_u8).map(|writer| {
        let (bucket, etag) = (bucket.clone(), etag.clone());
        tokio::spawn(async move { bucket.replace("lease", vec![writer], Some(&etag)).await.unwrap() })
    });
    let won = futures::future::join_all(tries).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
    assert_eq!(won, 1);

    bucket.delete("lease").await.unwrap();
    assert!(!bucket.replace("lease", b"late".to_vec(), Some(&etag)).await.unwrap(), "what is gone is not replaced");
    assert!(bucket.head("lease").await.unwrap().is_none());
}

async fn what_is_not_there_is_not_there(bucket: &dyn Bucket) {
    assert!(matches!(bucket.get("absent/a").await, Err(ConnectorError::NoSuchObject(key)) if key == "absent/a"));
    assert!(bucket.head("absent/a").await.unwrap().is_none());
    assert!(bucket.list("absent/").await.unwrap().is_empty());
    bucket.delete("absent/a").await.unwrap();
}

async fn listing_is_sorted_and_by_prefix(bucket: &dyn Bucket) {
    for key in ["l/b/2", "l/a", "l/b/10", "l/b-c", "l/B", "la"] {
        put(bucket, key, key.as_bytes()).await.unwrap();
    }
    let keys = |prefix: &'static str| async move {
        let objects = bucket.list(prefix).await.unwrap();
        objects.into_iter().map(|object| object.key).collect::<Vec<String>>()
    };
    // By bytes: capitals first, `-` before `/`.
    assert_eq!(keys("l/").await, ["l/B", "l/a", "l/b-c", "l/b/10", "l/b/2"]);
    assert_eq!(keys("l/b").await, ["l/b-c", "l/b/10", "l/b/2"]);
    assert_eq!(keys("l/b/1").await, ["l/b/10"]);
    bucket.delete("l/b/10").await.unwrap();
    assert_eq!(keys("l/b/").await, ["l/b/2"]);
}

async fn odd_keys_and_damaged_bytes_are_refused(bucket: &dyn Bucket) {
    for key in ["../out", "/etc/passwd", "a//b", ".hidden", "a b", ""] {
        assert!(put(bucket, key, b"x").await.is_err() && bucket.get(key).await.is_err(), "{key}");
        assert!(bucket.delete(key).await.is_err() && bucket.head(key).await.is_err(), "{key}");
        assert!(bucket.replace(key, Vec::new(), None).await.is_err(), "{key}");
    }
    assert!(bucket.list("../").await.is_err());
    let damaged = bucket.put_new("damaged", b"ab".to_vec(), &Digest::of("a")).await;
    assert!(damaged.is_err() && bucket.head("damaged").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_keeps_the_contract() {
    let folder = TempDir::new().unwrap();
    let open = || open_bucket("bucket", "file:.", base(&folder));
    contract(open().await.unwrap(), open().await.unwrap(), &[]).await;
    let unfinished = folder.path().join(".carve-unfinished");
    let left: Vec<_> = unfinished.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["turn.lock"], "no unfinished file is left");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_not_made() {
    let folder = TempDir::new().unwrap();
    let bucket = open_bucket("bucket", "file:mesh", base(&folder)).await.unwrap();
    let text = told(&bucket.probe().await.unwrap_err());
    assert!(text.contains("file:mesh") && text.contains("no such folder"), "{text}");
    assert!(put(&*bucket, "a", b"x").await.is_err() && bucket.list("").await.is_err());
    // What it held is not known: that is another answer than "nothing".
    assert!(bucket.list("a/b/").await.is_err() && bucket.head("a").await.is_err() && bucket.delete("a").await.is_err());
    assert!(matches!(bucket.get("a").await, Err(ConnectorError::Refused { .. })));
    assert!(!folder.path().join("mesh").exists());
}

#[tokio::test]
async fn a_half_written_object_is_no_object() {
    let folder = TempDir::new().unwrap();
    let bucket = open_bucket("bucket", "file:.", base(&folder)).await.unwrap();
    bucket.probe().await.unwrap();
    // What a crash between writing and naming leaves.
    std::fs::write(folder.path().join(".carve-unfinished/7-0"), b"half").unwrap();
    assert!(bucket.list("").await.unwrap().is_empty());
    assert_eq!(put(&*bucket, "a", b"whole").await.unwrap(), PutOutcome::Created);
}
