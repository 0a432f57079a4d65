use serde::{Deserialize, Serialize};

use super::{Fingerprint, FormatError, RESERVED_ENDPOINTS, ServiceAddress, pad_width};
use crate::vocab::{Digest, Endpoint, PartFormat, Schema, SchemaVersion, ServiceName};

/// What the first line of every manifest says.
pub const MANIFEST_FORMAT: &str = "carve-manifest/1";

/// Every part of one endpoint in one publication. Importers work from it, never from a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`MANIFEST_FORMAT`].
    pub format: String,
    /// Whose.
    pub service: ServiceName,
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// Which publication.
    pub version: SchemaVersion,
    /// How its parts are written.
    pub part_format: PartFormat,
    /// Columns and key.
    pub schema: Schema,
    /// The parts in the order of their numbers; at least one.
    pub parts: Vec<PartInfo>,
    /// All rows of all parts.
    pub fingerprint: Fingerprint,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartInfo {
    /// Its key below the bucket.
    pub key: String,
    /// How many rows it holds.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its rows.
    pub fingerprint: Fingerprint,
}

impl Manifest {
    /// The manifest of `parts`, which are in the order of their numbers; the whole fingerprint is their sum.
    pub fn new(
        service: ServiceName,
        endpoint: Endpoint,
        version: SchemaVersion,
        part_format: PartFormat,
        schema: Schema,
        parts: Vec<PartInfo>,
    ) -> Self {
        let fingerprint = sum(&parts);
        let format = MANIFEST_FORMAT.to_owned();
        Manifest { format, service, endpoint, version, part_format, schema, parts, fingerprint }
    }

    /// Rows of all parts.
    pub fn rows(&self) -> u64 {
        self.fingerprint.rows
    }

    /// Its canonical bytes: the same manifest, the same bytes.
    ///
    /// # Errors
    /// A manifest that contradicts itself: see [`Manifest::check`].
    pub fn to_json(&self) -> Result<Vec<u8>, FormatError> {
        self.check()?;
        let mut bytes = serde_json::to_vec_pretty(self).map_err(syntax)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads and checks a manifest; keys it does not know are passed over.
    ///
    /// # Errors
    /// Malformed JSON, another format, or a manifest that contradicts itself.
    pub fn from_json(bytes: &[u8]) -> Result<Self, FormatError> {
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(syntax)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Whether it keeps the format's promises: its keys are the ones its names give, none is missing,
    /// and the parts add up to the whole.
    ///
    /// # Errors
    /// The first promise it breaks.
    pub fn check(&self) -> Result<(), FormatError> {
        let broken = |reason: String| Err(FormatError::Document { document: "manifest", reason });
        if self.format != MANIFEST_FORMAT {
            return broken(format!("is of format `{}`: this carve reads `{MANIFEST_FORMAT}`", self.format));
        }
        if RESERVED_ENDPOINTS.contains(&self.endpoint.as_str()) {
            return broken(format!("names the endpoint `{}`, which the format keeps for itself", self.endpoint));
        }
        super::check_schema(&self.schema)?;
        if self.parts.is_empty() {
            return broken("names no part: an empty table has one part without rows".to_owned());
        }
        if let Some(part) = self.parts.iter().find(|part| part.rows != part.fingerprint.rows) {
            return broken(format!("says {} rows of `{}`, its fingerprint says other", part.rows, part.key));
        }
        for (expected, part) in self.keys().zip(&self.parts) {
            if part.key != expected {
                return broken(format!("names the part `{}` where `{expected}` belongs", part.key));
            }
        }
        match sum(&self.parts) == self.fingerprint {
            true => Ok(()),
            false => broken("has a fingerprint that is not the sum of its parts'".to_owned()),
        }
    }

    /// The keys its parts must have, in order.
    fn keys(&self) -> impl Iterator<Item = String> + '_ {
        let address = ServiceAddress::new(&self.service);
        let parts = self.parts.len() as u64;
        let width = pad_width(parts);
        (1..=parts).map(move |number| address.part_key(&self.endpoint, self.version, number, width, self.part_format))
    }
}

fn sum(parts: &[PartInfo]) -> Fingerprint {
    let mut all = Fingerprint::default();
    parts.iter().for_each(|part| all.merge(&part.fingerprint));
    all
}

fn syntax(source: serde_json::Error) -> FormatError {
    FormatError::Syntax { document: "manifest", source: Box::new(source) }
}
