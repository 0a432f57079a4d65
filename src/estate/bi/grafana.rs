//! Grafana dashboards: classic JSON, library panels, and the resources of newer versions (`apiVersion`, `spec.elements`).
use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::{
    BiAround, BiReader, Found, ends,
    found::{at, top},
    sql::{OTHER_QUERY, Sql, dialect_in, takes_a_table_s_place},
};
use crate::{
    estate::{Exposure, FileFormat, Script, json, text_file::TextFile, yaml::Node},
    vocab::Span,
};

const TOOL: &str = "grafana";

/// Words that stand together in a dashboard or a library panel.
pub(super) const MARKS: &[&[&str]] =
    &[&["\"panels\"", "\"schemaVersion\""], &["dashboard.grafana.app/"], &["\"model\"", "\"targets\"", "\"kind\""]];

/// Keys under which the data sources' own plugins keep SQL.
const SQL_KEYS: &[&str] = &["rawSql", "rawSQL", "queryText", "sql"];

/// The reader of Grafana dashboards.
pub(super) struct Grafana;

impl BiReader for Grafana {
    fn format(&self) -> FileFormat {
        FileFormat::Grafana
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        ends(path, &["json", "yaml", "yml"])
    }

    fn claims(&self, file: &TextFile) -> bool {
        let text = &*file.text;
        match ends(&file.path, &["json"]) {
            true => MARKS.iter().any(|marks| marks.iter().all(|mark| text.contains(mark))),
            false => text.lines().any(|line| line.starts_with("apiVersion: dashboard.grafana.app/")),
        }
    }

    fn read(&self, files: &[&TextFile], _: &BiAround<'_>, found: &mut Found) {
        let mut library = BTreeMap::new();
        let mut boards: Vec<(&TextFile, Node)> = Vec::new();
        for file in files {
            let Some(node) = parsed(file, found) else { continue };
            match library_panel(&node) {
                Some(panel) => {
                    let id = one_library_panel(file, panel, found);
                    library.extend(panel.text_of("uid").map(|uid| (uid, id.clone())));
                    library.extend(panel.text_of("name").map(|name| (name, id)));
                }
                None => boards.push((file, node)),
            }
        }
        for (file, node) in &boards {
            Board::read(file, node, &library, found);
        }
    }
}

fn parsed(file: &TextFile, found: &mut Found) -> Option<Node> {
    match ends(&file.path, &["json"]) {
        true => json::bi_document(file).map_err(|fault| found.faults.push(fault)).ok(),
        false => found.yaml(file),
    }
}

/// The library panel that a file is, with or without what the interface wraps it in.
fn library_panel(node: &Node) -> Option<&Node> {
    let node = node.get("result").unwrap_or(node);
    (node.get("model").is_some() && node.get("panels").is_none()).then_some(node)
}

fn one_library_panel(file: &TextFile, panel: &Node, found: &mut Found) -> String {
    let model = panel.get("model").unwrap_or(panel);
    let title = panel.text_of("name").or_else(|| model.text_of("title")).unwrap_or_default();
    let mut exposure = found.exposure(TOOL, "panel", &title, top(file));
    let mut queries = Queries { file, found, default: dialect(model), tables: BTreeSet::new() };
    queries.targets(model, &mut exposure.scripts);
    let id = exposure.id.clone();
    found.exposures.push(exposure);
    id
}

/// One dashboard while it is read.
struct Board<'a> {
    file: &'a TextFile,
    title: String,
    /// Names of its variables: what stands for them is chosen by who looks.
    library: &'a BTreeMap<String, String>,
    exposure: Exposure,
}

impl<'a> Board<'a> {
    fn read(file: &'a TextFile, node: &'a Node, library: &'a BTreeMap<String, String>, found: &mut Found) {
        let resource = node.get("apiVersion").and_then(|_| node.get("spec"));
        let inner = resource.or_else(|| node.get("dashboard")).unwrap_or(node);
        let stem = file.path.file_stem().unwrap_or_default().to_owned();
        let title = inner.text_of("title").filter(|title| !title.trim().is_empty()).unwrap_or(stem);
        if ["panels", "rows", "elements"].iter().all(|key| inner.get(key).is_none()) {
            found.malformed(top(file), "no `panels` and no `elements` are in it");
            return;
        }
        let mut exposure = found.exposure(TOOL, "dashboard", &title, top(file));
        let created = |key| node.at(&["meta", key]).and_then(Node::scalar).map(str::to_owned);
        let annotated = node.at(&["metadata", "annotations", "grafana.app/createdBy"]).and_then(Node::scalar);
        exposure.owner = created("createdBy").or_else(|| annotated.map(str::to_owned));
        let mut board = Board { file, title, library, exposure };
        board.own_library(node, found);
        board.panels(inner, found);
        board.elements(inner, found);
        board.variables(inner, found);
        found.exposures.push(board.exposure);
    }

    /// Library panels that an export for sharing carries within.
    fn own_library(&mut self, node: &Node, found: &mut Found) {
        for entry in node.get("__elements").map_or(&[][..], Node::entries) {
            let name = entry.value.text_of("name").unwrap_or_default();
            if !self.library.contains_key(&name) {
                let id = one_library_panel(self.file, &entry.value, found);
                self.exposure.parts.push(id);
            }
        }
    }

    /// Classic panels; those of a row lie within it.
    fn panels(&mut self, around: &Node, found: &mut Found) {
        for key in ["rows", "panels"] {
            for panel in around.get(key).map_or(&[][..], Node::items) {
                match panel
                    .get("libraryPanel")
                    .filter(|library| library.get("uid").is_some() || library.get("name").is_some())
                {
                    Some(library) => self.library_panel(library, found),
                    None => self.panel(panel, panel.text_of("title"), found),
                }
                self.panels(panel, found);
            }
        }
    }

    fn library_panel(&mut self, named: &Node, found: &mut Found) {
        let names = [named.text_of("uid"), named.text_of("name")];
        match names.iter().flatten().find_map(|name| self.library.get(name)) {
            Some(id) if self.exposure.parts.contains(id) => {}
            Some(id) => self.exposure.parts.push(id.clone()),
            None => {
                let name = names.into_iter().flatten().last().unwrap_or_default();
                let is_within = self.exposure.parts.iter().any(|part| part.ends_with(&format!("/{name}")));
                if !is_within {
                    found.opaque(at(self.file, named), format!("library panel `{name}` is not in the estate"));
                }
            }
        }
    }

    fn panel(&mut self, panel: &Node, title: Option<String>, found: &mut Found) {
        let mut scripts = Vec::new();
        let mut queries = Queries { file: self.file, found, default: dialect(panel), tables: BTreeSet::new() };
        queries.targets(panel, &mut scripts);
        self.chart(panel, title, scripts, found);
    }

    fn chart(&mut self, panel: &Node, title: Option<String>, scripts: Vec<Script>, found: &mut Found) {
        if scripts.is_empty() {
            return;
        }
        let named = title
            .filter(|title| !title.trim().is_empty())
            .or_else(|| panel.text_of("id").map(|id| format!("panel {id}")));
        let title = format!("{}/{}", self.title, named.unwrap_or_else(|| "panel".to_owned()));
        let place = self.file.span(panel.start, panel.start);
        let chart = Exposure { scripts, ..found.exposure(TOOL, "chart", &title, place) };
        self.exposure.parts.push(chart.id.clone());
        found.exposures.push(chart);
    }

    /// Panels of the newer form, by name.
    fn elements(&mut self, spec: &Node, found: &mut Found) {
        for entry in spec.get("elements").map_or(&[][..], Node::entries) {
            let element = &entry.value;
            let inner = element.get("spec").unwrap_or(element);
            if element.text_of("kind").as_deref() == Some("LibraryPanel") {
                if let Some(named) = inner.get("libraryPanel").or_else(|| element.get("libraryPanel")) {
                    self.library_panel(named, found);
                }
                continue;
            }
            let queries = inner.at(&["data", "spec", "queries"]).map_or(&[][..], Node::items);
            let mut scripts = Vec::new();
            for query in queries {
                let query = query.at(&["spec", "query"]).unwrap_or(query);
                let of = |key: &str| query.text_of(key).and_then(|name| dialect_in(&name));
                let default = of("group").or_else(|| of("kind")).or_else(|| dialect(query));
                let body = query.get("spec").unwrap_or(query);
                Queries { file: self.file, found, default, tables: BTreeSet::new() }.one(body, &mut scripts);
            }
            self.chart(inner, inner.text_of("title"), scripts, found);
        }
    }

    /// Queries that fill the lists of variables and annotations are the dashboard's own.
    fn variables(&mut self, inner: &Node, found: &mut Found) {
        let lists = [
            inner.at(&["templating", "list"]),
            inner.at(&["annotations", "list"]),
            inner.get("variables"),
            inner.get("annotations"),
        ];
        for variable in lists.into_iter().flatten().flat_map(Node::items) {
            let body = variable.get("spec").unwrap_or(variable);
            let default = dialect(body).or_else(|| body.get("query").and_then(query_dialect));
            let is_query = variable.text_of("type").as_deref() == Some("query")
                || variable.text_of("kind").as_deref() == Some("QueryVariable");
            let mut queries = Queries { file: self.file, found, default, tables: BTreeSet::new() };
            let query = body.at(&["query", "spec"]).or_else(|| body.get("query")).or_else(|| body.get("target"));
            match query {
                Some(text) if text.scalar().is_some() && is_query => queries.text(text, &mut self.exposure.scripts),
                Some(query) => queries.one(query, &mut self.exposure.scripts),
                None => queries.one(body, &mut self.exposure.scripts),
            }
        }
    }
}

/// The dialect of what `node`'s data source is.
fn dialect(node: &Node) -> Option<&'static str> {
    let source = node.get("datasource")?;
    let named = source.scalar().map(str::to_owned).or_else(|| source.text_of("type"));
    dialect_in(&named?)
}

fn query_dialect(query: &Node) -> Option<&'static str> {
    dialect(query).or_else(|| query.text_of("group").and_then(|group| dialect_in(&group)))
}

/// The queries of one panel.
struct Queries<'a> {
    file: &'a TextFile,
    found: &'a mut Found,
    default: Option<&'static str>,
    /// Variables in a table's place that were told.
    tables: BTreeSet<String>,
}

impl Queries<'_> {
    fn targets(&mut self, panel: &Node, scripts: &mut Vec<Script>) {
        for target in panel.get("targets").map_or(&[][..], Node::items) {
            self.one(target, scripts);
        }
    }

    /// A query; one that is no SQL (metrics, logs, files) reads nothing of the lake.
    fn one(&mut self, target: &Node, scripts: &mut Vec<Script>) {
        let texts = SQL_KEYS.iter().filter_map(|key| target.get(key)).filter(|node| node.scalar().is_some());
        // Older annotations keep their SQL where others only say whether it is written by hand.
        let older = target.get("rawQuery").filter(|node| node.scalar().is_some_and(begins_as_sql));
        let own = dialect(target);
        // Some plugins of databases keep their SQL under a name that others use for words of their own.
        let plain = target.get("query").filter(|node| node.scalar().is_some_and(begins_as_sql));
        if let Some(node) = texts.chain(older).chain(plain).next() {
            let default = self.default;
            self.default = own.or(default);
            self.text(node, scripts);
            self.default = default;
        }
    }

    fn text(&mut self, node: &Node, scripts: &mut Vec<Script>) {
        let Some(mut sql) = Sql::of_node(self.file, node).filter(|sql| begins_as_sql(&sql.text)) else { return };
        let place = at(self.file, node);
        self.fill(&mut sql, &place);
        scripts.push(sql.script(self.default));
    }

    /// Grafana's macros become functions, its variables `NULL`; one in a table's place is told.
    fn fill(&mut self, sql: &mut Sql, place: &Span) {
        let mut from = 0;
        while let Some(start) = next_mark(&sql.text, from) {
            let rest = &sql.text[start..];
            let (inner, length) = match rest.as_bytes() {
                [b'$', b'{', ..] => delimited(rest, 2, "}"),
                [b'[', b'[', ..] => delimited(rest, 2, "]]"),
                _ => word_behind(rest),
            };
            from = start + length.max(1);
            if inner.is_empty() {
                continue;
            }
            let (inner, is_macro) = (inner.to_owned(), inner.starts_with("__") && rest[length..].starts_with('('));
            if is_macro {
                sql.put(start, " ");
                continue;
            }
            let name = inner.split(':').next().unwrap_or_default();
            if takes_a_table_s_place(&sql.text, start) {
                if self.tables.insert(name.to_owned()) {
                    self.found.opaque(place.clone(), format!("who looks at it chooses its table: variable `{name}`"));
                }
                stand_for_a_table(sql, start, length);
                continue;
            }
            sql.put(start, &stand_in(length));
        }
    }
}

/// A template of as many bytes takes the place of a table that is told already.
fn stand_for_a_table(sql: &mut Sql, start: usize, length: usize) {
    // Behind a schema's dot it stays a name nobody knows; what is shorter than a template has to stay as it is.
    let Some(inside) = length.checked_sub(4).filter(|inside| *inside > 0) else { return };
    let word = "t".repeat(inside);
    sql.put(start, &format!("{{{{{word}}}}}"));
    if !sql.text[..start].ends_with('.') {
        sql.params.insert(word, OTHER_QUERY.to_owned());
    }
}

/// `NULL` in so many bytes; what is shorter is a number.
fn stand_in(length: usize) -> String {
    let word = if length >= 4 { "NULL" } else { "0" };
    format!("{word:<length$}")
}

fn next_mark(text: &str, from: usize) -> Option<usize> {
    let rest = &text[from..];
    rest.find('$').into_iter().chain(rest.find("[[")).min().map(|at| from + at)
}

/// The inside of a mark of `open` bytes that ends with `close`, and the length of all of it.
fn delimited<'t>(rest: &'t str, open: usize, close: &str) -> (&'t str, usize) {
    match rest[open..].find(close) {
        Some(end) if !rest[open..open + end].contains('\n') => (&rest[open..open + end], open + end + close.len()),
        _ => ("", open),
    }
}

fn word_behind(rest: &str) -> (&str, usize) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let word = rest[1..].split(|c: char| !is_word(c)).next().unwrap_or_default();
    // `$1` is the database's own, `$$` begins a body.
    let named = if word.starts_with(|c: char| c.is_ascii_digit()) { "" } else { word };
    (named, 1 + word.len())
}

fn begins_as_sql(text: &str) -> bool {
    let word = text
        .trim_start_matches(|c: char| c.is_whitespace() || c == '(')
        .split(|c: char| !c.is_ascii_alphabetic())
        .next();
    let is_comment = text.trim_start().starts_with("--") || text.trim_start().starts_with("/*");
    is_comment
        || word.is_some_and(|word| {
            ["select", "with", "exec", "call", "show"].iter().any(|one| word.eq_ignore_ascii_case(one))
        })
}
