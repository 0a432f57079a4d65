//! One bucket, or what lies below a prefix of it.
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::put_object::{PutObjectError, builders::PutObjectFluentBuilder};
use aws_sdk_s3::types::ChecksumMode;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bytes::Bytes;
use tokio::sync::OnceCell;

use super::abilities::{Abilities, probe};
use super::client::ATTEMPTS;
use super::failure::{failed, is_absent, is_conflict, is_unmet, status};
use super::site::{DIGEST_METADATA, Site, base64_of};
use crate::connector::key::{check_digest, check_key, check_prefix};
use crate::connector::{Bucket, ConnectorError, ObjectInfo, PutOutcome, address::Address};
use crate::vocab::Digest;

/// Tries while someone else writes the same object.
const CONFLICTS: u32 = 5;
/// How long carve waits before it believes that it replaced an object of a store that keeps no writers apart.
const SETTLED: Duration = Duration::from_secs(2);

/// An S3 bucket, or what lies below a prefix of it.
#[derive(Debug)]
pub struct S3Bucket {
    site: Site,
    abilities: OnceCell<Abilities>,
}

impl S3Bucket {
    pub(in crate::connector) async fn at(address: &Address) -> Result<Self, ConnectorError> {
        Ok(S3Bucket { site: Site::at(address).await?, abilities: OnceCell::new() })
    }

    /// What the store honours; tried out once.
    async fn abilities(&self) -> Result<Abilities, ConnectorError> {
        self.abilities.get_or_try_init(|| probe(&self.site)).await.copied()
    }

    /// Whether the object holds exactly `bytes`; `None` when it is not there.
    async fn same_bytes(&self, key: &str, bytes: &[u8], digest: &Digest) -> Result<Option<bool>, ConnectorError> {
        let full = self.site.full(key)?;
        let head =
            self.site.client.head_object().bucket(&self.site.bucket).key(&full).checksum_mode(ChecksumMode::Enabled);
        let head = match head.send().await {
            Ok(head) => head,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(failed(format!("look at the object `{key}`"), &error)),
        };
        if head.content_length().is_some_and(|length| u64::try_from(length) != Ok(bytes.len() as u64)) {
            return Ok(Some(false));
        }
        // A store that does not compare checksums keeps what the writer claims.
        let compared = self.abilities().await?.checksums;
        if let Some(checksum) = head.checksum_sha256().filter(|checksum| compared && !checksum.contains('-')) {
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
        let doing = format!("store the object `{key}`");
        let mut tried = 0;
        loop {
            tried += 1;
            match request().send().await {
                Ok(answer) => return self.site.encryption.confirm(&doing, &answer).map(|()| true),
                Err(error) if is_unmet(&error) => return Ok(false),
                Err(error) if is_conflict(&error) && tried < CONFLICTS => {
                    tokio::time::sleep(Duration::from_millis(50 << tried)).await;
                }
                // A conditional replacement of what has been deleted meanwhile.
                Err(error) if is_gone(&error) => return Ok(false),
                Err(error) => return Err(self.site.unwritten(doing, &error)),
            }
        }
    }

    /// Reads back what was just created under a new name. Damage is taken away again, so that the name is free for
    /// the next try.
    async fn read_back(&self, key: &str, bytes: &[u8], digest: &Digest) -> Result<(), ConnectorError> {
        if self.get(key).await? == bytes {
            return Ok(());
        }
        let head = self.site.client.head_object().bucket(&self.site.bucket).key(self.site.full(key)?).send().await;
        let head = head.map_err(|e| failed(format!("look at the object `{key}`"), &e))?;
        // Another writer's object says another digest of itself.
        if head.metadata().and_then(|its| its.get(DIGEST_METADATA)).is_some_and(|claimed| *claimed != digest.hex()) {
            return Err(ConnectorError::Taken { key: key.to_owned() });
        }
        self.delete(key).await?;
        let why = "the store holds other bytes than were sent, so it was deleted again";
        Err(ConnectorError::Engine { doing: format!("store the object `{key}`"), source: why.into() })
    }

    /// Whether the object still holds `bytes` once every other writer who looked before this write has written too.
    async fn settled(&self, key: &str, bytes: &[u8]) -> Result<bool, ConnectorError> {
        tokio::time::sleep(SETTLED).await;
        self.holds(key, bytes).await
    }
}

fn is_gone(error: &SdkError<PutObjectError, HttpResponse>) -> bool {
    status(error) == Some(404) && is_absent(error)
}

#[async_trait]
impl Bucket for S3Bucket {
    fn kind(&self) -> &'static str {
        "s3"
    }

    fn shown(&self) -> String {
        format!("s3://{}/{}", self.site.bucket, self.site.prefix).trim_end_matches('/').to_owned()
    }

    async fn probe(&self) -> Result<Vec<String>, ConnectorError> {
        let request =
            self.site.client.list_objects_v2().bucket(&self.site.bucket).prefix(&self.site.prefix).max_keys(1);
        request.send().await.map_err(|e| failed(format!("list the bucket `{}`", self.shown()), &e))?;
        Ok(self.abilities().await?.warnings())
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>, digest: &Digest) -> Result<PutOutcome, ConnectorError> {
        let full = self.site.full(key)?;
        check_digest(key, &bytes, digest)?;
        // Tries share them.
        let bytes = Bytes::from(bytes);
        let abilities = self.abilities().await?;
        if !abilities.creates_once() {
            match self.same_bytes(key, &bytes, digest).await? {
                Some(true) => return Ok(PutOutcome::SameBytes),
                Some(false) => return Err(ConnectorError::Taken { key: key.to_owned() }),
                None => {}
            }
        }
        for _ in 0..CONFLICTS {
            let request = || match (self.site.put(&full, bytes.clone(), digest), abilities.if_new) {
                (put, true) => put.if_none_match("*"),
                (put, false) => put,
            };
            if self.put_if(key, request).await? {
                if !(abilities.creates_once() && abilities.checksums) {
                    self.read_back(key, &bytes, digest).await?;
                }
                return Ok(PutOutcome::Created);
            }
            match self.same_bytes(key, &bytes, digest).await? {
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
        let full = self.site.full(key)?;
        let digest = Digest::of(&bytes);
        let bytes = Bytes::from(bytes);
        let abilities = self.abilities().await?;
        let (honoured, alone) = match etag {
            Some(_) => (abilities.if_same, abilities.replaces_once()),
            None => (abilities.if_new, abilities.creates_once()),
        };
        if !alone && self.head(key).await?.map(|info| info.etag).as_deref() != etag {
            return Ok(false);
        }
        let request = || {
            let put = self.site.put(&full, bytes.clone(), &digest);
            match (honoured, etag) {
                (false, _) => put,
                (true, None) => put.if_none_match("*"),
                (true, Some(etag)) => put.if_match(etag),
            }
        };
        Ok(self.put_if(key, request).await? && (alone || self.settled(key, &bytes).await?))
    }

    async fn get(&self, key: &str) -> Result<Vec<u8>, ConnectorError> {
        let doing = || format!("read the object `{key}`");
        let mut tried = 0;
        loop {
            tried += 1;
            let request = self.site.client.get_object().bucket(&self.site.bucket).key(self.site.full(key)?);
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
        match self.site.client.head_object().bucket(&self.site.bucket).key(self.site.full(key)?).send().await {
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
            let request = self
                .site
                .client
                .list_objects_v2()
                .bucket(&self.site.bucket)
                .prefix(format!("{}{prefix}", self.site.prefix));
            let page = request.set_continuation_token(token).send().await;
            let page = page.map_err(|e| failed(format!("list the bucket `{}`", self.shown()), &e))?;
            for object in page.contents() {
                let key = object.key().and_then(|key| key.strip_prefix(&self.site.prefix)).unwrap_or_default();
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
        match self.site.client.delete_object().bucket(&self.site.bucket).key(self.site.full(key)?).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(failed(format!("delete the object `{key}`"), &error)),
        }
    }
}
