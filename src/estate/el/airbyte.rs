//! Connections of Airbyte as octavia keeps them: `connections/<name>/configuration.yaml`.
use camino::Utf8Path;

use super::{copies, database_name, opaque, system_name};
use crate::{
    estate::{
        FileFormat, JobKind, Schedule,
        found::Found,
        names::dataset_named,
        paths::folder_of,
        reader::{Around, Reader, Reading, Sought},
        text_file::TextFile,
        yaml::{self, Node},
    },
    vocab::{JobId, Span},
};

/// `configuration.yaml` of a connection.
pub(crate) struct Airbyte;

impl Reader for Airbyte {
    fn format(&self) -> FileFormat {
        FileFormat::Airbyte
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        matches!(path.extension(), Some("yaml" | "yml"))
    }

    fn claims(&self, file: &TextFile) -> bool {
        file.text.lines().any(|line| line.starts_with("definition_type:") && line.contains("connection"))
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        match yaml::document(file) {
            Ok(root) => connection(&root, file, around, &mut reading),
            Err(fault) => reading.faults.push(fault),
        }
        reading
    }
}

fn connection(root: &Node, file: &TextFile, around: &Around<'_>, reading: &mut Reading) {
    let name = root.text_of("resource_name").unwrap_or_else(|| file.path.with_extension("").into_string());
    let source = source_name(root, file, around);
    let Some(config) = root.get("configuration") else { return };
    let target = Target::of(root, config, file, around);
    let mut found = Found::default();
    for item in config.at(&["sync_catalog", "streams"]).map(Node::items).unwrap_or_default() {
        if item.at(&["config", "selected"]).and_then(Node::boolean) == Some(false) {
            continue;
        }
        let mut one = Found { pieces: 1, ..Found::default() };
        stream(item, &system_name(&source), &target, file, around, &mut one);
        found.add(one);
    }
    let schedule = schedule(config);
    let at = Span { end: file.whole().start, ..file.whole() };
    let off = config.text_of("status").is_some_and(|status| status != "active");
    if let Some(job) = found.enter(JobId::new(format!("airbyte.{name}")), at, schedule.as_ref(), reading) {
        job.kind = JobKind::Import;
        job.enabled = !off;
    }
}

/// The source's database, else what it is called, else its folder.
fn source_name(root: &Node, file: &TextFile, around: &Around<'_>) -> String {
    let path = root.text_of("source_configuration_path").or(root.text_of("source_id")).unwrap_or_default();
    let source = configuration(&path, file, around);
    let of = |keys: &[&str]| source.as_ref().and_then(|node| node.at(keys)).and_then(Node::scalar);
    let database = of(&["configuration", "database"]).or(of(&["configuration", "db_name"])).and_then(database_name);
    let called = || of(&["resource_name"]).map(str::to_owned);
    let folder = || folder_of(Utf8Path::new(&path)).file_name().unwrap_or(&path).to_owned();
    database.or_else(called).unwrap_or_else(folder)
}

/// The configuration at `path`, which counts from the project's folder, two above.
fn configuration(path: &str, file: &TextFile, around: &Around<'_>) -> Option<Node> {
    match around.find(&[folder_of(folder_of(folder_of(&file.path))), Utf8Path::new("")], path) {
        Sought::File(file) => yaml::document(&file).ok(),
        _ => None,
    }
}

/// How tables are named where they are written.
struct Target {
    /// The destination's own schema.
    schema: Option<String>,
    definition: String,
    format: String,
    prefix: String,
}

impl Target {
    fn of(root: &Node, config: &Node, file: &TextFile, around: &Around<'_>) -> Target {
        let path = root.text_of("destination_configuration_path").unwrap_or_default();
        let destination = configuration(&path, file, around);
        let keys = ["schema", "dataset_id", "default_schema", "database"];
        let schema = destination
            .and_then(|node| keys.iter().find_map(|key| node.at(&["configuration", key])?.scalar().map(str::to_owned)));
        Target {
            schema,
            definition: config.text_of("namespace_definition").unwrap_or_else(|| "destination".to_owned()),
            format: config.text_of("namespace_format").unwrap_or_default(),
            prefix: config.text_of("prefix").unwrap_or_default(),
        }
    }

    fn table(&self, namespace: Option<&str>, name: &str) -> String {
        let table = format!("{}{name}", self.prefix);
        let schema = match self.definition.as_str() {
            "source" => namespace.map(str::to_owned).or(self.schema.clone()),
            "customformat" | "custom_format" => {
                Some(self.format.replace("${SOURCE_NAMESPACE}", namespace.unwrap_or_default()))
            }
            _ => self.schema.clone(),
        };
        schema.filter(|schema| !schema.is_empty()).map_or(table.clone(), |schema| format!("{schema}.{table}"))
    }
}

fn stream(item: &Node, system: &str, target: &Target, file: &TextFile, around: &Around<'_>, found: &mut Found) {
    let Some(name) = item.at(&["stream", "name"]) else { return };
    let at = file.span(name.start, name.end);
    let written = name.scalar().unwrap_or_default();
    let namespace = item.at(&["stream", "namespace"]).and_then(Node::scalar);
    let alias = item.at(&["config", "alias_name"]).or(item.at(&["config", "aliasName"])).and_then(Node::scalar);
    let from = namespace.map_or(written.to_owned(), |namespace| format!("{namespace}.{written}"));
    let cursor = item.at(&["config", "cursor_field"]).and_then(|node| node.items().first()).and_then(Node::scalar);
    let table = target.table(namespace, alias.unwrap_or(written));
    match dataset_named(&table, around.vars) {
        Some(into) => copies(found, system, &from, into, cursor.map(str::to_owned), &at),
        None => opaque(found, at, format!("which table `{table}` is")),
    }
}

fn schedule(config: &Node) -> Option<Schedule> {
    let data = config.get("schedule_data").or(config.get("schedule"))?;
    if let Some(cron) = data.at(&["cron", "cron_expression"]).or(data.get("cron_expression")).and_then(Node::scalar) {
        return Some(quartz(cron));
    }
    let basic = data.get("basic_schedule").unwrap_or(data);
    let (units, unit) = (basic.text_of("units")?, basic.text_of("time_unit")?);
    Some(Schedule::of(format!("every {units} {unit}")))
}

/// A cron line of Quartz: seconds stand first, and a year may stand last.
pub(super) fn quartz(text: &str) -> Schedule {
    let fields: Vec<&str> =
        text.split_whitespace().take_while(|field| !field.contains('/') || field.starts_with(['*', '0'])).collect();
    let known = match fields.len() {
        6 | 7 => Schedule::of(fields[1..6].join(" ")).runs_per_day,
        _ => Schedule::of(text).runs_per_day,
    };
    Schedule { text: text.to_owned(), runs_per_day: known }
}
