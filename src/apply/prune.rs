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
    service::ServiceAddress,
    vocab::SchemaVersion,
};

/// Removes all but the newest `keep` publications; gives the versions that went. `begin` hears of it before anything
/// goes, so that a run which goes on where one was stopped (`resumed`) can look for what that one left.
pub(super) async fn prune(
    context: &Context<'_>,
    publish: &Publish,
    keep: u32,
    resumed: bool,
    begin: &mut (dyn FnMut() -> Result<(), StepError> + Send),
) -> Result<Vec<SchemaVersion>, StepError> {
    let (bucket, service) = (&*context.world.bucket, &context.plan.service);
    let contracts = publication::contracts(bucket, service).await?;
    let versions: BTreeSet<SchemaVersion> = contracts.iter().map(|key| key.version).collect();
    let mut kept: BTreeSet<SchemaVersion> = versions.iter().rev().take(keep.max(2) as usize).copied().collect();
    let mut gone = match kept.first() {
        Some(oldest) if resumed => left(context, publish, &versions, *oldest).await?,
        _ => BTreeSet::new(),
    };
    for swap in context::swaps(context.plan) {
        kept.extend(import_note(&*context.world.lake, &swap.live).await?.map(|note| note.version));
    }
    gone.extend(versions.difference(&kept));
    if !gone.is_empty() {
        begin()?;
    }
    for version in &gone {
        // Contracts go first: from then on no reader can choose what is about to go.
        for key in contracts.iter().filter(|key| key.version == *version) {
            bucket.delete(&key.key).await?;
        }
        publication::remove_objects(bucket, service, &context::endpoints(publish), *version).await?;
    }
    Ok(gone.into_iter().collect())
}

/// Versions before `oldest` that have objects and no contract: a run was stopped while it removed them.
async fn left(
    context: &Context<'_>,
    publish: &Publish,
    committed: &BTreeSet<SchemaVersion>,
    oldest: SchemaVersion,
) -> Result<BTreeSet<SchemaVersion>, StepError> {
    let address = ServiceAddress::new(&context.plan.service);
    let mut found = BTreeSet::new();
    for endpoint in context::endpoints(publish) {
        let listed = context.world.bucket.list(&address.endpoint_prefix(&endpoint)).await?;
        found.extend(listed.iter().filter_map(|info| address.object_version(&endpoint, &info.key)));
    }
    found.retain(|version| *version < oldest && !committed.contains(version));
    Ok(found)
}
