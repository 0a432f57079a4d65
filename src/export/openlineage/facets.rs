//! The facets of events: what a job is, what a dataset holds, which column comes from which.
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{EventOptions, Known, PRODUCER, edges_into, names::named};
use crate::{
    estate::{Declaration, Job},
    lineage::{ColumnEdge, EdgeKind, StatementLineage},
    vocab::{Column, DatasetId, LogicalType},
};

/// A facet with its schema's address.
fn facet(name: &str, version: &str, fields: Value) -> Value {
    let url = format!("https://openlineage.io/spec/facets/{version}/{name}.json#/$defs/{name}");
    let mut facet = Map::from_iter([("_producer".to_owned(), PRODUCER.into()), ("_schemaURL".to_owned(), url.into())]);
    if let Value::Object(fields) = fields {
        facet.extend(fields);
    }
    Value::Object(facet)
}

/// `jobType`, `sql`, `ownership`.
pub(super) fn job_facets(job: &Job) -> Map<String, Value> {
    let texts: Vec<&str> = job.scripts.iter().map(|script| &*script.text).collect();
    let dialect = job.scripts.iter().find_map(|script| script.dialect.as_deref());
    let mut facets = match texts.is_empty() {
        true => Map::new(),
        false => script_facets(&texts.join("\n"), dialect),
    };
    facets.insert("jobType".to_owned(), job_type(job));
    facets.extend(job.owner.as_ref().map(|owner| ("ownership".to_owned(), ownership("OwnershipJobFacet", owner))));
    facets
}

fn job_type(job: &Job) -> Value {
    let (integration, kind) = match job.declared_by {
        Declaration::DbtModel => ("DBT", "MODEL"),
        _ if job.scripts.is_empty() => ("CARVE", "JOB"),
        _ => ("CARVE", "QUERY"),
    };
    facet("JobTypeJobFacet", "2-0-4", json!({ "processingType": "BATCH", "integration": integration, "jobType": kind }))
}

/// `sql` and `jobType` of a script by itself.
pub(super) fn script_facets(sql: &str, dialect: Option<&str>) -> Map<String, Value> {
    let mut fields = json!({ "query": sql });
    if let Some(dialect) = dialect {
        fields["dialect"] = dialect.into();
    }
    let job_type = facet(
        "JobTypeJobFacet",
        "2-0-4",
        json!({ "processingType": "BATCH", "integration": "CARVE", "jobType": "QUERY" }),
    );
    Map::from_iter([("sql".to_owned(), facet("SQLJobFacet", "1-1-0", fields)), ("jobType".to_owned(), job_type)])
}

fn ownership(name: &str, owner: &str) -> Value {
    facet(name, "1-0-1", json!({ "owners": [{ "name": owner }] }))
}

/// `schema`, `documentation`, `ownership`.
pub(super) fn dataset_facets(known: Known<'_>, dataset: &DatasetId) -> Map<String, Value> {
    let mut facets = Map::new();
    let columns = known.lineage.catalog.get(dataset).map_or(&[][..], Vec::as_slice);
    if !columns.is_empty() {
        let fields: Vec<Value> = columns.iter().map(field).collect();
        facets.insert("schema".to_owned(), facet("SchemaDatasetFacet", "1-2-0", json!({ "fields": fields })));
    }
    let declared = known.estate.declared.get(dataset);
    if let Some(text) = declared.and_then(|declared| declared.description.as_deref()) {
        let documentation = facet("DocumentationDatasetFacet", "1-1-0", json!({ "description": text }));
        facets.insert("documentation".to_owned(), documentation);
    }
    let owner = known.graph.datasets().get(dataset).and_then(|facts| facts.owner.as_deref());
    facets.extend(owner.map(|owner| ("ownership".to_owned(), ownership("OwnershipDatasetFacet", owner))));
    facets
}

fn field(column: &Column) -> Value {
    let mut field = json!({ "name": column.name });
    if !column.physical.is_empty() {
        field["type"] = column.physical.clone().into();
    } else if column.logical != LogicalType::Text {
        field["type"] = json!(column.logical);
    }
    if let Some(description) = &column.description {
        field["description"] = description.clone().into();
    }
    field
}

/// Which columns feed `dataset`; `None` where nothing is known of that.
pub(super) fn lineage_facet(
    dataset: &DatasetId,
    statements: &[StatementLineage],
    options: &EventOptions,
) -> Option<Value> {
    let mut into = edges_into(dataset, statements);
    let edges = |found: &[(&StatementLineage, usize)]| -> Vec<ColumnEdge> {
        found.iter().map(|(statement, at)| statement.columns[*at].clone()).collect()
    };
    // What reaches the whole row and carries no value has a list of its own.
    let (direct, influence): (Vec<ColumnEdge>, Vec<ColumnEdge>) =
        edges(&into.remove("*").unwrap_or_default()).into_iter().partition(|edge| edge.kind.is_direct());
    let mut fields: Map<String, Value> = into
        .iter()
        .map(|(column, found)| ((*column).to_owned(), json!({ "inputFields": input_fields(&edges(found), options) })))
        .collect();
    if !direct.is_empty() {
        fields.insert("*".to_owned(), json!({ "inputFields": input_fields(&direct, options) }));
    }
    if fields.is_empty() && influence.is_empty() {
        return None;
    }
    let mut body = json!({ "fields": fields });
    if !influence.is_empty() {
        body["dataset"] = input_fields(&influence, options);
    }
    Some(facet("ColumnLineageDatasetFacet", "1-2-0", body))
}

/// Each column once, with everything that is done with it.
fn input_fields(edges: &[ColumnEdge], options: &EventOptions) -> Value {
    let mut by_column: BTreeMap<(&DatasetId, &str), Vec<(EdgeKind, bool)>> = BTreeMap::new();
    for edge in edges {
        by_column.entry((&edge.from, &edge.from_column)).or_default().push((edge.kind, edge.ambiguous));
    }
    let input = |((dataset, column), mut kinds): ((&DatasetId, &str), Vec<(EdgeKind, bool)>)| {
        kinds.sort();
        // What is certain in one place needs no other.
        kinds.dedup_by_key(|(kind, _)| *kind);
        let (namespace, name) = named(dataset, &options.namespace);
        let transformations: Vec<Value> = kinds.into_iter().map(transformation).collect();
        json!({ "namespace": namespace, "name": name, "field": column, "transformations": transformations })
    };
    by_column.into_iter().map(input).collect()
}

fn transformation((kind, ambiguous): (EdgeKind, bool)) -> Value {
    let subtype = match kind {
        EdgeKind::Identity => "IDENTITY",
        EdgeKind::Transformation => "TRANSFORMATION",
        EdgeKind::Aggregation => "AGGREGATION",
        EdgeKind::Filter => "FILTER",
        EdgeKind::Join => "JOIN",
        EdgeKind::GroupBy => "GROUP_BY",
        EdgeKind::Sort => "SORT",
        EdgeKind::Window => "WINDOW",
        EdgeKind::Conditional => "CONDITIONAL",
    };
    let kind = if kind.is_direct() { "DIRECT" } else { "INDIRECT" };
    let description = if ambiguous { "ambiguous: one of several columns of this name" } else { "" };
    json!({ "type": kind, "subtype": subtype, "description": description, "masking": false })
}
