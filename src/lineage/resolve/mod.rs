//! Names into datasets, columns into the columns that feed them. Each scope is resolved once.
mod columns;
mod effect;
mod expr;
mod fill;
mod flow;
mod held;
mod job;
mod moved;
mod names;
mod passing;
mod query;
mod relation;
mod scope;
mod session;

pub(in crate::lineage) use job::{Catalog, JobResolver, RawUse, Resolved};
pub(in crate::lineage) use names::{INFERRED, MASK, UNKNOWN};
