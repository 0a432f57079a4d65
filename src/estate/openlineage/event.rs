//! One event, as its file holds it. What carve does not use is passed over.
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What stands before the namespace of what is surely a source system.
pub(super) const SYSTEM: &str = "system:";

/// A run event or a job event.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    #[serde(rename = "eventType")]
    kind: Option<String>,
    producer: Option<String>,
    pub(super) job: Option<Named>,
    inputs: Option<Vec<Dataset>>,
    outputs: Option<Vec<Dataset>>,
}

/// A name in a namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct Named {
    pub(super) namespace: String,
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dataset {
    #[serde(flatten)]
    pub(super) named: Named,
    facets: Option<Facets>,
}

#[derive(Debug, Deserialize)]
struct Facets {
    #[serde(rename = "columnLineage")]
    column_lineage: Option<ColumnLineage>,
    symlinks: Option<Symlinks>,
}

#[derive(Debug, Deserialize)]
struct Symlinks {
    identifiers: Option<Vec<Symlink>>,
}

#[derive(Debug, Deserialize)]
struct Symlink {
    #[serde(flatten)]
    named: Named,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ColumnLineage {
    fields: Option<BTreeMap<String, Field>>,
    dataset: Option<Vec<InputField>>,
}

#[derive(Debug, Deserialize)]
struct Field {
    #[serde(rename = "inputFields")]
    inputs: Option<Vec<InputField>>,
    #[serde(rename = "transformationType")]
    transformation: Option<String>,
}

#[derive(Debug, Deserialize)]
struct InputField {
    #[serde(flatten)]
    named: Named,
    field: String,
    transformations: Option<Vec<Transformation>>,
}

#[derive(Debug, Deserialize)]
struct Transformation {
    #[serde(rename = "type")]
    kind: String,
    subtype: Option<String>,
}

/// One column that feeds another, datasets as the event names them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ColumnFeed {
    pub(super) from: Named,
    pub(super) from_column: String,
    pub(super) to_column: String,
    pub(super) subtype: String,
    pub(super) direct: bool,
}

/// Whether `value` looks like an event of OpenLineage.
pub(super) fn is_event(value: &Value) -> bool {
    let has = |key: &str| value.get(key).is_some();
    has("eventTime") && (has("job") || has("dataset")) && (has("producer") || has("schemaURL"))
}

impl Event {
    pub(super) fn of(value: Value) -> Result<Event, String> {
        if value.get("job").is_none() && value.get("dataset").is_none() {
            return Err("it names neither a job nor a dataset".to_owned());
        }
        let mut event: Event = serde_json::from_value(value).map_err(|error| error.to_string())?;
        event.mark_systems();
        Ok(event)
    }

    /// In events that carve wrote, the lake is the namespace of the job, and any other plain one a source system.
    fn mark_systems(&mut self) {
        let of_carve = self.producer.as_deref().is_some_and(|producer| producer.starts_with("urn:carve:"));
        let Some(job) = self.job.as_ref().filter(|_| of_carve) else { return };
        let lake = job.namespace.clone();
        let mark = |named: &mut Named| {
            let is_store = named.namespace.contains("://") || ["file", "dbfs"].contains(&named.namespace.as_str());
            if named.namespace != lake && !is_store {
                named.namespace.insert_str(0, SYSTEM);
            }
        };
        for dataset in self.inputs.iter_mut().chain(&mut self.outputs).flatten() {
            mark(&mut dataset.named);
            let lineage = dataset.facets.iter_mut().filter_map(|facets| facets.column_lineage.as_mut());
            lineage.flat_map(ColumnLineage::names).for_each(mark);
        }
    }

    /// A run that did not come to its end shows what was meant, not what was done.
    pub(super) fn failed(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| ["FAIL", "ABORT"].iter().any(|bad| kind.eq_ignore_ascii_case(bad)))
    }

    pub(super) fn inputs(&self) -> impl Iterator<Item = Named> {
        self.inputs.iter().flatten().map(Dataset::own)
    }

    pub(super) fn outputs(&self) -> impl Iterator<Item = (Named, Vec<ColumnFeed>)> {
        self.outputs.iter().flatten().map(|dataset| (dataset.own(), dataset.columns()))
    }
}

impl Dataset {
    /// A table that stands for files is the name that jobs use.
    fn own(&self) -> Named {
        let links = self.facets.iter().filter_map(|facets| facets.symlinks.as_ref());
        let mut tables = links.filter_map(|links| links.identifiers.as_ref()).flatten();
        let table = tables.find(|link| link.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("table")));
        table.map_or_else(|| self.named.clone(), |link| link.named.clone())
    }

    fn columns(&self) -> Vec<ColumnFeed> {
        let Some(lineage) = self.facets.as_ref().and_then(|facets| facets.column_lineage.as_ref()) else {
            return Vec::new();
        };
        let mut feeds = Vec::new();
        for (column, field) in lineage.fields.iter().flatten() {
            let old = field.transformation.as_deref().unwrap_or_default();
            feeds.extend(field.inputs.iter().flatten().flat_map(|input| input.feeds(column, old)));
        }
        feeds.extend(lineage.dataset.iter().flatten().flat_map(|input| input.feeds("*", "")));
        feeds
    }
}

impl ColumnLineage {
    /// The names of all datasets in it.
    fn names(&mut self) -> impl Iterator<Item = &mut Named> {
        let fields = self.fields.iter_mut().flat_map(BTreeMap::values_mut).filter_map(|field| field.inputs.as_mut());
        fields.flatten().chain(self.dataset.iter_mut().flatten()).map(|input| &mut input.named)
    }
}

impl InputField {
    /// `old` is how the facet's first version told the transformation.
    fn feeds(&self, to_column: &str, old: &str) -> Vec<ColumnFeed> {
        let feed = |subtype: &str, direct: bool| ColumnFeed {
            from: self.named.clone(),
            from_column: self.field.clone(),
            to_column: to_column.to_owned(),
            subtype: subtype.to_ascii_uppercase(),
            direct,
        };
        match self.transformations.as_deref().unwrap_or_default() {
            [] => vec![feed(old, to_column != "*")],
            all => {
                let direct = |one: &Transformation| !one.kind.eq_ignore_ascii_case("indirect");
                all.iter().map(|one| feed(one.subtype.as_deref().unwrap_or_default(), direct(one))).collect()
            }
        }
    }
}
