//! `target/manifest.json`: dbt's own answer, taken when it was made from the very files that are here.
use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use super::{Files, project_file::Package};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{EstateFile, FileFormat, dialect_named, read_file, walk::Found},
    vocab::{DatasetId, Digest, Span},
};

/// A manifest holds every model several times over, so it may be larger than other files.
const TIMES_LARGER: u64 = 16;

/// What a manifest adds to the project's files.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    pub(super) adapter: Option<String>,
    /// Unique id → relation, for models, seeds and snapshots.
    pub(super) relations: BTreeMap<String, DatasetId>,
    /// (source, table) → relation.
    pub(super) sources: BTreeMap<(String, String), DatasetId>,
    /// Unique id → compiled SQL, where it was compiled.
    pub(super) compiled: BTreeMap<String, String>,
    /// Unique id → how it is stored.
    pub(super) materialized: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct ManifestFile {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    nodes: BTreeMap<String, ManifestNode>,
    #[serde(default)]
    sources: BTreeMap<String, ManifestNode>,
    #[serde(default)]
    disabled: BTreeMap<String, Vec<ManifestNode>>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    adapter_type: Option<String>,
    project_name: Option<String>,
}

#[derive(Deserialize)]
struct ManifestNode {
    #[serde(default)]
    resource_type: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    package_name: String,
    #[serde(default)]
    original_file_path: String,
    database: Option<String>,
    schema: Option<String>,
    alias: Option<String>,
    identifier: Option<String>,
    source_name: Option<String>,
    relation_name: Option<String>,
    #[serde(alias = "compiled_sql")]
    compiled_code: Option<String>,
    checksum: Option<Checksum>,
    #[serde(default)]
    config: NodeConfig,
}

#[derive(Default, Deserialize)]
struct NodeConfig {
    materialized: Option<String>,
}

#[derive(Deserialize)]
struct Checksum {
    name: String,
    checksum: String,
}

/// The manifest of `package` with the entry for the list of files; `None` where there is none. One
/// that is not of these files is told and not used.
pub(super) fn read(
    package: &Package,
    files: &Files<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Option<(EstateFile, Option<Manifest>)> {
    let found = locate(package, files)?;
    let limit = files.limit.saturating_mul(TIMES_LARGER);
    let bytes = match read_file::bytes(&found, limit) {
        Ok(bytes) => bytes,
        Err(fault) => {
            faults.push(fault);
            return None;
        }
    };
    let file = EstateFile {
        path: found.path.clone(),
        format: FileFormat::Dbt,
        digest: Digest::of(&bytes),
        bytes: found.bytes,
    };
    let manifest = match serde_json::from_slice::<ManifestFile>(&bytes) {
        Ok(manifest) => manifest,
        Err(error) => {
            faults.push(malformed(&found.path, &bytes, &error));
            return Some((file, None));
        }
    };
    if let Some(older) = first_difference(&manifest, package, files) {
        faults.push(Diagnostic::new(CodeEntry::E020, Span::whole(found.path), older));
        return Some((file, None));
    }
    Some((file, Some(taken_from(manifest))))
}

fn locate(package: &Package, files: &Files<'_>) -> Option<Found> {
    let project = package.folder.join("dbt_project.yml");
    let on_disk = &files.found.iter().find(|file| file.path == project)?.on_disk;
    let inside = package.target_folder.join("manifest.json");
    let on_disk = on_disk.parent()?.join(&inside);
    let bytes = std::fs::metadata(&on_disk).ok().filter(|meta| meta.is_file())?.len();
    Some(Found { path: package.folder.join(inside), on_disk, bytes })
}

fn malformed(path: &Utf8Path, bytes: &[u8], error: &serde_json::Error) -> Diagnostic {
    let start = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum::<usize>();
    let at = start + error.column().saturating_sub(1);
    let span = Span {
        file: path.to_owned(),
        start: at,
        end: at,
        line: error.line().max(1) as u32,
        column: error.column().max(1) as u32,
    };
    let text = error.to_string();
    let here = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned();
    Diagnostic::new(CodeEntry::E007, span, here)
}

/// Why the manifest was not made from the files that are here: by their content, never their times.
fn first_difference(manifest: &ManifestFile, package: &Package, files: &Files<'_>) -> Option<String> {
    let own = manifest.metadata.project_name.as_deref().unwrap_or(&package.name);
    let mut listed: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    for node in manifest.nodes.values().filter(|node| node.package_name == own) {
        let path = package.folder.join(node.original_file_path.replace('\\', "/"));
        if let Some(checksum) = node.checksum.as_ref().filter(|checksum| checksum.name == "sha256") {
            match files.text_at(&path) {
                None => return Some(format!("`{path}` is in it and is no more")),
                Some(text) if !has_checksum(&text, &checksum.checksum) => {
                    return Some(format!("`{path}` has changed since"));
                }
                Some(_) => {}
            }
        }
        listed.insert(path);
    }
    let disabled = manifest.disabled.values().flatten();
    listed.extend(disabled.map(|node| package.folder.join(node.original_file_path.replace('\\', "/"))));
    let missing = files.sql_below(&package.models).map(|(path, _)| path).find(|path| !listed.contains(*path));
    missing.map(|path| format!("`{path}` is not in it"))
}

/// dbt hashes the file's text; some versions trimmed it first.
fn has_checksum(text: &str, checksum: &str) -> bool {
    Digest::of(text).hex() == checksum || Digest::of(text.trim()).hex() == checksum
}

fn taken_from(file: ManifestFile) -> Manifest {
    let mut manifest = Manifest {
        adapter: file.metadata.adapter_type.map(|name| dialect_named(&name).map_or(name, str::to_owned)),
        ..Manifest::default()
    };
    let home = home_database(&file.nodes);
    let mut shorter: Vec<(String, String)> = Vec::new();
    for (id, node) in &file.nodes {
        if !matches!(node.resource_type.as_str(), "model" | "seed" | "snapshot") {
            continue;
        }
        let name = node.alias.as_deref().unwrap_or(&node.name);
        let parts = [node.schema.as_deref(), Some(name)];
        manifest.relations.insert(id.clone(), DatasetId::from_parts(&parts.into_iter().flatten().collect::<Vec<_>>()));
        manifest.materialized.extend(node.config.materialized.clone().map(|how| (id.clone(), how)));
        shorter.extend(node.relation_name.as_deref().and_then(without_database));
    }
    for node in file.sources.values() {
        let Some(source) = node.source_name.clone() else { continue };
        let database = node.database.as_deref().filter(|database| Some(*database) != home.as_deref());
        let name = node.identifier.as_deref().unwrap_or(&node.name);
        let parts = [database, node.schema.as_deref(), Some(name)];
        let relation = DatasetId::from_parts(&parts.into_iter().flatten().collect::<Vec<_>>());
        if database.is_none() {
            shorter.extend(node.relation_name.as_deref().and_then(without_database));
        }
        manifest.sources.insert((source, node.name.clone()), relation);
    }
    // The longest first, so that no name is cut by one that begins like it.
    shorter.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
    shorter.dedup();
    for (id, node) in file.nodes {
        if let Some(compiled) = node.compiled_code.filter(|text| !text.trim().is_empty()) {
            let named = shorter.iter().filter(|(long, _)| compiled.contains(long.as_str())).collect::<Vec<_>>();
            let text = named.into_iter().fold(compiled, |text, (long, short)| text.replace(long.as_str(), short));
            manifest.compiled.insert(id, text);
        }
    }
    manifest
}

/// The database most models lie in: names within it are written without it, as other SQL of the lake does.
fn home_database(nodes: &BTreeMap<String, ManifestNode>) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let models = nodes.values().filter(|node| node.resource_type == "model");
    models.filter_map(|node| node.database.as_deref()).for_each(|name| *counts.entry(name).or_default() += 1);
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(name, _)| name.to_owned())
}

/// A relation of three parts, and the same without the first.
fn without_database(relation: &str) -> Option<(String, String)> {
    let mut quote = None;
    let mut dots = Vec::new();
    for (at, byte) in relation.bytes().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'`') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            (None, b'.') => dots.push(at),
            _ => {}
        }
    }
    (dots.len() == 2).then(|| (relation.to_owned(), relation[dots[0] + 1..].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_database_is_left_out_of_names() {
        let text = r#"{"nodes":{"model.s.a":{"resource_type":"model","name":"a","database":"db","schema":"S","alias":"A",
            "relation_name":"\"db\".\"s\".\"a\"","compiled_code":"select * from \"db\".\"raw\".\"o\"","config":{"materialized":"table"}}},
            "sources":{"x":{"name":"o","source_name":"raw","database":"db","schema":"raw","identifier":"O","relation_name":"\"db\".\"raw\".\"o\""},
            "y":{"name":"p","source_name":"far","database":"other","schema":"raw","relation_name":"\"other\".\"raw\".\"p\""}}}"#;
        let manifest = taken_from(serde_json::from_str(text).unwrap());
        assert_eq!(manifest.relations["model.s.a"].to_string(), "s.a");
        assert_eq!(manifest.compiled["model.s.a"], "select * from \"raw\".\"o\"");
        assert_eq!(manifest.sources[&("raw".into(), "o".into())].to_string(), "raw.o");
        assert_eq!(manifest.sources[&("far".into(), "p".into())].to_string(), "other.raw.p");
    }
}
