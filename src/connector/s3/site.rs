//! One bucket, or what lies below a prefix of it, and how carve writes there.
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::put_object::{PutObjectError, builders::PutObjectFluentBuilder};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::base64;
use bytes::Bytes;

use super::client::{Place, client, place};
use super::encryption::Encryption;
use super::failure::failed;
use crate::connector::{ConnectorError, address::Address, key::check_key};
use crate::vocab::Digest;

/// The object's metadata that holds its SHA-256, for stores that keep no checksums.
pub(super) const DIGEST_METADATA: &str = "carve-sha256";

/// A place in a store.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) client: Client,
    pub(super) bucket: String,
    /// Empty, or ends in `/`.
    pub(super) prefix: String,
    pub(super) encryption: Encryption,
}

impl Site {
    pub(super) async fn at(address: &Address) -> Result<Self, ConnectorError> {
        let Place { bucket, prefix } = place(address)?;
        let encryption = Encryption::of(address)?;
        Ok(Site { client: client(address).await?, bucket, prefix, encryption })
    }

    /// The whole key of what carve calls `key`.
    pub(super) fn full(&self, key: &str) -> Result<String, ConnectorError> {
        check_key(key)?;
        Ok(format!("{}{key}", self.prefix))
    }

    /// Asks to store `bytes`, of which it says that their SHA-256 is `digest`.
    pub(super) fn put(&self, full: &str, bytes: Bytes, digest: &Digest) -> PutObjectFluentBuilder {
        let request = self.client.put_object().bucket(&self.bucket).key(full);
        self.encryption
            .on(request)
            .checksum_sha256(base64_of(digest))
            .metadata(DIGEST_METADATA, digest.hex())
            .content_length(i64::try_from(bytes.len()).unwrap_or(i64::MAX))
            .body(ByteStream::from(bytes))
    }

    /// The error that a write failed; where it may be for the encryption that is asked for, it says so.
    pub(super) fn unwritten(&self, doing: String, error: &SdkError<PutObjectError, HttpResponse>) -> ConnectorError {
        match (failed(doing, error), self.encryption.cure()) {
            (ConnectorError::Refused { doing, source }, Some(cure)) if error.as_service_error().is_some() => {
                ConnectorError::Refused { doing, source: format!("{source}; {cure}").into() }
            }
            (failed, _) => failed,
        }
    }
}

/// A SHA-256 as the store writes it.
pub(super) fn base64_of(digest: &Digest) -> String {
    let hex = digest.hex();
    let digits = hex.as_bytes().chunks(2);
    let bytes: Vec<u8> = digits
        .filter_map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    base64::encode(bytes)
}
