//! Which keys an object may have: the same rule for every bucket, so that a publication can move.
use crate::connector::ConnectorError;
use crate::vocab::Digest;

/// Checks that `key` is parts of letters, digits and `. _ = - +`, joined by single slashes.
///
/// No part starts with a dot, so that neither `..` nor a folder's own files can be meant.
pub(super) fn check_key(key: &str) -> Result<(), ConnectorError> {
    let fine = !key.is_empty() && key.len() <= 1024 && key.split('/').all(is_part);
    match fine {
        true => Ok(()),
        false => Err(ConnectorError::Refused {
            doing: format!("use the object key `{}`", key.escape_debug()),
            source: RULE.into(),
        }),
    }
}

/// Checks the beginning of keys: like a key, but its last part may be incomplete or empty.
pub(super) fn check_prefix(prefix: &str) -> Result<(), ConnectorError> {
    match prefix.strip_suffix('/').unwrap_or(prefix) {
        "" if prefix.is_empty() => Ok(()),
        key => check_key(key),
    }
}

/// Checks that `bytes` are what `digest` says: what was damaged on the way is not stored.
pub(super) fn check_digest(key: &str, bytes: &[u8], digest: &Digest) -> Result<(), ConnectorError> {
    match Digest::of(bytes) == *digest {
        true => Ok(()),
        false => Err(ConnectorError::Engine {
            doing: format!("store the object `{key}`"),
            source: format!("its bytes do not have the digest {digest} that was given with them").into(),
        }),
    }
}

const RULE: &str = "a key is parts of letters, digits and `._=-+` joined by `/`, no part starts with a dot or is longer \
                    than 255 bytes, and all of it is at most 1024 bytes";

fn is_part(part: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'=' | b'-' | b'+');
    !part.is_empty() && part.len() <= 255 && !part.starts_with('.') && part.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_inside_the_bucket() {
        for key in ["", "/a", "a/", "a//b", "..", "a/../b", ".carve", "a b", "a\\b", "a\nb", "ä", "a:b"] {
            assert!(check_key(key).is_err(), "{key}");
        }
        assert!(check_key("data-services/orders/default/v1.0.0.datapart01.csv").is_ok());
    }

    #[test]
    fn a_prefix_may_end_anywhere_but_outside() {
        assert!(["", "a/", "a/b"].iter().all(|p| check_prefix(p).is_ok()));
        assert!(["/", "../", "a//", "."].iter().all(|p| check_prefix(p).is_err()));
    }
}
