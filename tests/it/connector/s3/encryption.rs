//! What the address asks of the store's encryption, on every write.
use carve::vocab::Digest;
use tempfile::TempDir;

use super::server::{Encrypts, Habits, serve_and_tell};
use super::{in_child, open};
use crate::connector::{store::put, told};

#[test]
fn every_write_asks_for_the_encryption_of_the_address() {
    in_child("encryption::child_asks");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by every_write_asks_for_the_encryption_of_the_address"]
async fn child_asks() {
    let folder = TempDir::new().unwrap();
    let (endpoint, asked) = serve_and_tell(&folder, Habits::default()).await;
    for (options, sse, key) in [
        ("", None, None),
        ("&sse=AES256", Some("AES256"), None),
        ("&sse=aws:kms&kms_key_id=mesh-key", Some("aws:kms"), Some("mesh-key")),
        ("&sse=aws:kms:dsse", Some("aws:kms:dsse"), None),
    ] {
        let bucket = open(&format!("s3://mesh/{}?path_style=true&endpoint={endpoint}{options}", options.len())).await;
        assert_eq!(bucket.probe().await.unwrap(), Vec::<String>::new());
        put(&*bucket, "part", b"rows").await.unwrap();
        assert!(bucket.replace("lease", b"mine".to_vec(), None).await.unwrap());
        let etag = bucket.head("lease").await.unwrap().unwrap().etag;
        assert!(bucket.replace("lease", b"again".to_vec(), Some(&etag)).await.unwrap());
        let asked = std::mem::take(&mut *asked.lock().unwrap());
        // Two conditions on one object, a checksum, a race, the part and the lease twice.
        assert!(asked.len() > 7, "{asked:?}");
        for (name, its, its_key) in asked {
            assert_eq!((its.as_deref(), its_key.as_deref()), (sse, key), "{name} with `{options}`");
        }
    }
}

#[test]
fn a_store_that_does_not_encrypt_is_refused_before_anything_is_published() {
    in_child("encryption::child_unable");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by a_store_that_does_not_encrypt_is_refused_before_anything_is_published"]
async fn child_unable() {
    for (encrypts, options, cure) in [
        (Encrypts::Never, "sse=AES256", "take `sse` out of the bucket's address"),
        (Encrypts::Refuses, "sse=AES256", "if the store does not know it, take `sse` out"),
        (Encrypts::Refuses, "sse=aws:kms", "`kms_key_id=…`"),
        (Encrypts::Refuses, "sse=aws:kms&kms_key_id=mesh-key", "enabled key of the bucket's region"),
    ] {
        let folder = TempDir::new().unwrap();
        let (endpoint, _) = serve_and_tell(&folder, Habits { encrypts, ..Habits::default() }).await;
        let bucket = open(&format!("s3://mesh?path_style=true&endpoint={endpoint}&{options}")).await;
        let error = bucket.probe().await.unwrap_err();
        let text = told(&error);
        assert!(!error.may_pass() && text.contains(cure) && text.contains("sse="), "{options}: {text}");
        assert!(bucket.put_new("part", b"rows".to_vec(), &Digest::of("rows")).await.is_err());
        assert!(bucket.list("").await.unwrap().is_empty(), "a probe leaves nothing behind");
    }
}
