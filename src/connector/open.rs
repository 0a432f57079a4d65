//! From an address to an engine.
use std::sync::Arc;

use camino::Utf8Path;

use super::address::Address;
use crate::connector::{Bucket, ConnectorError, FilesOrigin, FolderBucket, Lake, Origin, Sqlite};

#[cfg(not(feature = "postgres"))]
const NO_POSTGRES: &str = "this build of carve has no PostgreSQL: build it with the feature `postgres`";
#[cfg(not(feature = "duckdb"))]
const NO_DUCKDB: &str =
    "this build of carve has no DuckDB: build it with the feature `duckdb` (docs/CONNECTIONS.md says how)";

#[cfg(not(feature = "mysql"))]
const NO_MYSQL: &str = "this build of carve has no MariaDB and MySQL: build it with the feature `mysql`";

/// Opens where data comes from. `role` is what messages call it (`source:order_db`), `url` its address
/// (`sqlite:shop.db`, `sqlite:lake`, `postgres://user@host/db`, `mysql://user@host/db`, `duckdb:shop.duckdb`,
/// `https://host/path`, `file:folder`, `env:NAME`); relative paths count from `base`.
///
/// Nothing is read yet: [`Origin::probe`] tries it.
///
/// # Errors
/// [`ConnectorError::Address`] when the address is none that carve reads.
pub async fn open_origin(role: &str, url: &str, base: &Utf8Path) -> Result<Arc<dyn Origin>, ConnectorError> {
    let address = Address::parse(role, url)?;
    match address.scheme.as_str() {
        "sqlite" => Ok(Arc::new(Sqlite::origin(&address, base)?)),
        "file" => Ok(Arc::new(FilesOrigin::at(&address, base)?)),
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => Ok(Arc::new(crate::connector::Postgres::origin(&address, base)?)),
        #[cfg(not(feature = "postgres"))]
        "postgres" | "postgresql" => Err(address.error(NO_POSTGRES)),
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => Ok(Arc::new(crate::connector::Mysql::origin(&address, base)?)),
        #[cfg(not(feature = "mysql"))]
        "mysql" | "mariadb" => Err(address.error(NO_MYSQL)),
        #[cfg(feature = "http")]
        "https" | "http" => Ok(Arc::new(crate::connector::HttpOrigin::at(&address, base)?)),
        #[cfg(not(feature = "http"))]
        "https" | "http" => {
            Err(address.error("this build of carve reads no HTTP APIs: build it with the feature `http`"))
        }
        #[cfg(feature = "duckdb")]
        "duckdb" => Ok(Arc::new(crate::connector::DuckDb::origin(&address, base)?)),
        #[cfg(not(feature = "duckdb"))]
        "duckdb" => Err(address.error(NO_DUCKDB)),
        _ => Err(address.unknown_scheme(&["sqlite", "postgres", "mysql", "duckdb", "https", "file"])),
    }
}

/// Opens the central lake: `sqlite:FOLDER` (a file per schema), `sqlite:FILE.db`, `postgres://user@host/db`
/// or `duckdb:FILE.duckdb`.
///
/// Nothing is read yet: [`Origin::probe`] and [`Lake::probe_write`] try it.
///
/// # Errors
/// [`ConnectorError::Address`] when the address is none of a lake that carve knows.
pub async fn open_lake(role: &str, url: &str, base: &Utf8Path) -> Result<Arc<dyn Lake>, ConnectorError> {
    let address = Address::parse(role, url)?;
    match address.scheme.as_str() {
        "sqlite" => Ok(Arc::new(Sqlite::lake(&address, base)?)),
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => Ok(Arc::new(crate::connector::Postgres::lake(&address, base)?)),
        #[cfg(not(feature = "postgres"))]
        "postgres" | "postgresql" => Err(address.error(NO_POSTGRES)),
        #[cfg(feature = "duckdb")]
        "duckdb" => Ok(Arc::new(crate::connector::DuckDb::lake(&address, base)?)),
        #[cfg(not(feature = "duckdb"))]
        "duckdb" => Err(address.error(NO_DUCKDB)),
        _ => Err(address.unknown_scheme(&["sqlite", "postgres", "duckdb"])),
    }
}

/// Opens where publications lie: `file:FOLDER` or `s3://BUCKET/PREFIX?region=…&endpoint=…&path_style=true`.
///
/// Nothing is read yet: [`Bucket::probe`] tries it.
///
/// # Errors
/// [`ConnectorError::Address`] when the address is none of a bucket that carve knows.
pub async fn open_bucket(role: &str, url: &str, base: &Utf8Path) -> Result<Arc<dyn Bucket>, ConnectorError> {
    let address = Address::parse(role, url)?;
    match address.scheme.as_str() {
        "file" => Ok(Arc::new(FolderBucket::at(&address, base)?)),
        #[cfg(feature = "s3")]
        "s3" => Ok(Arc::new(crate::connector::S3Bucket::at(&address).await?)),
        #[cfg(not(feature = "s3"))]
        "s3" => Err(address.error("this build of carve has no S3: build it with the feature `s3`")),
        _ => Err(address.unknown_scheme(&["file", "s3"])),
    }
}
