//! S3 and every compatible store, by the AWS SDK.
mod bucket;
mod client;
mod conditions;
mod failure;

pub use bucket::S3Bucket;
