//! Proves again, at any time, that what was published is whole and that the lake holds the same rows.
use std::sync::Arc;

use crate::{
    apply::{
        context::{self, Context},
        error::{ApplyError, StepError},
        extract::described,
        journal::{self, Stage},
        model::{ProofSummary, VerifyReport},
        not_compared::not_compared,
        proofs,
        publication::{self, Committed},
        rows::Rows,
        transport,
        world::{RunOptions, World},
    },
    plan::Plan,
    progress::Progress,
    service::{Fingerprint, Manifest},
    vocab::Endpoint,
};

/// Reads the newest publication and the live imports in full and compares them; the origin, where it can be read,
/// is compared too, but may have moved on. Damage is reported in `problems`, all of it, and, of a wrap that came to its end,
/// kept beside the journal for [`crate::apply::status`] until a refresh mends it. Nothing else is written.
///
/// # Errors
/// Only when lake or bucket do not answer, or on cancelling.
pub async fn verify(
    plan: &Plan,
    world: &World,
    options: &RunOptions,
    progress: &dyn Progress,
) -> Result<VerifyReport, ApplyError> {
    let context = Context { plan, world, options, progress, lease: None, readings: None };
    let report = all(&context).await.map_err(|error| error.in_step(&plan.service, "verify"))?;
    let folder = world.folder(&plan.service);
    // Before a wrap ends nothing is proven, so nothing can be said not to be so any more.
    if journal::read(&folder).is_ok_and(|read| read.state.stage == Stage::Finished) {
        proofs::keep_verified(&folder, &report.problems);
    }
    Ok(report)
}

async fn all(context: &Context<'_>) -> Result<VerifyReport, StepError> {
    let plan = context.plan;
    let mut report = VerifyReport {
        service: plan.service.clone(),
        version: None,
        equal: false,
        proofs: Vec::new(),
        problems: Vec::new(),
        not_compared: Vec::new(),
    };
    let newest = match publication::newest(&*context.world.bucket, &plan.service).await {
        Ok(newest) => newest,
        Err(error) => return broken(report, error),
    };
    let Some(newest) = newest else {
        report.problems.push(format!("`{}` has no publication", plan.service));
        return Ok(report);
    };
    report.version = Some(newest.version());
    if newest.is_withdrawn() {
        // Nothing is imported from it: the tables that have their names back are none of it.
        report.problems.push(format!("publication {} was withdrawn by a rollback", newest.version()));
        return Ok(report);
    }
    report.not_compared = not_compared(plan.unproven(), &proofs::read(&context.world.folder(&plan.service)));
    for its in &newest.contract.facts.endpoints {
        if let Err(error) = endpoint(context, &newest, &its.endpoint, &mut report).await {
            report = broken(report, error)?;
        }
    }
    report.equal = report.problems.is_empty();
    Ok(report)
}

/// Damage is a finding; a world that does not answer is an error.
fn broken(mut report: VerifyReport, error: StepError) -> Result<VerifyReport, StepError> {
    use crate::connector::ConnectorError::{NoSuchObject, NoSuchTable};
    match error {
        StepError::Damaged(_) | StepError::Format { .. } | StepError::Connector(NoSuchObject(_) | NoSuchTable(_)) => {
            report.problems.push(crate::apply::run::told(&error));
            Ok(report)
        }
        other => Err(other),
    }
}

async fn endpoint(
    context: &Context<'_>,
    newest: &Committed,
    endpoint: &Endpoint,
    report: &mut VerifyReport,
) -> Result<(), StepError> {
    let manifest = Arc::new(newest.manifest(&*context.world.bucket, endpoint).await?);
    parts(context, &manifest, report).await?;
    for import in context::imports(context.plan).filter(|import| import.endpoint == *endpoint) {
        let Some(swap) = context::swap_of(context.plan, &import.staging) else { continue };
        // Only fingerprints are compared: the parts were judged one by one already, and some may be gone.
        let live = Rows::Table(&*context.world.lake, &swap.live, &manifest.schema);
        let found = live.fingerprint(&manifest.schema, &|| context.go_on()).await?;
        let same = found == manifest.fingerprint;
        let proof = match same {
            true => transport::summary(&manifest, &swap.live, found, "equal", transport::equal(&manifest, &swap.live)),
            false => {
                let (because, differences) = match transport::prove(context, &manifest, &swap.live).await {
                    Ok((proof, told)) => (proof.because, told),
                    Err(StepError::Interrupted) => return Err(StepError::Interrupted),
                    Err(_) => ("which rows differ cannot be told: the parts are damaged".to_owned(), Vec::new()),
                };
                let all: Vec<&str> = std::iter::once(&because).chain(&differences).map(String::as_str).collect();
                report.problems.push(format!(
                    "`{}` does not hold publication {}: {}",
                    swap.live,
                    newest.version(),
                    all.join("; ")
                ));
                let summary = transport::summary(&manifest, &swap.live, found, "different", because);
                ProofSummary { differences, ..summary }
            }
        };
        report.proofs.push(proof);
    }
    origin(context, &manifest, report).await
}

/// Every part of one endpoint, one by one, so that all damage is told and not only the first.
async fn parts(context: &Context<'_>, manifest: &Arc<Manifest>, report: &mut VerifyReport) -> Result<(), StepError> {
    let name = format!("verifying {}", manifest.endpoint);
    context.progress.started(&name, Some(manifest.parts.len() as u64), "parts");
    let mut whole = 0;
    for (number, part) in manifest.parts.iter().enumerate() {
        context.go_on()?;
        let mut stream =
            crate::apply::rows::PartStream::open(context.world.bucket.clone(), manifest.clone(), vec![part.clone()]);
        match stream.next().await {
            Ok(_) => whole += 1,
            Err(StepError::Damaged(what)) => report.problems.push(what),
            Err(other) => return Err(other),
        }
        context.progress.advanced(&name, number as u64 + 1);
    }
    context.progress.finished(&name, &format!("{whole} of {} parts are whole", manifest.parts.len()));
    Ok(())
}

/// The origin as it is now; that it has moved on since the publication is no damage.
async fn origin(context: &Context<'_>, manifest: &Manifest, report: &mut VerifyReport) -> Result<(), StepError> {
    let wanted = context::publish(context.plan).into_iter().flat_map(|publish| &publish.endpoints);
    let Some(wanted) = wanted.into_iter().find(|its| its.endpoint == manifest.endpoint) else { return Ok(()) };
    let Some(origin) = context.world.origin(&wanted.from) else { return Ok(()) };
    let table = context.origin_table(wanted).await?;
    let (verdict, found, because) = match at_origin(context, origin, wanted, &table, &manifest.schema).await {
        Ok(found) if found == manifest.fingerprint => ("equal", found, format!("`{table}` holds the published rows")),
        Ok(found) => {
            let because = format!("`{table}` has moved on since {}: a refresh publishes it", manifest.version);
            ("explained", found, because)
        }
        Err(StepError::Interrupted) => return Err(StepError::Interrupted),
        Err(error) => {
            let because = format!("`{table}` cannot be read now: {}", crate::apply::run::told(&error));
            ("not_comparable", Fingerprint::default(), because)
        }
    };
    report.proofs.push(ProofSummary {
        kind: "origin".to_owned(),
        what: Some(table.to_string()),
        endpoint: Some(manifest.endpoint.clone()),
        verdict: verdict.to_owned(),
        left_rows: found.rows,
        right_rows: manifest.rows(),
        because,
        differences: Vec::new(),
    });
    Ok(())
}

/// The fingerprint of an endpoint's rows as its origin has them now.
pub(super) async fn at_origin(
    context: &Context<'_>,
    origin: &dyn crate::connector::Origin,
    wanted: &crate::plan::PublishEndpoint,
    table: &crate::vocab::DatasetId,
    published: &crate::vocab::Schema,
) -> Result<Fingerprint, StepError> {
    let (schema, _) = described(origin, table, wanted, Some(published)).await?;
    Rows::Table(origin, table, &schema).fingerprint(&schema, &|| context.go_on()).await
}
