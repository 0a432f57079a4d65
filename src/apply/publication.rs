//! Publications as they lie in the bucket: the newest committed one, its manifests, and what to do with leftovers.
use std::{collections::BTreeMap, sync::Arc};

use crate::{
    apply::{error::StepError, rows::PartStream},
    connector::{Bucket, ConnectorError},
    service::{Contract, ContractEndpoint, ContractKey, Manifest, ServiceAddress},
    vocab::{Digest, Endpoint, SchemaVersion, ServiceName},
};

/// The contract status of a publication that a rollback withdrew.
pub(super) const WITHDRAWN: &str = "retired";

/// A committed publication.
pub(super) struct Committed {
    pub(super) key: ContractKey,
    pub(super) contract: Contract,
}

impl Committed {
    pub(super) fn version(&self) -> SchemaVersion {
        self.key.version
    }

    pub(super) fn is_withdrawn(&self) -> bool {
        self.contract.status == WITHDRAWN
    }

    pub(super) fn endpoint(&self, endpoint: &Endpoint) -> Result<&ContractEndpoint, StepError> {
        let found = self.contract.facts.endpoints.iter().find(|its| its.endpoint == *endpoint);
        found
            .ok_or_else(|| StepError::Damaged(format!("publication {} has no endpoint `{endpoint}`", self.key.version)))
    }

    /// The manifest of one endpoint, checked against the contract.
    pub(super) async fn manifest(&self, bucket: &dyn Bucket, endpoint: &Endpoint) -> Result<Manifest, StepError> {
        let named = self.endpoint(endpoint)?;
        let bytes = match bucket.get(&named.manifest).await {
            Err(ConnectorError::NoSuchObject(key)) => {
                return Err(StepError::Damaged(format!("manifest `{key}` is not there")));
            }
            found => found?,
        };
        if Digest::of(&bytes) != named.manifest_digest {
            return Err(StepError::Damaged(format!(
                "manifest `{}` is not the one that the contract `{}` commits: it was changed",
                named.manifest, self.key.key
            )));
        }
        Manifest::from_json(&bytes).map_err(StepError::damaged(format!("cannot read manifest `{}`", named.manifest)))
    }
}

/// Every publication of a service, oldest first.
pub(super) async fn contracts(bucket: &dyn Bucket, service: &ServiceName) -> Result<Vec<ContractKey>, ConnectorError> {
    let address = ServiceAddress::new(service);
    let listed = bucket.list(&address.schemata_prefix()).await?;
    Ok(address.contracts(listed.iter().map(|info| &info.key)))
}

/// The newest publication; `None` before the first.
pub(super) async fn newest(bucket: &dyn Bucket, service: &ServiceName) -> Result<Option<Committed>, StepError> {
    match contracts(bucket, service).await?.pop() {
        None => Ok(None),
        Some(key) => Ok(Some(open(bucket, key).await?)),
    }
}

/// What a service has published, as far as it can be read.
pub(super) struct Shelf {
    /// The newest publication whose contract can be read.
    pub(super) newest: Option<Committed>,
    /// The highest version that a contract's name claims, readable or not.
    pub(super) highest: Option<SchemaVersion>,
    /// Contracts after the newest that cannot be read, a sentence each.
    pub(super) damage: Vec<String>,
}

/// Looks through the contracts from the newest back to the first that can be read.
pub(super) async fn shelf(bucket: &dyn Bucket, service: &ServiceName) -> Result<Shelf, StepError> {
    let mut keys = contracts(bucket, service).await?;
    let mut shelf = Shelf { newest: None, highest: keys.iter().map(|key| key.version).max(), damage: Vec::new() };
    while let (Some(key), None) = (keys.pop(), &shelf.newest) {
        match open(bucket, key).await {
            Ok(committed) => shelf.newest = Some(committed),
            Err(StepError::Damaged(what)) => shelf.damage.push(what),
            Err(other) => return Err(other),
        }
    }
    Ok(shelf)
}

/// How closely a publication is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Manifests by their digests, parts by name and size: one listing an endpoint.
    Sizes,
    /// Every byte of every part as well.
    Bytes,
}

/// What is missing or damaged of a publication, a sentence each; empty when it is whole.
pub(super) async fn damage(
    bucket: &Arc<dyn Bucket>,
    committed: &Committed,
    depth: Depth,
    watch: &(dyn Fn() -> Result<(), StepError> + Sync),
) -> Result<Vec<String>, StepError> {
    let mut damage = Vec::new();
    for its in &committed.contract.facts.endpoints {
        let looked = async {
            let manifest = Arc::new(committed.manifest(&**bucket, &its.endpoint).await?);
            by_size(&**bucket, &manifest, &mut damage).await?;
            match depth {
                Depth::Bytes if damage.is_empty() => by_bytes(bucket, manifest, watch).await,
                _ => Ok(()),
            }
        };
        match looked.await {
            Ok(()) => {}
            Err(StepError::Damaged(what)) => damage.push(what),
            Err(other) => return Err(other),
        }
    }
    Ok(damage)
}

async fn by_size(bucket: &dyn Bucket, manifest: &Manifest, damage: &mut Vec<String>) -> Result<(), StepError> {
    let address = ServiceAddress::new(&manifest.service);
    let listed = bucket.list(&format!("{}v{}.", address.endpoint_prefix(&manifest.endpoint), manifest.version)).await?;
    let sizes: BTreeMap<&str, u64> = listed.iter().map(|info| (info.key.as_str(), info.bytes)).collect();
    for part in &manifest.parts {
        match sizes.get(part.key.as_str()) {
            None => damage.push(format!("part `{}` is not there", part.key)),
            Some(size) if *size != part.bytes => {
                damage.push(format!("part `{}` has {size} bytes instead of {}", part.key, part.bytes));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

async fn by_bytes(
    bucket: &Arc<dyn Bucket>,
    manifest: Arc<Manifest>,
    watch: &(dyn Fn() -> Result<(), StepError> + Sync),
) -> Result<(), StepError> {
    let parts = manifest.parts.clone();
    let mut stream = PartStream::open(bucket.clone(), manifest, parts);
    while stream.next().await?.is_some() {
        watch()?;
    }
    Ok(())
}

/// Damage in one line: the first of it, and how much more there is.
pub(super) fn told(damage: &[String]) -> String {
    match damage {
        [] => "nothing is damaged".to_owned(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    }
}

/// The publication with this version.
pub(super) async fn of_version(
    bucket: &dyn Bucket,
    service: &ServiceName,
    version: SchemaVersion,
) -> Result<Committed, StepError> {
    let found = contracts(bucket, service).await?.into_iter().rev().find(|key| key.version == version);
    let key = found.ok_or_else(|| StepError::Damaged(format!("publication {version} of `{service}` is not there")))?;
    open(bucket, key).await
}

async fn open(bucket: &dyn Bucket, key: ContractKey) -> Result<Committed, StepError> {
    let bytes = match bucket.get(&key.key).await {
        Err(ConnectorError::NoSuchObject(key)) => return Err(StepError::Damaged(format!("contract `{key}` is gone"))),
        found => found?,
    };
    let contract =
        Contract::from_yaml(&bytes).map_err(StepError::damaged(format!("cannot read contract `{}`", key.key)))?;
    if contract.facts.version != key.version || contract.facts.service.as_str() != service_of(&key.key) {
        return Err(StepError::Damaged(format!("contract `{}` speaks of another publication than its name", key.key)));
    }
    Ok(Committed { key, contract })
}

fn service_of(key: &str) -> &str {
    key.split('/').nth(1).unwrap_or_default()
}

/// Writes the newest contract once more with another status and a later time: readers see it as the newest,
/// and nothing that was published is touched.
pub(super) async fn mark(
    bucket: &dyn Bucket,
    newest: Committed,
    status: &str,
    now: jiff::Timestamp,
) -> Result<(), StepError> {
    let mut contract = newest.contract;
    let later = newest.key.published.saturating_add(jiff::SignedDuration::from_secs(1)).unwrap_or(now);
    contract.facts.published = now.max(later);
    contract.status = status.to_owned();
    commit(bucket, &contract).await
}

/// Stores a contract: the one write that makes a publication visible.
pub(super) async fn commit(bucket: &dyn Bucket, contract: &Contract) -> Result<(), StepError> {
    let address = ServiceAddress::new(&contract.facts.service);
    let key = address.contract_key(contract.facts.version, contract.facts.published);
    let bytes = contract.to_yaml().map_err(StepError::format(format!("cannot write contract `{key}`")))?;
    let digest = Digest::of(&bytes);
    bucket.put_new(&key, bytes, &digest).await?;
    Ok(bucket.settle().await?)
}

/// Removes what unfinished attempts of ours left under version names that no contract commits.
/// Only with the lock and the lease held: nobody else can be about to commit them.
pub(super) async fn sweep(
    bucket: &dyn Bucket,
    service: &ServiceName,
    endpoints: &[Endpoint],
    attempted: &[SchemaVersion],
) -> Result<u64, StepError> {
    let committed = contracts(bucket, service).await?;
    let mut removed = 0;
    for version in attempted.iter().filter(|version| committed.iter().all(|key| key.version != **version)) {
        removed += remove_objects(bucket, service, endpoints, *version).await?;
    }
    Ok(removed)
}

/// Removes manifests and parts of one version, manifests first.
pub(super) async fn remove_objects(
    bucket: &dyn Bucket,
    service: &ServiceName,
    endpoints: &[Endpoint],
    version: SchemaVersion,
) -> Result<u64, StepError> {
    let address = ServiceAddress::new(service);
    let mut removed = 0;
    for endpoint in endpoints {
        bucket.delete(&address.manifest_key(endpoint, version)).await?;
        for info in bucket.list(&format!("{}v{version}.", address.endpoint_prefix(endpoint))).await? {
            bucket.delete(&info.key).await?;
            removed += 1;
        }
    }
    Ok(removed)
}
