//! Power BI: semantic models as TMDL or `model.bim`, and the reports of a PBIP folder that stand on them.
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    BiAround, BiReader, Found, ends,
    found::{at, exposure, top},
    m_query::{self, Reads},
    sql::Sql,
    tmdl,
};
use crate::{
    estate::{Exposure, FileFormat, json, paths::folder_of, text_file::TextFile, yaml::Node},
    vocab::{DatasetId, Span},
};

const TOOL: &str = "powerbi";

/// The reader of Power BI's files.
pub(super) struct PowerBi;

impl BiReader for PowerBi {
    fn format(&self) -> FileFormat {
        FileFormat::PowerBi
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        ends(path, &["tmdl", "bim", "pbir"])
    }

    fn claims(&self, _: &TextFile) -> bool {
        true
    }

    fn read(&self, files: &[&TextFile], _: &BiAround<'_>, found: &mut Found) {
        let mut models: BTreeMap<Utf8PathBuf, Vec<MQuery<'_>>> = BTreeMap::new();
        let mut reports = Vec::new();
        for file in files {
            if ends(&file.path, &["tmdl"]) {
                models.entry(model_folder(&file.path)).or_default().extend(of_tmdl(file));
            } else if let Ok(node) = json::bi_document(file).map_err(|fault| found.faults.push(fault)) {
                match ends(&file.path, &["bim"]) {
                    true => models.entry(model_folder(&file.path)).or_default().extend(of_bim(file, &node)),
                    false => reports.push((*file, node)),
                }
            }
        }
        let ids: BTreeMap<Utf8PathBuf, String> =
            models.iter().map(|(folder, queries)| (folder.clone(), model(folder, queries, found))).collect();
        for (file, node) in &reports {
            report(file, node, &ids, found);
        }
    }
}

/// The folder of a model: `X.SemanticModel`, as it is called today, else that above `definition`.
fn model_folder(path: &Utf8Path) -> Utf8PathBuf {
    let named = path.ancestors().skip(1).find(|folder| ends(folder, &["semanticmodel", "dataset"]));
    let above = || path.ancestors().find(|folder| folder.file_name() == Some("definition")).map(folder_of);
    named.or_else(above).unwrap_or_else(|| folder_of(path)).to_owned()
}

/// A query in M with where it stands.
struct MQuery<'f> {
    file: &'f TextFile,
    name: String,
    is_shared: bool,
    text: String,
    /// First byte of the text, where the file has it as it is.
    from: Option<usize>,
    at: Span,
    /// A table of a lakehouse, read as it is.
    entity: Option<(DatasetId, Span)>,
}

impl MQuery<'_> {
    fn span(&self, (start, end): (usize, usize)) -> Span {
        self.from.map_or_else(|| self.at.clone(), |from| self.file.span(from + start, from + end))
    }
}

fn of_tmdl(file: &TextFile) -> Vec<MQuery<'_>> {
    let of = |query: tmdl::Query| {
        let entity = query.entity.map(|(schema, table, (start, end))| {
            let parts: Vec<String> = schema.into_iter().chain([table]).collect();
            (DatasetId::from_parts(&parts), file.span(start, end))
        });
        MQuery {
            file,
            name: query.name,
            is_shared: query.is_shared,
            text: file.text[query.m.0..query.m.1].to_owned(),
            from: Some(query.m.0),
            at: file.span(query.start, query.start),
            entity,
        }
    };
    tmdl::queries(file).into_iter().map(of).collect()
}

/// The queries of a model as one JSON file. Its M stands between escapes, line by line.
fn of_bim<'f>(file: &'f TextFile, node: &Node) -> Vec<MQuery<'f>> {
    let list = |node: &Node, key: &str| node.get(key).map(|list| list.items().to_vec()).unwrap_or_default();
    let Some(model) = node.get("model") else { return Vec::new() };
    let query = |name: String, is_shared, expression: &Node| {
        let lines: Vec<&str> = expression.items().iter().filter_map(Node::scalar).collect();
        let text = expression.scalar().map_or_else(|| lines.join("\n"), str::to_owned);
        MQuery { file, name, is_shared, text, from: None, at: at(file, expression), entity: None }
    };
    let mut queries = Vec::new();
    for table in list(model, "tables") {
        let name = table.text_of("name").unwrap_or_default();
        for partition in list(&table, "partitions") {
            let is_m = partition.at(&["source", "type"]).and_then(Node::scalar) == Some("m");
            if let Some(expression) = partition.at(&["source", "expression"]).filter(|_| is_m) {
                queries.push(query(name.clone(), false, expression));
            }
        }
    }
    for shared in list(model, "expressions") {
        if let Some(expression) = shared.get("expression") {
            queries.push(query(shared.text_of("name").unwrap_or_default(), true, expression));
        }
    }
    queries
}

/// Reads the queries of one model; gives its id.
fn model(folder: &Utf8Path, queries: &[MQuery<'_>], found: &mut Found) -> String {
    let title = folder.file_stem().filter(|stem| !stem.is_empty()).unwrap_or("model");
    let shared: BTreeMap<String, Option<String>> = queries
        .iter()
        .filter(|query| query.is_shared)
        .map(|query| (query.name.clone(), m_query::parameter(&query.text)))
        .collect();
    let mut ids = BTreeMap::new();
    let mut parts = Vec::new();
    // Shared queries first: tables name them.
    let (first, second): (Vec<&MQuery<'_>>, Vec<&MQuery<'_>>) = queries.iter().partition(|query| query.is_shared);
    let no_parameter = |query: &&&MQuery<'_>| shared.get(&query.name).is_none_or(Option::is_none);
    let named: Vec<(&MQuery<'_>, Reads)> = first
        .iter()
        .filter(no_parameter)
        .chain(&second)
        .map(|query| (*query, m_query::read(&query.text, &shared)))
        .filter(|(query, reads)| *reads != Reads::default() || query.entity.is_some())
        .collect();
    for (query, _) in named.iter().filter(|(query, _)| query.is_shared) {
        ids.insert(query.name.clone(), found.id(TOOL, "query", &format!("{title}/{}", query.name)));
    }
    for (query, reads) in named {
        let exposure = table(query, reads, title, &ids, found);
        if !query.is_shared {
            parts.push(exposure.id.clone());
        }
        found.exposures.push(exposure);
    }
    let place = queries.first().map_or_else(|| Span::whole(folder.to_owned()), |query| top(query.file));
    let whole = Exposure { parts, ..found.exposure(TOOL, "model", title, place) };
    let id = whole.id.clone();
    found.exposures.push(whole);
    id
}

fn table(query: &MQuery<'_>, reads: Reads, model: &str, ids: &BTreeMap<String, String>, found: &mut Found) -> Exposure {
    let title = format!("{model}/{}", query.name);
    let id = match ids.get(&query.name).filter(|_| query.is_shared) {
        Some(id) => id.clone(),
        None => found.id(TOOL, "dataset", &title),
    };
    let parts = reads.others.iter().filter_map(|name| ids.get(name)).filter(|part| **part != id).cloned().collect();
    let own = query.entity.iter().cloned().collect();
    let mut exposure = Exposure { reads: own, parts, ..exposure(id, TOOL, "dataset", &title, query.at.clone()) };
    for (names, place) in &reads.tables {
        exposure.reads.push((DatasetId::from_parts(names), query.span(*place)));
    }
    for sent in reads.queries {
        let sql = match (query.from, query.text.get(sent.at.0..sent.at.1)) {
            (Some(from), Some(there)) if there == sent.text => {
                Sql::of_bytes(query.file, from + sent.at.0, from + sent.at.1)
            }
            _ => Sql::made(query.span(sent.at), &sent.text),
        };
        exposure.scripts.push(sql.script(sent.dialect));
    }
    for (here, place) in reads.opaque {
        found.opaque(query.span(place), here);
    }
    exposure
}

/// A report says which model it stands on.
fn report(file: &TextFile, node: &Node, models: &BTreeMap<Utf8PathBuf, String>, found: &mut Found) {
    let folder = folder_of(&file.path);
    let title = folder.file_stem().unwrap_or("report").to_owned();
    let mut exposure = found.exposure(TOOL, "report", &title, top(file));
    let Some(reference) = node.get("datasetReference") else {
        found.malformed(top(file), "`datasetReference` is missing");
        return;
    };
    let path = reference.at(&["byPath", "path"]).and_then(Node::scalar);
    match path.and_then(|path| crate::estate::paths::beside(folder, path)).and_then(|path| models.get(&path)) {
        Some(id) => exposure.parts.push(id.clone()),
        None => {
            let here = match path {
                Some(path) => format!("no model of the estate lies at `{path}`"),
                None => "its model lies on the server: add its project to the estate".to_owned(),
            };
            found.opaque(at(file, reference), here);
        }
    }
    found.exposures.push(exposure);
}
