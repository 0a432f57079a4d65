//! What a source system is called that nobody named: after the bucket, the schema or the folder its data is seen in.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use camino::Utf8Path;

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

    /// The folders that files which mention a dataset lie in, and how many mentions each has, for each of `datasets`.
    fn folders(&self, datasets: &[usize]) -> HashMap<usize, BTreeMap<&Utf8Path, usize>> {
        let wanted: HashSet<usize> = datasets.iter().copied().collect();
        let mut folders: HashMap<usize, BTreeMap<&Utf8Path, usize>> = HashMap::new();
        let edges = self.gathered.edges.iter().zip(&self.gathered.ends).filter(|(_, (_, at))| wanted.contains(at));
        for (dataset, at) in edges.flat_map(|(edge, (_, dataset))| edge.places.iter().map(move |at| (*dataset, at))) {
            let Some(folder) = at.file.parent() else { continue };
            *folders.entry(dataset).or_default().entry(folder).or_default() += 1;
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

    /// The deepest folder whose name tells something, with the one above it where two are called the same. Where no
    /// folder tells anything, the tables' own names do; else `nothing`.
    fn by_folder(&self, datasets: &[usize], nothing: &str) -> HashMap<usize, String> {
        let folders = self.folders(datasets);
        let folder = |at: &usize| home(folders.get(at)?);
        let found: Vec<(usize, Option<Vec<&str>>)> = datasets.iter().map(|at| (*at, folder(at))).collect();
        let mut same: BTreeMap<&str, BTreeSet<&[&str]>> = BTreeMap::new();
        for path in found.iter().filter_map(|(_, path)| path.as_deref()) {
            same.entry(path[path.len() - 1]).or_default().insert(path);
        }
        let lost = found.iter().filter(|(_, path)| path.is_none()).map(|(at, _)| &self.gathered.datasets[*at]);
        let tables = lost.filter(|dataset| !dataset.is_file_set()).map(DatasetId::table);
        let nothing = shared_words(tables).unwrap_or_else(|| nothing.to_owned());
        let name = |path: &Option<Vec<&str>>| match path.as_deref() {
            None => nothing.clone(),
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

fn shared_folder<'a>(one: &'a Utf8Path, other: &'a Utf8Path) -> &'a Utf8Path {
    one.ancestors().find(|folder| other.starts_with(folder)).unwrap_or(Utf8Path::new(""))
}

/// The telling parts of the folder that all of `folders` lie in; else of the topmost one with more than half of the
/// mentions.
fn home<'a>(folders: &BTreeMap<&'a Utf8Path, usize>) -> Option<Vec<&'a str>> {
    let shared = folders.keys().copied().reduce(shared_folder)?;
    if let Some(parts) = telling_parts(shared) {
        return Some(parts);
    }
    let mut tops: BTreeMap<&str, usize> = BTreeMap::new();
    for (folder, count) in folders {
        if let Some(parts) = telling_parts(folder) {
            *tops.entry(parts[0]).or_default() += count;
        }
    }
    let all: usize = folders.values().sum();
    tops.into_iter().find(|(_, count)| count * 2 > all).map(|(top, _)| vec![top])
}

/// The words with which all names of `tables` begin: the whole name of a single one.
fn shared_words<'a>(tables: impl Iterator<Item = &'a str>) -> Option<String> {
    let words = |name: &'a str| name.split('_').collect::<Vec<_>>();
    let shared = tables
        .map(words)
        .reduce(|one, other| one.into_iter().zip(other).take_while(|(a, b)| a == b).map(|(a, _)| a).collect())?;
    let name = shared.join("_");
    (name.len() > 1 && !LAYERS.contains(&name.as_str())).then_some(name)
}

/// The parts of `folder` that tell something.
fn telling_parts(folder: &Utf8Path) -> Option<Vec<&str>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn home_of(folders: &[(&'static str, usize)]) -> Option<Vec<&'static str>> {
        home(&folders.iter().map(|(folder, count)| (Utf8Path::new(*folder), *count)).collect())
    }

    #[test]
    fn a_table_is_at_home_where_all_or_most_mentions_of_it_stand() {
        assert_eq!(home_of(&[("sql/crm/a", 1), ("sql/crm/b", 1)]), Some(vec!["crm"]));
        assert_eq!(home_of(&[("crm", 3), ("", 1), ("erp", 1)]), Some(vec!["crm"]));
        assert_eq!(home_of(&[("crm", 1), ("erp", 1)]), None);
        assert_eq!(home_of(&[("sql", 1)]), None);
        assert_eq!(home_of(&[]), None);
    }

    #[test]
    fn tables_without_a_home_are_called_by_what_their_names_share() {
        let shared = |names: &[&'static str]| shared_words(names.iter().copied());
        assert_eq!(shared(&["patients"]).as_deref(), Some("patients"));
        assert_eq!(shared(&["crm_orders", "crm_customers"]).as_deref(), Some("crm"));
        assert_eq!(shared(&["orders", "customers"]), None);
        assert_eq!(shared(&["stg_orders", "stg_customers"]), None);
        assert_eq!(shared(&[]), None);
    }
}
