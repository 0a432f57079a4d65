//! Publications as they lie in the bucket: the newest committed one, its manifests, and what to do with leftovers.
use crate::{
    apply::error::StepError,
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
        found.ok_or_else(|| StepError::Broken(format!("publication {} has no endpoint `{endpoint}`", self.key.version)))
    }

    /// The manifest of one endpoint, checked against the contract.
    pub(super) async fn manifest(&self, bucket: &dyn Bucket, endpoint: &Endpoint) -> Result<Manifest, StepError> {
        let named = self.endpoint(endpoint)?;
        let bytes = bucket.get(&named.manifest).await?;
        if Digest::of(&bytes) != named.manifest_digest {
            return Err(StepError::Broken(format!(
                "manifest `{}` is not the one that the contract `{}` commits: it was changed",
                named.manifest, self.key.key
            )));
        }
        Manifest::from_json(&bytes).map_err(StepError::format(format!("cannot read manifest `{}`", named.manifest)))
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

/// The publication with this version.
pub(super) async fn of_version(
    bucket: &dyn Bucket,
    service: &ServiceName,
    version: SchemaVersion,
) -> Result<Committed, StepError> {
    let found = contracts(bucket, service).await?.into_iter().rev().find(|key| key.version == version);
    let key = found.ok_or_else(|| StepError::Broken(format!("publication {version} of `{service}` is not there")))?;
    open(bucket, key).await
}

async fn open(bucket: &dyn Bucket, key: ContractKey) -> Result<Committed, StepError> {
    let bytes = bucket.get(&key.key).await?;
    let contract =
        Contract::from_yaml(&bytes).map_err(StepError::format(format!("cannot read contract `{}`", key.key)))?;
    if contract.facts.version != key.version || contract.facts.service.as_str() != service_of(&key.key) {
        return Err(StepError::Broken(format!("contract `{}` speaks of another publication than its name", key.key)));
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
    Ok(())
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
