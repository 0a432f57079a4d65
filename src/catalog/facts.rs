use crate::{
    apply::ServiceStatus,
    plan::Plan,
    service::{Contract, ContractKey},
    vocab::ServiceName,
};

/// One publication: its contract and where it lies.
#[derive(Clone, Debug)]
pub struct PublishedContract {
    /// Version, time and key below the bucket.
    pub key: ContractKey,
    /// What it says.
    pub contract: Contract,
}

/// All that is known of one service. Any part may be missing; the page says what is.
#[derive(Clone, Copy, Debug)]
pub struct ServiceFacts<'a> {
    /// Which service.
    pub service: &'a ServiceName,
    /// Its plan, for what is not published yet.
    pub plan: Option<&'a Plan>,
    /// How far it is.
    pub status: Option<&'a ServiceStatus>,
    /// Its publications, oldest first.
    pub publications: &'a [PublishedContract],
    /// The bucket's address as people see it, without secrets, where known.
    pub bucket: Option<&'a str>,
}
