//! The verbs, a file each.
pub(super) mod apply;
mod apply_many;
pub(super) mod catalog;
pub(super) mod demo;
pub(super) mod explain;
mod faults;
pub(super) mod init;
pub(super) mod lineage;
mod lineage_views;
pub(super) mod plan;
mod proofs;
pub(super) mod refresh;
pub(super) mod report;
pub(super) mod rollback;
pub(super) mod scan;
pub(super) mod status;
pub(super) mod switchover;
pub(super) mod verify;
