//! The engines behind the three traits, asked the same questions.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking, its helpers too")]
mod files;
mod http;
mod lake;
mod s3;
mod snapshot;
mod store;

use std::sync::Arc;

use camino::Utf8Path;
use carve::connector::{ConnectorError, Origin, RowStream, open_lake, open_origin};
use carve::vocab::{Column, DatasetId, LogicalType, Row, Schema};
use tempfile::TempDir;

pub(crate) fn id(name: &str) -> DatasetId {
    name.parse().unwrap()
}

fn base(folder: &TempDir) -> &Utf8Path {
    Utf8Path::from_path(folder.path()).unwrap()
}

pub(crate) fn column(name: &str, logical: LogicalType) -> Column {
    Column { name: name.into(), logical, physical: String::new(), nullable: true, description: None }
}

pub(crate) fn schema(columns: &[(&str, LogicalType)]) -> Schema {
    Schema { columns: columns.iter().map(|(name, logical)| column(name, *logical)).collect(), key: Vec::new() }
}

/// Everything a stream gives.
pub(crate) async fn drained(mut stream: RowStream) -> Result<Vec<Row>, ConnectorError> {
    let mut rows = Vec::new();
    while let Some(batch) = stream.recv().await {
        rows.extend(batch?.into_rows()?);
    }
    Ok(rows)
}

/// All rows of a table as its own description has them.
pub(crate) async fn all_rows(origin: &dyn Origin, table: &str) -> Result<Vec<Row>, ConnectorError> {
    let schema = origin.describe(&id(table)).await?.schema;
    let mut snapshot = origin.snapshot().await?;
    let rows = drained(snapshot.rows(&id(table), &schema).await?).await?;
    assert_eq!(snapshot.count(&id(table)).await?, rows.len() as u64);
    Ok(rows)
}

/// What went wrong, with all its causes.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[tokio::test]
async fn addresses_that_lead_nowhere_say_so_without_secrets() {
    let nowhere = Utf8Path::new("/nowhere");
    for url in ["postgres://me:hunter2@host/db", "sqlite:", "lake", "sqlite:x.db?cipher_key=hunter2", "env:"] {
        let error = open_origin("source:crm", url, nowhere).await.err().unwrap();
        let text = told(&error);
        assert!(text.contains("source:crm") && !text.contains("hunter2"), "{text}");
        assert!(open_lake("lake", url, nowhere).await.is_err());
    }
    let missing = open_origin("source:crm", "sqlite:absent.db", nowhere).await.unwrap();
    let text = told(&missing.probe().await.unwrap_err());
    assert!(text.contains("sqlite:absent.db") && text.contains("no such file"), "{text}");
}

#[tokio::test]
async fn a_faulty_engine_fails_when_told_to_and_only_then() {
    use carve::connector::{Bucket, Fault, FaultyBucket, fail_nth, open_bucket};
    use carve::vocab::Digest;
    let folder = TempDir::new().unwrap();
    let inner = open_bucket("bucket", "file:.", base(&folder)).await.unwrap();
    let lost = FaultyBucket::new(Arc::clone(&inner), fail_nth("put_new", 2, Fault::After));
    for (key, works) in [("a", true), ("b", false), ("c", true)] {
        assert_eq!(lost.put_new(key, b"x".to_vec(), &Digest::of("x")).await.is_ok(), works, "{key}");
    }
    // The answer was lost, not the object.
    assert_eq!(inner.list("").await.unwrap().len(), 3);
    let refused = FaultyBucket::new(inner.clone(), fail_nth("put_new", 1, Fault::Before));
    assert!(refused.put_new("d", b"x".to_vec(), &Digest::of("x")).await.is_err());
    assert!(inner.head("d").await.unwrap().is_none());
}
