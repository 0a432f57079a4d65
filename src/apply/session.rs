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
    pub(super) lease: Option<Lease>,
    // Given back last: the lease trusts it.
    lock: LocalLock,
}

impl Session {
    /// Takes the lock and opens the journal.
    pub(super) fn open(world: &World, service: &ServiceName, doing: &str) -> Result<Self, ApplyError> {
        let doing = format!("{doing} of `{service}`");
        let lock = LocalLock::take(&world.folder(service), &doing, (world.clock)());
        let lock = lock.map_err(|error| error.in_step(service, "lock"))?;
        let journal = Journal::open(&world.folder(service), world.clock)?;
        Ok(Session { journal, lease: None, lock })
    }

    /// Takes the lease: after preflight, which tells better than a lease can what is wrong with a bucket.
    pub(super) async fn take_lease(&mut self, world: &World, service: &ServiceName) -> Result<(), ApplyError> {
        let lease = Lease::take(world.bucket.clone(), service, &self.lock, world.clock).await;
        self.lease = Some(lease.map_err(|error| error.in_step(service, "lease"))?);
        Ok(())
    }

    /// Gives everything back.
    pub(super) async fn close(self) {
        if let Some(lease) = self.lease {
            lease.release().await;
        }
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
