//! The world behind three traits: [`Origin`], [`Bucket`], [`Lake`]; one file or folder per engine,
//! each the only one to know its crate.
//!
//! `open_origin`, `open_lake` and `open_bucket` turn an address into one of them; docs/CONNECTIONS.md
//! lists the addresses and what each engine promises. `faulty` wraps any of them for tests of what
//! happens on bad days.
mod address;
mod batches;
mod civil;
#[cfg(any(feature = "http", feature = "mysql", feature = "postgres"))]
mod credentials;
#[cfg(feature = "duckdb")]
mod duckdb;
mod faulty;
mod files;
mod folder;
#[cfg(feature = "http")]
mod http;
mod json;
mod key;
mod load_part;
mod model;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod network;
mod open;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
mod row_batch;
#[cfg(feature = "s3")]
mod s3;
mod shortfall;
mod sqlite;
#[cfg(any(feature = "postgres", feature = "duckdb"))]
mod statements;
mod system;
#[cfg(any(feature = "http", feature = "mysql", feature = "postgres"))]
mod trust;
mod words;

#[cfg(feature = "duckdb")]
pub use self::duckdb::DuckDb;
pub use faulty::{Call, Fault, FaultyBucket, FaultyLake, FaultyOrigin, Rule, fail_nth};
pub use files::FilesOrigin;
pub use folder::FolderBucket;
#[cfg(feature = "http")]
pub use http::HttpOrigin;
pub use load_part::LoadPart;
pub use model::*;
#[cfg(feature = "mysql")]
pub use mysql::Mysql;
pub use open::{open_bucket, open_lake, open_origin};
#[cfg(feature = "postgres")]
pub use postgres::Postgres;
pub use row_batch::{RowBatch, RowStream};
#[cfg(feature = "s3")]
pub use s3::S3Bucket;
pub use sqlite::Sqlite;
pub use system::may_pass;
