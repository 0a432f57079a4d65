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
        given_sql::How,
        names::dataset_named,
        reader::{Around, Reader, Reading},
        text_file::TextFile,
    },
    vocab::{JobId, Span},
};

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
        file.text.contains("airbyte_connection") || file.text.contains("google_bigquery_data_transfer_config")
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        let all = hcl::blocks(&file.text);
        for block in all.iter().filter(|block| block.kind == "resource") {
            match block.labels.first().map(String::as_str) {
                Some("airbyte_connection") => connection(block, &all, file, around, &mut reading),
                Some("google_bigquery_data_transfer_config") => transfer(block, file, around, &mut reading),
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
fn transfer(block: &Block, file: &TextFile, around: &Around<'_>, reading: &mut Reading) {
    let at = place(block, file);
    let params = block.get("params");
    let param = |name: &str| params.and_then(|params| params.get(name)).and_then(Value::text);
    let dataset = text(block, "destination_dataset_id")
        .map(|name| name.trim_end_matches(".dataset_id").rsplit('.').next().unwrap_or(name));
    let table = param("destination_table_name_template");
    let target =
        dataset.zip(table).and_then(|(dataset, table)| dataset_named(&format!("{dataset}.{table}"), around.vars));
    let mut found = Found { pieces: 1, ..Found::default() };
    match (text(block, "data_source_id"), param("query")) {
        (Some("scheduled_query"), Some(query)) => {
            let appends = param("write_disposition").is_some_and(|mode| mode.contains("APPEND"));
            let how = How {
                dialect: Some("bigquery".to_owned()),
                materialized: target.as_ref().map(|_| if appends { "append" } else { "table" }.to_owned()),
                target,
                ..How::default()
            };
            found.scripts.push(how.script(at.clone(), query.into(), false, around));
        }
        (Some(source), _) => match (target, param("data_path_template").or(param("data_path"))) {
            (Some(into), Some(path)) => {
                found.loads = true;
                found.reads.extend(dataset_named(path, around.vars).map(|files| (files, at.clone())));
                found.writes.push((into, at.clone()));
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
