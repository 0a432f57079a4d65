//! The data service's format, pure: addresses, parts, row encoding and fingerprint, version bump, contract.
