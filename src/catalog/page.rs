use super::{
    CatalogColumn, CatalogEndpoint, CatalogPage, HistoryRow, PublishedContract, ServiceFacts,
    snippets::{Parts, join, snippets},
};
use crate::{
    apply::ProofSummary,
    plan::{Action, Plan, PublishEndpoint},
    service::{ContractEndpoint, ContractFacts, ServiceAddress, Sla, extension},
    vocab::{Endpoint, LogicalType, Schema},
};

/// A page is for people: so many publications are shown, the contract folder has all.
const HISTORY_SHOWN: usize = 30;
const NOT_SAID: &str = "not said";

/// The page of one service, from whatever is known of it.
pub fn page(facts: &ServiceFacts<'_>) -> CatalogPage {
    let newest = facts.publications.last();
    let said = newest.map(|publication| &publication.contract.facts);
    let bucket = bucket(facts);
    let address = ServiceAddress::new(facts.service);
    CatalogPage {
        name: facts.service.to_string(),
        summary: summary(facts, said),
        domain: said
            .and_then(|s| s.domain.clone())
            .or_else(|| facts.plan.map(|plan| plan.boundary.domain.clone()))
            .unwrap_or_else(|| NOT_SAID.to_owned()),
        owner: said
            .and_then(|s| s.owner.clone())
            .or_else(|| facts.plan.and_then(|plan| plan.ownership.then.clone().or_else(|| plan.ownership.now.clone())))
            .unwrap_or_else(|| NOT_SAID.to_owned()),
        state: state(facts, newest),
        version: newest.map(|p| format!("v{}", p.key.version)).unwrap_or_default(),
        published: newest.map(|p| p.key.published.to_string()).unwrap_or_default(),
        freshness: freshness(said.map(|s| &s.sla), newest),
        rows: said.map(|s| thousands(s.endpoints.iter().map(|e| e.fingerprint.rows).sum())).unwrap_or_default(),
        address: join(&bucket, address.prefix()),
        contract: newest.map(|p| join(&bucket, &p.key.key)).unwrap_or_default(),
        endpoints: endpoints(facts, &bucket, &address),
        history: history(facts.publications),
        older: match facts.publications.len().saturating_sub(HISTORY_SHOWN) {
            0 => String::new(),
            older => format!("and {} older ones", thousands(older as u64)),
        },
        proofs: facts.status.map(|s| s.proofs.iter().map(proof).collect()).unwrap_or_default(),
    }
}

fn bucket(facts: &ServiceFacts<'_>) -> String {
    let said = facts.publications.last().map(|p| p.contract.facts.server.bucket.as_str());
    facts.bucket.or(said).unwrap_or("s3://{bucket}").to_owned()
}

fn summary(facts: &ServiceFacts<'_>, said: Option<&ContractFacts>) -> String {
    said.and_then(|s| s.purpose.clone())
        .or_else(|| facts.plan.map(|plan| plan.summary.clone()))
        .unwrap_or_else(|| format!("Data service {}.", facts.service))
}

fn state(facts: &ServiceFacts<'_>, newest: Option<&PublishedContract>) -> String {
    match (facts.status, newest) {
        (Some(status), _) if status.stage == "rolled_back" => "rolled back".to_owned(),
        (_, Some(publication)) if publication.contract.status != "active" => publication.contract.status.clone(),
        (_, Some(_)) => "published".to_owned(),
        (Some(status), None) => status.stage.replace('_', " "),
        (None, None) => "planned".to_owned(),
    }
}

fn freshness(sla: Option<&Sla>, newest: Option<&PublishedContract>) -> String {
    let Some(sla) = sla else { return "Nothing is published yet.".to_owned() };
    let promise = match (&sla.schedule, sla.frequency_minutes) {
        (Some(schedule), Some(minutes)) => {
            format!("Refreshed on `{schedule}`, every {} at least", minutes_text(minutes))
        }
        (Some(schedule), None) => format!("Refreshed on `{schedule}`"),
        (None, Some(minutes)) => format!("Refreshed every {} at least", minutes_text(minutes)),
        (None, None) => "No freshness is promised".to_owned(),
    };
    let kept =
        sla.retention_days.map(|days| format!("; a publication is kept {days} days at least")).unwrap_or_default();
    let last = newest.map(|p| format!(" Last publication: {}.", p.key.published)).unwrap_or_default();
    format!("{promise}{kept}.{last}")
}

fn minutes_text(minutes: u64) -> String {
    match minutes {
        1 => "minute".to_owned(),
        60 => "hour".to_owned(),
        1440 => "day".to_owned(),
        m if m % 1440 == 0 => format!("{} days", m / 1440),
        m if m % 60 == 0 => format!("{} hours", m / 60),
        m => format!("{m} minutes"),
    }
}

/// What the newest contract says of each endpoint; before it, what the plan says.
fn endpoints(facts: &ServiceFacts<'_>, bucket: &str, address: &ServiceAddress) -> Vec<CatalogEndpoint> {
    match facts.publications.last() {
        Some(publication) => {
            let said = &publication.contract.facts;
            said.endpoints.iter().map(|e| published(facts.plan, bucket, address, said, e)).collect()
        }
        None => facts.plan.into_iter().flat_map(|plan| planned(plan, bucket, address)).collect(),
    }
}

fn published(
    plan: Option<&Plan>,
    bucket: &str,
    address: &ServiceAddress,
    said: &ContractFacts,
    endpoint: &ContractEndpoint,
) -> CatalogEndpoint {
    let folder = address.endpoint_prefix(&endpoint.endpoint);
    let table = plan.map(|plan| imported_into(plan, &endpoint.endpoint)).unwrap_or_default();
    let wanted = plan.and_then(|plan| publishes(plan).find(|wanted| wanted.endpoint == endpoint.endpoint));
    let columns = columns(&endpoint.schema, wanted.and_then(|wanted| wanted.expect.as_ref()));
    let version = format!("v{}", said.version);
    let parts = Parts {
        bucket,
        folder: &folder,
        version: version.clone(),
        format: endpoint.part_format,
        schema: &endpoint.schema,
        table: &table,
    };
    CatalogEndpoint {
        name: endpoint.endpoint.to_string(),
        description: endpoint.description.clone().or_else(|| wanted.map(rows_of)).unwrap_or_default(),
        format: extension(endpoint.part_format).to_owned(),
        rows: thousands(endpoint.fingerprint.rows),
        parts: thousands(endpoint.parts),
        address: join(bucket, &format!("{folder}{version}.datapart*.{}", extension(endpoint.part_format))),
        manifest: join(bucket, &endpoint.manifest),
        key: endpoint.schema.key.join(", "),
        described: columns.iter().any(|column| !column.description.is_empty()),
        columns,
        snippets: snippets(&parts),
        table,
    }
}

fn planned(plan: &Plan, bucket: &str, address: &ServiceAddress) -> Vec<CatalogEndpoint> {
    publishes(plan).map(|endpoint| to_come(plan, bucket, address, endpoint)).collect()
}

/// What `plan` publishes.
fn publishes(plan: &Plan) -> impl Iterator<Item = &PublishEndpoint> {
    plan.steps.iter().flat_map(|step| match &step.action {
        Action::Publish(publish) => publish.endpoints.as_slice(),
        _ => &[],
    })
}

fn rows_of(endpoint: &PublishEndpoint) -> String {
    format!("Rows of {}.", endpoint.table)
}

fn to_come(plan: &Plan, bucket: &str, address: &ServiceAddress, endpoint: &PublishEndpoint) -> CatalogEndpoint {
    let folder = address.endpoint_prefix(&endpoint.endpoint);
    let file = format!("{folder}v{{X.Y.Z}}.datapart{{NN}}.{}", extension(endpoint.format));
    let columns = endpoint.expect.as_ref().map(|schema| columns(schema, None)).unwrap_or_default();
    CatalogEndpoint {
        name: endpoint.endpoint.to_string(),
        description: rows_of(endpoint),
        format: extension(endpoint.format).to_owned(),
        rows: String::new(),
        parts: String::new(),
        address: join(bucket, &file),
        manifest: String::new(),
        table: imported_into(plan, &endpoint.endpoint),
        key: endpoint.expect.as_ref().map(|schema| schema.key.join(", ")).unwrap_or_default(),
        described: columns.iter().any(|column| !column.description.is_empty()),
        columns,
        snippets: Vec::new(),
    }
}

/// The lake's table that holds what `endpoint` publishes.
fn imported_into(plan: &Plan, endpoint: &Endpoint) -> String {
    let staging = plan.steps.iter().find_map(|step| match &step.action {
        Action::Import(import) if import.endpoint == *endpoint => Some(&import.staging),
        _ => None,
    });
    let live = plan.steps.iter().find_map(|step| match &step.action {
        Action::Swap(swap) if Some(&swap.staging) == staging => Some(swap.live.to_string()),
        _ => None,
    });
    live.unwrap_or_default()
}

/// The columns of `schema`; what it does not say of their meaning, `planned` may: it knows the estate's DDL and
/// schema files.
fn columns(schema: &Schema, planned: Option<&Schema>) -> Vec<CatalogColumn> {
    let meaning = |name: &str| {
        let same = planned?.columns.iter().find(|column| column.name == name)?;
        same.description.clone()
    };
    let column = |column: &crate::vocab::Column| CatalogColumn {
        name: column.name.clone(),
        kind: kind(column.logical).to_owned(),
        physical: column.physical.clone(),
        nullable: if column.nullable { "yes" } else { "no" }.to_owned(),
        in_key: schema.key.contains(&column.name),
        description: column.description.clone().or_else(|| meaning(&column.name)).unwrap_or_default(),
    };
    schema.columns.iter().map(column).collect()
}

fn kind(logical: LogicalType) -> &'static str {
    match logical {
        LogicalType::Boolean => "boolean",
        LogicalType::Integer => "integer",
        LogicalType::Decimal => "decimal",
        LogicalType::Double => "double",
        LogicalType::Number => "number",
        LogicalType::Text => "text",
        LogicalType::Bytes => "bytes",
        LogicalType::Date => "date",
        LogicalType::Time => "time",
        LogicalType::Timestamp => "timestamp without zone",
        LogicalType::TimestampTz => "timestamp with zone",
    }
}

fn history(publications: &[PublishedContract]) -> Vec<HistoryRow> {
    let previous = std::iter::once(None).chain(publications.iter().map(Some));
    let mut rows: Vec<HistoryRow> =
        publications.iter().zip(previous).map(|(p, before)| history_row(p, before)).collect();
    rows.reverse();
    rows.truncate(HISTORY_SHOWN);
    rows
}

fn history_row(publication: &PublishedContract, before: Option<&PublishedContract>) -> HistoryRow {
    let version = publication.key.version;
    let change = match before.map(|b| b.key.version) {
        None => "first shown",
        Some(old) if old.breaking != version.breaking => "breaks readers",
        Some(old) if old.additive != version.additive => "columns added",
        Some(_) => "new rows",
    };
    HistoryRow {
        version: format!("v{version}"),
        published: publication.key.published.to_string(),
        rows: thousands(publication.contract.facts.endpoints.iter().map(|e| e.fingerprint.rows).sum()),
        change: change.to_owned(),
        contract: publication.key.key.clone(),
    }
}

fn proof(proof: &ProofSummary) -> String {
    let what = proof.what.clone().or_else(|| proof.endpoint.as_ref().map(|e| format!("endpoint {e}")));
    let of = what.map(|what| format!(" of {what}")).unwrap_or_default();
    format!("{}{of}: {}. {}", proof.kind, proof.verdict.replace('_', " "), proof.because)
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let grouped: Vec<String> =
        digits.as_bytes().rchunks(3).rev().map(|chunk| String::from_utf8_lossy(chunk).into_owned()).collect();
    grouped.join(",")
}
