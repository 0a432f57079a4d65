//! One bucket, or what lies below a prefix of it.
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::put_object::{PutObjectError, builders::PutObjectFluentBuilder};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::base64;
use tokio::sync::OnceCell;

use super::client::{ATTEMPTS, Place, client, place};
use super::conditions::{Conditions, probe};
use super::failure::{failed, is_absent, is_conflict, is_unmet, status};
use crate::connector::key::{check_digest, check_key, check_prefix};
use crate::connector::{Bucket, ConnectorError, ObjectInfo, PutOutcome, address::Address};
use crate::vocab::Digest;

/// Where conditions are tried out.
const PROBES: &str = "carve-probe/";
/// Tries while someone else writes the same object.
const CONFLICTS: u32 = 5;
/// The object's metadata that holds its SHA-256, for stores that keep no checksums.
const DIGEST_METADATA: &str = "carve-sha256";

/// An S3 bucket, or what lies below a prefix of it.
#[derive(Debug)]
pub struct S3Bucket {
    client: Client,
    bucket: String,
    prefix: String,
    conditions: OnceCell<Conditions>,
}

impl S3Bucket {
    pub(in crate::connector) async fn at(address: &Address) -> Result<Self, ConnectorError> {
        let Place { bucket, prefix } = place(address)?;
        Ok(S3Bucket { client: client(address).await?, bucket, prefix, conditions: OnceCell::new() })
    }

    fn full(&self, key: &str) -> Result<String, ConnectorError> {
        check_key(key)?;
        Ok(format!("{}{key}", self.prefix))
    }

    /// What the store honours; tried out once.
    async fn conditions(&self) -> Result<Conditions, ConnectorError> {
        let place = format!("{}{PROBES}", self.prefix);
        self.conditions.get_or_try_init(|| probe(&self.client, &self.bucket, &place)).await.copied()
    }

    fn put(&self, full: &str, bytes: &[u8], digest: &Digest) -> PutObjectFluentBuilder {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(full)
            .checksum_sha256(base64_of(digest))
            .metadata(DIGEST_METADATA, digest.hex())
            .content_length(i64::try_from(bytes.len()).unwrap_or(i64::MAX))
            .body(ByteStream::from(bytes.to_vec()))
    }

    /// Whether the object holds exactly `bytes`; `None` when it is not there.
    async fn holds(&self, key: &str, bytes: &[u8], digest: &Digest) -> Result<Option<bool>, ConnectorError> {
        let full = self.full(key)?;
        let head = self.client.head_object().bucket(&self.bucket).key(&full).checksum_mode(ChecksumMode::Enabled);
        let head = match head.send().await {
            Ok(head) => head,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(failed(format!("look at the object `{key}`"), &error)),
        };
        if head.content_length().is_some_and(|length| u64::try_from(length) != Ok(bytes.len() as u64)) {
            return Ok(Some(false));
        }
        if let Some(checksum) = head.checksum_sha256().filter(|checksum| !checksum.contains('-')) {
            return Ok(Some(checksum == base64_of(digest)));
        }
        // Metadata is what a writer claims: when it says something else, or nothing, the bytes decide.
        match self.get(key).await {
            Ok(found) => Ok(Some(found == bytes)),
            Err(ConnectorError::NoSuchObject(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts under a condition; false when it does not hold.
    async fn put_if(&self, key: &str, request: impl Fn() -> PutObjectFluentBuilder) -> Result<bool, ConnectorError> {
        let mut tried = 0;
        loop {
            tried += 1;
            match request().send().await {
                Ok(_) => return Ok(true),
                Err(error) if is_unmet(&error) => return Ok(false),
                Err(error) if is_conflict(&error) && tried < CONFLICTS => {
                    tokio::time::sleep(Duration::from_millis(50 << tried)).await;
                }
                // A conditional replacement of what has been deleted meanwhile.
                Err(error) if is_gone(&error) => return Ok(false),
                Err(error) => return Err(failed(format!("store the object `{key}`"), &error)),
            }
        }
    }
}

fn is_gone(error: &SdkError<PutObjectError, HttpResponse>) -> bool {
    status(error) == Some(404) && is_absent(error)
}

fn base64_of(digest: &Digest) -> String {
    let hex = digest.hex();
    let digits = hex.as_bytes().chunks(2);
    let bytes: Vec<u8> = digits
        .filter_map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    base64::encode(bytes)
}

#[async_trait]
impl Bucket for S3Bucket {
    fn kind(&self) -> &'static str {
        "s3"
    }

    fn shown(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix).trim_end_matches('/').to_owned()
    }

    async fn probe(&self) -> Result<Vec<String>, ConnectorError> {
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(&self.prefix).max_keys(1);
        request.send().await.map_err(|e| failed(format!("list the bucket `{}`", self.shown()), &e))?;
        Ok(self.conditions().await?.warnings())
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>, digest: &Digest) -> Result<PutOutcome, ConnectorError> {
        let full = self.full(key)?;
        check_digest(key, &bytes, digest)?;
        let honoured = self.conditions().await?.if_new;
        if !honoured {
            match self.holds(key, &bytes, digest).await? {
                Some(true) => return Ok(PutOutcome::SameBytes),
                Some(false) => return Err(ConnectorError::Taken { key: key.to_owned() }),
                None => {}
            }
        }
        for _ in 0..CONFLICTS {
            let request = || match (self.put(&full, &bytes, digest), honoured) {
                (put, true) => put.if_none_match("*"),
                (put, false) => put,
            };
            if self.put_if(key, request).await? {
                return Ok(PutOutcome::Created);
            }
            match self.holds(key, &bytes, digest).await? {
                Some(true) => return Ok(PutOutcome::SameBytes),
                Some(false) => return Err(ConnectorError::Taken { key: key.to_owned() }),
                // Deleted between the two looks: then it is free again.
                None => {}
            }
        }
        let why = "the store says that it is there when it is written, and that it is not when it is read";
        Err(ConnectorError::Engine { doing: format!("store the object `{key}`"), source: why.into() })
    }

    async fn replace(&self, key: &str, bytes: Vec<u8>, etag: Option<&str>) -> Result<bool, ConnectorError> {
        let full = self.full(key)?;
        let digest = Digest::of(&bytes);
        let conditions = self.conditions().await?;
        let honoured = if etag.is_some() { conditions.if_same } else { conditions.if_new };
        if !honoured && self.head(key).await?.map(|info| info.etag).as_deref() != etag {
            return Ok(false);
        }
        let request = || {
            let put = self.put(&full, &bytes, &digest);
            match (honoured, etag) {
                (false, _) => put,
                (true, None) => put.if_none_match("*"),
                (true, Some(etag)) => put.if_match(etag),
            }
        };
        self.put_if(key, request).await
    }

    async fn get(&self, key: &str) -> Result<Vec<u8>, ConnectorError> {
        let doing = || format!("read the object `{key}`");
        let mut tried = 0;
        loop {
            tried += 1;
            let request = self.client.get_object().bucket(&self.bucket).key(self.full(key)?);
            let found = match request.send().await {
                Ok(found) => found,
                Err(error) if is_absent(&error) => return Err(ConnectorError::NoSuchObject(key.to_owned())),
                Err(error) => return Err(failed(doing(), &error)),
            };
            match found.body.collect().await {
                Ok(body) => return Ok(body.to_vec()),
                // The SDK asks again for an answer, not for one that breaks off.
                Err(_) if tried < ATTEMPTS => tokio::time::sleep(Duration::from_millis(50 << tried)).await,
                Err(error) => return Err(ConnectorError::Engine { doing: doing(), source: error.into() }),
            }
        }
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, ConnectorError> {
        match self.client.head_object().bucket(&self.bucket).key(self.full(key)?).send().await {
            Ok(head) => Ok(Some(ObjectInfo {
                key: key.to_owned(),
                bytes: head.content_length().unwrap_or_default().unsigned_abs(),
                etag: head.e_tag().unwrap_or_default().to_owned(),
            })),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(failed(format!("look at the object `{key}`"), &error)),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, ConnectorError> {
        check_prefix(prefix)?;
        let (mut objects, mut token) = (Vec::new(), None);
        loop {
            let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(format!("{}{prefix}", self.prefix));
            let page = request.set_continuation_token(token).send().await;
            let page = page.map_err(|e| failed(format!("list the bucket `{}`", self.shown()), &e))?;
            for object in page.contents() {
                let key = object.key().and_then(|key| key.strip_prefix(&self.prefix)).unwrap_or_default();
                // What has no key of carve's is someone else's.
                if check_key(key).is_ok() {
                    objects.push(ObjectInfo {
                        key: key.to_owned(),
                        bytes: object.size().unwrap_or_default().unsigned_abs(),
                        etag: object.e_tag().unwrap_or_default().to_owned(),
                    });
                }
            }
            token = page.next_continuation_token().map(str::to_owned);
            if token.is_none() {
                objects.sort_by(|a: &ObjectInfo, b| a.key.cmp(&b.key));
                return Ok(objects);
            }
        }
    }

    async fn delete(&self, key: &str) -> Result<(), ConnectorError> {
        match self.client.delete_object().bucket(&self.bucket).key(self.full(key)?).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(failed(format!("delete the object `{key}`"), &error)),
        }
    }
}
