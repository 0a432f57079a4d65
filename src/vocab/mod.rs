//! The nouns every room shares, right by construction: text becomes one of these where it enters.
mod dataset_id;
mod digest;
mod names;
mod schedule;
mod schema;
mod schema_version;
mod span;

pub use dataset_id::{BadDatasetId, DatasetId};
pub use digest::{BadDigest, Digest};
pub use names::{BadName, Endpoint, JobId, ServiceName};
pub use schedule::{longest_gap_minutes, runs_per_day};
pub use schema::{Column, LogicalType, PartFormat, Row, Schema, Value};
pub use schema_version::{BadSchemaVersion, Bump, SchemaVersion};
pub use span::Span;
