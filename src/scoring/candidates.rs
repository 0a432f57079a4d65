//! What could become a data service: what the user declares, then source system × domain.
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    estate::Estate,
    graph::{DatasetFacts, DependencyGraph, Layer, name_matches},
    vocab::{DatasetId, ServiceName},
};

/// What the lake's imports from a data service are called: `orders-data-service` is service `orders`.
const SERVICE_SUFFIX: &str = "-data-service";

/// The datasets that become one service, and its name.
pub(super) struct Group {
    pub(super) name: ServiceName,
    pub(super) system: String,
    pub(super) domain: String,
    /// Named by the user.
    pub(super) declared: bool,
    /// Made in the lake from other datasets rather than imported: it comes after what it is made of.
    pub(super) derived: bool,
    pub(super) raw: Vec<DatasetId>,
}

/// All groups by name; names of services the estate imports already; roots that are no source; settings that
/// could not be used.
pub(super) struct Found {
    pub(super) groups: Vec<Group>,
    pub(super) services: Vec<ServiceName>,
    pub(super) strays: Vec<DatasetId>,
    pub(super) problems: Vec<String>,
}

/// Finds the candidates.
pub(super) fn find(estate: &Estate, graph: &DependencyGraph) -> Found {
    let systems: BTreeSet<&String> = graph.datasets().values().filter_map(|facts| facts.system.as_ref()).collect();
    let services: BTreeSet<ServiceName> = systems
        .iter()
        .filter_map(|system| system.strip_suffix(SERVICE_SUFFIX))
        .map(ServiceName::suggested_by)
        .collect();
    let mut problems = Vec::new();
    let mut claimed = BTreeSet::new();
    let mut groups = declared(estate, graph, &mut claimed, &mut problems);
    let strays = strays(estate, graph, &claimed);
    let left_out: BTreeSet<DatasetId> = claimed.union(&strays).cloned().collect();
    groups.extend(by_boundary(graph, &left_out, &groups));
    groups.retain(|group| !services.contains(&group.name));
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    Found { groups, services: services.into_iter().collect(), strays: strays.into_iter().collect(), problems }
}

fn declared(
    estate: &Estate,
    graph: &DependencyGraph,
    claimed: &mut BTreeSet<DatasetId>,
    problems: &mut Vec<String>,
) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (text, globs) in &estate.settings.candidates {
        let name = ServiceName::suggested_by(text);
        if name.as_str() != text {
            problems.push(format!("`candidates.{text}` is no service name: `{name}` is used"));
        }
        let fits = |dataset: &DatasetId| globs.iter().any(|glob| name_matches(glob, &dataset.to_string()));
        let inside = graph.datasets().iter().filter(|(dataset, facts)| facts.layer != Layer::Source && fits(dataset));
        let free: Vec<_> = inside.filter(|(dataset, _)| !claimed.contains(dataset)).collect();
        // A glob that fits raw tables means these; what is derived from them follows by the boundary.
        let derived = !free.iter().any(|(_, facts)| facts.layer == Layer::Raw);
        let raw: Vec<DatasetId> = free
            .iter()
            .filter(|(_, facts)| derived || facts.layer == Layer::Raw)
            .map(|(dataset, _)| (*dataset).clone())
            .collect();
        let nothing = |glob: &&String| !graph.datasets().keys().any(|dataset| name_matches(glob, &dataset.to_string()));
        for glob in globs.iter().filter(nothing).filter(|_| !raw.is_empty()) {
            problems.push(format!("`candidates.{text}`: `{glob}` fits no dataset of the estate: is it misspelt?"));
        }
        if raw.is_empty() {
            problems.push(format!("`candidates.{text}` fits no dataset that is not another candidate's"));
            continue;
        }
        if groups.iter().any(|group| group.name == name) {
            problems.push(format!("`candidates.{text}` has the name of another candidate, `{name}`: it is left out"));
            continue;
        }
        let facts: Vec<&DatasetFacts> = raw.iter().map(|dataset| &graph.datasets()[dataset]).collect();
        let systems: BTreeSet<&str> = facts.iter().flat_map(|f| f.systems.iter()).map(String::as_str).collect();
        let domains: BTreeSet<&str> = facts.iter().filter_map(|f| f.domain.as_deref()).collect();
        groups.push(Group {
            system: systems.into_iter().collect::<Vec<_>>().join("+"),
            domain: if domains.len() == 1 { domains.into_iter().collect() } else { name.to_string() },
            declared: true,
            derived,
            raw: raw.clone(),
            name,
        });
        claimed.extend(raw);
    }
    groups
}

/// Undeclared roots of schemas in which as many tables are written as not, or more: where the estate
/// shows a source for other tables, these are a misspelt, renamed or dead name rather than a system.
/// They still count as an origin of their own for the boundary.
fn strays(estate: &Estate, graph: &DependencyGraph, claimed: &BTreeSet<DatasetId>) -> BTreeSet<DatasetId> {
    let is_declared = |dataset: &DatasetId| estate.declared.get(dataset).is_some_and(|d| d.source.is_some());
    let is_root = |dataset: &DatasetId, facts: &DatasetFacts| {
        facts.layer == Layer::Raw && facts.written_by.is_empty() && !is_declared(dataset)
    };
    let shown = graph
        .datasets()
        .iter()
        .any(|(dataset, facts)| (facts.layer == Layer::Source && !facts.read_by.is_empty()) || is_declared(dataset));
    if !shown {
        return BTreeSet::new();
    }
    let mut schemas: BTreeMap<Option<&str>, (Vec<&DatasetId>, usize)> = BTreeMap::new();
    for (dataset, facts) in graph.datasets() {
        let (roots, written) = schemas.entry(dataset.schema()).or_default();
        *written += usize::from(!facts.written_by.is_empty());
        if is_root(dataset, facts) {
            roots.push(dataset);
        }
    }
    let few = schemas.into_values().filter(|(roots, written)| roots.len() <= *written);
    few.flat_map(|(roots, _)| roots).filter(|root| !claimed.contains(*root)).cloned().collect()
}

fn by_boundary(graph: &DependencyGraph, left_out: &BTreeSet<DatasetId>, declared: &[Group]) -> Vec<Group> {
    let mut found: BTreeMap<(String, String), Vec<DatasetId>> = BTreeMap::new();
    for (dataset, facts) in graph.datasets() {
        let Some(system) = facts.system.as_ref().filter(|system| !system.ends_with(SERVICE_SUFFIX)) else { continue };
        if facts.layer == Layer::Raw && !left_out.contains(dataset) {
            let domain = facts.domain.as_ref().unwrap_or(system);
            found.entry((domain.clone(), system.clone())).or_default().push(dataset.clone());
        }
    }
    let mut systems: BTreeMap<String, u32> = BTreeMap::new();
    for (domain, _) in found.keys() {
        *systems.entry(domain.clone()).or_default() += 1;
    }
    let mut taken: BTreeSet<ServiceName> = declared.iter().map(|group| group.name.clone()).collect();
    let mut groups = Vec::new();
    for ((domain, system), raw) in found {
        let name = free_name(&domain, &system, systems[&domain] == 1, &taken);
        taken.insert(name.clone());
        groups.push(Group { name, system, domain, declared: false, derived: false, raw });
    }
    groups
}

/// The domain's name where one system has it to itself, else domain and system, else with a number.
fn free_name(domain: &str, system: &str, alone: bool, taken: &BTreeSet<ServiceName>) -> ServiceName {
    let long = if domain == system { domain.to_owned() } else { format!("{domain}-{system}") };
    let short = alone.then(|| domain.to_owned());
    // A number in front survives the cut that long names get.
    let numbered = (2u32..).map(|number| format!("x{number}-{long}"));
    let mut names =
        short.into_iter().chain([long.clone()]).chain(numbered).map(|text| ServiceName::suggested_by(&text));
    names.find(|name| !taken.contains(name)).expect("numbers never end")
}
