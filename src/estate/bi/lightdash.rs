//! Lightdash charts and dashboards as code: their explores are dbt models.
use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::{
    BiAround, BiReader, Found, ends,
    found::{at, top},
    sql::Sql,
};
use crate::{
    estate::{FileFormat, text_file::TextFile, yaml::Node},
    vocab::DatasetId,
};

const TOOL: &str = "lightdash";

/// The reader of Lightdash's files.
pub(super) struct Lightdash;

impl BiReader for Lightdash {
    fn format(&self) -> FileFormat {
        FileFormat::Lightdash
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        ends(path, &["yaml", "yml"])
    }

    fn claims(&self, file: &TextFile) -> bool {
        let has = |key: &str| file.text.lines().any(|line| line.starts_with(key));
        has("slug:") && (has("metricQuery:") || has("tiles:") || has("sql:") && has("spaceSlug:"))
    }

    fn read(&self, files: &[&TextFile], around: &BiAround<'_>, found: &mut Found) {
        let models: BTreeMap<&str, &DatasetId> =
            around.dbt.iter().flat_map(|project| &project.nodes).map(|(name, id)| (name.as_str(), id)).collect();
        let mut parsed = Vec::new();
        for file in files {
            if let Some(node) = found.yaml(file) {
                parsed.push((*file, node));
            }
        }
        let mut charts = BTreeMap::new();
        let (boards, others): (Vec<_>, Vec<_>) = parsed.iter().partition(|(_, node)| node.get("tiles").is_some());
        for (file, node) in others {
            let id = chart(file, node, &models, around, found);
            charts.extend(node.text_of("slug").map(|slug| (slug, id)));
        }
        for (file, node) in boards {
            dashboard(file, node, &charts, found);
        }
    }
}

fn title(file: &TextFile, node: &Node) -> String {
    node.text_of("name").unwrap_or_else(|| file.path.file_stem().unwrap_or_default().to_owned())
}

fn chart(
    file: &TextFile,
    node: &Node,
    models: &BTreeMap<&str, &DatasetId>,
    around: &BiAround<'_>,
    found: &mut Found,
) -> String {
    let mut exposure = found.exposure(TOOL, "chart", &title(file, node), top(file));
    if let Some(sql) = node.get("sql").and_then(|sql| Sql::of_node(file, sql)) {
        let dialect = around.dbt.first().and_then(|project| project.adapter.as_deref());
        exposure.scripts.push(sql.script(dialect.and_then(crate::estate::dialect_named)));
    }
    let query = node.get("metricQuery");
    let explore = query.and_then(|query| query.get("exploreName")).or_else(|| node.get("tableName"));
    if let Some(explore) = explore {
        let name = explore.scalar().unwrap_or_default();
        match models.get(name) {
            Some(model) => exposure.reads.push(((*model).clone(), at(file, explore))),
            None => found.opaque(at(file, explore), format!("no dbt model of the estate is named `{name}`")),
        }
        exposure.reads.extend(joined(file, query, name, models));
    } else if exposure.scripts.is_empty() {
        found.malformed(top(file), "neither `exploreName` nor `sql` is in it");
    }
    let id = exposure.id.clone();
    found.exposures.push(exposure);
    id
}

/// Fields of other models than the explore's own: `<model>_<field>`, so the longest name that fits is meant.
fn joined(
    file: &TextFile,
    query: Option<&Node>,
    explore: &str,
    models: &BTreeMap<&str, &DatasetId>,
) -> Vec<(DatasetId, crate::vocab::Span)> {
    let lists = ["dimensions", "metrics"].iter().filter_map(|key| query?.get(key)).flat_map(Node::items);
    let (mut seen, mut reads) = (BTreeSet::from([explore]), Vec::new());
    for field in lists {
        let name = field.scalar().unwrap_or_default();
        let is_of = |model: &&&str| name.strip_prefix(**model).is_some_and(|rest| rest.starts_with('_'));
        let Some(model) = models.keys().chain([&explore]).filter(is_of).max_by_key(|model| model.len()) else {
            continue;
        };
        if seen.insert(model) {
            reads.push((models[model].clone(), at(file, field)));
        }
    }
    reads
}

fn dashboard(file: &TextFile, node: &Node, charts: &BTreeMap<String, String>, found: &mut Found) {
    let mut exposure = found.exposure(TOOL, "dashboard", &title(file, node), top(file));
    for tile in node.get("tiles").map_or(&[][..], Node::items) {
        let Some(slug) = tile.at(&["properties", "chartSlug"]).filter(|slug| slug.scalar().is_some()) else { continue };
        match charts.get(slug.scalar().unwrap_or_default()) {
            Some(id) if exposure.parts.contains(id) => {}
            Some(id) => exposure.parts.push(id.clone()),
            None => {
                let here = format!("no chart of the estate has slug `{}`", slug.scalar().unwrap_or_default());
                found.malformed(at(file, slug), here);
            }
        }
    }
    found.exposures.push(exposure);
}
