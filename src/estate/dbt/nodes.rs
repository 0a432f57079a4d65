//! The models, seeds and snapshots of a project: found by their files, named as dbt names them.
use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde_json::Value;

use super::{
    Files,
    config::Config,
    project_file::{Package, Target},
    properties::{ModelVersion, Properties},
};
use crate::{
    estate::{text_file::TextFile, versioned_name},
    vocab::DatasetId,
};

/// The target schema where no profile names one.
pub(super) const DEFAULT_SCHEMA: &str = "analytics";

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    Model,
    PythonModel,
    Seed,
    Snapshot,
}

/// One model, seed or snapshot.
#[derive(Clone, Debug)]
pub(super) struct DbtNode {
    pub(super) kind: NodeKind,
    pub(super) package: String,
    pub(super) name: String,
    /// The model and the version of it that this is.
    pub(super) version: Option<ModelVersion>,
    /// The file's text; a seed has only its header.
    pub(super) file: TextFile,
    /// Bytes of the node's own SQL in the text.
    pub(super) body: (usize, usize),
    pub(super) config: Config,
    pub(super) relation: DatasetId,
}

impl DbtNode {
    /// dbt's own name: `model.shop.orders`.
    pub(super) fn unique_id(&self) -> String {
        let kind = match self.kind {
            NodeKind::Model | NodeKind::PythonModel => "model",
            NodeKind::Seed => "seed",
            NodeKind::Snapshot => "snapshot",
        };
        match &self.version {
            Some(one) => format!("{kind}.{}.{}.v{}", self.package, one.model, one.version),
            None => format!("{kind}.{}.{}", self.package, self.name),
        }
    }
}

/// How nodes of a project get their schema.
pub(super) struct Naming<'a> {
    pub(super) target: &'a Target,
    /// Whether the project has its own `generate_schema_name`; nearly all take the custom schema as it is.
    pub(super) own_macro: bool,
    pub(super) root: &'a Package,
    pub(super) properties: &'a Properties,
    pub(super) vars: &'a BTreeMap<String, Value>,
}

impl Naming<'_> {
    fn relation(&self, name: &str, config: &Config) -> DatasetId {
        let target = self.target.schema.as_deref();
        let schema = match (&config.target_schema, &config.schema, target) {
            (Some(schema), _, _) => schema.clone(),
            // dbt's default joins both; without a profile the first half is not known.
            (None, Some(custom), Some(target)) if !self.own_macro => format!("{target}_{custom}"),
            (None, Some(custom), _) => custom.clone(),
            (None, None, target) => target.unwrap_or(DEFAULT_SCHEMA).to_owned(),
        };
        DatasetId::from_parts(&[schema.as_str(), config.alias.as_deref().unwrap_or(name)])
    }

    fn node(
        &self,
        kind: NodeKind,
        package: &Package,
        name: &str,
        file: TextFile,
        body: (usize, usize),
        folders: &[&str],
    ) -> DbtNode {
        let key = match kind {
            NodeKind::Model | NodeKind::PythonModel => "models",
            NodeKind::Seed => "seeds",
            NodeKind::Snapshot => "snapshots",
        };
        let tree = |root: &Package| {
            let tree = root.root.get(key);
            tree.map(|tree| Config::in_tree(tree, &package.name, folders, self.vars)).unwrap_or_default()
        };
        let is_model = matches!(kind, NodeKind::Model | NodeKind::PythonModel);
        let version = self.properties.versions.get(name).filter(|_| is_model).cloned();
        let name = version.as_ref().map_or_else(|| name.to_owned(), |one| versioned_name(&one.model, &one.version));
        let own = if kind == NodeKind::Seed { Config::default() } else { Config::in_sql(&file.text) };
        let declared = self.properties.nodes.get(&name).map(|properties| properties.config.clone()).unwrap_or_default();
        let mut config = own.over(declared).over(tree(self.root));
        if package.folder != self.root.folder {
            config = config.over(tree(package));
        }
        let relation = self.relation(&name, &config);
        DbtNode { kind, package: package.name.clone(), name, version, file, body, config, relation }
    }
}

/// The nodes of `package`, in the order of their files.
pub(super) fn find(package: &Package, naming: &Naming<'_>, files: &Files<'_>) -> Vec<DbtNode> {
    let mut nodes = Vec::new();
    for (path, file) in files.sql_below(&package.models) {
        let Some(folders) = Package::inside(&package.models, path) else { continue };
        let whole = (0, file.text.len());
        nodes.extend(
            path.file_stem().map(|name| naming.node(NodeKind::Model, package, name, file.clone(), whole, &folders)),
        );
    }
    for (path, file) in files.sql_below(&package.snapshots) {
        let Some(folders) = Package::inside(&package.snapshots, path) else { continue };
        for (name, body) in snapshot_blocks(&file.text) {
            nodes.push(naming.node(NodeKind::Snapshot, package, &name, file.clone(), body, &folders));
        }
    }
    for (ending, tops, kind) in
        [("csv", &package.seeds, NodeKind::Seed), ("py", &package.models, NodeKind::PythonModel)]
    {
        for file in files.others_below(tops, ending, kind == NodeKind::Seed) {
            let path = file.path.clone();
            let Some(folders) = Package::inside(tops, &path) else { continue };
            let whole = (0, file.text.len());
            nodes.extend(path.file_stem().map(|name| naming.node(kind, package, name, file, whole, &folders)));
        }
    }
    nodes
}

/// Names and bodies of the `{% snapshot name %} … {% endsnapshot %}` blocks of `text`.
fn snapshot_blocks(text: &str) -> Vec<(String, (usize, usize))> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((name, start)) = next_tag(text, at, "snapshot") {
        let mut end = start;
        loop {
            let Some(open) = text[end..].find("{%").map(|offset| end + offset) else { return found };
            if text[open + 2..].trim_start_matches(['-', ' ', '\n', '\r', '\t']).starts_with("endsnapshot") {
                found.push((name, (start, open)));
                at = open + 2;
                break;
            }
            end = open + 2;
        }
    }
    found
}

/// The word behind the next `{% tag word %}` from byte `at` on, and one past that tag.
fn next_tag(text: &str, mut at: usize, tag: &str) -> Option<(String, usize)> {
    loop {
        let open = at + text[at..].find("{%")?;
        let close = open + text[open..].find("%}")?;
        let inner = text[open + 2..close].trim_matches(['-', ' ', '\n', '\r', '\t']);
        if let Some(name) = inner.strip_prefix(tag).filter(|rest| rest.starts_with(char::is_whitespace)) {
            return Some((name.trim().to_owned(), close + 2));
        }
        at = open + 2;
    }
}

/// The folders of `package` whose SQL it accounts for.
pub(super) fn own_folders(package: &Package) -> Vec<Utf8PathBuf> {
    [&package.models, &package.seeds, &package.snapshots, &package.macros, &package.others]
        .into_iter()
        .flatten()
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_s_body_lies_between_its_tags() {
        let text = "{% snapshot a %}{{ config() }} select 1{% if x %}, 2{% endif %} {%- endsnapshot -%}{% snapshot b %}{% endsnapshot %}{% snapshot c %}";
        let blocks = snapshot_blocks(text);
        let bodies: Vec<_> = blocks.iter().map(|(name, (start, end))| (name.as_str(), &text[*start..*end])).collect();
        assert_eq!(bodies, [("a", "{{ config() }} select 1{% if x %}, 2{% endif %} "), ("b", "")]);
    }
}
