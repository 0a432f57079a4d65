//! What a source system is called that nobody named: after the bucket, the schema or the folder its data is seen in.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{graph::gather::Gathered, vocab::DatasetId};

/// Where nothing tells a name at all.
const NO_PLACE: &str = "unnamed";

/// Schemas that say how far data has come, not whose it is.
const LAYERS: &[&str] = &[
    "bronze",
    "dbo",
    "default",
    "dw",
    "dwh",
    "import",
    "imports",
    "ingest",
    "ingestion",
    "lake",
    "land",
    "landing",
    "main",
    "public",
    "raw",
    "source",
    "sources",
    "src",
    "stage",
    "staging",
    "stg",
    "temp",
    "tmp",
];

/// Folders that say what lies in them or which tool reads it, not whose data it works on.
const TOOLS: &[&str] = &[
    ".github",
    "analysis",
    "athena",
    "bash",
    "bigquery",
    "bin",
    "bteq",
    "ci",
    "clickhouse",
    "conf",
    "config",
    "configs",
    "dags",
    "data",
    "database",
    "databases",
    "db",
    "ddl",
    "dml",
    "docker",
    "duckdb",
    "elt",
    "etl",
    "hive",
    "impala",
    "import",
    "imports",
    "init",
    "job",
    "jobs",
    "load",
    "loads",
    "macros",
    "mariadb",
    "migrations",
    "models",
    "mssql",
    "mysql",
    "notebooks",
    "oracle",
    "pipeline",
    "pipelines",
    "postgres",
    "postgresql",
    "presto",
    "queries",
    "query",
    "redshift",
    "schema",
    "schemas",
    "script",
    "scripts",
    "setup",
    "snowflake",
    "spark",
    "sql",
    "sqlite",
    "sqlserver",
    "src",
    "staging",
    "tables",
    "tasks",
    "teradata",
    "test",
    "tests",
    "trino",
    "tsql",
    "views",
    "workflows",
];

/// Names by place for the datasets of one estate.
pub(super) struct Places<'a> {
    gathered: &'a Gathered,
}

impl<'a> Places<'a> {
    /// Places of what was gathered.
    pub(super) fn of(gathered: &'a Gathered) -> Self {
        Places { gathered }
    }

    /// The folder that all files which mention a dataset lie in, for each of `datasets`.
    fn folders(&self, datasets: &[usize]) -> HashMap<usize, Utf8PathBuf> {
        let wanted: HashSet<usize> = datasets.iter().copied().collect();
        let mut folders: HashMap<usize, Utf8PathBuf> = HashMap::new();
        let edges = self.gathered.edges.iter().zip(&self.gathered.ends).filter(|(_, (_, at))| wanted.contains(at));
        for (dataset, at) in edges.flat_map(|(edge, (_, dataset))| edge.places.iter().map(move |at| (*dataset, at))) {
            let Some(folder) = at.file.parent() else { continue };
            folders
                .entry(dataset)
                .and_modify(|shared| *shared = shared_folder(shared, folder))
                .or_insert_with(|| folder.to_owned());
        }
        folders
    }

    /// Names for file sets that no bucket names, by their numbers: the schema that all of them a flow moves land in,
    /// else the folder.
    pub(super) fn of_files(&self, files: &[usize]) -> HashMap<usize, String> {
        let mut schemas: HashMap<usize, BTreeSet<Option<&str>>> = HashMap::new();
        for flow in &self.gathered.flows {
            let targets: BTreeSet<Option<&str>> =
                flow.targets.iter().map(|target| telling_schema(&self.gathered.datasets[*target])).collect();
            for source in &flow.sources {
                schemas.entry(*source).or_default().extend(&targets);
            }
        }
        let one = |file: &usize| match schemas.get(file).map(|of| of.iter().collect::<Vec<_>>()).as_deref() {
            Some([Some(schema)]) => Some((*schema).to_owned()),
            _ => None,
        };
        let (by_schema, rest): (Vec<_>, Vec<_>) =
            files.iter().map(|file| (*file, one(file))).partition(|(_, name)| name.is_some());
        let rest: Vec<usize> = rest.into_iter().map(|(file, _)| file).collect();
        let by_folder = self.by_folder(&rest, "files");
        by_schema.into_iter().filter_map(|(file, name)| Some((file, name?))).chain(by_folder).collect()
    }

    /// Names for tables of the lake that nobody writes, by their numbers: the last part of their schema where that is
    /// unmistakable, else the whole; the folder where they have no schema.
    pub(super) fn of_tables(&self, tables: &[usize]) -> HashMap<usize, String> {
        let datasets = &self.gathered.datasets;
        let mut wholes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for schema in tables.iter().filter_map(|table| datasets[*table].schema()) {
            wholes.entry(last(schema)).or_default().insert(schema);
        }
        let bare: Vec<usize> = tables.iter().copied().filter(|table| datasets[*table].schema().is_none()).collect();
        let named = tables.iter().filter_map(|table| Some((*table, datasets[*table].schema()?)));
        let named = named.map(|(table, schema)| {
            let short = last(schema);
            (table, if wholes[short].len() == 1 { short.to_owned() } else { schema.to_owned() })
        });
        named.chain(self.by_folder(&bare, NO_PLACE)).collect()
    }

    /// The deepest folder whose name tells something, with the one above it where two are called the same.
    fn by_folder(&self, datasets: &[usize], nothing: &str) -> HashMap<usize, String> {
        let folders = self.folders(datasets);
        let folder = |at: &usize| telling_folder(folders.get(at)?);
        let found: Vec<(usize, Option<Vec<&str>>)> = datasets.iter().map(|at| (*at, folder(at))).collect();
        let mut same: BTreeMap<&str, BTreeSet<&[&str]>> = BTreeMap::new();
        for path in found.iter().filter_map(|(_, path)| path.as_deref()) {
            same.entry(path[path.len() - 1]).or_default().insert(path);
        }
        let name = |path: &Option<Vec<&str>>| match path.as_deref() {
            None => nothing.to_owned(),
            Some(path) if same[path[path.len() - 1]].len() == 1 => path[path.len() - 1].to_owned(),
            Some(path) => path.join("-"),
        };
        found.iter().map(|(at, path)| (*at, name(path))).collect()
    }
}

/// `s3://drop/crm/*.csv` comes from `drop`, `file:/landing/crm.csv` from `landing`. `None` for a path that counts from
/// wherever its job runs, and for one on a drive: its folders name no system.
pub(super) fn bucket_of(files: &DatasetId) -> Option<String> {
    let name = files.name();
    let has_bucket = name.contains("://");
    let place = name.split_once("://").or_else(|| name.split_once(':')).map_or(name, |(_, place)| place);
    let local = name.starts_with("file:");
    let rooted = place.starts_with('/') && place.split('/').all(|part| part != ".." && !part.ends_with(':'));
    if local && !rooted {
        return None;
    }
    let found = match place.trim_start_matches('/').split_once('/') {
        Some((bucket, _)) => bucket,
        None if has_bucket && !local => place,
        None => "files",
    };
    let host = found.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let found = host.map_or(found, |(host, _)| host);
    found.contains(|c: char| c.is_alphanumeric()).then(|| found.to_owned())
}

fn shared_folder(one: &Utf8Path, other: &Utf8Path) -> Utf8PathBuf {
    one.components().zip(other.components()).take_while(|(a, b)| a == b).map(|(a, _)| a.as_str()).collect()
}

/// The parts of `folder` that tell something.
fn telling_folder(folder: &Utf8Path) -> Option<Vec<&str>> {
    let tells = |part: &&str| part.contains(char::is_alphanumeric) && !TOOLS.contains(&part.to_lowercase().as_str());
    let parts: Vec<&str> = folder.components().map(|part| part.as_str()).filter(tells).collect();
    (!parts.is_empty()).then_some(parts)
}

fn telling_schema(dataset: &DatasetId) -> Option<&str> {
    dataset.schema().map(last).filter(|schema| !LAYERS.contains(&schema.to_lowercase().as_str()))
}

fn last(schema: &str) -> &str {
    schema.rsplit('.').next().unwrap_or(schema)
}
