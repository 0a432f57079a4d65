//! Redash: queries and dashboards as its interface gives them in JSON, one or many in a file.
use std::collections::BTreeMap;

use camino::Utf8Path;

use super::{
    BiAround, BiReader, Found, ends,
    found::{at, exposure},
    sql::{OTHER_QUERY, Sql, dialect_in, takes_a_table_s_place},
};
use crate::estate::{Exposure, FileFormat, json, text_file::TextFile, yaml::Node};

const TOOL: &str = "redash";

/// Words that stand together in a query or a dashboard.
pub(super) const MARKS: &[&[&str]] = &[&["\"query\"", "\"data_source_id\""], &["\"widgets\"", "\"visualization\""]];

/// The reader of Redash's JSON.
pub(super) struct Redash;

impl BiReader for Redash {
    fn format(&self) -> FileFormat {
        FileFormat::Redash
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        ends(path, &["json"])
    }

    fn claims(&self, file: &TextFile) -> bool {
        MARKS.iter().any(|marks| marks.iter().all(|mark| file.text.contains(mark)))
    }

    fn read(&self, files: &[&TextFile], _: &BiAround<'_>, found: &mut Found) {
        let mut parsed: Vec<(&TextFile, Node)> = Vec::new();
        for file in files {
            match json::bi_document(file) {
                Ok(node) => parsed.push((file, node)),
                Err(fault) => found.faults.push(fault),
            }
        }
        let all: Vec<(&TextFile, &Node)> =
            parsed.iter().flat_map(|(file, node)| objects(node).into_iter().map(|one| (*file, one))).collect();
        // A dashboard repeats the queries of its widgets: their own files come first.
        let is_within =
            |file: &TextFile| all.iter().any(|(own, one)| own.path == file.path && one.get("widgets").is_some());
        let mut queries: Vec<(&TextFile, &Node)> = all.iter().copied().filter(|(_, one)| is_query(one)).collect();
        queries.sort_by_key(|(file, _)| is_within(file));
        let mut ids = BTreeMap::new();
        let mut kept = Vec::new();
        for (file, query) in queries {
            let number = query.text_of("id").unwrap_or_default();
            // A dashboard holds the queries of its widgets once more.
            if number.is_empty() || !ids.contains_key(&number) {
                let id = found.id(TOOL, "query", &title(query));
                ids.insert(number, id.clone());
                kept.push((file, query, id));
            }
        }
        for (file, query, id) in kept {
            one_query(file, query, id, &ids, found);
        }
        for (file, board) in all.iter().filter(|(_, one)| one.get("widgets").is_some()) {
            dashboard(file, board, &ids, found);
        }
        for (file, node) in parsed.iter().filter(|(_, node)| objects(node).is_empty()) {
            found.malformed(at(file, node), "neither a query nor a dashboard is in it");
        }
    }
}

/// Queries and dashboards: the value itself, those of a list, of a page of results, and of widgets.
fn objects(node: &Node) -> Vec<&Node> {
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(one) = open.pop() {
        if is_query(one) || one.get("widgets").is_some() {
            found.push(one);
        }
        let lists = ["results", "widgets", "queries", "dashboards"].iter().filter_map(|key| one.get(key));
        open.extend(lists.flat_map(Node::items).rev());
        open.extend(one.items().iter().rev());
        open.extend(one.at(&["visualization", "query"]));
    }
    found
}

fn is_query(node: &Node) -> bool {
    node.get("query").is_some_and(|query| query.scalar().is_some())
}

fn title(node: &Node) -> String {
    let named = node.text_of("name").filter(|name| !name.trim().is_empty());
    named.or_else(|| node.text_of("id").map(|id| format!("query {id}"))).unwrap_or_else(|| "query".to_owned())
}

fn owner(node: &Node) -> Option<String> {
    let user = node.get("user")?;
    user.text_of("email").or_else(|| user.text_of("name")).filter(|owner| !owner.trim().is_empty())
}

fn one_query(file: &TextFile, node: &Node, id: String, ids: &BTreeMap<String, String>, found: &mut Found) {
    let place = file.span(node.start, node.start);
    let mut exposure = Exposure { owner: owner(node), ..exposure(id, TOOL, "chart", &title(node), place) };
    let source = node.at(&["data_source", "type"]).and_then(Node::scalar);
    if let Some(mut sql) = node.get("query").and_then(|query| Sql::of_node(file, query)) {
        for number in results_of(&mut sql) {
            match ids.get(&number) {
                Some(part) if exposure.parts.contains(part) => {}
                Some(part) => exposure.parts.push(part.clone()),
                None => {
                    let here = format!("no query of the export is `{number}`, whose results this one reads");
                    found.opaque(at(file, node.get("query").unwrap_or(node)), here);
                }
            }
        }
        fill(&mut sql);
        let dialect = if source == Some("results") { Some("sqlite") } else { source.and_then(dialect) };
        exposure.scripts.push(sql.script(dialect));
    }
    found.exposures.push(exposure);
}

fn dialect(source: &str) -> Option<&'static str> {
    if source == "pg" { Some("postgres") } else { dialect_in(source) }
}

/// Tables that are the results of other queries, `query_12` and `cached_query_12`, give way to a template of as many
/// bytes. Gives the numbers.
fn results_of(sql: &mut Sql) -> Vec<String> {
    let mut numbers = Vec::new();
    let mut from = 0;
    while let Some(found) = sql.text[from..].find("query_").map(|at| from + at) {
        let digits = sql.text[found + 6..].chars().take_while(char::is_ascii_digit).count();
        let end = found + 6 + digits;
        from = end;
        let start = if sql.text[..found].ends_with("cached_") { found - 7 } else { found };
        let ends_there = !sql.text[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if digits == 0 || !ends_there || !takes_a_table_s_place(&sql.text, start) || sql.text[..start].ends_with('.') {
            continue;
        }
        let name = sql.text[start..end].replace("query_", "qu");
        numbers.push(sql.text[found + 6..end].to_owned());
        sql.put(start, &format!("{{{{{name}}}}}"));
        sql.params.insert(name, OTHER_QUERY.to_owned());
    }
    numbers
}

/// Parameters, `{{ name }}` and `{{ name.start }}`, stand for values.
fn fill(sql: &mut Sql) {
    let mut from = 0;
    while let Some(open) = sql.text[from..].find("{{").map(|at| from + at) {
        let Some(close) = sql.text[open..].find("}}").map(|at| open + at + 2) else { return };
        let inner = sql.text[open + 2..close - 2].trim().to_owned();
        let is_table = takes_a_table_s_place(&sql.text, open);
        if !sql.params.contains_key(&inner) && !is_table {
            let value = if inner.starts_with(['#', '/', '^']) { "" } else { "NULL" };
            let filled = format!("{value:<width$}", width = close - open);
            sql.put(open, &filled);
        }
        from = close;
    }
}

fn dashboard(file: &TextFile, node: &Node, ids: &BTreeMap<String, String>, found: &mut Found) {
    let place = file.span(node.start, node.start);
    let mut exposure = found.exposure(TOOL, "dashboard", &title(node), place);
    exposure.owner = owner(node);
    for query in
        node.get("widgets").map_or(&[][..], Node::items).iter().filter_map(|w| w.at(&["visualization", "query"]))
    {
        let number = query.text_of("id").unwrap_or_default();
        match ids.get(&number) {
            Some(id) if exposure.parts.contains(id) => {}
            Some(id) => exposure.parts.push(id.clone()),
            None => found.malformed(at(file, query), format!("no query of the export is `{number}`")),
        }
    }
    found.exposures.push(exposure);
}
