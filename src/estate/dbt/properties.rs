//! Schema files: what is declared about models, sources, seeds and snapshots, and the exposures.
use std::collections::BTreeMap;

use serde_json::Value;

use super::{config::Config, static_text::filled};
use crate::{
    estate::{
        DbtSource, DeclaredDataset, SourceSystem, sql_type::logical_of, text_file::TextFile, versioned_name, yaml::Node,
    },
    vocab::{Column, DatasetId, Span},
};

/// What schema files say about one model, seed or snapshot.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeProperties {
    pub(super) config: Config,
    pub(super) declared: DeclaredDataset,
}

/// An exposure whose references are not yet looked up.
#[derive(Clone, Debug)]
pub(super) struct FoundExposure {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) kind: String,
    pub(super) owner: Option<String>,
    /// `ref('orders')`, each with its place.
    pub(super) depends_on: Vec<(String, Span)>,
    pub(super) at: Span,
}

/// All that the schema files of a project say.
#[derive(Clone, Debug, Default)]
pub(super) struct Properties {
    pub(super) nodes: BTreeMap<String, NodeProperties>,
    pub(super) sources: BTreeMap<(String, String), DbtSource>,
    pub(super) source_tables: BTreeMap<DatasetId, DeclaredDataset>,
    pub(super) systems: BTreeMap<String, SourceSystem>,
    pub(super) exposures: Vec<FoundExposure>,
    /// Group → owner.
    pub(super) groups: BTreeMap<String, String>,
    /// File stem → the version of a model that the file defines.
    pub(super) versions: BTreeMap<String, ModelVersion>,
    /// Model → the version that is meant where none is said.
    pub(super) latest: BTreeMap<String, String>,
}

/// One version of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ModelVersion {
    pub(super) model: String,
    pub(super) version: String,
}

impl Properties {
    /// Takes in one schema file.
    pub(super) fn read(&mut self, file: &TextFile, root: &Node, vars: &BTreeMap<String, Value>) {
        let list = |key: &str| root.get(key).map_or(&[][..], Node::items);
        for entry in ["models", "seeds", "snapshots"].into_iter().flat_map(list) {
            self.node(file, entry, vars);
        }
        for source in list("sources") {
            self.source(file, source, vars);
        }
        for group in list("groups") {
            if let (Some(name), Some(owner)) = (group.text_of("name"), owner(group)) {
                self.groups.entry(name).or_insert(owner);
            }
        }
        self.exposures.extend(list("exposures").iter().filter_map(|entry| exposure(file, entry)));
    }

    fn node(&mut self, file: &TextFile, entry: &Node, vars: &BTreeMap<String, Value>) {
        let Some(name) = entry.text_of("name") else { return };
        let config = Config::in_entry(entry, vars);
        let declared =
            DeclaredDataset { owner: config.owner.clone(), domain: config.domain.clone(), ..declared(file, entry) };
        let properties = NodeProperties { config, declared };
        self.versions_of(&name, entry, &properties, vars);
        self.nodes.entry(name).or_insert(properties);
    }

    /// `versions:` of the model `name`: each is a node of its own, with what is said of all where it says nothing.
    fn versions_of(&mut self, name: &str, entry: &Node, all: &NodeProperties, vars: &BTreeMap<String, Value>) {
        let mut numbers = Vec::new();
        for one in entry.get("versions").map_or(&[][..], Node::items) {
            let Some(version) = one.text_of("v") else { continue };
            let own_name = versioned_name(name, &version);
            let stem = one.text_of("defined_in").unwrap_or_else(|| own_name.clone());
            // `alias` of the model is not that of its versions: they would all be one relation.
            let shared = Config { alias: None, ..all.config.clone() };
            let config = Config::in_entry(one, vars).over(shared);
            let mut declared = all.declared.clone();
            if let Some(columns) = one.get("columns") {
                declared.columns = columns_of_version(columns, &declared.columns);
            }
            self.nodes.entry(own_name).or_insert(NodeProperties { config, declared });
            let known = ModelVersion { model: name.to_owned(), version: version.clone() };
            self.versions.entry(stem).or_insert(known);
            numbers.push(version);
        }
        let newest = numbers.into_iter().max_by(|a, b| match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b),
            _ => a.cmp(b),
        });
        if let Some(latest) = newest.map(|newest| entry.text_of("latest_version").unwrap_or(newest)) {
            self.latest.entry(name.to_owned()).or_insert(latest);
        }
    }

    fn source(&mut self, file: &TextFile, source: &Node, vars: &BTreeMap<String, Value>) {
        let Some(name) = source.text_of("name") else { return };
        let text = |node: &Node, key: &str| node.get(key).and_then(Node::scalar).and_then(|text| filled(text, vars));
        let config = Config::in_entry(source, vars);
        let system = name.to_lowercase();
        self.systems.entry(system.clone()).or_insert_with(|| SourceSystem {
            name: system.clone(),
            kind: source.at(&["meta", "kind"]).and_then(Node::scalar).map(str::to_owned),
            url: None,
            owner: config.owner.clone(),
            domain: config.domain.clone(),
            at: Some(place(file, source)),
        });
        let schema = text(source, "schema").unwrap_or_else(|| name.clone());
        for table in source.get("tables").map_or(&[][..], Node::items) {
            let Some(table_name) = table.text_of("name") else { continue };
            let identifier = text(table, "identifier").unwrap_or_else(|| table_name.clone());
            let parts = [text(source, "database"), Some(schema.clone()), Some(identifier)];
            let relation = DatasetId::from_parts(&parts.into_iter().flatten().collect::<Vec<_>>());
            let own = Config::in_entry(table, vars).over(config.clone());
            let declared = DeclaredDataset {
                owner: own.owner,
                domain: own.domain,
                source: Some(system.clone()),
                ..declared(file, table)
            };
            self.source_tables.entry(relation.clone()).or_insert(declared);
            self.sources.entry((name.clone(), table_name)).or_insert(DbtSource { relation, at: place(file, table) });
        }
    }
}

/// Columns that one version lists: `include` takes those of the model, but for `exclude`.
fn columns_of_version(listed: &Node, of_model: &[Column]) -> Vec<Column> {
    let mut columns = Vec::new();
    for item in listed.items() {
        let names = |key: &str| -> Vec<String> {
            let Some(node) = item.get(key) else { return Vec::new() };
            let of_list = node.items().iter().filter_map(Node::scalar);
            node.scalar().into_iter().chain(of_list).map(str::to_owned).collect()
        };
        let (included, excluded) = (names("include"), names("exclude"));
        let all = included.iter().any(|name| name == "all" || name == "*");
        let is_taken = |column: &&Column| (all || included.contains(&column.name)) && !excluded.contains(&column.name);
        columns.extend(of_model.iter().filter(is_taken).cloned());
        columns.extend(column(item));
    }
    columns
}

fn place(file: &TextFile, entry: &Node) -> Span {
    let name = entry.get("name").unwrap_or(entry);
    file.span(name.start, name.end)
}

fn owner(entry: &Node) -> Option<String> {
    let owner = entry.get("owner")?;
    let named = |key| owner.text_of(key).filter(|text: &String| !text.is_empty());
    owner.scalar().map(str::to_owned).or_else(|| named("name")).or_else(|| named("email"))
}

fn declared(file: &TextFile, entry: &Node) -> DeclaredDataset {
    DeclaredDataset {
        columns: entry.get("columns").map_or(&[][..], Node::items).iter().filter_map(column).collect(),
        description: entry.text_of("description").map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
        at: Some(place(file, entry)),
        ..DeclaredDataset::default()
    }
}

fn column(entry: &Node) -> Option<Column> {
    let physical = entry.text_of("data_type").unwrap_or_default();
    let tests =
        ["tests", "data_tests", "constraints"].into_iter().filter_map(|key| entry.get(key)).flat_map(Node::items);
    let not_null =
        |test: &Node| test.scalar() == Some("not_null") || test.text_of("type").as_deref() == Some("not_null");
    Some(Column {
        name: entry.text_of("name")?,
        logical: logical_of(&physical),
        physical,
        nullable: !tests.into_iter().any(not_null),
        description: entry.text_of("description").map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
    })
}

fn exposure(file: &TextFile, entry: &Node) -> Option<FoundExposure> {
    let name = entry.text_of("name")?;
    let depends_on = entry.get("depends_on").map_or(&[][..], Node::items).iter();
    Some(FoundExposure {
        title: entry.text_of("label").unwrap_or_else(|| name.clone()),
        kind: entry.text_of("type").unwrap_or_else(|| "application".to_owned()),
        owner: owner(entry),
        depends_on: depends_on
            .filter_map(|node| Some((node.scalar()?.to_owned(), file.span(node.start, node.end))))
            .collect(),
        at: place(file, entry),
        name,
    })
}
