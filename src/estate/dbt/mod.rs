//! dbt projects: from their own files, or from the manifest where it is of these very files.
mod calls;
mod config;
mod hooks;
mod jobs;
mod manifest;
mod nodes;
mod project_file;
mod properties;
mod static_text;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    diagnostics::Diagnostic,
    estate::{
        DbtProject, DeclaredDataset, EstateFile, EstateSettings, Exposure, FileFormat, Job, SourceSystem,
        paths::folder_of, read_file, text_file::TextFile, walk::Found, yaml,
    },
    vocab::DatasetId,
};
use manifest::Manifest;
use nodes::{DbtNode, Naming};
use project_file::Package;
use properties::Properties;

/// Folders into which dbt installs packages.
const INSTALLED: &[&str] = &["dbt_packages", "dbt_modules"];
/// Bytes of a seed that are looked at: its header.
const SEED_HEAD: u64 = 1 << 16;

/// The files a project is made of.
pub(crate) struct Files<'a> {
    pub(crate) found: &'a [Found],
    pub(crate) sql: &'a BTreeMap<Utf8PathBuf, TextFile>,
    pub(crate) yaml: &'a BTreeMap<Utf8PathBuf, TextFile>,
    pub(crate) limit: u64,
}

impl Files<'_> {
    fn sql_below<'s>(&'s self, tops: &'s [Utf8PathBuf]) -> impl Iterator<Item = (&'s Utf8PathBuf, &'s TextFile)> {
        self.sql.iter().filter(move |(path, _)| is_below(path, tops))
    }

    fn yaml_below<'s>(&'s self, tops: &'s [Utf8PathBuf]) -> impl Iterator<Item = &'s TextFile> {
        self.yaml.iter().filter(move |(path, _)| is_below(path, tops)).map(|(_, file)| file)
    }

    /// Files of other endings, opened now; of a seed only the header line.
    fn others_below(&self, tops: &[Utf8PathBuf], ending: &str, head: bool) -> Vec<TextFile> {
        let wanted =
            self.found.iter().filter(|file| file.path.extension() == Some(ending) && is_below(&file.path, tops));
        wanted.filter_map(|file| if head { header_of(file) } else { read_file::text_of(file, self.limit) }).collect()
    }

    /// The text at `path`, of whatever kind.
    fn text_at(&self, path: &Utf8Path) -> Option<Arc<str>> {
        let known = self.sql.get(path).or_else(|| self.yaml.get(path)).map(|file| file.text.clone());
        known.or_else(|| {
            let at = self.found.binary_search_by(|file| file.path.as_path().cmp(path)).ok()?;
            read_file::text_of(&self.found[at], self.limit).map(|file| file.text)
        })
    }
}

fn is_below(path: &Utf8Path, tops: &[Utf8PathBuf]) -> bool {
    tops.iter().any(|top| path.starts_with(top))
}

fn header_of(found: &Found) -> Option<TextFile> {
    use std::io::{BufRead as _, BufReader, Read as _};
    let mut head = Vec::new();
    BufReader::new(std::fs::File::open(&found.on_disk).ok()?).take(SEED_HEAD).read_until(b'\n', &mut head).ok()?;
    TextFile::decode(found.path.clone(), head).ok()
}

/// All that one project gives to the estate.
pub(crate) struct ReadProject {
    pub(crate) project: DbtProject,
    pub(crate) jobs: Vec<Job>,
    pub(crate) exposures: Vec<Exposure>,
    pub(crate) systems: BTreeMap<String, SourceSystem>,
    pub(crate) declared: BTreeMap<DatasetId, DeclaredDataset>,
    /// SQL files the project accounts for.
    pub(crate) claimed: BTreeSet<Utf8PathBuf>,
    pub(crate) formats: BTreeMap<Utf8PathBuf, FileFormat>,
    /// Files read beyond those that were found: the manifest.
    pub(crate) files: Vec<EstateFile>,
    pub(crate) faults: Vec<Diagnostic>,
}

/// Reads every project among `files`, in the order of their folders.
pub(crate) fn read_all(files: &Files<'_>, settings: &EstateSettings) -> Vec<ReadProject> {
    let heads = files.yaml.values().filter(|file| file.path.file_name() == Some("dbt_project.yml"));
    let (installed, own): (Vec<_>, Vec<_>) = heads.partition(|file| is_installed(&file.path));
    let mut drafts: Vec<Draft> = own.into_iter().map(|file| read(file, &installed, files)).collect();
    let neighbours = neighbours(&drafts);
    for draft in &mut drafts {
        draft.given.project.neighbours = neighbours.clone();
    }
    drafts.into_iter().enumerate().map(|(index, draft)| draft.finished(index, settings)).collect()
}

/// A project whose references are not yet looked up: they may lead into another project.
struct Draft {
    given: ReadProject,
    root: Option<Package>,
    nodes: Vec<DbtNode>,
    properties: Properties,
    manifest: Option<Manifest>,
}

impl Draft {
    fn finished(self, index: usize, settings: &EstateSettings) -> ReadProject {
        let Draft { mut given, root, nodes, properties, manifest } = self;
        let project = &given.project;
        given.jobs = jobs::jobs(index, &nodes, project, manifest.as_ref(), &properties, settings);
        given.jobs.extend(root.iter().flat_map(|root| jobs::around_runs(index, root, project, settings)));
        given.exposures = jobs::exposures(&properties, project, &mut given.faults);
        given.declared = jobs::declared(&nodes, &properties, project);
        given
    }
}

/// The nodes of every project by project and name; none that two projects of one name place differently.
fn neighbours(drafts: &[Draft]) -> Arc<BTreeMap<(String, String), DatasetId>> {
    let mut found: BTreeMap<(String, String), BTreeSet<&DatasetId>> = BTreeMap::new();
    for project in drafts.iter().map(|draft| &draft.given.project).filter(|_| drafts.len() > 1) {
        for (name, relation) in &project.nodes {
            found.entry((project.name.clone(), name.clone())).or_default().insert(relation);
        }
    }
    let one = |(key, relations): ((String, String), BTreeSet<&DatasetId>)| match relations.len() {
        1 => relations.into_iter().next().map(|relation| (key, relation.clone())),
        _ => None,
    };
    Arc::new(found.into_iter().filter_map(one).collect())
}

/// Relations by the names that `ref` knows them by.
fn referred(nodes: &[DbtNode], root: &Package, properties: &Properties) -> BTreeMap<String, DatasetId> {
    let mut found = BTreeMap::new();
    // The project's own nodes come last, so that they win over a package's of the same name.
    for node in nodes {
        let latest = node.version.as_ref().filter(|one| properties.latest.get(&one.model) == Some(&one.version));
        for name in std::iter::once(&node.name).chain(latest.map(|one| &one.model)) {
            if node.package != root.name {
                found.insert(format!("{}.{name}", node.package), node.relation.clone());
            }
            found.insert(name.clone(), node.relation.clone());
        }
    }
    found
}

fn is_installed(path: &Utf8Path) -> bool {
    path.components().any(|part| INSTALLED.contains(&part.as_str()))
}

fn read(file: &TextFile, installed: &[&TextFile], files: &Files<'_>) -> Draft {
    let mut faults = Vec::new();
    let Some(root) = project_file::read(file).map_err(|fault| faults.push(fault)).ok() else {
        let given = ReadProject { faults, ..empty(folder_of(&file.path)) };
        return Draft { given, root: None, nodes: Vec::new(), properties: Properties::default(), manifest: None };
    };
    let packages = packages(&root, installed, &mut faults);
    let mut all: Vec<&Package> = packages.iter().collect();
    all.push(&root);
    let properties = read_properties(&all, &root, files, &mut faults);
    let target = root.target(files.yaml);
    let manifest = manifest::read(&root, files, &mut faults);
    let (listed, manifest) = manifest.map_or((None, None), |(file, manifest)| (Some(file), manifest));
    let macros: Vec<_> = all.iter().flat_map(|package| macros_of(package, files)).collect();
    let own_macro =
        macros.iter().any(|(package, _, text)| *package == root.name && text.contains("macro generate_schema_name"));
    let naming = Naming { target: &target, own_macro, root: &root, properties: &properties, vars: &root.vars };
    let mut nodes: Vec<DbtNode> = all.iter().flat_map(|package| nodes::find(package, &naming, files)).collect();
    let mut sources = properties.sources.clone();
    if is_clickhouse(&root, &target, files) {
        sources.values_mut().for_each(|source| source.relation = without_catalog(&source.relation));
    }
    if let Some(manifest) = &manifest {
        for node in &mut nodes {
            let id = node.unique_id();
            node.relation = manifest.relations.get(&id).unwrap_or(&node.relation).clone();
            node.config.materialized = manifest.materialized.get(&id).cloned().or(node.config.materialized.take());
        }
        for (key, relation) in &manifest.sources {
            sources.entry(key.clone()).and_modify(|source| source.relation = relation.clone());
        }
    }
    let project = DbtProject {
        name: root.name.clone(),
        folder: root.folder.clone(),
        nodes: referred(&nodes, &root, &properties),
        sources,
        vars: root.vars.clone(),
        macros,
        adapter: manifest.as_ref().and_then(|manifest| manifest.adapter.clone()).or(target.adapter),
        neighbours: Arc::default(),
    };
    let own_folders: Vec<Utf8PathBuf> = all.iter().flat_map(|package| nodes::own_folders(package)).collect();
    let claimed = files
        .sql
        .keys()
        .filter(|path| is_below(path, &own_folders) || (is_installed(path) && path.starts_with(&root.folder)));
    let schema_files = files.yaml_below(&own_folders).map(|file| file.path.clone());
    let heads = all.iter().map(|package| package.folder.join("dbt_project.yml"));
    let given = ReadProject {
        jobs: Vec::new(),
        exposures: Vec::new(),
        declared: BTreeMap::new(),
        systems: properties.systems.clone(),
        claimed: claimed.cloned().collect(),
        formats: schema_files.chain(heads).map(|path| (path, FileFormat::Dbt)).collect(),
        files: listed.into_iter().collect(),
        project,
        faults,
    };
    drop(all);
    Draft { given, root: Some(root), nodes, properties, manifest }
}

/// Whether the project runs on ClickHouse: its profile says so, or its models name that engine's tables.
fn is_clickhouse(root: &Package, target: &project_file::Target, files: &Files<'_>) -> bool {
    match &target.adapter {
        Some(adapter) => adapter == "clickhouse",
        None => files.sql_below(&root.models).any(|(_, file)| file.text.contains("MergeTree")),
    }
}

/// ClickHouse has no catalog: a database is what others call a schema.
fn without_catalog(relation: &DatasetId) -> DatasetId {
    let parts: Vec<&str> = relation.name().split('.').collect();
    match parts.as_slice() {
        [_, schema, table] => DatasetId::from_parts(&[*schema, *table]),
        _ => relation.clone(),
    }
}

fn empty(folder: &Utf8Path) -> ReadProject {
    ReadProject {
        project: DbtProject { folder: folder.to_owned(), ..DbtProject::default() },
        jobs: Vec::new(),
        exposures: Vec::new(),
        systems: BTreeMap::new(),
        declared: BTreeMap::new(),
        claimed: BTreeSet::new(),
        formats: [(folder.join("dbt_project.yml"), FileFormat::Dbt)].into(),
        files: Vec::new(),
        faults: Vec::new(),
    }
}

/// The packages installed right below `root`, in the order of their folders.
fn packages(root: &Package, installed: &[&TextFile], faults: &mut Vec<Diagnostic>) -> Vec<Package> {
    let of_root = installed.iter().filter(|file| {
        let above = folder_of(folder_of(&file.path));
        INSTALLED.iter().any(|name| above == root.folder.join(name))
    });
    of_root.filter_map(|file| project_file::read(file).map_err(|fault| faults.push(fault)).ok()).collect()
}

fn read_properties(all: &[&Package], root: &Package, files: &Files<'_>, faults: &mut Vec<Diagnostic>) -> Properties {
    let mut properties = Properties::default();
    // The project's own come first: the first to speak is heard.
    for package in all.iter().rev() {
        let tops: Vec<Utf8PathBuf> =
            [&package.models, &package.seeds, &package.snapshots].into_iter().flatten().cloned().collect();
        for file in files.yaml_below(&tops) {
            match yaml::document(file) {
                Ok(node) => properties.read(file, &node, &root.vars),
                Err(fault) => faults.push(fault),
            }
        }
    }
    properties
}

fn macros_of(package: &Package, files: &Files<'_>) -> Vec<(String, Utf8PathBuf, Arc<str>)> {
    files
        .sql_below(&package.macros)
        .map(|(path, file)| (package.name.clone(), path.clone(), file.text.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clickhouse_s_database_is_said_once() {
        let relation = without_catalog(&DatasetId::from_parts(&["event_sink", "event_sink", "course_blocks"]));
        assert_eq!(relation, DatasetId::from_parts(&["event_sink", "course_blocks"]));
        assert_eq!(without_catalog(&relation), relation);
    }
}
