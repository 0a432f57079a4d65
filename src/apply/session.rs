//! One run's right to write: the lock, the lease and the open journal, taken together and given back together.
use crate::{
    apply::{
        error::{ApplyError, StepError},
        journal::{Event, Facts, Journal, RunState},
        lock::{Lease, LocalLock},
        world::World,
    },
    vocab::ServiceName,
};

/// Everything that one writing run holds.
pub(super) struct Session {
    pub(super) journal: Journal,
    pub(super) lease: Lease,
    // Given back last: the lease trusts it.
    _lock: LocalLock,
}

impl Session {
    /// Takes the lock, opens the journal, then takes the lease.
    pub(super) async fn open(world: &World, service: &ServiceName, doing: &str) -> Result<Self, ApplyError> {
        let doing = format!("{doing} of `{service}`");
        let lock = LocalLock::take(&world.state, &doing, (world.clock)())?;
        let journal = Journal::open(&world.folder(service), world.clock)?;
        let lease = Lease::take(world.bucket.clone(), service, &lock, world.clock).await;
        let lease = lease.map_err(|error| error.in_step("lease"))?;
        Ok(Session { journal, lease, _lock: lock })
    }

    /// Gives everything back.
    pub(super) async fn close(self) {
        self.lease.release().await;
    }

    pub(super) fn state(&self) -> &RunState {
        self.journal.state()
    }
}

/// A way for work in progress to write facts into the journal under `event`.
pub(super) fn noting<'j>(
    journal: &'j mut Journal,
    event: impl Fn(Facts) -> Event + Send + 'j,
) -> impl FnMut(Facts) -> Result<(), StepError> + Send + 'j {
    move |facts| Ok(journal.append(event(facts))?)
}
