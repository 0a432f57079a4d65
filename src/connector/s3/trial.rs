//! Objects of carve's own in which a store is tried out.
use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;

use super::failure::failed;
use super::site::Site;
use crate::connector::ConnectorError;
use crate::vocab::Digest;

/// Below which they lie.
const PROBES: &str = "carve-probe/";
const DAY_SECONDS: u64 = 86_400;

/// One try-out. Nobody else has the names of its objects: another one at the same moment would be taken for a store
/// without conditions.
pub(super) struct Trial<'a> {
    pub(super) site: &'a Site,
    number: u64,
}

impl<'a> Trial<'a> {
    pub(super) const CONDITIONS: &'static str = "conditional-put";
    pub(super) const CHECKSUM: &'static str = "wrong-checksum";
    pub(super) const RACE: &'static str = "race";

    pub(super) fn new(site: &'a Site) -> Self {
        Trial { site, number: RandomState::new().hash_one(std::process::id()) }
    }

    fn key(&self, what: &str) -> String {
        format!("{}{PROBES}{what}-{:016x}", self.site.prefix, self.number)
    }

    pub(super) fn put(&self, what: &str, body: &str) -> PutObjectFluentBuilder {
        self.put_as(what, body, &Digest::of(body))
    }

    /// Says of `body` that its digest is `digest`.
    pub(super) fn put_as(&self, what: &str, body: &str, digest: &Digest) -> PutObjectFluentBuilder {
        self.site.put(&self.key(what), body.to_owned().into(), digest)
    }

    /// Removes what it wrote; some stores keep an object whose checksum they refused.
    pub(super) async fn remove(&self) -> Result<(), ConnectorError> {
        for what in [Self::CONDITIONS, Self::CHECKSUM, Self::RACE] {
            let request = self.site.client.delete_object().bucket(&self.site.bucket).key(self.key(what));
            match request.send().await {
                Ok(_) => {}
                Err(error) if super::failure::is_absent(&error) => {}
                Err(error) => return Err(failed(format!("delete from the bucket `{}`", self.site.bucket), &error)),
            }
        }
        Ok(())
    }

    /// Removes what others left that were killed a day ago or longer; that it cannot is nobody's trouble.
    pub(super) async fn tidy(&self) {
        let Site { client, bucket, prefix, .. } = self.site;
        let listed = client.list_objects_v2().bucket(bucket).prefix(format!("{prefix}{PROBES}"));
        let Ok(listed) = listed.send().await else { return };
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
}
