//! A Metabase serialization: questions, models, metrics and dashboards as YAML.
//!
//! Two forms are read: the one whose files end in `serdes/meta`, and the older dump, which names things by paths.
use std::collections::BTreeMap;

use camino::Utf8Path;

use super::{
    BiAround, BiReader, Found, ends,
    found::{at, exposure, top},
    sql::{OTHER_QUERY, Sql, dialect_in, takes_a_table_s_place},
};
use crate::{
    estate::{Exposure, FileFormat, Script, text_file::TextFile, yaml::Node},
    vocab::{DatasetId, Span},
};

const TOOL: &str = "metabase";

/// The reader of Metabase serializations.
pub(super) struct Metabase;

impl BiReader for Metabase {
    fn format(&self) -> FileFormat {
        FileFormat::Metabase
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        ends(path, &["yaml", "yml"])
    }

    fn claims(&self, file: &TextFile) -> bool {
        let has = |key: &str| file.text.lines().any(|line| line.starts_with(key));
        has("serdes/meta:") || has("dataset_query:") && (has("display:") || has("visualization_settings:"))
    }

    fn read(&self, files: &[&TextFile], _: &BiAround<'_>, found: &mut Found) {
        let mut parsed: Vec<Parsed<'_>> = Vec::new();
        for file in files.iter().filter(|file| is_of_use(file)) {
            if let Some(node) = found.yaml(file) {
                parsed.push(Parsed { file, node });
            }
        }
        let mut export = Export::default();
        parsed.iter().for_each(|one| export.note(one));
        for one in parsed.iter().filter(|one| one.node.get("dataset_query").is_some() && !one.is_archived()) {
            export.name(one, found);
        }
        for one in &parsed {
            match one.node.get("dataset_query") {
                _ if one.is_archived() => {}
                Some(query) => export.card(one, query, found),
                None => export.dashboard(one, found),
            }
        }
    }
}

/// Tables, fields and settings are most of the files, and say nothing of who reads what.
fn is_of_use(file: &TextFile) -> bool {
    let Some(at) = file.text.find("serdes/meta:") else { return true };
    let mut models =
        file.text[at..].lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("model:"));
    let last = models.next_back().map_or("", str::trim).trim_matches(['"', '\'']);
    ["", "Card", "Dashboard", "Database", "NativeQuerySnippet"].contains(&last)
}

struct Parsed<'f> {
    file: &'f TextFile,
    node: Node,
}

impl Parsed<'_> {
    fn is_archived(&self) -> bool {
        self.node.get("archived").and_then(Node::boolean) == Some(true)
    }

    fn title(&self) -> String {
        let named = self.node.text_of("name").filter(|name| !name.trim().is_empty());
        named.unwrap_or_else(|| self.file.path.file_stem().unwrap_or_default().to_owned())
    }

    /// What other files may name it by: its entity id, and its path in the older dump.
    fn keys(&self) -> Vec<String> {
        let path = self.file.path.with_extension("");
        let below = path.as_str().find("collections/").map(|at| format!("/{}", &path.as_str()[at..]));
        self.node.text_of("entity_id").into_iter().chain(below).collect()
    }
}

/// What files of one export say of each other.
#[derive(Default)]
struct Export {
    /// Database by name → dialect.
    dialects: BTreeMap<String, &'static str>,
    /// Snippet by name → its SQL.
    snippets: BTreeMap<String, String>,
    /// Card by any of its names → exposure id.
    cards: BTreeMap<String, String>,
    /// Card by its file → exposure id.
    by_file: BTreeMap<String, String>,
}

impl Export {
    fn note(&mut self, one: &Parsed<'_>) {
        let (node, name) = (&one.node, one.node.text_of("name"));
        if let (Some(engine), Some(name)) = (node.text_of("engine"), &name)
            && let Some(dialect) = dialect_in(&engine)
        {
            self.dialects.insert(name.clone(), dialect);
        }
        if let (Some(content), Some(name)) = (node.text_of("content"), name) {
            self.snippets.insert(name, content);
        }
    }

    /// Gives the card an id before any card is read: they name each other.
    fn name(&mut self, one: &Parsed<'_>, found: &mut Found) {
        let id = found.id(TOOL, kind(&one.node), &one.title());
        for key in one.keys() {
            self.cards.insert(key, id.clone());
        }
        self.by_file.insert(one.file.path.to_string(), id);
    }

    fn card(&self, one: &Parsed<'_>, query: &Node, found: &mut Found) {
        let Some(id) = self.by_file.get(one.file.path.as_str()).cloned() else { return };
        let database = query.text_of("database").or_else(|| one.node.text_of("database_id")).unwrap_or_default();
        let name = database.rsplit('/').next().unwrap_or_default();
        let dialect = self.dialects.get(name).copied();
        let mut reading = CardReading {
            one,
            export: self,
            dialect,
            found,
            reads: Vec::new(),
            scripts: Vec::new(),
            parts: Vec::new(),
        };
        reading.walk(query);
        let CardReading { reads, scripts, parts, .. } = reading;
        if reads.is_empty() && scripts.is_empty() && parts.is_empty() {
            found.opaque(at(one.file, query), "nothing in this query names a table, a card or SQL");
        }
        let bare = exposure(id, TOOL, kind(&one.node), &one.title(), top(one.file));
        found.exposures.push(Exposure { owner: owner(&one.node), reads, scripts, parts, ..bare });
    }

    fn dashboard(&self, one: &Parsed<'_>, found: &mut Found) {
        let Some(cards) = ["dashcards", "ordered_cards"].iter().find_map(|key| one.node.get(key)) else { return };
        let mut exposure = found.exposure(TOOL, "dashboard", &one.title(), top(one.file));
        exposure.owner = owner(&one.node);
        for card in cards.items() {
            let series = card.get("series").map_or(&[][..], Node::items);
            for shown in std::iter::once(card).chain(series) {
                let named = ["card_id", "card"].iter().find_map(|key| shown.get(key));
                let Some(named) = named.filter(|node| node.scalar().is_some()) else { continue };
                match self.cards.get(named.scalar().unwrap_or_default()) {
                    Some(id) => add(&mut exposure.parts, id),
                    None => found.malformed(at(one.file, named), missing(named)),
                }
            }
        }
        found.exposures.push(exposure);
    }
}

fn missing(named: &Node) -> String {
    format!("no card of the export is `{}`", named.scalar().unwrap_or_default())
}

fn add(parts: &mut Vec<String>, id: &str) {
    if !parts.iter().any(|part| part == id) {
        parts.push(id.to_owned());
    }
}

fn kind(node: &Node) -> &'static str {
    let is_model = node.get("dataset").and_then(Node::boolean) == Some(true);
    match node.text_of("type").as_deref() {
        Some("model") => "dataset",
        Some("metric") => "metric",
        _ if is_model => "dataset",
        _ => "chart",
    }
}

fn owner(node: &Node) -> Option<String> {
    ["creator_id", "creator"].iter().find_map(|key| node.text_of(key)).filter(|owner| !owner.trim().is_empty())
}

/// One card's query on the way to what it reads.
struct CardReading<'a, 'f> {
    one: &'a Parsed<'f>,
    export: &'a Export,
    dialect: Option<&'static str>,
    found: &'a mut Found,
    reads: Vec<(DatasetId, Span)>,
    scripts: Vec<Script>,
    parts: Vec<String>,
}

impl CardReading<'_, '_> {
    /// Every form of Metabase's query language nests the same few keys.
    fn walk(&mut self, node: &Node) {
        for entry in node.entries() {
            match entry.key.scalar().unwrap_or_default() {
                "source-table" | "source_table" => self.source(&entry.value),
                "source-card" => self.card(&entry.value),
                "native" if entry.value.scalar().is_some() => self.native(&entry.value, node),
                "query" if entry.value.scalar().is_some() => self.native(&entry.value, node),
                "template-tags" | "template_tags" | "parameters" => {}
                _ => self.walk(&entry.value),
            }
        }
        self.joined_by_a_field(node);
        node.items().iter().for_each(|item| self.walk(item));
    }

    fn source(&mut self, node: &Node) {
        match node.scalar() {
            None => self.table(node.items()),
            Some(path) if path.contains("/tables/") => {
                let part = |key: &str| path.split(key).nth(1).and_then(|rest| rest.split('/').next());
                let parts: Vec<&str> = [part("/schemas/"), part("/tables/")].into_iter().flatten().collect();
                self.reads.push((DatasetId::from_parts(&parts), at(self.one.file, node)));
            }
            Some(_) => self.card(node),
        }
    }

    /// `[database, schema, table]`; the database is the name of a connection.
    fn table(&mut self, parts: &[Node]) {
        let [_, schema, table, ..] = parts else { return };
        let names: Vec<&str> = [schema, table].into_iter().filter_map(Node::scalar).collect();
        if table.scalar().is_some() {
            let dataset = DatasetId::from_parts(&names);
            if !self.reads.iter().any(|(known, _)| *known == dataset) {
                self.reads.push((dataset, at(self.one.file, table)));
            }
        }
    }

    /// `[field, [database, schema, table, column], …]` of another table is a join.
    fn joined_by_a_field(&mut self, node: &Node) {
        if let [first, second, third @ ..] = node.items()
            && first.scalar().is_some_and(|word| word == "field" || word == "field-id")
        {
            // The newer form has its options second.
            let field = [Some(second), third.first()].into_iter().flatten().find(|one| one.items().len() > 3);
            if let Some(field) = field {
                self.table(field.items());
            }
        }
    }

    fn card(&mut self, node: &Node) {
        let Some(name) = node.scalar() else { return };
        match self.export.cards.get(name.strip_prefix("card__").unwrap_or(name)) {
            Some(id) => add(&mut self.parts, id),
            None => self.found.malformed(at(self.one.file, node), missing(node)),
        }
    }

    fn native(&mut self, node: &Node, around: &Node) {
        let Some(mut sql) = Sql::of_node(self.one.file, node) else { return };
        let tags = around.get("template-tags").or_else(|| around.get("template_tags"));
        sql.blank("[[");
        sql.blank("]]");
        let mut from = 0;
        while let Some(open) = sql.text[from..].find("{{").map(|at| from + at) {
            let Some(close) = sql.text[open..].find("}}").map(|at| open + at) else { break };
            from = close + 2;
            let inner = sql.text[open + 2..close].to_owned();
            let value = self.tag(inner.trim(), node, tags, takes_a_table_s_place(&sql.text, open));
            let word = word_of(inner.trim());
            sql.put(open + 2 + (inner.len() - inner.trim_start().len()), &word);
            if let Some(value) = value {
                sql.params.insert(word, value);
            }
        }
        self.scripts.push(sql.script(self.dialect));
    }

    /// What stands for a tag: another card, a snippet's SQL, or any value; `None` where that would be a table.
    fn tag(&mut self, name: &str, node: &Node, tags: Option<&Node>, is_table: bool) -> Option<String> {
        if let Some(number) = name.strip_prefix('#') {
            let id = tags.and_then(|tags| tags.get(name)).and_then(|tag| tag.get("card-id")).and_then(Node::scalar);
            match id.and_then(|id| self.export.cards.get(id)) {
                Some(id) => add(&mut self.parts, id),
                None => {
                    let here = format!("no card of the export is `#{number}`, which this query reads");
                    self.found.opaque(at(self.one.file, node), here);
                }
            }
            return Some(OTHER_QUERY.to_owned());
        }
        if let Some(snippet) = name.strip_prefix("snippet:") {
            let known = self.export.snippets.get(snippet.trim()).cloned();
            if known.is_none() {
                let here = format!("no snippet of the export is `{}`", snippet.trim());
                self.found.opaque(at(self.one.file, node), here);
            }
            return known;
        }
        (!is_table).then(|| "NULL".to_owned())
    }
}

/// A tag's name as the template engine may have it, in as many bytes.
fn word_of(name: &str) -> String {
    let digit_first = name.starts_with(|c: char| c.is_ascii_digit());
    let word = name.char_indices().flat_map(|(at, c)| {
        let keeps = c.is_ascii_alphanumeric() && !(at == 0 && digit_first);
        std::iter::repeat_n(if keeps { c } else { '_' }, c.len_utf8())
    });
    word.collect()
}
