//! A project's nodes as jobs, its exposures with their references looked up, and what it declares.
use std::collections::{BTreeMap, BTreeSet};

use super::{
    calls::calls,
    hooks::{Hook, RunHook},
    manifest::Manifest,
    nodes::{DbtNode, NodeKind},
    project_file::Package,
    properties::{FoundExposure, Properties},
};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        DbtProject, Declaration, DeclaredDataset, EstateSettings, Exposure, Job, JobKind, Script, Templating,
        header_names,
    },
    vocab::{Column, DatasetId, JobId, LogicalType, Span},
};

/// A job for each node.
pub(super) fn jobs(
    index: usize,
    nodes: &[DbtNode],
    project: &DbtProject,
    manifest: Option<&Manifest>,
    properties: &Properties,
    settings: &EstateSettings,
) -> Vec<Job> {
    let incremental = incremental_macros(project);
    let job = |node: &DbtNode| {
        // Compiled text is that of one run: the other run of an incremental model would be lost.
        let text = &node.file.text;
        let one_run = text.contains("is_incremental") || incremental.iter().any(|name| text.contains(*name));
        job(index, node, project, manifest.filter(|_| !one_run), properties, settings)
    };
    nodes.iter().map(job).collect()
}

/// The project's macros that ask whether a run is incremental.
fn incremental_macros(project: &DbtProject) -> BTreeSet<&str> {
    let asking = project.macros.iter().filter(|(_, _, text)| text.contains("is_incremental"));
    let each = asking.flat_map(|(_, _, text)| text.split("macro ").skip(1));
    let named = each.filter(|text| text.contains("is_incremental")).filter_map(|text| text.split('(').next());
    named.map(str::trim).filter(|name| !name.is_empty() && !name.contains(char::is_whitespace)).collect()
}

/// A job for each hook around the project's runs. What only calls a macro that nobody has says nothing.
pub(super) fn around_runs(index: usize, root: &Package, project: &DbtProject, settings: &EstateSettings) -> Vec<Job> {
    let known = |text: &str| {
        let call = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        let name = call.map(|call| call.split('(').next().unwrap_or_default().trim());
        let last = name.map(|name| name.rsplit('.').next().unwrap_or_default());
        last.is_none_or(|name| project.macros.iter().any(|(_, _, text)| text.contains(&format!("macro {name}("))))
    };
    let job = |hook: &RunHook| {
        let at = root.file.span(hook.place.0, hook.place.1);
        let script = Script {
            at: at.clone(),
            text: hook.text.as_str().into(),
            verbatim: root.file.editable && hook.verbatim,
            templating: Templating::Dbt { project: index, model: String::new() },
            dialect: project.adapter.clone().or_else(|| settings.dialect.clone()),
            schema: None,
            target: None,
            materialized: None,
            params: settings.vars.clone(),
        };
        let at = Span { end: at.start, ..at };
        Job { scripts: vec![script], ..Job::of_tool(JobId::new(hook.id.clone()), at) }
    };
    root.hooks.iter().filter(|hook| known(&hook.text)).map(job).collect()
}

fn job(
    index: usize,
    node: &DbtNode,
    project: &DbtProject,
    manifest: Option<&Manifest>,
    properties: &Properties,
    settings: &EstateSettings,
) -> Job {
    let id = node.unique_id();
    let compiled = manifest.and_then(|manifest| manifest.compiled.get(&id));
    let whole = node.file.whole();
    let at = Span { end: whole.start, ..whole };
    let has_sql = matches!(node.kind, NodeKind::Model | NodeKind::Snapshot);
    Job {
        kind: JobKind::Transform,
        declared_by: Declaration::DbtModel,
        scripts: has_sql
            .then(|| script(index, node, project, compiled, settings))
            .into_iter()
            .chain(node.config.hooks.iter().map(|hook| hook_script(index, node, hook, project, settings)))
            .collect(),
        imports: Vec::new(),
        moves: Vec::new(),
        reads: if node.kind == NodeKind::PythonModel { python_reads(node, project) } else { Vec::new() },
        writes: if has_sql { Vec::new() } else { vec![(node.relation.clone(), at.clone())] },
        depends_on: Vec::new(),
        schedule: None,
        owner: owner(node, properties),
        domain: node.config.domain.clone(),
        enabled: node.config.enabled.unwrap_or(true),
        id: JobId::new(id),
        at,
    }
}

fn owner(node: &DbtNode, properties: &Properties) -> Option<String> {
    let of_group = || node.config.group.as_ref().and_then(|group| properties.groups.get(group)).cloned();
    node.config.owner.clone().or_else(of_group)
}

fn script(
    index: usize,
    node: &DbtNode,
    project: &DbtProject,
    compiled: Option<&String>,
    settings: &EstateSettings,
) -> Script {
    let (start, end) = node.body;
    let default = if node.kind == NodeKind::Snapshot { "snapshot" } else { "view" };
    let (text, templating) = match compiled {
        Some(compiled) => (compiled.as_str(), Templating::Compiled),
        None => (&node.file.text[start..end], Templating::Dbt { project: index, model: node.name.clone() }),
    };
    Script {
        at: node.file.span(start, end),
        text: text.into(),
        verbatim: node.file.editable && compiled.is_none(),
        templating,
        dialect: project.adapter.clone().or_else(|| settings.dialect.clone()),
        schema: None,
        target: Some(node.relation.clone()),
        materialized: Some(node.config.materialized.clone().unwrap_or_else(|| default.to_owned())),
        params: settings.vars.clone(),
    }
}

/// SQL that runs before or after the node.
fn hook_script(index: usize, node: &DbtNode, hook: &Hook, project: &DbtProject, settings: &EstateSettings) -> Script {
    let (start, end) = hook.place.unwrap_or((0, 0));
    Script {
        at: node.file.span(start, end),
        text: hook.text.as_str().into(),
        verbatim: node.file.editable && hook.place.is_some(),
        templating: Templating::Dbt { project: index, model: node.name.clone() },
        dialect: project.adapter.clone().or_else(|| settings.dialect.clone()),
        schema: None,
        target: None,
        materialized: None,
        params: settings.vars.clone(),
    }
}

/// `dbt.ref("x")` and `dbt.source("a", "b")` of a Python model.
fn python_reads(node: &DbtNode, project: &DbtProject) -> Vec<(DatasetId, Span)> {
    let text = &node.file.text;
    let all = calls(text, "ref").into_iter().chain(calls(text, "source"));
    all.filter_map(|call| {
        Some((looked_up(&text[call.start..call.end], project)?, node.file.span(call.start, call.end)))
    })
    .collect()
}

/// The relation behind `ref('x')`, `ref('package', 'x')` or `source('a', 'b')`.
fn looked_up(reference: &str, project: &DbtProject) -> Option<DatasetId> {
    if let Some(call) = calls(reference, "ref").first() {
        let names = call.positional();
        let package = names.len().checked_sub(2).map(|at| names[at]);
        let version = call.named("v").or_else(|| call.named("version"));
        return project.referred(package, names.last()?, version).cloned();
    }
    let call = calls(reference, "source").into_iter().next()?;
    let [source, table] = call.positional()[..] else { return None };
    Some(project.sources.get(&(source.to_owned(), table.to_owned()))?.relation.clone())
}

/// The project's exposures.
pub(super) fn exposures(properties: &Properties, project: &DbtProject, faults: &mut Vec<Diagnostic>) -> Vec<Exposure> {
    properties.exposures.iter().map(|found| exposure(found, project, faults)).collect()
}

fn exposure(found: &FoundExposure, project: &DbtProject, faults: &mut Vec<Diagnostic>) -> Exposure {
    let mut reads = Vec::new();
    for (reference, at) in &found.depends_on {
        match looked_up(reference, project) {
            Some(dataset) => reads.push((dataset, at.clone())),
            None => {
                faults.push(Diagnostic::new(CodeEntry::E052, at.clone(), format!("the project has no `{reference}`")))
            }
        }
    }
    Exposure {
        id: format!("dbt/{}/{}", found.kind, found.name),
        title: found.title.clone(),
        kind: found.kind.clone(),
        tool: "dbt".to_owned(),
        owner: found.owner.clone(),
        reads,
        scripts: Vec::new(),
        parts: Vec::new(),
        at: found.at.clone(),
    }
}

/// What is declared about the project's relations and sources.
pub(super) fn declared(
    nodes: &[DbtNode],
    properties: &Properties,
    project: &DbtProject,
) -> BTreeMap<DatasetId, DeclaredDataset> {
    let mut declared = BTreeMap::new();
    for node in nodes {
        let known = properties.nodes.get(&node.name).map(|properties| properties.declared.clone());
        let mut entry = known.unwrap_or_default();
        entry.owner = owner(node, properties);
        entry.domain = node.config.domain.clone();
        if node.kind == NodeKind::Seed && entry.columns.is_empty() {
            entry.columns = seed_columns(node);
        }
        if entry != DeclaredDataset::default() {
            declared.insert(node.relation.clone(), entry);
        }
    }
    // A manifest may have given a source another name than its schema file alone.
    for (key, source) in &project.sources {
        let written = properties.sources.get(key).and_then(|source| properties.source_tables.get(&source.relation));
        declared.extend(written.map(|entry| (source.relation.clone(), entry.clone())));
    }
    declared
}

fn seed_columns(node: &DbtNode) -> Vec<Column> {
    let names = header_names(&node.file.text, false);
    let column = |name: String| Column {
        name,
        logical: LogicalType::Text,
        physical: String::new(),
        nullable: true,
        description: None,
    };
    names.into_iter().map(column).collect()
}
