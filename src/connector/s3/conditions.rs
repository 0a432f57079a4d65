//! Whether a store honours conditional PUT: not all do, and some overwrite without a word.
use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;

use super::failure::{failed, is_conflict, is_unmet, status};
use crate::connector::ConnectorError;

const DAY_SECONDS: u64 = 86_400;

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

/// Writes an object below `place` thrice, twice under a condition that does not hold, and removes it again. Nobody else
/// has its name: another probe at the same moment would be taken for a store without conditions.
pub(super) async fn probe(client: &Client, bucket: &str, place: &str) -> Result<Conditions, ConnectorError> {
    let key = &format!("{place}conditional-put-{:016x}", RandomState::new().hash_one(std::process::id()));
    let put =
        |body: &'static str| client.put_object().bucket(bucket).key(key).body(ByteStream::from_static(body.as_bytes()));
    put("first").send().await.map_err(|e| failed(format!("write to the bucket `{bucket}`"), &e))?;
    let if_new = honoured(bucket, put("second").if_none_match("*")).await?;
    let if_same = honoured(bucket, put("third").if_match("\"00000000000000000000000000000000\"")).await?;
    let deleted = client.delete_object().bucket(bucket).key(key).send().await;
    deleted.map_err(|e| failed(format!("delete from the bucket `{bucket}`"), &e))?;
    tidy(client, bucket, place).await;
    Ok(Conditions { if_new, if_same })
}

/// Removes what probes left that were killed a day ago or longer; that it cannot is nobody's trouble.
async fn tidy(client: &Client, bucket: &str, place: &str) {
    let Ok(listed) = client.list_objects_v2().bucket(bucket).prefix(place).send().await else { return };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    for object in listed.contents() {
        let made = object.last_modified().and_then(|made| u64::try_from(made.secs()).ok());
        if let (Some(key), Some(made)) = (object.key(), made)
            && now.saturating_sub(made) > DAY_SECONDS
        {
            let _ = client.delete_object().bucket(bucket).key(key).send().await;
        }
    }
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
