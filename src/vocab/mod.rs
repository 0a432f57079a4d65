//! The nouns every room shares, right by construction: text becomes one of these where it enters.
mod address;
mod dataset_id;
mod digest;
mod folded;
mod names;
mod nearest;
mod schedule;
mod schema;
mod schema_version;
mod secret;
mod shell_word;
mod span;
mod word_finder;

pub use address::plain_address;
pub use dataset_id::{BadDatasetId, DatasetId};
pub use digest::{BadDigest, Digest};
pub use folded::{FoldBudget, MAX_FOLDED_BYTES};
pub use names::{BadName, Endpoint, JobId, ServiceName};
pub use nearest::nearest;
pub use schedule::{longest_gap_minutes, runs_per_day};
pub use schema::{Column, LogicalType, PartFormat, Row, Schema, Value};
pub use schema_version::{BadSchemaVersion, Bump, SchemaVersion};
pub use secret::{holds_secret, masked, masked_json, names_secret};
pub use shell_word::shell_word;
pub use span::Span;
pub use word_finder::WordFinder;
