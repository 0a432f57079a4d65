//! Tableau workbooks and data sources: tables and custom SQL by connection, worksheets, dashboards.
use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::{BiAround, BiReader, Found, ends, found::top, sql::Sql};
use crate::{
    diagnostics::CodeEntry,
    estate::{
        Exposure, FileFormat, dialect_named,
        text_file::TextFile,
        xml::{self, Element},
    },
    vocab::DatasetId,
};

const TOOL: &str = "tableau";

/// The reader of `.twb` and `.tds`, packaged or not.
pub(super) struct Tableau;

impl BiReader for Tableau {
    fn format(&self) -> FileFormat {
        FileFormat::Tableau
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        ends(path, &["twb", "tds"])
    }

    fn claims(&self, _: &TextFile) -> bool {
        true
    }

    fn read(&self, files: &[&TextFile], _: &BiAround<'_>, found: &mut Found) {
        let mut workbooks = Vec::new();
        let mut published = BTreeMap::new();
        for file in files {
            match xml::document(file, CodeEntry::E051) {
                Ok(root) if bare(&root.name) == "workbook" => workbooks.push((*file, root)),
                Ok(root) if bare(&root.name) == "datasource" => {
                    let names = [root.get("formatted-name"), root.get("caption"), file.path.file_stem()];
                    let names: Vec<String> = names.into_iter().flatten().map(str::to_lowercase).collect();
                    let id = source(file, &root, file.path.file_stem().unwrap_or_default(), &published, found);
                    published.extend(names.into_iter().map(|name| (name, id.clone())));
                }
                Ok(root) => {
                    let here = format!("`{}` is neither a workbook nor a data source", root.name);
                    found.malformed(top(file), here);
                }
                Err(fault) => found.faults.push(fault),
            }
        }
        for (file, root) in &workbooks {
            workbook(file, root, &published, found);
        }
    }
}

/// An element's name without what newer versions put before it for older ones: `_.fcp.X.true...relation`.
fn bare(name: &str) -> &str {
    name.rsplit("...").next().unwrap_or(name)
}

fn child<'e>(element: &'e Element, name: &'e str) -> impl Iterator<Item = &'e Element> {
    element.children.iter().filter(move |child| bare(&child.name) == name)
}

/// Everything of that name below, extracts left out: they hold copies.
fn below<'e>(element: &'e Element, name: &str, into: &mut Vec<&'e Element>) {
    for inner in element.children.iter().filter(|inner| bare(&inner.name) != "extract") {
        if bare(&inner.name) == name {
            into.push(inner);
        }
        below(inner, name, into);
    }
}

fn all_below<'e>(element: &'e Element, name: &str) -> Vec<&'e Element> {
    let mut found = Vec::new();
    below(element, name, &mut found);
    found
}

fn workbook(file: &TextFile, root: &Element, published: &BTreeMap<String, String>, found: &mut Found) {
    let stem = file.path.file_stem().unwrap_or_default();
    let mut sources = BTreeMap::new();
    for one in child(root, "datasources").flat_map(|all| child(all, "datasource")) {
        let name = one.get("name").unwrap_or_default();
        // Parameters are a data source without a connection.
        if name != "Parameters" && child(one, "connection").next().is_some() {
            let title = format!("{stem}/{}", one.get("caption").unwrap_or(name));
            sources.insert(name.to_owned(), source(file, one, &title, published, found));
        }
    }
    let mut sheets = BTreeMap::new();
    for sheet in child(root, "worksheets").flat_map(|all| child(all, "worksheet")) {
        let name = sheet.get("name").unwrap_or_default();
        let mut exposure = here(file, sheet, "worksheet", &format!("{stem}/{name}"), found);
        let used = all_below(sheet, "datasource").into_iter().filter_map(|one| sources.get(one.get("name")?));
        exposure.parts = used.collect::<BTreeSet<_>>().into_iter().cloned().collect();
        sheets.insert(name.to_owned(), exposure.id.clone());
        found.exposures.push(exposure);
    }
    for board in child(root, "dashboards").flat_map(|all| child(all, "dashboard")) {
        let name = board.get("name").unwrap_or_default();
        let mut exposure = here(file, board, "dashboard", &format!("{stem}/{name}"), found);
        let shown = all_below(board, "zone").into_iter().filter_map(|zone| sheets.get(zone.get("name")?));
        exposure.parts = shown.collect::<BTreeSet<_>>().into_iter().cloned().collect();
        found.exposures.push(exposure);
    }
}

fn here(file: &TextFile, element: &Element, kind: &str, title: &str, found: &mut Found) -> Exposure {
    found.exposure(TOOL, kind, title, file.span(element.start, element.start))
}

/// A connection as far as its tables' names need it.
#[derive(Default)]
struct Connection<'e> {
    class: &'e str,
    schema: &'e str,
}

/// One data source; gives its id.
fn source(
    file: &TextFile,
    root: &Element,
    title: &str,
    published: &BTreeMap<String, String>,
    found: &mut Found,
) -> String {
    let mut exposure = here(file, root, "dataset", title, found);
    let connections = all_below(root, "connection");
    let of = |one: &'_ Element| {
        (one.get("class").unwrap_or_default().to_owned(), one.get("schema").unwrap_or_default().to_owned())
    };
    let whole = connections.iter().map(|one| of(one)).find(|(class, _)| class != "federated").unwrap_or_default();
    let mut named = BTreeMap::new();
    for one in all_below(root, "named-connection") {
        if let (Some(name), Some(inner)) = (one.get("name"), child(one, "connection").next()) {
            named.insert(name.to_owned(), of(inner));
        }
    }
    for one in &connections {
        if one.get("class") == Some("sqlproxy") {
            on_server(file, one, root, published, &mut exposure, found);
        }
        if let Some(text) = one.get("one-time-sql").filter(|text| !text.trim().is_empty()) {
            let sql = masked(Sql::made(file.span(one.start, one.start), text));
            exposure.scripts.push(sql.script(one.get("class").and_then(dialect_of)));
        }
    }
    let mut seen = BTreeSet::new();
    for relation in all_below(root, "relation") {
        let (class, schema) = relation.get("connection").and_then(|name| named.get(name)).unwrap_or(&whole);
        let connection = Connection { class, schema };
        one_relation(file, relation, &connection, &mut seen, &mut exposure, found);
    }
    let id = exposure.id.clone();
    found.exposures.push(exposure);
    id
}

/// A data source that lies on the server: its own file says what it reads, where the estate has it.
fn on_server(
    file: &TextFile,
    connection: &Element,
    root: &Element,
    published: &BTreeMap<String, String>,
    exposure: &mut Exposure,
    found: &mut Found,
) {
    let names = [connection.get("server-ds-friendly-name"), connection.get("dbname"), root.get("caption")];
    let names: Vec<&str> = names.into_iter().flatten().collect();
    match names.iter().find_map(|name| published.get(&name.to_lowercase())) {
        Some(id) if exposure.parts.contains(id) => {}
        Some(id) => exposure.parts.push(id.clone()),
        None => {
            let name = names.first().copied().unwrap_or_default();
            let here =
                format!("published data source `{name}` lies on the server: add its .tds or .tdsx to the estate");
            found.opaque(file.span(connection.start, connection.start), here);
        }
    }
}

fn one_relation(
    file: &TextFile,
    relation: &Element,
    connection: &Connection<'_>,
    seen: &mut BTreeSet<String>,
    exposure: &mut Exposure,
    found: &mut Found,
) {
    let is_file = |class: &str| {
        ["excel", "textscan", "hyper", "sqlproxy", "google-sheets", "webdata", "ogr"]
            .iter()
            .any(|one| class.starts_with(one))
    };
    let place = file.span(relation.start, relation.start);
    match relation.get("type") {
        Some("table") if !is_file(connection.class) => {
            let Some(table) = relation.get("table").or_else(|| relation.get("name")) else { return };
            if seen.insert(table.to_owned()) {
                let parts = names_of(table, connection.schema);
                exposure.reads.push((DatasetId::from_parts(&parts), place));
            }
        }
        Some("text") if seen.insert(relation.text.clone()) => {
            let (start, end) = relation.text_at;
            let sql = match file.text.get(start..end) == Some(relation.text.as_str()) {
                true => Sql::of_bytes(file, start, end),
                false => Sql::made(file.span(start, end), &relation.text),
            };
            if !relation.text.trim().is_empty() {
                exposure.scripts.push(masked(sql).script(dialect_of(connection.class)));
            }
        }
        Some("stored-proc") => {
            let name = relation.get("name").unwrap_or_default();
            found.opaque(place, format!("procedure `{name}` gives its rows"));
        }
        _ => {}
    }
}

/// `[schema].[table]`, `[table]`, and whatever a database writes behind in parentheses.
fn names_of(table: &str, schema: &str) -> Vec<String> {
    let inner = table.trim().trim_start_matches('[');
    let inner = inner.rsplit_once(']').map_or(inner, |(inner, _)| inner);
    let parts: Vec<String> = match table.trim().starts_with('[') {
        true => inner.split("].[").map(|part| part.replace("]]", "]")).collect(),
        false => table.split('.').map(|part| part.trim_matches(['"', '`']).to_owned()).collect(),
    };
    // Hive and Snowflake write `[PUBLIC.ORDERS]` now and then.
    match parts.as_slice() {
        [one] if !schema.is_empty() => vec![schema.to_owned(), one.clone()],
        _ => parts,
    }
}

fn dialect_of(class: &str) -> Option<&'static str> {
    let known = match class {
        "sqlserver" | "azure_sqldb" | "azure_sql_dw" => Some("tsql"),
        "awshadoophive" | "hadoophive" => Some("hive"),
        "bigquery-connector" => Some("bigquery"),
        "simba-spark" => Some("spark"),
        _ => None,
    };
    known.or_else(|| dialect_named(class.strip_suffix("-odbc").unwrap_or(class)))
}

/// Tableau doubles `<` and `>`, and names its parameters between single ones.
fn masked(mut sql: Sql) -> Sql {
    let mut at = 0;
    while let Some(start) = sql.text[at..].find(['<', '>']).map(|next| at + next) {
        let rest = &sql.text[start..];
        let (with, length) = if rest.starts_with("<<>>") {
            (" <> ".to_owned(), 4)
        } else if rest.starts_with("<<") || rest.starts_with(">>") {
            (format!(" {}", &rest[..1]), 2)
        } else {
            let is_parameter = rest.starts_with("<[Parameters]") || rest.starts_with("<Parameters.");
            match rest.find('>').filter(|_| is_parameter) {
                Some(end) => (format!("{:<1$}", "NULL", end + 1), end + 1),
                None => (String::new(), 1),
            }
        };
        sql.put(start, &with);
        at = start + length;
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Span;

    #[test]
    fn doubled_signs_and_parameters_keep_their_bytes() {
        let text = "a <<= 1 AND b <<>> 2 AND c = <[Parameters].[Parameter é]> AND d >> 1 AND e < 2";
        let sql = masked(Sql::made(Span::whole("a"), text));
        assert_eq!(sql.text.len(), text.len());
        let words: Vec<&str> = sql.text.split_whitespace().collect();
        assert_eq!(words.join(" "), "a <= 1 AND b <> 2 AND c = NULL AND d > 1 AND e < 2");
    }

    #[test]
    fn a_table_has_its_connection_s_schema_where_it_names_none() {
        assert_eq!(names_of("[raw].[or]]ders]", "x"), ["raw", "or]ders"]);
        assert_eq!(names_of("[orders]", "raw"), ["raw", "orders"]);
        assert_eq!(names_of("[A].[B].[C] (A.B.C)", ""), ["A", "B", "C"]);
    }
}
