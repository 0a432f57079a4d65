use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    EndpointSchema, Fingerprint, FormatError, RESERVED_ENDPOINTS, ServiceAddress, check_schema, odcs, odcs_read,
    odcs_write,
};
use crate::vocab::{Digest, Endpoint, PartFormat, Schema, SchemaVersion, ServiceName};

/// What carve knows of a publication when it commits it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractFacts {
    /// Whose.
    pub service: ServiceName,
    /// Which publication.
    pub version: SchemaVersion,
    /// When it is committed; parts of a second are dropped.
    pub published: Timestamp,
    /// The domain, where known.
    pub domain: Option<String>,
    /// The team that answers for it, where known.
    pub owner: Option<String>,
    /// What the service is for, in a sentence.
    pub purpose: Option<String>,
    /// Its endpoints; `default` among them.
    pub endpoints: Vec<ContractEndpoint>,
    /// Where it lies.
    pub server: ContractServer,
    /// What its readers may rely on.
    pub sla: Sla,
}

/// One endpoint of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractEndpoint {
    /// Its name.
    pub endpoint: Endpoint,
    /// What its rows are, in a sentence.
    pub description: Option<String>,
    /// Columns and key.
    pub schema: Schema,
    /// How its parts are written.
    pub part_format: PartFormat,
    /// How many parts there are.
    pub parts: u64,
    /// All its rows.
    pub fingerprint: Fingerprint,
    /// Key of its manifest below the bucket.
    pub manifest: String,
    /// SHA-256 of its manifest.
    pub manifest_digest: Digest,
}

/// Where the service lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractServer {
    /// `folder` or `s3`: what the bucket calls its kind.
    pub kind: String,
    /// Address of the bucket as people see it, without secrets: `s3://mesh`, `file:./mesh`.
    pub bucket: String,
}

/// What readers may rely on; what is `None` is not promised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sla {
    /// Minutes between two refreshes at most; one that finds nothing new publishes nothing.
    pub frequency_minutes: Option<u64>,
    /// The schedule as it is written: `15 * * * *`, `@daily`.
    pub schedule: Option<String>,
    /// Days a publication is kept at least.
    pub retention_days: Option<u64>,
}

/// A data contract: what was published, in ODCS v3.1. Writing its bytes is the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Identifier of the service, the same in all its contracts.
    pub id: String,
    /// `active` for what carve publishes; others may write `deprecated`, `retired`, …
    pub status: String,
    /// What it says.
    pub facts: ContractFacts,
}

impl Contract {
    /// The contract of one publication, with its facts in the form they are read back in: whole seconds,
    /// the bucket's address with its scheme and without a slash at the end.
    ///
    /// # Errors
    /// Facts that contradict the format: no `default` endpoint, two of one name, a reserved name, a bad
    /// schema, a manifest that lies elsewhere.
    pub fn draft(facts: ContractFacts) -> Result<Self, FormatError> {
        let mut facts = facts;
        facts.published = whole_second(facts.published);
        facts.server.normalise();
        check_facts(&facts)?;
        Ok(Contract { id: format!("{}-data-service", facts.service), status: "active".to_owned(), facts })
    }

    /// The contract's own key below the bucket: writing it is the commit.
    pub fn key(&self) -> String {
        ServiceAddress::new(&self.facts.service).contract_key(self.facts.version, self.facts.published)
    }

    /// What its readers rely on, for [`super::bump`].
    pub fn endpoint_schemas(&self) -> Vec<EndpointSchema> {
        let one = |it: &ContractEndpoint| EndpointSchema {
            endpoint: it.endpoint.clone(),
            part_format: it.part_format,
            schema: it.schema.clone(),
        };
        self.facts.endpoints.iter().map(one).collect()
    }

    /// Its canonical bytes: the same contract, the same bytes.
    ///
    /// # Errors
    /// Facts that contradict the format, as in [`Contract::draft`].
    pub fn to_yaml(&self) -> Result<Vec<u8>, FormatError> {
        check_facts(&self.facts)?;
        odcs::to_yaml(&odcs_write::file_of(self))
    }

    /// Reads a contract: passes over keys that others added, insists on those the format needs.
    ///
    /// # Errors
    /// Malformed YAML, another version of ODCS, or a key that is missing or wrong.
    pub fn from_yaml(bytes: &[u8]) -> Result<Self, FormatError> {
        let contract = odcs_read::contract_of(odcs::from_yaml(bytes)?)?;
        check_facts(&contract.facts)?;
        Ok(contract)
    }
}

impl ContractServer {
    fn normalise(&mut self) {
        let trimmed = self.bucket.trim_end_matches('/');
        self.bucket = match self.kind == S3 || trimmed.starts_with(FILE) {
            true => trimmed.to_owned(),
            false => format!("{FILE}{trimmed}"),
        };
    }
}

/// The kind of a bucket behind the S3 API; every other is a folder.
pub(super) const S3: &str = "s3";
/// The scheme of a folder's address.
pub(super) const FILE: &str = "file:";

pub(super) fn whole_second(time: Timestamp) -> Timestamp {
    let before = i64::from(time.subsec_nanosecond() < 0);
    Timestamp::from_second(time.as_second() - before).unwrap_or(time)
}

fn check_facts(facts: &ContractFacts) -> Result<(), FormatError> {
    let broken = |reason: String| Err(FormatError::Document { document: "contract", reason });
    let mut names = BTreeSet::new();
    let address = ServiceAddress::new(&facts.service);
    for it in &facts.endpoints {
        check_schema(&it.schema)?;
        if !names.insert(&it.endpoint) {
            return broken(format!("names the endpoint `{}` twice", it.endpoint));
        }
        if RESERVED_ENDPOINTS.contains(&it.endpoint.as_str()) {
            return broken(format!("names the endpoint `{}`, which the format keeps for itself", it.endpoint));
        }
        let manifest = address.manifest_key(&it.endpoint, facts.version);
        if it.manifest != manifest {
            return broken(format!("has the manifest `{}` where `{manifest}` belongs", it.manifest));
        }
    }
    match names.contains(&Endpoint::default()) {
        true => Ok(()),
        false => broken("names no endpoint `default`: every service has one".to_owned()),
    }
}
