use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::{
    apply::{
        error::StepError,
        lock::local::{Holder, LocalLock},
    },
    connector::Bucket,
    vocab::{Digest, ServiceName},
};

/// How long a lease lives without a heartbeat.
const LIFE: SignedDuration = SignedDuration::from_secs(60);
/// How often it is renewed.
const BEAT: Duration = Duration::from_secs(20);

/// The lease object: who publishes this service at present, and until when that is believed without news.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Note {
    format: String,
    owner: Digest,
    expires: String,
    #[serde(flatten)]
    holder: Holder,
}

/// The right to publish one service into a bucket that others may share.
pub(in crate::apply) struct Lease {
    bucket: Arc<dyn Bucket>,
    key: String,
    owner: Digest,
    lost: Arc<Mutex<Option<String>>>,
    beating: JoinHandle<()>,
}

impl Lease {
    /// Takes the lease: it is free, has expired, or was left by a run of this same folder that died (whose
    /// lock we hold now).
    pub(in crate::apply) async fn take(
        bucket: Arc<dyn Bucket>,
        service: &ServiceName,
        lock: &LocalLock,
        clock: fn() -> Timestamp,
    ) -> Result<Self, StepError> {
        // No service can be called like this folder, and every store takes the name.
        let key = format!("data-services/_carve-lease/{service}.json");
        let found = bucket.head(&key).await?;
        if found.is_some()
            && let Some(other) = held_by_other(&*bucket, &key, &lock.owner, clock()).await?
        {
            return Err(StepError::LeaseLost(other));
        }
        let fresh = note(lock, clock());
        let etag = found.map(|info| info.etag);
        let taken = bucket.replace(&key, bytes(&fresh), etag.as_deref()).await?;
        // An answer that got lost is asked for again, and then its own work is in the way.
        if !taken && !bucket.holds(&key, &bytes(&fresh)).await? {
            let other = held_by_other(&*bucket, &key, &lock.owner, clock()).await?;
            return Err(StepError::LeaseLost(other.unwrap_or_else(|| "another carve was quicker".to_owned())));
        }
        let lost = Arc::new(Mutex::new(None));
        let beating = tokio::spawn(beat(bucket.clone(), key.clone(), fresh, lost.clone(), clock));
        Ok(Lease { bucket, key, owner: lock.owner, lost, beating })
    }

    /// Fails once another has taken the lease.
    pub(in crate::apply) fn check(&self) -> Result<(), StepError> {
        match self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            None => Ok(()),
            Some(other) => Err(StepError::LeaseLost(other)),
        }
    }

    /// Gives it back.
    pub(in crate::apply) async fn release(self) {
        self.beating.abort();
        if let Ok(bytes) = self.bucket.get(&self.key).await
            && serde_json::from_slice::<Note>(&bytes).is_ok_and(|note| note.owner == self.owner)
        {
            // A lease that stays behind expires by itself.
            let _ = self.bucket.delete(&self.key).await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.beating.abort();
    }
}

async fn beat(
    bucket: Arc<dyn Bucket>,
    key: String,
    mut note: Note,
    lost: Arc<Mutex<Option<String>>>,
    clock: fn() -> Timestamp,
) {
    loop {
        tokio::time::sleep(BEAT).await;
        note.expires = expiry(clock());
        match renew(&*bucket, &key, &note, clock()).await {
            Ok(None) => {}
            Ok(Some(other)) => {
                *lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(other);
                return;
            }
            // The store does not answer: the lease lives on for a while, and the next beat tries again.
            Err(_) => {}
        }
    }
}

/// Renews a lease that is ours; says who has it when it is not.
async fn renew(bucket: &dyn Bucket, key: &str, note: &Note, now: Timestamp) -> Result<Option<String>, StepError> {
    // The mark is read before the content: content that is ours makes the mark ours or older, never another's.
    let Some(info) = bucket.head(key).await? else { return Ok(Some("nobody: it was removed".to_owned())) };
    if let Some(other) = held_by_other(bucket, key, &note.owner, now).await? {
        return Ok(Some(other));
    }
    match bucket.replace(key, bytes(note), Some(&info.etag)).await? {
        true => Ok(None),
        false => held_by_other(bucket, key, &note.owner, now).await,
    }
}

async fn held_by_other(
    bucket: &dyn Bucket,
    key: &str,
    owner: &Digest,
    now: Timestamp,
) -> Result<Option<String>, StepError> {
    let bytes = match bucket.get(key).await {
        Ok(bytes) => bytes,
        Err(crate::connector::ConnectorError::NoSuchObject(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // What cannot be read is no lease of carve's and holds nobody back.
    let Ok(note) = serde_json::from_slice::<Note>(&bytes) else { return Ok(None) };
    let expired = note.expires.parse::<Timestamp>().is_ok_and(|expires| expires < now);
    Ok((note.owner != *owner && !expired).then(|| format!("{} (a lease on the bucket)", note.holder.told())))
}

fn note(lock: &LocalLock, now: Timestamp) -> Note {
    let format = "carve-lease/1".to_owned();
    Note { format, owner: lock.owner, expires: expiry(now), holder: lock.holder.clone() }
}

fn expiry(now: Timestamp) -> String {
    now.saturating_add(LIFE).unwrap_or(now).to_string()
}

fn bytes(note: &Note) -> Vec<u8> {
    serde_json::to_vec(note).expect("a few fields of text")
}
