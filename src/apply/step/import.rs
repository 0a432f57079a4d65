use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use async_trait::async_trait;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    apply::{
        context::{self, Context},
        error::StepError,
        journal::Facts,
        model::ProofSummary,
        publication,
        rows::whole,
        step::{Here, Standing, StepKind},
        transport,
        upload::Noting,
    },
    connector::{Bucket, LoadPart},
    plan::Import,
    service::{Manifest, PartInfo},
    vocab::{DatasetId, PartFormat},
};

/// Batches of parts that are loaded at once where the lake lets several in.
const SIDE_BY_SIDE: usize = 3;
/// Parts, and bytes of them, that are loaded in one transaction, unless one part alone has more. What a crash undoes is
/// loaded again, and what is on its way is held in memory.
const BATCH_PARTS: usize = 64;
const BATCH_BYTES: u64 = 4 << 20;
/// Parts of a batch that are fetched at once: a store answers after a while.
const FETCHED_AT_ONCE: usize = 8;

/// Loads one endpoint's publication into a staging table, part by part, and proves it equal.
pub(super) struct ImportStep<'p>(pub(super) &'p Import);

#[async_trait]
impl StepKind for ImportStep<'_> {
    fn describe(&self) -> Vec<String> {
        vec![
            format!("load the parts of endpoint `{}` into `{}`, from the manifest", self.0.endpoint, self.0.staging),
            "prove: origin, parts and staged table hold the same rows".to_owned(),
        ]
    }

    fn untried(&self) -> Option<&'static str> {
        Some("whether the lake can be written")
    }

    async fn probe(&self, here: &Here<'_>) -> Result<Standing, StepError> {
        let manifest = self.manifest(here).await?;
        // What is staged and filled may lack its indexes, and all of it is proven again anyway.
        let table = match here.context.world.lake.exists(&self.0.staging).await? {
            true => return Ok(Standing::Before),
            false => match self.already_live(here).await? {
                Some(live) => live,
                None => return Ok(Standing::Before),
            },
        };
        let (proof, _) = transport::prove(&here.context, &manifest, &table).await?;
        match proof.verdict.as_str() {
            "equal" => Ok(Standing::After(facts(&proof))),
            _ => Ok(Standing::Before),
        }
    }

    async fn act(&self, here: &Here<'_>, _: &mut Noting<'_>) -> Result<Facts, StepError> {
        let manifest = self.manifest(here).await?;
        Ok(facts(&stage(&here.context, &manifest, &self.0.staging).await?))
    }

    async fn undo(&self, here: &Here<'_>) -> Result<Facts, StepError> {
        here.context.world.lake.drop_table(&self.0.staging).await?;
        Ok(Facts::said(format!("`{}` is gone", self.0.staging)))
    }
}

impl ImportStep<'_> {
    /// The manifest of the publication that the publish step noted.
    async fn manifest(&self, here: &Here<'_>) -> Result<Arc<Manifest>, StepError> {
        let version = here.version().ok_or_else(|| StepError::Broken("nothing is published yet".to_owned()))?;
        let (bucket, service) = (&*here.context.world.bucket, &here.context.plan.service);
        let committed = publication::of_version(bucket, service, version).await?;
        Ok(Arc::new(committed.manifest(bucket, &self.0.endpoint).await?))
    }

    /// The live table, when the staged one was swapped in already (its journal line is lost).
    async fn already_live(&self, here: &Here<'_>) -> Result<Option<DatasetId>, StepError> {
        let lake = &here.context.world.lake;
        let Some(swap) = context::swap_of(here.context.plan, &self.0.staging) else { return Ok(None) };
        let there = match &swap.previous {
            Some(previous) => here.context.in_place_done(swap, previous).await?,
            None => lake.exists(&swap.live).await?,
        };
        Ok(there.then(|| swap.live.clone()))
    }
}

/// Fills `staging` with what `manifest` names, going on where an earlier attempt stopped, proves it, and gives it
/// its key and the indexes of the table whose place it will take: rows that break one are refused here.
///
/// # Errors
/// [`StepError::NotEqual`] with the rows that differ; the staged table stays for a look, nothing reads it.
pub(in crate::apply) async fn stage(
    context: &Context<'_>,
    manifest: &Arc<Manifest>,
    staging: &DatasetId,
) -> Result<ProofSummary, StepError> {
    let lake = &*context.world.lake;
    let loaded = match lake.exists(staging).await? {
        true => ledger(context, staging, manifest).await?.unwrap_or_default(),
        false => BTreeSet::new(),
    };
    if !loaded.is_empty() {
        load(context, manifest, staging, &loaded).await?;
        let (proof, _) = transport::prove(context, manifest, staging).await?;
        if proof.verdict == "equal" {
            take_indexes(context, manifest, staging).await?;
            return Ok(proof);
        }
        // Other bytes once stood under these names, in an attempt that was swept away: it is filled anew.
    }
    lake.create_staging(staging, &manifest.schema).await?;
    load(context, manifest, staging, &BTreeSet::new()).await?;
    let (proof, told) = transport::prove(context, manifest, staging).await?;
    match proof.verdict.as_str() {
        "equal" => {
            take_indexes(context, manifest, staging).await?;
            Ok(proof)
        }
        _ => Err(StepError::NotEqual { proof: Box::new(proof), differences: told }),
    }
}

async fn take_indexes(context: &Context<'_>, manifest: &Manifest, staging: &DatasetId) -> Result<(), StepError> {
    let live = context::swap_of(context.plan, staging).map(|swap| &swap.live);
    Ok(context.world.lake.take_indexes(staging, &manifest.schema, live).await?)
}

async fn load(
    context: &Context<'_>,
    manifest: &Arc<Manifest>,
    staging: &DatasetId,
    loaded: &BTreeSet<String>,
) -> Result<(), StepError> {
    let name = format!("importing {}", manifest.endpoint);
    context.progress.started(&name, Some(manifest.rows()), "rows");
    let mut done = manifest.parts.iter().filter(|part| loaded.contains(&part.key)).map(|part| part.rows).sum::<u64>();
    let limit = if context.world.lake.takes_turns() { 1 } else { SIDE_BY_SIDE };
    let turns = Arc::new(Semaphore::new(limit));
    let mut under_way = JoinSet::new();
    for batch in batches(manifest.parts.iter().filter(|part| !loaded.contains(&part.key))) {
        context.go_on()?;
        // One is fetched while others are loaded. Each is a transaction of its own: what is let go in the middle was
        // never there.
        while under_way.len() > limit {
            done += one_loaded(&mut under_way).await?;
            context.progress.advanced(&name, done);
        }
        let (bucket, lake) = (context.world.bucket.clone(), context.world.lake.clone());
        let (manifest, staging, turns) = (manifest.clone(), staging.clone(), turns.clone());
        under_way.spawn(async move {
            let parts = fetched(&bucket, manifest.part_format, &batch).await?;
            let _turn = turns.acquire().await;
            lake.load_parts(&staging, &manifest.schema, parts).await?;
            Ok(batch.iter().map(|part| part.rows).sum())
        });
    }
    while !under_way.is_empty() {
        context.go_on()?;
        done += one_loaded(&mut under_way).await?;
        context.progress.advanced(&name, done);
    }
    context.progress.finished(&name, &format!("{done} rows"));
    Ok(())
}

/// `parts` in their order, as many together as one transaction takes.
fn batches<'m>(parts: impl Iterator<Item = &'m PartInfo>) -> Vec<Vec<PartInfo>> {
    let (mut batches, mut bytes) = (Vec::<Vec<PartInfo>>::new(), 0);
    for part in parts {
        bytes += part.bytes;
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_PARTS && bytes <= BATCH_BYTES => batch.push(part.clone()),
            _ => {
                bytes = part.bytes;
                batches.push(vec![part.clone()]);
            }
        }
    }
    batches
}

/// The parts of a batch as they lie in the bucket, each checked against its digest.
async fn fetched(bucket: &Arc<dyn Bucket>, format: PartFormat, batch: &[PartInfo]) -> Result<Vec<LoadPart>, StepError> {
    let mut parts = Vec::with_capacity(batch.len());
    let mut fetching = VecDeque::new();
    let mut waiting = batch.iter();
    loop {
        while let (true, Some(part)) = (fetching.len() < FETCHED_AT_ONCE, waiting.as_slice().first()) {
            waiting.next();
            fetching.push_back((part, tokio::spawn(whole(bucket.clone(), part.clone()))));
        }
        let Some((part, work)) = fetching.pop_front() else { return Ok(parts) };
        let bytes = work.await.map_err(StepError::task(format!("cannot read part `{}`", part.key)))??;
        parts.push(LoadPart { name: part.key.clone(), rows: part.rows, format, bytes });
    }
}

/// Waits for one of the batches that are under way; its rows.
async fn one_loaded(under_way: &mut JoinSet<Result<u64, StepError>>) -> Result<u64, StepError> {
    match under_way.join_next().await {
        Some(joined) => joined.map_err(StepError::task("cannot load parts"))?,
        None => Ok(0),
    }
}

/// Parts the staging table holds; `None` when it holds some of another publication, so that it must be made anew.
async fn ledger(
    context: &Context<'_>,
    staging: &DatasetId,
    manifest: &Manifest,
) -> Result<Option<BTreeSet<String>>, StepError> {
    let loaded: BTreeSet<String> = context.world.lake.loaded_parts(staging).await?.into_iter().collect();
    let named: BTreeSet<&str> = manifest.parts.iter().map(|part| part.key.as_str()).collect();
    Ok(loaded.iter().all(|key| named.contains(key.as_str())).then_some(loaded))
}

fn facts(proof: &ProofSummary) -> Facts {
    let line = format!("{} rows: {}", proof.right_rows, proof.because);
    Facts { proofs: vec![proof.clone()], ..Facts::said(line) }
}
