//! Old publications go by policy; the newest two never do, nor one that a live table was imported from.
use std::collections::BTreeSet;

use crate::{
    apply::{
        context::{self, Context},
        error::StepError,
        note::import_note,
        publication,
    },
    plan::Publish,
    vocab::SchemaVersion,
};

/// Removes all but the newest `keep` publications; gives the versions that went.
pub(super) async fn prune(
    context: &Context<'_>,
    publish: &Publish,
    keep: u32,
) -> Result<Vec<SchemaVersion>, StepError> {
    let (bucket, service) = (&*context.world.bucket, &context.plan.service);
    let contracts = publication::contracts(bucket, service).await?;
    let versions: BTreeSet<SchemaVersion> = contracts.iter().map(|key| key.version).collect();
    let mut kept: BTreeSet<SchemaVersion> = versions.iter().rev().take(keep.max(2) as usize).copied().collect();
    for swap in context::swaps(context.plan) {
        kept.extend(import_note(&*context.world.lake, &swap.live).await?.map(|note| note.version));
    }
    let mut gone = Vec::new();
    for version in versions.difference(&kept) {
        // Contracts go first: from then on no reader can choose what is about to go.
        for key in contracts.iter().filter(|key| key.version == *version) {
            bucket.delete(&key.key).await?;
        }
        publication::remove_objects(bucket, service, &context::endpoints(publish), *version).await?;
        gone.push(*version);
    }
    Ok(gone)
}
