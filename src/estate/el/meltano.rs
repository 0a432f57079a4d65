//! Projects of Meltano: `meltano.yml` with its extractors, loaders, jobs and schedules.
use std::collections::BTreeMap;

use camino::Utf8Path;

use super::{copies, database_name, declares, opaque, system_name};
use crate::{
    estate::{
        FileFormat, JobKind, Schedule,
        found::Found,
        names::dataset_named,
        reader::{Around, DbtRun, Reader, Reading},
        text_file::TextFile,
        yaml::{self, Node},
    },
    vocab::{JobId, Span},
};

/// `meltano.yml` and the files it includes.
pub(crate) struct Meltano;

impl Reader for Meltano {
    fn format(&self) -> FileFormat {
        FileFormat::Meltano
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        path.file_name().is_some_and(|name| name.ends_with("meltano.yml") || name.ends_with("meltano.yaml"))
    }

    fn claims(&self, file: &TextFile) -> bool {
        file.text.contains("plugins:") || file.text.contains("schedules:") || file.text.contains("jobs:")
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        match yaml::document(file) {
            Ok(root) => Project { root: &root, file, vars: around.vars }.read(&mut reading),
            Err(fault) => reading.faults.push(fault),
        }
        reading
    }
}

struct Project<'a> {
    root: &'a Node,
    file: &'a TextFile,
    vars: &'a BTreeMap<String, String>,
}

impl<'a> Project<'a> {
    fn list(&self, path: &[&str]) -> &'a [Node] {
        self.root.at(path).map(Node::items).unwrap_or_default()
    }

    fn span(&self, node: &Node) -> Span {
        self.file.span(node.start, node.end)
    }

    fn plugin(&self, kind: &str, name: &str) -> Option<&'a Node> {
        self.list(&["plugins", kind]).iter().find(|plugin| plugin.text_of("name").as_deref() == Some(name))
    }

    /// A value of the plugin's config: the default environment's, its own, or that of the one it inherits from.
    fn config(&self, kind: &str, plugin: &'a Node, keys: &[&str]) -> Option<&'a Node> {
        let of_environment = self.of_environment(kind, plugin);
        let mut all = of_environment.into_iter().chain([plugin]);
        let own = all.find_map(|plugin| keys.iter().find_map(|key| plugin.at(&["config", key])));
        own.or_else(|| {
            let parent = self.plugin(kind, &plugin.text_of("inherit_from")?)?;
            keys.iter().find_map(|key| parent.at(&["config", key]))
        })
    }

    /// What the environment that runs by default says of `plugin`.
    fn of_environment(&self, kind: &str, plugin: &Node) -> Option<&'a Node> {
        let (name, default) = (plugin.text_of("name")?, self.root.text_of("default_environment")?);
        let called = |node: &&Node, name: &str| node.text_of("name").as_deref() == Some(name);
        let environment = self.list(&["environments"]).iter().find(|one| called(one, &default))?;
        environment.at(&["config", "plugins", kind])?.items().iter().find(|one| called(one, &name))
    }

    fn read(&self, reading: &mut Reading) {
        let mut scheduled: Vec<String> = Vec::new();
        for schedule in self.list(&["schedules"]) {
            let when = schedule.text_of("interval").or(schedule.text_of("cron_interval")).map(Schedule::of);
            let when = when.filter(|when| when.text != "@once");
            let name = schedule.text_of("name").unwrap_or_else(|| "schedule".to_owned());
            let tasks = match schedule.text_of("job") {
                Some(job) => {
                    scheduled.push(job.clone());
                    self.tasks_of(&job)
                }
                None => [schedule.text_of("extractor"), schedule.text_of("loader")].into_iter().flatten().collect(),
            };
            self.job(&name, &tasks, when.as_ref(), schedule, reading);
        }
        for job in self.list(&["jobs"]) {
            let name = job.text_of("name").unwrap_or_default();
            if !scheduled.contains(&name) {
                self.job(&name, &self.tasks_of(&name), None, job, reading);
            }
        }
    }

    /// The plugins that a job runs, in order.
    fn tasks_of(&self, job: &str) -> Vec<String> {
        let found = self.list(&["jobs"]).iter().find(|one| one.text_of("name").as_deref() == Some(job));
        let tasks = found.and_then(|job| job.get("tasks"));
        let lines: Vec<&str> = match tasks {
            Some(one) if one.scalar().is_some() => one.scalar().into_iter().collect(),
            Some(all) => all
                .items()
                .iter()
                .flat_map(|item| if item.items().is_empty() { std::slice::from_ref(item) } else { item.items() })
                .filter_map(Node::scalar)
                .collect(),
            None => Vec::new(),
        };
        lines.iter().flat_map(|line| line.split_whitespace()).map(str::to_owned).collect()
    }

    fn job(&self, name: &str, tasks: &[String], schedule: Option<&Schedule>, at: &Node, reading: &mut Reading) {
        let mut found = Found::default();
        let mut tap: Option<&str> = None;
        for task in tasks {
            let plugin = task.split(':').next().unwrap_or_default();
            if self.plugin("extractors", plugin).is_some() || plugin.starts_with("tap-") {
                tap = Some(plugin);
            } else if self.plugin("loaders", plugin).is_some() || plugin.starts_with("target-") {
                let mut one = Found { pieces: 1, ..Found::default() };
                self.load(tap.unwrap_or_default(), plugin, at, &mut one);
                found.add(one);
            } else if plugin.starts_with("dbt") {
                found.dbt_runs.push(DbtRun { folder: None, schedule: None });
            }
        }
        let place = self.span(at);
        let id = JobId::new(format!("meltano.{name}"));
        if let Some(job) = found.enter(id, Span { end: place.start, ..place }, schedule, reading) {
            job.kind = JobKind::Import;
        }
    }

    /// The streams that `tap` selects, into the schema of `target`.
    fn load(&self, tap: &str, target: &str, at: &Node, found: &mut Found) {
        let Some(extractor) = self.plugin("extractors", tap) else {
            return opaque(found, self.span(at), format!("what `{tap}` extracts: no extractor is called so"));
        };
        let written = self.config("extractors", extractor, &["database", "dbname", "db_name", "sqlalchemy_url"]);
        let database = written.and_then(Node::scalar).and_then(database_name);
        let system = database.unwrap_or_else(|| system_name(tap.trim_start_matches("tap-")));
        let place = self.span(extractor);
        let keys = ["default_target_schema", "target_schema", "schema", "dataset_id", "dataset", "database"];
        let schema = self
            .plugin("loaders", target)
            .and_then(|loader| self.config("loaders", loader, &keys))
            .and_then(Node::scalar);
        // Without one, Meltano's loaders take the extractor's namespace.
        let namespace = extractor.text_of("namespace").unwrap_or_else(|| tap.replace('-', "_"));
        let schema = schema.map_or_else(
            || namespace.clone(),
            |schema| {
                schema
                    .replace("$MELTANO_EXTRACT__LOAD_SCHEMA", &namespace)
                    .replace("${MELTANO_EXTRACT__LOAD_SCHEMA}", &namespace)
            },
        );
        declares(found, &system, Some(tap.trim_start_matches("tap-")), &place);
        let select = extractor.get("select").map(Node::items).unwrap_or_default();
        let mut known = false;
        let mut seen: Vec<String> = Vec::new();
        for node in select {
            let pattern = node.scalar().unwrap_or_default();
            let stream = pattern.split('.').next().unwrap_or_default();
            if pattern.starts_with('!') || stream.contains('*') || seen.iter().any(|one| one == stream) {
                continue;
            }
            known = true;
            seen.push(stream.to_owned());
            let table = stream.rsplit('-').next().unwrap_or(stream);
            match dataset_named(&format!("{schema}.{table}"), self.vars) {
                Some(into) => copies(
                    found,
                    &system,
                    &stream_name(tap, &system, stream),
                    into,
                    self.watermark(extractor, stream),
                    &self.span(node),
                ),
                None => opaque(found, self.span(node), format!("which schema `{schema}` is")),
            }
        }
        if !known {
            opaque(found, place, format!("which streams `{tap}` selects"));
        }
    }

    /// The replication key of a stream.
    fn watermark(&self, extractor: &Node, stream: &str) -> Option<String> {
        let entries = extractor.get("metadata").map(Node::entries).unwrap_or_default();
        let of = entries.iter().find(|entry| entry.key.scalar() == Some(stream))?;
        of.value.text_of("replication-key")
    }
}

/// The table that a stream is, `schema-table` in a selection: of MySQL the schema is the database.
fn stream_name(tap: &str, system: &str, stream: &str) -> String {
    match stream.split_once('-') {
        Some((schema, table)) if tap.contains("mysql") && schema.eq_ignore_ascii_case(system) => table.to_owned(),
        _ => stream.replace('-', "."),
    }
}
