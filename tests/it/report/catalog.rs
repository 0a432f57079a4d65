//! Catalog pages, from a plan alone and from publications.
use std::{collections::BTreeMap, fs};

use camino::{Utf8Path, Utf8PathBuf};
use carve::{
    catalog::{PublishedContract, ServiceFacts, page},
    report::{RenderOptions, render_catalog},
    service::{
        Contract, ContractEndpoint, ContractFacts, ContractKey, ContractServer, Fingerprint, ServiceAddress, Sla,
    },
    vocab::{Column, Digest, Endpoint, LogicalType, PartFormat, Schema, SchemaVersion},
};

use super::{pages::text, shop};

fn column(name: &str, logical: LogicalType, description: Option<&str>) -> Column {
    Column {
        name: name.to_owned(),
        logical,
        physical: String::new(),
        nullable: name != "id",
        description: description.map(str::to_owned),
    }
}

fn publication(version: &str, rows: u64, purpose: &str) -> PublishedContract {
    let service = "order-api".parse().unwrap();
    let (address, endpoint) = (ServiceAddress::new(&service), Endpoint::default());
    let version: SchemaVersion = version.parse().unwrap();
    let published = "2026-11-23T12:00:00Z".parse().unwrap();
    let schema = Schema {
        columns: vec![
            column("id", LogicalType::Integer, Some("the order")),
            column("total", LogicalType::Decimal, None),
            column("<b>|odd`", LogicalType::Text, Some("a `name` | with marks")),
        ],
        key: vec!["id".to_owned()],
    };
    let facts = ContractFacts {
        service,
        version,
        published,
        domain: Some("orders".to_owned()),
        owner: Some("team-orders".to_owned()),
        purpose: Some(purpose.to_owned()),
        endpoints: vec![ContractEndpoint {
            endpoint: endpoint.clone(),
            description: Some("One row an order.".to_owned()),
            schema,
            part_format: PartFormat::Csv,
            parts: 121,
            fingerprint: Fingerprint { rows, ..Fingerprint::default() },
            manifest: address.manifest_key(&endpoint, version),
            manifest_digest: Digest::of(""),
        }],
        server: ContractServer { kind: "s3".to_owned(), bucket: "s3://mesh".to_owned() },
        sla: Sla { frequency_minutes: Some(60), schedule: Some("15 * * * *".to_owned()), retention_days: Some(30) },
    };
    let key = ContractKey { version, published, key: address.contract_key(version, published) };
    PublishedContract { key, contract: Contract::draft(facts).unwrap() }
}

fn files(facts: &ServiceFacts<'_>) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
    render_catalog(&[page(facts)], &RenderOptions::default()).unwrap()
}

#[test]
fn a_published_service_can_be_found_read_and_judged() {
    let shop = shop::shop();
    let publications = [publication("1.0.0", 9, "p"), publication("1.1.0", 120_000, "Orders of the shop.")];
    let service = "order-api".parse().unwrap();
    let facts = ServiceFacts {
        service: &service,
        plan: Some(&shop.plans[0]),
        status: Some(&shop.statuses[0]),
        publications: &publications,
        bucket: None,
    };
    let found = page(&facts);
    assert_eq!((found.version.as_str(), found.rows.as_str(), found.state.as_str()), ("v1.1.0", "120,000", "published"));
    assert_eq!(found.history[0].change, "columns added");
    assert_eq!(found.endpoints[0].table, "raw.order_api_orders__import");
    let files = files(&facts);
    let names: Vec<&str> = files.keys().map(|p| p.as_str()).collect();
    assert_eq!(names, ["index.html", "order-api.html", "order-api.md"]);
    let markdown = text(&files, "order-api.md");
    for part in
        ["s3://mesh/data-services/order-api/default/v1.1.0.datapart*.csv", "```sql", "every hour", "&lt;b&gt;\\|odd"]
    {
        assert!(markdown.contains(part), "{part}\n{markdown}");
    }
    assert!(!text(&files, "order-api.html").contains("<b>|odd"));
    if let Ok(out) = std::env::var("CARVE_REPORT_OUT") {
        for (path, bytes) in &files {
            let name = format!("catalog_{}", path.as_str());
            fs::write(Utf8Path::new(&out).join(name), bytes).unwrap();
        }
    }
}

#[test]
fn a_planned_service_says_what_is_to_come() {
    let shop = shop::shop();
    let service = "customer-api".parse().unwrap();
    let facts =
        ServiceFacts { service: &service, plan: Some(&shop.plans[1]), status: None, publications: &[], bucket: None };
    let found = page(&facts);
    assert_eq!((found.state.as_str(), found.owner.as_str()), ("planned", "team-customer"));
    assert_eq!(found.endpoints.len(), 3);
    assert!(found.endpoints.iter().all(|e| e.snippets.is_empty()));
    assert!(text(&files(&facts), "customer-api.md").contains("{X.Y.Z}"));
}

#[test]
fn a_catalog_of_nothing_is_a_page() {
    let files = render_catalog(&[], &RenderOptions::default()).unwrap();
    assert!(text(&files, "index.html").contains("No data service yet"));
}

#[test]
fn a_column_without_meaning_takes_it_from_the_plan_and_no_empty_column_is_shown() {
    let mut shop = shop::shop();
    let service = "order-api".parse().unwrap();
    let mut publications = [publication("1.0.0", 9, "p")];
    let endpoint = &mut publications[0].contract.facts.endpoints[0];
    endpoint.description = None;
    endpoint.schema.columns.iter_mut().for_each(|column| column.description = None);
    let name = endpoint.endpoint.clone();
    let shown = |shop: &shop::Shop| {
        let plan = Some(&shop.plans[0]);
        let facts = ServiceFacts { service: &service, plan, status: None, publications: &publications, bucket: None };
        (page(&facts), files(&facts))
    };
    let set_expected = |shop: &mut shop::Shop, description: Option<&str>| {
        for step in &mut shop.plans[0].steps {
            if let carve::plan::Action::Publish(publish) = &mut step.action {
                for wanted in publish.endpoints.iter_mut().filter(|wanted| wanted.endpoint == name) {
                    let columns = vec![column("total", LogicalType::Decimal, description)];
                    wanted.expect = Some(Schema { columns, key: Vec::new() });
                }
            }
        }
    };
    set_expected(&mut shop, None);
    let (bare, written) = shown(&shop);
    assert!(!bare.endpoints[0].described && bare.endpoints[0].description.starts_with("Rows of "));
    for file in ["order-api.html", "order-api.md"] {
        assert!(!text(&written, file).contains("Meaning"), "{file}");
    }
    assert!(!text(&written, "order-api.md").contains("\n\n\n\n"));
    set_expected(&mut shop, Some("what the customer pays"));
    let (told, written) = shown(&shop);
    assert_eq!(told.endpoints[0].columns[1].description, "what the customer pays");
    assert!(text(&written, "order-api.md").contains("| what the customer pays |"));
}
