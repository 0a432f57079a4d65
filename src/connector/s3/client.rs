//! From an address to a client: region, endpoint, credentials, patience.
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_s3::Client;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::connector::{ConnectorError, address::Address};

/// Tries of one request, the first included; the SDK waits longer before each, with jitter.
pub(super) const ATTEMPTS: u32 = 5;
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the first byte of an answer may take.
const READ: Duration = Duration::from_secs(60);
/// How long one try may take in all.
const ATTEMPT: Duration = Duration::from_secs(300);

/// What stands in an address: `s3://bucket/prefix?region=…&endpoint=…&path_style=true&profile=…&timeout_ms=…`.
pub(super) struct Place {
    pub(super) bucket: String,
    /// Empty, or ends in `/`.
    pub(super) prefix: String,
}

/// Bucket and prefix of `address`.
pub(super) fn place(address: &Address) -> Result<Place, ConnectorError> {
    address.only(&["region", "endpoint", "path_style", "profile", "timeout_ms"])?;
    let (bucket, prefix) = address.rest.split_once('/').unwrap_or((&address.rest, ""));
    let fine = (3..=63).contains(&bucket.len())
        && bucket.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'));
    if !fine {
        return Err(address.error("a bucket's name has 3 to 63 lower-case letters, digits, `-` and `.`"));
    }
    let prefix = prefix.trim_matches('/');
    let prefix = match prefix {
        "" => String::new(),
        prefix => {
            crate::connector::key::check_key(prefix)?;
            format!("{prefix}/")
        }
    };
    Ok(Place { bucket: bucket.to_owned(), prefix })
}

/// A client for `address`; credentials come from the environment, the profile or the machine, when they are needed.
pub(super) async fn client(address: &Address) -> Result<Client, ConnectorError> {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let endpoint = address.options.get("endpoint");
    let read = address.number("timeout_ms")?.map_or(READ, |ms| Duration::from_millis(ms.max(1)));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT.min(read))
        .read_timeout(read)
        .operation_attempt_timeout(ATTEMPT)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts);
    if let Some(profile) = address.options.get("profile") {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = address.options.get("region") {
        loader = loader.region(Region::new(region.clone()));
    }
    let shared = loader.load().await;
    let mut config = aws_sdk_s3::config::Builder::from(&shared);
    if let Some(endpoint) = endpoint {
        if !(endpoint.starts_with("http://") || endpoint.starts_with("https://")) {
            return Err(address.error("option `endpoint` starts with `http://` or `https://`"));
        }
        config = config.endpoint_url(endpoint);
    }
    match (shared.region(), endpoint) {
        (Some(_), _) => {}
        // Compatible stores sign with a region too, and nearly all of them take this one.
        (None, Some(_)) => config = config.region(Region::new("us-east-1")),
        (None, None) => return Err(address.error("no region is known: add `?region=…` or set AWS_REGION")),
    }
    if let Some(path_style) = address.switch("path_style")? {
        config = config.force_path_style(path_style);
    }
    Ok(Client::from_conf(config.build()))
}
