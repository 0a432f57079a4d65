//! `carve catalog`: the pages by which services are found.
use crate::{
    apply::ServiceStatus,
    catalog::{self, CatalogPage, PublishedContract, ServiceFacts},
    cli::{
        Context, Outcome,
        args::CatalogArgs,
        exit::{ExitCode, Failure},
        workspace::{Workspace, write_files},
    },
    connector::{Bucket, open_bucket},
    estate::Estate,
    plan::Plan,
    report::{self, RenderOptions},
    service::{Contract, ServiceAddress},
    vocab::ServiceName,
};

pub(crate) async fn run(args: &CatalogArgs, context: &Context) -> Outcome {
    let workspace = Workspace::at(&args.estate)?;
    let (estate, _) = workspace.load(&context.bars);
    let options = RenderOptions { templates: args.templates.clone() };
    let count = write(&workspace, &estate, &options).await?;
    let index = workspace.below("catalog/index.html");
    match (context.json, count) {
        (true, _) => context.answer("carve-written/1", &serde_json::json!({ "services": count, "written": index }))?,
        (_, 0) => context.screen.out("No service is planned yet: nothing to show."),
        _ => context.screen.out(format!("Wrote {index} and a page each for {count} services.")),
    }
    Ok(ExitCode::Done)
}

/// Writes the pages of every planned service; gives back how many.
pub(super) async fn write(workspace: &Workspace, estate: &Estate, options: &RenderOptions) -> Result<usize, Failure> {
    let (plans, _) = workspace.all_plans();
    let statuses = super::status::gather(workspace, estate).await?;
    let bucket = match estate.settings.connections.get("bucket") {
        Some(url) => Some(open_bucket("bucket", url, workspace.root()).await?),
        None => None,
    };
    let mut pages = Vec::new();
    for status in &statuses {
        pages.push(page(status, &plans, bucket.as_deref()).await?);
    }
    if pages.is_empty() {
        return Ok(0);
    }
    let files = report::render_catalog(&pages, options)
        .map_err(|error| Failure::new(ExitCode::Error, &error).hint("docs/REPORT.md lists the templates"))?;
    write_files(&workspace.below("catalog"), &files)?;
    Ok(pages.len())
}

async fn page(status: &ServiceStatus, plans: &[Plan], bucket: Option<&dyn Bucket>) -> Result<CatalogPage, Failure> {
    let publications = match bucket {
        Some(bucket) => publications(bucket, &status.service).await?,
        None => Vec::new(),
    };
    let shown = bucket.map(Bucket::shown);
    Ok(catalog::page(&ServiceFacts {
        service: &status.service,
        plan: plans.iter().find(|plan| plan.service == status.service),
        status: Some(status),
        publications: &publications,
        bucket: shown.as_deref(),
    }))
}

async fn publications(bucket: &dyn Bucket, service: &ServiceName) -> Result<Vec<PublishedContract>, Failure> {
    let address = ServiceAddress::new(service);
    let keys: Vec<String> =
        bucket.list(&address.schemata_prefix()).await?.into_iter().map(|object| object.key).collect();
    let mut publications = Vec::new();
    for key in address.contracts(&keys) {
        let bytes = bucket.get(&key.key).await?;
        let contract = Contract::from_yaml(&bytes).map_err(|error| {
            let (file, told) = (&key.key, format!("`carve verify {service}` tells more"));
            let hint = format!("the contract `{file}` in the bucket was changed by someone: {told}");
            Failure::new(ExitCode::Different, &error).hint(hint)
        })?;
        publications.push(PublishedContract { key, contract });
    }
    Ok(publications)
}
