//! The transport proof: the rows a publication names and the rows of a table are the same, exactly.
use std::sync::Arc;

use crate::{
    apply::{
        context::Context,
        differences::{TOLD, differences, told},
        error::StepError,
        model::ProofSummary,
        rows::Rows,
    },
    service::{Fingerprint, Manifest},
    vocab::{DatasetId, counted},
};

/// Compares `table` of the lake with what `manifest` names. The manifest's fingerprint was taken from the origin's
/// rows before they were written, and each part is checked against it when it is read.
pub(super) async fn prove(
    context: &Context<'_>,
    manifest: &Arc<Manifest>,
    table: &DatasetId,
) -> Result<(ProofSummary, Vec<String>), StepError> {
    let world = context.world;
    let staged = Rows::Table(&*world.lake, table, &manifest.schema);
    let found = context.fingerprint(&*world.lake, table, &manifest.schema).await?;
    if found == manifest.fingerprint {
        return Ok((summary(manifest, table, found, "equal", equal(manifest, table)), Vec::new()));
    }
    let parts = Rows::Parts(world.bucket.clone(), manifest.clone());
    let differ = differences(context, &parts, &staged, &manifest.schema, TOLD).await?;
    let because = differ.counted("the parts", &format!("`{table}`"));
    let told = told(&differ, &manifest.schema, "the parts", &format!("`{table}`"));
    let summary = summary(manifest, table, found, "different", because);
    Ok((ProofSummary { differences: told.clone(), ..summary }, told))
}

pub(super) fn equal(manifest: &Manifest, table: &DatasetId) -> String {
    format!(
        "the origin's rows, the {} of {} and `{table}` have one fingerprint, {}",
        counted(manifest.parts.len() as u64, "part"),
        manifest.version,
        manifest.fingerprint
    )
}

pub(super) fn summary(
    manifest: &Manifest,
    table: &DatasetId,
    found: Fingerprint,
    verdict: &str,
    because: String,
) -> ProofSummary {
    ProofSummary {
        kind: "transport".to_owned(),
        what: Some(table.to_string()),
        endpoint: Some(manifest.endpoint.clone()),
        verdict: verdict.to_owned(),
        left_rows: manifest.rows(),
        right_rows: found.rows,
        because,
        differences: Vec::new(),
    }
}
