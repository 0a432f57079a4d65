//! Pipelines of dlt in Python: `pipeline.run(source)` copies each resource of the source into a table of the dataset.
use std::rc::Rc;

use camino::Utf8Path;

use super::{copies, database_name, opaque, system_name};
use crate::{
    estate::{
        FileFormat, JobKind,
        found::Found,
        names::dataset_named,
        python::{Thing, Value},
        reader::{Around, Reader, Reading},
        script_py,
        text_file::TextFile,
    },
    vocab::{JobId, Span},
};

/// Things of dlt that a decorator makes.
pub(crate) const RESOURCE: &str = "@dlt.resource";
pub(crate) const SOURCE: &str = "@dlt.source";
/// Sources within sources that are looked into.
const MAX_LEVELS: usize = 6;

/// Scripts with a pipeline of dlt.
pub(crate) struct Dlt;

impl Reader for Dlt {
    fn format(&self) -> FileFormat {
        FileFormat::Dlt
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        path.extension() == Some("py")
    }

    fn claims(&self, file: &TextFile) -> bool {
        file.text.contains("dlt.pipeline(")
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        let at = Span { end: file.whole().start, ..file.whole() };
        let mut found = script_py::read(file, None, &at, around);
        found.claimed.remove(&file.path);
        let id = JobId::new(file.path.with_extension("").as_str());
        if let Some(job) = found.enter(id, at, None, &mut reading)
            && !job.imports.is_empty()
        {
            job.kind = JobKind::Import;
        }
        reading
    }
}

/// Takes a run of a pipeline; false where `thing` is none.
pub(crate) fn take(thing: &Thing, around: &Around<'_>, found: &mut Found) -> bool {
    let Some(Value::Thing(pipeline)) = &thing.owner else { return false };
    if thing.name() != "run" || !pipeline.path.ends_with("dlt.pipeline") {
        return false;
    }
    let text = |name: &str| {
        thing.named(name).or_else(|| pipeline.named(name)).and_then(Value::as_text).map(|text| text.text.clone())
    };
    let dataset = text("dataset_name").or(text("pipeline_name").map(|name| format!("{name}_dataset")));
    let mut resources = Vec::new();
    let given = thing.args.first().or_else(|| thing.named("data"));
    given.iter().for_each(|value| gather(value, text("table_name").as_deref(), MAX_LEVELS, &mut resources));
    found.pieces += 1;
    let Some(dataset) = dataset.filter(|_| !resources.is_empty()) else {
        let before = found.opaque;
        opaque(found, thing.at.clone(), "which tables this pipeline loads".to_owned());
        found.opaque = before + 1;
        return true;
    };
    for resource in resources {
        let written = format!("{dataset}.{}", resource.table);
        if let Some(into) = dataset_named(&written, around.vars) {
            copies(found, &system_name(&resource.system), &resource.from, into, resource.watermark, &thing.at);
        }
    }
    true
}

struct Resource {
    system: String,
    from: String,
    table: String,
    watermark: Option<String>,
}

/// The resources of a source, or of a list of them.
fn gather(value: &Value, table: Option<&str>, levels: usize, found: &mut Vec<Resource>) {
    match value {
        Value::List(items) if levels > 0 => {
            items.borrow().iter().for_each(|item| gather(item, table, levels - 1, found))
        }
        Value::Thing(thing) => of_thing(thing, table, levels, found),
        _ => {}
    }
}

fn of_thing(thing: &Rc<Thing>, table: Option<&str>, levels: usize, found: &mut Vec<Resource>) {
    let name = thing.name();
    let text = |names: &[&str]| thing.any_named(names).and_then(Value::as_text).map(|text| text.text.clone());
    let mut add = |system: &str, from: &str| {
        let table = table.unwrap_or(from.rsplit('.').next().unwrap_or(from)).to_owned();
        found.push(Resource { system: system.to_owned(), from: from.to_owned(), table, watermark: None });
    };
    match name {
        // `source.with_resources('a', 'b')`, `resource.apply_hints(…)`.
        "with_resources" => {
            let system = thing.owner.as_ref().map(system_of).unwrap_or_else(|| "source".to_owned());
            let schema = thing.owner.as_ref().and_then(|owner| match owner {
                Value::Thing(source) => source.named("schema").and_then(Value::as_known).map(str::to_owned),
                _ => None,
            });
            let within = |name: &str| schema.as_ref().map_or(name.to_owned(), |schema| format!("{schema}.{name}"));
            thing.args.iter().filter_map(Value::as_known).for_each(|name| add(&system, &within(name)));
        }
        "sql_table" => {
            let schema = text(&["schema"]);
            if let Some(table) = text(&["table"]).or(thing.args.get(1).map(|value| value.shown().0)) {
                add(&database(thing), &schema.map_or(table.clone(), |schema| format!("{schema}.{table}")));
            }
        }
        "sql_database" => {
            let names = thing.named("table_names").and_then(Value::items).unwrap_or_default();
            let (system, schema) = (database(thing), text(&["schema"]));
            let within = |name: &str| schema.as_ref().map_or(name.to_owned(), |schema| format!("{schema}.{name}"));
            names.iter().filter_map(Value::as_known).for_each(|name| add(&system, &within(name)));
        }
        "rest_api_source" | "rest_api_resources" => {
            let config = thing.args.first().cloned().unwrap_or(Value::None);
            let system = config
                .at(&["client", "base_url"])
                .map(|value| host(&value.shown().0))
                .unwrap_or_else(|| "rest_api".to_owned());
            for resource in config.key("resources").and_then(|value| value.items()).unwrap_or_default() {
                let name = resource.key("name").unwrap_or(resource);
                name.as_known().into_iter().for_each(|name| add(&system, name));
            }
        }
        _ if &*thing.path == RESOURCE => {
            let own = thing.fields.borrow().get("name").and_then(Value::as_known).map(str::to_owned);
            let into = text(&["table_name", "name"]).or(own.clone());
            let system = thing.fields.borrow().get("source").and_then(Value::as_known).unwrap_or("source").to_owned();
            if let Some(name) = text(&["name"]).or(own) {
                let table = table.map(str::to_owned).or(into).unwrap_or_else(|| name.clone());
                found.push(Resource { system, from: name, table, watermark: None });
            }
        }
        _ if &*thing.path == SOURCE => {
            let inner = thing.fields.borrow().get("resources").cloned();
            inner.iter().for_each(|value| gather(value, table, levels.saturating_sub(1), found));
        }
        _ => {
            if let Some(owner) = thing.owner.as_ref().filter(|_| levels > 0) {
                gather(owner, table, levels - 1, found);
            }
        }
    }
}

fn system_of(value: &Value) -> String {
    match value {
        Value::Thing(thing) if matches!(thing.name(), "sql_database" | "sql_table") => database(thing),
        Value::Thing(thing) if &*thing.path == SOURCE => {
            thing.fields.borrow().get("name").and_then(Value::as_known).unwrap_or("source").to_owned()
        }
        Value::Thing(thing) => thing.name().to_owned(),
        _ => "source".to_owned(),
    }
}

/// The database behind `sql_database` and `sql_table`, where the credentials are written as an address.
fn database(thing: &Thing) -> String {
    let given = thing.named("credentials").or_else(|| thing.args.first());
    let address = given.and_then(Value::as_text).map(|text| text.text.clone()).filter(|text| text.contains("://"));
    address.and_then(|address| database_name(&address)).unwrap_or_else(|| "sql_database".to_owned())
}

/// The host of an address.
fn host(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default().to_owned()
}
