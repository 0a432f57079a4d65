//! Evidence: queries against sources (`sources/<name>/*.sql`), and the pages whose blocks of SQL stand on them.
use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    BiAround, BiReader, Found, ends,
    found::{exposure, top},
    sql::{OTHER_QUERY, Sql, dialect_in, takes_a_table_s_place},
};
use crate::estate::{FileFormat, paths::folder_of, text_file::TextFile};

const TOOL: &str = "evidence";

/// Sources whose tables are files, not queries.
const OF_FILES: &[&str] = &["csv", "gsheets", "javascript", "faker", "google-sheets"];

/// The reader of Evidence projects.
pub(super) struct Evidence;

impl BiReader for Evidence {
    fn format(&self) -> FileFormat {
        FileFormat::Evidence
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        let is_page = || ends(path, &["md"]) && path.components().any(|part| part.as_str() == "pages");
        is_connection(path) || is_page()
    }

    fn claims(&self, file: &TextFile) -> bool {
        match is_connection(&file.path) {
            true => file.text.lines().any(|line| line.starts_with("type:")),
            false => blocks(file).iter().any(|block| !block.name.is_empty()),
        }
    }

    fn read(&self, files: &[&TextFile], around: &BiAround<'_>, found: &mut Found) {
        let (connections, pages): (Vec<&TextFile>, Vec<&TextFile>) =
            files.iter().partition(|file| is_connection(&file.path));
        let mut projects: BTreeMap<Utf8PathBuf, Project> = BTreeMap::new();
        for file in connections {
            let root = folder_of(folder_of(folder_of(&file.path))).to_owned();
            projects.entry(root).or_default().connection(file, around, found);
        }
        for page in &pages {
            let root = root_of(&page.path);
            projects.entry(root.clone()).or_default().shared_queries(&root, around, found);
        }
        for page in pages {
            if let Some(project) = projects.get(&root_of(&page.path)) {
                project.page(page, found);
            }
        }
    }
}

fn is_connection(path: &Utf8Path) -> bool {
    let sources = folder_of(folder_of(path)).file_name();
    sources == Some("sources") && matches!(path.file_name(), Some("connection.yaml" | "connection.yml"))
}

/// The project's folder: that of its `pages`.
fn root_of(page: &Utf8Path) -> Utf8PathBuf {
    let pages = page.ancestors().skip(1).filter(|folder| folder.file_name() == Some("pages")).last();
    folder_of(pages.unwrap_or(page)).to_owned()
}

/// A fenced block of SQL.
struct Block<'t> {
    name: &'t str,
    start: usize,
    end: usize,
}

/// The blocks of `file`, each with the name behind its fence.
fn blocks(file: &TextFile) -> Vec<Block<'_>> {
    let (mut found, mut at, mut open) = (Vec::new(), 0, None);
    for line in file.text.split_inclusive('\n') {
        let fence = line.trim().strip_prefix("```");
        match (fence, open) {
            (Some(_), Some((name, start))) => {
                found.push(Block { name, start, end: at });
                open = None;
            }
            (Some(info), None) => {
                let (language, name) = info.split_once(char::is_whitespace).unwrap_or((info, ""));
                if language == "sql" {
                    open = Some((name.trim(), at + line.len()));
                } else if !info.is_empty() {
                    // Another language: its end is no beginning.
                    open = Some(("\0", at + line.len()));
                }
            }
            _ => {}
        }
        at += line.len();
    }
    found.retain(|block| block.name != "\0");
    found
}

/// One project while its pages are read.
#[derive(Default)]
struct Project {
    /// `source.query` → exposure id; of sources of files `source.` alone.
    sources: BTreeMap<String, Option<String>>,
    /// Queries in `queries/`, by the name pages give them.
    shared: BTreeMap<String, String>,
    is_read: bool,
}

impl Project {
    fn connection(&mut self, file: &TextFile, around: &BiAround<'_>, found: &mut Found) {
        let Some(node) = found.yaml(file) else { return };
        let folder = folder_of(&file.path);
        let name = node.text_of("name").unwrap_or_else(|| folder.file_name().unwrap_or_default().to_owned());
        let kind = node.text_of("type").unwrap_or_default();
        if OF_FILES.contains(&kind.as_str()) {
            self.sources.insert(format!("{}.", name.to_lowercase()), None);
        }
        let dialect = if kind == "motherduck" { Some("duckdb") } else { dialect_in(&kind) };
        for (path, sql) in around.sql.range(folder.to_owned()..).take_while(|(path, _)| path.starts_with(folder)) {
            let stem = path.file_stem().unwrap_or_default();
            let mut source = found.exposure(TOOL, "source", &format!("{name}/{stem}"), top(sql));
            source.kind = "dataset".to_owned();
            source.scripts.push(Sql::of_bytes(sql, 0, sql.text.len()).script(dialect));
            self.sources.insert(format!("{name}.{stem}").to_lowercase(), Some(source.id.clone()));
            found.claimed.insert(path.clone());
            found.exposures.push(source);
        }
    }

    fn shared_queries(&mut self, root: &Utf8Path, around: &BiAround<'_>, found: &mut Found) {
        if std::mem::replace(&mut self.is_read, true) {
            return;
        }
        let folder = root.join("queries");
        let own: Vec<(&Utf8PathBuf, &TextFile)> =
            around.sql.range(folder.clone()..).take_while(|(path, _)| path.starts_with(&folder)).collect();
        let names = |path: &Utf8Path| {
            let below = path.strip_prefix(&folder).unwrap_or(path).with_extension("");
            below.as_str().replace('/', "_")
        };
        for (path, _) in &own {
            self.shared.insert(names(path), found.id(TOOL, "query", &format!("queries/{}", names(path))));
        }
        for (path, sql) in own {
            let name = names(path);
            found.claimed.insert(path.clone());
            let id = self.shared[&name].clone();
            self.query(sql, (0, sql.text.len()), &name, id, &BTreeMap::new(), found);
        }
    }

    fn page(&self, file: &TextFile, found: &mut Found) {
        let below = file.path.as_str().rsplit("pages/").next().unwrap_or_default();
        let title = below.trim_end_matches(".md");
        let page = found.exposure(TOOL, "page", title, top(file));
        let blocks = blocks(file);
        let mut own = BTreeMap::new();
        let mut named: Vec<&Block<'_>> = Vec::new();
        for block in blocks.iter().filter(|block| !block.name.is_empty()) {
            if own.contains_key(block.name) {
                let here = format!("another block of the page is named `{}` too; the first one counts", block.name);
                found.malformed(file.span(block.start, block.start), here);
                continue;
            }
            own.insert(block.name.to_owned(), found.id(TOOL, "query", &format!("{title}/{}", block.name)));
            named.push(block);
        }
        let mut parts: BTreeSet<String> = own.values().cloned().collect();
        for block in named {
            self.query(file, (block.start, block.end), block.name, own[block.name].clone(), &own, found);
        }
        parts.extend(self.listed(file));
        let parts = parts.into_iter().collect();
        found.exposures.push(crate::estate::Exposure { kind: "dashboard".to_owned(), parts, ..page });
    }

    /// Queries that the page's head lists: `- name: file.sql` or `- file.sql`.
    fn listed(&self, file: &TextFile) -> Vec<String> {
        let head = file.text.strip_prefix("---").and_then(|rest| rest.split("\n---").next()).unwrap_or_default();
        let files = head.lines().filter_map(|line| line.trim().strip_prefix("- "));
        let names = files.filter_map(|item| item.rsplit(':').next()?.trim().strip_suffix(".sql"));
        names.filter_map(|name| self.shared.get(&name.replace('/', "_")).cloned()).collect()
    }

    /// One query of a page: over others of the page, over sources, or straight over the lake.
    fn query(
        &self,
        file: &TextFile,
        (start, end): (usize, usize),
        name: &str,
        id: String,
        own: &BTreeMap<String, String>,
        found: &mut Found,
    ) {
        let mut query = exposure(id, TOOL, "chart", name, file.span(start, start));
        let mut sql = Sql::of_bytes(file, start, end);
        let text = sql.text.clone();
        for (at, _) in text.match_indices("${") {
            let Some(inner) = text[at + 2..].split('}').next() else { continue };
            match own.get(inner.trim()).or_else(|| self.shared.get(inner.trim())) {
                Some(part) if *part == query.id || query.parts.contains(part) => {}
                Some(part) => query.parts.push(part.clone()),
                // Inputs of the page, and what a loop over rows gives.
                None if !takes_a_table_s_place(&text, at) => {}
                None => {
                    let here = format!("no query of the page or of `queries/` is named `{}`", inner.trim());
                    found.opaque(file.span(start + at, start + at), here);
                }
            }
            let value = if takes_a_table_s_place(&text, at) { OTHER_QUERY } else { "NULL" };
            sql.params.insert(inner.trim().to_owned(), value.to_owned());
        }
        if self.sources.is_empty() {
            query.scripts.push(sql.script(None));
        } else {
            self.over_sources(file, start, &text, &mut query, found);
        }
        found.exposures.push(query);
    }

    /// With sources in the project, pages see their results only.
    fn over_sources(
        &self,
        file: &TextFile,
        start: usize,
        text: &str,
        query: &mut crate::estate::Exposure,
        found: &mut Found,
    ) {
        for (at, word) in dotted_words(text).filter(|(at, _)| takes_a_table_s_place(text, *at)) {
            let name = word.to_lowercase();
            let of_files = name.split('.').next().map(|source| format!("{source}."));
            match self.sources.get(&name) {
                Some(Some(id)) if query.parts.contains(id) => {}
                Some(Some(id)) => query.parts.push(id.clone()),
                _ if of_files.is_some_and(|source| self.sources.contains_key(&source)) => {}
                _ => {
                    let at = start + at;
                    found.opaque(file.span(at, at + word.len()), format!("no source has a query `{word}`"));
                }
            }
        }
    }
}

/// Words with a dot within, with their places.
fn dotted_words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let mut at = 0;
    let words = text.split_inclusive(move |c: char| !is_word(c)).map(move |piece| {
        let start = at;
        at += piece.len();
        (start, piece.trim_end_matches(|c: char| !is_word(c)))
    });
    words.filter(|(_, word)| word.trim_matches('.').contains('.'))
}
