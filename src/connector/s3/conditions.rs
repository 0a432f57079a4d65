//! Whether a store honours conditional PUT: not all do, and some overwrite without a word.
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;

use super::failure::{failed, is_conflict, is_unmet, status};
use crate::connector::ConnectorError;

/// Which conditions a store honours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Conditions {
    /// `If-None-Match: *`: only when the object is new.
    pub(super) if_new: bool,
    /// `If-Match`: only when it is the one that was seen.
    pub(super) if_same: bool,
}

impl Conditions {
    /// What a person should know, in words.
    pub(super) fn warnings(self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.if_new {
            warnings.push(
                "the store ignores `If-None-Match`: carve looks before it writes, but two writers at the same moment \
                 can both win; see that only one publishes"
                    .to_owned(),
            );
        }
        if !self.if_same {
            warnings.push(
                "the store ignores `If-Match`: carve looks before it replaces, so its lock in the bucket does not keep \
                 out another writer at the same moment"
                    .to_owned(),
            );
        }
        warnings
    }
}

/// Writes `key` thrice, twice under a condition that does not hold, and removes it again.
pub(super) async fn probe(client: &Client, bucket: &str, key: &str) -> Result<Conditions, ConnectorError> {
    let put =
        |body: &'static str| client.put_object().bucket(bucket).key(key).body(ByteStream::from_static(body.as_bytes()));
    // The first may meet what a probe left that was not allowed to delete.
    put("first").send().await.map_err(|e| failed(format!("write to the bucket `{bucket}`"), &e))?;
    let if_new = honoured(bucket, put("second").if_none_match("*")).await?;
    let if_same = honoured(bucket, put("third").if_match("\"00000000000000000000000000000000\"")).await?;
    let deleted = client.delete_object().bucket(bucket).key(key).send().await;
    deleted.map_err(|e| failed(format!("delete from the bucket `{bucket}`"), &e))?;
    Ok(Conditions { if_new, if_same })
}

/// Whether the store notices that the condition of `request` does not hold.
async fn honoured(bucket: &str, request: PutObjectFluentBuilder) -> Result<bool, ConnectorError> {
    match request.send().await {
        Ok(_) => Ok(false),
        Err(error) if is_unmet(&error) || is_conflict(&error) => Ok(true),
        // A store that knows of conditions but has none of this kind says so.
        Err(error) if matches!(status(&error), Some(400 | 501)) => Ok(false),
        Err(error) => Err(failed(format!("write to the bucket `{bucket}` under a condition"), &error)),
    }
}
