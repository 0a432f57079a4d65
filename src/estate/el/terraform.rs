//! Connections of Airbyte, transfers and scheduled queries of BigQuery, as Terraform declares them.
use camino::Utf8Path;

use super::{
    airbyte::quartz,
    copies, database_name,
    hcl::{self, Block, Value},
    opaque, system_name,
};
use crate::{
    estate::{
        FileFormat, JobKind, Schedule,
        found::Found,
        given_sql::{How, shown, take_file},
        names::dataset_named,
        reader::{Around, Reader, Reading},
        text_file::TextFile,
    },
    vocab::{JobId, Span},
};

/// Resources that move data, or are views over it.
const RESOURCES: &[&str] =
    &["airbyte_connection", "google_bigquery_data_transfer_config", "google_bigquery_table", "snowflake_view"];

/// `.tf` files.
pub(crate) struct Terraform;

impl Reader for Terraform {
    fn format(&self) -> FileFormat {
        FileFormat::Terraform
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        path.extension() == Some("tf")
    }

    fn claims(&self, file: &TextFile) -> bool {
        RESOURCES.iter().any(|kind| file.text.contains(kind))
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        let all = hcl::blocks(&file.text);
        for block in all.iter().filter(|block| block.kind == "resource") {
            match block.labels.first().map(String::as_str) {
                Some("airbyte_connection") => connection(block, &all, file, around, &mut reading),
                Some("google_bigquery_data_transfer_config") => transfer(block, &all, file, around, &mut reading),
                Some("google_bigquery_table" | "snowflake_view" | "snowflake_materialized_view") => {
                    view(block, &all, file, around, &mut reading);
                }
                _ => {}
            }
        }
        reading
    }
}

fn text<'b>(block: &'b Block, name: &str) -> Option<&'b str> {
    block.get(name).and_then(Value::text)
}

fn place(block: &Block, file: &TextFile) -> Span {
    file.span(block.at.start, block.at.start)
}

/// The name of the resource that `reference` leads to, and the resource.
fn referred<'b>(reference: &str, all: &'b [Block]) -> (String, Option<&'b Block>) {
    let mut parts = reference.split('.');
    let (kind, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let found = all.iter().find(|block| {
        block.labels.first().map(String::as_str) == Some(kind) && block.labels.get(1).map(String::as_str) == Some(name)
    });
    (if name.is_empty() { kind.to_owned() } else { name.to_owned() }, found)
}

fn connection(block: &Block, all: &[Block], file: &TextFile, around: &Around<'_>, reading: &mut Reading) {
    let at = place(block, file);
    let (called, source) = referred(text(block, "source_id").unwrap_or("source"), all);
    let database = source.and_then(|block| block.get("configuration")?.get("database")?.text().and_then(database_name));
    let source = database.unwrap_or(called);
    let (_, destination) = referred(text(block, "destination_id").unwrap_or_default(), all);
    let schema = destination.and_then(|block| {
        let config = block.get("configuration")?;
        ["schema", "dataset_id", "database"].iter().find_map(|key| config.get(key)?.text().map(str::to_owned))
    });
    let prefix = text(block, "prefix").unwrap_or_default();
    let format = text(block, "namespace_format").map(str::to_owned);
    let mut found = Found::default();
    let streams =
        block.get("configurations").and_then(|value| value.get("streams")).map(Value::items).unwrap_or_default();
    for stream in streams {
        let mut one = Found { pieces: 1, ..Found::default() };
        let name = stream.get("name").and_then(Value::text).unwrap_or_default();
        let cursor = stream.get("cursor_field").and_then(|value| value.items().first()).and_then(Value::text);
        let schema = format.clone().or(schema.clone());
        let table = schema.map_or(format!("{prefix}{name}"), |schema| format!("{schema}.{prefix}{name}"));
        match dataset_named(&table, around.vars) {
            Some(into) => copies(&mut one, &system_name(&source), name, into, cursor.map(str::to_owned), &at),
            None => opaque(&mut one, at.clone(), format!("which table `{table}` is")),
        }
        found.add(one);
    }
    if streams.is_empty() {
        found.pieces = 1;
        opaque(&mut found, at.clone(), "which streams this connection copies".to_owned());
    }
    let cron = block.get("schedule").and_then(|value| value.get("cron_expression")).and_then(Value::text);
    let name = text(block, "name").or(block.labels.get(1).map(String::as_str)).unwrap_or("connection");
    let off = text(block, "status").is_some_and(|status| status != "active");
    if let Some(job) = found.enter(JobId::new(format!("airbyte.{name}")), at, cron.map(quartz).as_ref(), reading) {
        job.kind = JobKind::Import;
        job.enabled = !off;
    }
}

/// A scheduled query, or a load of files.
fn transfer(block: &Block, all: &[Block], file: &TextFile, around: &Around<'_>, reading: &mut Reading) {
    let at = place(block, file);
    let params = block.get("params");
    let param = |name: &str| params.and_then(|params| params.get(name)).and_then(Value::text);
    let dataset = block.get("destination_dataset_id").map(|value| named(value, "dataset_id", all));
    let table = param("destination_table_name_template");
    let target =
        dataset.zip(table).and_then(|(dataset, table)| dataset_named(&format!("{dataset}.{table}"), around.vars));
    let mut found = Found { pieces: 1, ..Found::default() };
    let query = params.and_then(|params| params.get("query"));
    match (text(block, "data_source_id"), query) {
        (Some("scheduled_query"), Some(query)) => {
            let appends = param("write_disposition").is_some_and(|mode| mode.contains("APPEND"));
            let how = How {
                dialect: Some("bigquery".to_owned()),
                materialized: target.as_ref().map(|_| if appends { "append" } else { "table" }.to_owned()),
                target,
                ..How::default()
            };
            query_of(query, how, &at, around, &mut found);
        }
        (Some(source), _) => match (target, param("data_path_template").or(param("data_path"))) {
            (Some(into), Some(path)) => {
                found.loads = true;
                match dataset_named(path, around.vars) {
                    Some(files) => found.moves((files, at.clone()), (into, at.clone())),
                    None => found.writes.push((into, at.clone())),
                }
            }
            _ => opaque(&mut found, at.clone(), format!("which tables a transfer of `{source}` fills")),
        },
        (None, _) => return,
    }
    let when = text(block, "schedule")
        .map(|text| Schedule { runs_per_day: Schedule::of(text).runs_per_day, text: text.to_owned() });
    let name = text(block, "display_name").or(block.labels.get(1).map(String::as_str)).unwrap_or("transfer");
    let off = text(block, "disabled") == Some("true");
    if let Some(job) = found.enter(JobId::new(format!("transfer.{name}")), at, when.as_ref(), reading) {
        job.enabled = !off;
    }
}

/// What `value` is called: its own text, or the attribute `key` of the resource of this file that it refers to.
fn named(value: &Value, key: &str, all: &[Block]) -> String {
    match value {
        Value::Word(reference) if reference.contains('.') => {
            let (label, found) = referred(reference, all);
            let name = found.and_then(|block| ["name", key].iter().rev().find_map(|key| text(block, key)));
            name.map_or(label, str::to_owned)
        }
        other => other.text().unwrap_or_default().to_owned(),
    }
}

/// Takes the SQL that `value` is, or that of the file it reads: `file(…)`, `templatefile(…, { … })`.
fn query_of(value: &Value, how: How, at: &Span, around: &Around<'_>, found: &mut Found) {
    let call = match value {
        Value::Word(word) => hcl::call(word, &["templatefile", "file"]),
        _ => None,
    };
    let understood = match (call, value) {
        (Some((path, pairs)), _) => {
            let values = pairs.iter().filter_map(|(name, value)| match value {
                Value::Text(text) => Some((name.clone(), text.clone())),
                _ => None,
            });
            let params = how.params.iter().map(|(name, value)| (name.clone(), value.clone())).chain(values).collect();
            let path = ["${path.module}/", "${path.root}/", "${path.cwd}/"]
                .iter()
                .find_map(|start| path.strip_prefix(start))
                .unwrap_or(&path);
            take_file(path, &How { params, ..how }, &[], at, around, found)
        }
        (None, Value::Text(text)) => {
            found.scripts.push(how.script(at.clone(), text.as_str().into(), false, around));
            true
        }
        (None, _) => {
            opaque(found, at.clone(), format!("what `{}` says", shown(value.text().unwrap_or_default())));
            true
        }
    };
    found.opaque |= u64::from(!understood);
}

/// A view: `view { query = … }` of a table of BigQuery, `statement` of one of Snowflake.
fn view(block: &Block, all: &[Block], file: &TextFile, around: &Around<'_>, reading: &mut Reading) {
    let inner = block.blocks.iter().find(|inner| matches!(inner.kind.as_str(), "view" | "materialized_view"));
    let (query, dialect, parts): (_, _, &[&str]) = match inner {
        Some(inner) => (inner.get("query"), "bigquery", &["dataset_id", "table_id"]),
        None => (block.get("statement"), "snowflake", &["schema", "name"]),
    };
    let Some(query) = query else { return };
    let at = place(block, file);
    let parts: Vec<String> =
        parts.iter().filter_map(|part| block.get(part)).map(|value| named(value, "dataset_id", all)).collect();
    let how = How {
        dialect: Some(dialect.to_owned()),
        target: dataset_named(&parts.join("."), around.vars),
        materialized: Some("view".to_owned()),
        ..How::default()
    };
    let mut found = Found { pieces: 1, ..Found::default() };
    query_of(query, how, &at, around, &mut found);
    found.enter(JobId::new(block.labels.join(".")), at, None, reading);
}
