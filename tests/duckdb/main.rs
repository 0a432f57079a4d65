//! DuckDB for real: a file a test. A binary of its own, because only it is built with the feature `duckdb`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that cannot unwrap fails, as it should, and may say why"
)]
mod kill;
mod lake;
#[path = "../it/one_part.rs"]
#[allow(dead_code, reason = "the other test binary uses all of it")]
mod one_part;
mod shop;
mod snapshot;
#[path = "../it/support.rs"]
#[allow(dead_code, reason = "the other test binary uses all of it")]
mod support;
mod types;
mod wrap;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use camino::Utf8Path;
use carve::connector::{ConnectorError, Lake, Origin, RowStream, open_lake};
use carve::vocab::{Column, DatasetId, LogicalType, Row, Schema};
use duckdb::Connection;

fn id(name: &str) -> DatasetId {
    name.parse().unwrap()
}

fn schema(columns: &[(&str, LogicalType)]) -> Schema {
    let column = |(name, logical): &(&str, LogicalType)| Column {
        name: (*name).into(),
        logical: *logical,
        physical: String::new(),
        nullable: true,
        description: None,
    };
    Schema { columns: columns.iter().map(column).collect(), key: Vec::new() }
}

/// A file in a folder of its own, in which `script` has run.
struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn with(script: &str) -> File {
        let file = File { folder: support::folder() };
        sql(&file.path(), script);
        file
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("lake.duckdb")
    }

    async fn lake(&self) -> Arc<dyn Lake> {
        let base = Utf8Path::from_path(self.folder.path()).unwrap();
        open_lake("lake", "duckdb:lake.duckdb?busy_timeout_ms=300", base).await.unwrap()
    }
}

/// Runs `script` with DuckDB itself; the file is closed again.
fn sql(file: &Path, script: &str) {
    Connection::open(file).unwrap().execute_batch(script).unwrap();
}

/// The one value of a query, as text.
fn one(file: &Path, query: &str) -> String {
    let connection = Connection::open(file).unwrap();
    let value: Option<String> =
        connection.query_row(&format!("SELECT CAST(v AS VARCHAR) FROM ({query}) t(v)"), [], |row| row.get(0)).unwrap();
    value.unwrap_or_else(|| "NULL".to_owned())
}

async fn drained(mut stream: RowStream) -> Result<Vec<Row>, ConnectorError> {
    let mut rows = Vec::new();
    while let Some(batch) = stream.recv().await {
        rows.extend(batch?.into_rows()?);
    }
    Ok(rows)
}

/// All rows of a table as its own description has them.
async fn all_rows(origin: &dyn Origin, table: &str) -> Result<Vec<Row>, ConnectorError> {
    let schema = origin.describe(&id(table)).await?.schema;
    let mut snapshot = origin.snapshot().await?;
    let rows = drained(snapshot.rows(&id(table), &schema).await?).await?;
    assert_eq!(snapshot.count(&id(table)).await?, rows.len() as u64);
    Ok(rows)
}

/// What went wrong, with all its causes.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[track_caller]
fn refused(outcome: Result<impl Sized, ConnectorError>, why: &str) {
    let text = told(&outcome.err().expect("it is refused"));
    assert!(text.contains(why), "{text}");
}
