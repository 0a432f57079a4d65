//! What the estate as a whole says about names: catalogs that some files leave out, targets that readers tell.
mod mentions;
mod same;
mod stems;

pub(in crate::lineage) use mentions::Mentions;
pub(in crate::lineage) use same::same_names;
pub(in crate::lineage) use stems::targets;
