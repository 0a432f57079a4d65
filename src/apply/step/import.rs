use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use tokio::task::JoinSet;

use crate::{
    apply::{
        context::{self, Context},
        error::StepError,
        journal::Facts,
        model::ProofSummary,
        publication,
        rows::PartStream,
        step::{Here, Standing, StepKind},
        transport,
        upload::Noting,
    },
    connector::ConnectorError,
    plan::Import,
    service::Manifest,
    vocab::DatasetId,
};

/// Parts that are loaded at once where the lake lets several in.
const SIDE_BY_SIDE: usize = 4;

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
        let lake = &here.context.world.lake;
        let table = match lake.exists(&self.0.staging).await? {
            true => match ledger(&here.context, &self.0.staging, &manifest).await? {
                Some(loaded) if loaded.len() == manifest.parts.len() => self.0.staging.clone(),
                _ => return Ok(Standing::Before),
            },
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
/// the indexes of the table whose place it will take: rows that break one are refused here.
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
            take_indexes(context, staging).await?;
            return Ok(proof);
        }
        // Other bytes once stood under these names, in an attempt that was swept away: it is filled anew.
    }
    lake.create_staging(staging, &manifest.schema).await?;
    load(context, manifest, staging, &BTreeSet::new()).await?;
    let (proof, told) = transport::prove(context, manifest, staging).await?;
    match proof.verdict.as_str() {
        "equal" => {
            take_indexes(context, staging).await?;
            Ok(proof)
        }
        _ => Err(StepError::NotEqual { proof: Box::new(proof), differences: told }),
    }
}

async fn take_indexes(context: &Context<'_>, staging: &DatasetId) -> Result<(), StepError> {
    if let Some(swap) = context::swap_of(context.plan, staging) {
        context.world.lake.take_indexes(staging, &swap.live).await?;
    }
    Ok(())
}

async fn load(
    context: &Context<'_>,
    manifest: &Arc<Manifest>,
    staging: &DatasetId,
    loaded: &BTreeSet<String>,
) -> Result<(), StepError> {
    let world = context.world;
    let missing = manifest.parts.iter().filter(|part| !loaded.contains(&part.key)).cloned().collect();
    let name = format!("importing {}", manifest.endpoint);
    context.progress.started(&name, Some(manifest.rows()), "rows");
    let mut done = manifest.parts.iter().filter(|part| loaded.contains(&part.key)).map(|part| part.rows).sum::<u64>();
    let mut parts = PartStream::open(world.bucket.clone(), manifest.clone(), missing);
    let limit = if world.lake.takes_turns() { 1 } else { SIDE_BY_SIDE };
    let mut loading = JoinSet::new();
    loop {
        let next = parts.next().await?;
        // Each part is a transaction of its own: what is let go in the middle was never there.
        while !loading.is_empty() && (next.is_none() || loading.len() >= limit) {
            done += one_loaded(&mut loading).await?;
            context.progress.advanced(&name, done);
        }
        let Some((part, rows)) = next else { break };
        context.go_on()?;
        let (lake, staging, manifest) = (world.lake.clone(), staging.clone(), manifest.clone());
        loading
            .spawn(async move { lake.load_part(&staging, &part.key, &manifest.schema, rows).await.map(|_| part.rows) });
    }
    context.progress.finished(&name, &format!("{done} rows"));
    Ok(())
}

/// Waits for one of the parts that are being loaded; its rows.
async fn one_loaded(loading: &mut JoinSet<Result<u64, ConnectorError>>) -> Result<u64, StepError> {
    match loading.join_next().await {
        Some(joined) => Ok(joined.map_err(StepError::task("cannot load a part"))??),
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
