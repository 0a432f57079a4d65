//! One carve at a time: an operating-system lock beside the estate, and a lease on the bucket that others share.
mod lease;
mod local;

pub(super) use lease::Lease;
pub(super) use local::{Holder, LocalLock, at_work};
