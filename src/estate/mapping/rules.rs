//! A mapping file: its rules, each for some files.
use std::collections::BTreeMap;

use camino::Utf8Path;

use super::{FORMAT, pick::Pattern};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        JobKind, dialect_named,
        reader::fits_path,
        text_file::TextFile,
        yaml::{self, Fields, Node, Shape},
    },
    vocab::Span,
};

const TOP: &[&str] = &["format", "mappings"];
const KEYS: &[&str] = &[
    "name",
    "files",
    "when",
    "each",
    "where",
    "job",
    "kind",
    "sql_file",
    "query",
    "dialect",
    "target",
    "schema",
    "materialized",
    "schedule",
    "owner",
    "domain",
    "enabled",
    "disabled",
    "depends_on",
    "reads",
    "writes",
    "params",
    "system",
    "tables",
];
const TABLE_KEYS: &[&str] = &["each", "from", "into", "watermark"];

/// One mapping.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    /// Globs of paths.
    pub(super) files: Vec<String>,
    /// Texts of which a file has at least one.
    when: Vec<String>,
    /// Paths to the entries; none means the whole file is one.
    pub(super) each: Vec<String>,
    /// Values an entry must have.
    pub(super) conditions: BTreeMap<String, Vec<String>>,
    pub(super) kind: JobKind,
    pub(super) dialect: Option<String>,
    /// What each field of a job is taken from.
    pub(super) fields: BTreeMap<String, Vec<Pattern>>,
    pub(super) tables: Option<Tables>,
    pub(super) at: Span,
}

/// The tables that an entry copies.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    pub(super) each: Vec<String>,
    pub(super) from: Vec<Pattern>,
    pub(super) into: Vec<Pattern>,
    pub(super) watermark: Vec<Pattern>,
}

impl Rule {
    /// Whether it is for the file at `path`.
    pub(super) fn fits(&self, path: &Utf8Path) -> bool {
        self.files.iter().any(|glob| fits_path(path, glob))
    }

    /// Whether a text is one that it is for.
    pub(super) fn looks_right(&self, text: &str) -> bool {
        self.when.is_empty() || self.when.iter().any(|word| text.contains(word.as_str()))
    }

    /// What the field `name` is taken from.
    pub(super) fn field(&self, name: &str) -> &[Pattern] {
        self.fields.get(name).map_or(&[], Vec::as_slice)
    }
}

/// The rules of `file`, and what is wrong with it.
pub(super) fn read(file: &TextFile) -> (Vec<Rule>, Vec<Diagnostic>) {
    let mut faults = Vec::new();
    let root = match yaml::document(file) {
        Ok(root) => root,
        Err(fault) => return (Vec::new(), vec![fault]),
    };
    let mut fields = Fields { file, faults: &mut faults };
    fields.only(&root, TOP);
    if let Some(format) = root.get("format").filter(|format| format.scalar() != Some(FORMAT)) {
        fields.fault_with(
            CodeEntry::E015,
            format,
            "a format of mappings carve does not know",
            format!("use `{FORMAT}`"),
        );
    }
    let listed = root.get("mappings");
    if let Some(other) = listed.filter(|node| !matches!(node.shape, Shape::List(_))) {
        let cure = "write each mapping as an item: `- { files: [\"jobs/*.yaml\"], … }`";
        fields.fault_with(CodeEntry::E015, other, "expected a list of mappings", cure);
    }
    let nodes = listed.map(Node::items).unwrap_or_default();
    let rules = nodes.iter().filter_map(|node| rule(node, &mut fields)).collect();
    (rules, faults)
}

fn rule(node: &Node, fields: &mut Fields<'_>) -> Option<Rule> {
    if !matches!(node.shape, Shape::Map(_)) {
        fields.fault_with(
            CodeEntry::E015,
            node,
            "expected the keys of a mapping",
            "write `- { files: [\"jobs/*.yaml\"], … }`",
        );
        return None;
    }
    fields.only(node, KEYS);
    let files = fields.strings(node, "files");
    if files.is_empty() {
        fields.fault_with(CodeEntry::E015, node, "a mapping names its `files`", "write `files: [\"jobs/*.yaml\"]`");
        return None;
    }
    let kind = fields.choice(node, "kind", &["transform", "import", "export"]);
    let dialect = fields.text(node, "dialect").and_then(|name| dialect_named(&name)).map(str::to_owned);
    let mut found = BTreeMap::new();
    let special = ["name", "files", "when", "each", "where", "kind", "dialect", "tables"];
    for key in KEYS.iter().filter(|key| !special.contains(key)) {
        let patterns = patterns(node, key, fields);
        if !patterns.is_empty() {
            found.insert((*key).to_owned(), patterns);
        }
    }
    let conditions = fields.map(node, "where").map(|map| conditions(map, fields)).unwrap_or_default();
    Some(Rule {
        name: fields.text(node, "name").unwrap_or_else(|| files[0].clone()),
        when: fields.strings(node, "when"),
        each: fields.strings(node, "each"),
        conditions,
        kind: match kind.as_deref() {
            Some("import") => JobKind::Import,
            Some("export") => JobKind::Export,
            _ => JobKind::Transform,
        },
        dialect,
        tables: tables(node, fields),
        fields: found,
        files,
        at: fields.span(node),
    })
}

fn patterns(node: &Node, key: &str, fields: &mut Fields<'_>) -> Vec<Pattern> {
    fields.strings(node, key).iter().map(|text| Pattern::of(text)).collect()
}

fn conditions(map: &Node, fields: &mut Fields<'_>) -> BTreeMap<String, Vec<String>> {
    let keys = map.entries().iter().filter_map(|entry| entry.key.scalar());
    keys.map(|key| (key.to_owned(), fields.strings(map, key))).collect()
}

fn tables(node: &Node, fields: &mut Fields<'_>) -> Option<Tables> {
    let map = fields.map(node, "tables")?;
    fields.only(map, TABLE_KEYS);
    Some(Tables {
        each: fields.strings(map, "each"),
        from: patterns(map, "from", fields),
        into: patterns(map, "into", fields),
        watermark: patterns(map, "watermark", fields),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_that_are_no_list_are_told() {
        let text = "format: carve-mapping/1\nmappings: { flows: { files: [x.yaml] } }\n";
        let (rules, faults) = read(&TextFile::inside("m.yaml".into(), text.to_owned()));
        assert!(rules.is_empty());
        assert_eq!(faults.iter().map(|fault| fault.code.code).collect::<Vec<_>>(), ["E015"]);
    }
}
