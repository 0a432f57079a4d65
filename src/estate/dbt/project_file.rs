//! `dbt_project.yml` and `profiles.yml`: where things lie and what the target is.
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::{
    hooks::{RunHook, around_runs},
    static_text::filled,
};
use crate::{
    diagnostics::Diagnostic,
    estate::{
        dialect_named,
        paths::{beside, folder_of},
        text_file::TextFile,
        yaml::{self, Node, Shape},
    },
};

/// A project, or a package installed into one.
#[derive(Clone, Debug)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) folder: Utf8PathBuf,
    pub(super) models: Vec<Utf8PathBuf>,
    pub(super) seeds: Vec<Utf8PathBuf>,
    pub(super) snapshots: Vec<Utf8PathBuf>,
    pub(super) macros: Vec<Utf8PathBuf>,
    /// Analyses and tests: SQL that fills nothing.
    pub(super) others: Vec<Utf8PathBuf>,
    pub(super) target_folder: Utf8PathBuf,
    pub(super) vars: BTreeMap<String, Value>,
    /// SQL around whole runs.
    pub(super) hooks: Vec<RunHook>,
    /// The file all this stands in.
    pub(super) file: TextFile,
    /// `models`, `seeds`, `snapshots` as they stand.
    pub(super) root: Node,
    profile: Option<String>,
}

/// What a profile says about the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) schema: Option<String>,
    pub(super) adapter: Option<String>,
}

/// Reads a `dbt_project.yml`.
pub(super) fn read(file: &TextFile) -> Result<Package, Diagnostic> {
    let root = yaml::document(file)?;
    let folder = folder_of(&file.path).to_owned();
    let paths = |keys: &[&str], default: &[&str]| {
        let listed = keys
            .iter()
            .find_map(|key| root.get(key))
            .map(|list| list.items().iter().filter_map(Node::scalar).collect::<Vec<_>>());
        let names = listed.unwrap_or_else(|| default.to_vec());
        names.into_iter().filter_map(|name| beside(&folder, name)).collect::<Vec<_>>()
    };
    let name = root.text_of("name").unwrap_or_else(|| folder.file_name().unwrap_or("dbt").to_owned());
    let target = root.text_of("target-path").filter(|path| !path.contains("{{")).unwrap_or_else(|| "target".to_owned());
    Ok(Package {
        models: paths(&["model-paths", "source-paths"], &["models"]),
        seeds: paths(&["seed-paths", "data-paths"], &["seeds"]),
        snapshots: paths(&["snapshot-paths"], &["snapshots"]),
        macros: paths(&["macro-paths"], &["macros"]),
        others: [paths(&["analysis-paths"], &["analyses", "analysis"]), paths(&["test-paths"], &["tests"])].concat(),
        target_folder: target.into(),
        vars: vars(&root, &name),
        hooks: around_runs(&root, &name, &file.text),
        file: file.clone(),
        profile: root.text_of("profile"),
        name,
        folder,
        root,
    })
}

/// `vars`, those under the project's own name over those at the top.
fn vars(root: &Node, name: &str) -> BTreeMap<String, Value> {
    let all = root.get("vars").map_or(&[][..], Node::entries);
    let pairs = |entries: &[yaml::Entry]| -> Vec<(String, Value)> {
        entries.iter().filter_map(|entry| Some((entry.key.scalar()?.to_owned(), entry.value.to_json()))).collect()
    };
    let mut vars: BTreeMap<String, Value> = pairs(all).into_iter().collect();
    if let Some(own) =
        all.iter().find(|entry| entry.key.scalar() == Some(name) && matches!(entry.value.shape, Shape::Map(_)))
    {
        vars.remove(name);
        vars.extend(pairs(own.value.entries()));
    }
    vars
}

impl Package {
    /// The target that a `profiles.yml` beside the project or above it names.
    pub(super) fn target(&self, files: &BTreeMap<Utf8PathBuf, TextFile>) -> Target {
        let profiles = self.folder.ancestors().find_map(|folder| files.get(&folder.join("profiles.yml")));
        let Some(root) = profiles.and_then(|file| yaml::document(file).ok()) else { return Target::default() };
        let named = self.profile.as_deref().and_then(|name| root.get(name));
        let Some(profile) = named else { return Target::default() };
        let text =
            |node: &Node, key: &str| node.get(key).and_then(Node::scalar).and_then(|text| filled(text, &self.vars));
        let outputs = profile.get("outputs");
        let chosen = text(profile, "target").and_then(|name| outputs?.get(&name));
        let Some(output) = chosen.or_else(|| outputs?.entries().first().map(|entry| &entry.value)) else {
            return Target::default();
        };
        Target {
            schema: text(output, "schema").or_else(|| text(output, "dataset")),
            adapter: text(output, "type").map(|name| dialect_named(&name).map_or(name, str::to_owned)),
        }
    }

    /// The folders between one of `tops` and `path`, with the file's stem as last.
    pub(super) fn inside<'p>(tops: &[Utf8PathBuf], path: &'p Utf8Path) -> Option<Vec<&'p str>> {
        let inside = tops.iter().find_map(|top| path.strip_prefix(top).ok())?;
        let folders = inside.parent()?.components().map(|part| part.as_str());
        Some(folders.chain(inside.file_stem()).collect())
    }
}
