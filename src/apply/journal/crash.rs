//! The one place where carve can be made to die on purpose, so that tests can kill the real binary at each
//! journal boundary. `CARVE_TEST_CRASH_AT=<n>.before` aborts before the n-th line this process writes
//! (counted from 1), `<n>.torn` after half of it, `<n>.after` once it is on disk. Unset, it does nothing.
use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

static WRITES: AtomicU64 = AtomicU64::new(0);
static WANTED: OnceLock<Option<(u64, String)>> = OnceLock::new();

fn wanted() -> Option<&'static (u64, String)> {
    let parsed = WANTED.get_or_init(|| {
        let text = std::env::var("CARVE_TEST_CRASH_AT").ok()?;
        let (count, moment) = text.split_once('.')?;
        Some((count.parse().ok()?, moment.to_owned()))
    });
    parsed.as_ref()
}

/// Counts one write; true when this is the one that must be torn.
pub(super) fn begin_write() -> bool {
    let count = WRITES.fetch_add(1, Ordering::Relaxed) + 1;
    die_if(count, "before");
    wanted().is_some_and(|(at, moment)| *at == count && moment == "torn")
}

/// After a write reached the disk.
pub(super) fn end_write() {
    die_if(WRITES.load(Ordering::Relaxed), "after");
}

/// Ends the process at once, as a lost power supply would.
pub(super) fn die() -> ! {
    std::process::abort()
}

fn die_if(count: u64, now: &str) {
    if wanted().is_some_and(|(at, moment)| *at == count && moment == now) {
        die();
    }
}
