//! S3 and every compatible store, by the AWS SDK.
mod abilities;
mod bucket;
mod client;
mod credentials;
mod encryption;
mod failure;
mod site;
mod trial;

pub use bucket::S3Bucket;
