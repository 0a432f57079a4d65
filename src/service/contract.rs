use jiff::Timestamp;

use super::{Fingerprint, FormatError};
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
    /// Minutes between publications at most.
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
    /// The contract of one publication.
    ///
    /// # Errors
    /// Facts that contradict the format: no `default` endpoint, two of one name, a reserved name, a bad schema.
    pub fn draft(facts: ContractFacts) -> Result<Self, FormatError> {
        let id = format!("{}-data-service", facts.service);
        Ok(Contract { id, status: "active".to_owned(), facts })
    }

    /// Its canonical bytes: the same contract, the same bytes.
    ///
    /// # Errors
    /// A contract that YAML cannot hold.
    pub fn to_yaml(&self) -> Result<Vec<u8>, FormatError> {
        Err(FormatError::Document { document: "contract", reason: "is not written yet".to_owned() })
    }

    /// Reads a contract: passes over keys that others added, insists on those the format needs.
    ///
    /// # Errors
    /// Malformed YAML, another version of ODCS, or a key that is missing or wrong.
    pub fn from_yaml(bytes: &[u8]) -> Result<Self, FormatError> {
        let _ = bytes;
        Err(FormatError::Document { document: "contract", reason: "is not read yet".to_owned() })
    }
}
