//! Replications of Sling: `source`, `target` and `streams`.
use std::collections::BTreeMap;

use camino::Utf8Path;

use super::{copies, declares, opaque, system_name};
use crate::{
    estate::{
        FileFormat,
        found::Found,
        given_sql::text_of,
        names::{dataset_named, tables_in},
        reader::{Around, Reader, Reading},
        text_file::TextFile,
        yaml::{self, Entry, Node},
    },
    vocab::{DatasetId, JobId, Span},
};

/// Replication files of Sling.
pub(crate) struct Sling;

impl Reader for Sling {
    fn format(&self) -> FileFormat {
        FileFormat::Sling
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        matches!(path.extension(), Some("yaml" | "yml"))
    }

    fn claims(&self, file: &TextFile) -> bool {
        ["source:", "target:", "streams:"].iter().all(|key| file.text.lines().any(|line| line.starts_with(key)))
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        let root = match yaml::document(file) {
            Ok(root) => root,
            Err(fault) => {
                reading.faults.push(fault);
                return reading;
            }
        };
        let mut found = Found::default();
        for entry in root.get("streams").map(Node::entries).unwrap_or_default() {
            let mut one = Found { pieces: 1, ..Found::default() };
            Stream { root: &root, entry, file, vars: around.vars }.read(&mut one);
            found.add(one);
        }
        let at = Span { end: file.whole().start, ..file.whole() };
        found.enter(JobId::new(file.path.with_extension("").as_str()), at, None, &mut reading);
        reading
    }
}

/// One stream of a replication.
struct Stream<'a> {
    root: &'a Node,
    entry: &'a Entry,
    file: &'a TextFile,
    vars: &'a BTreeMap<String, String>,
}

impl Stream<'_> {
    /// A setting of the stream, or of all.
    fn node(&self, key: &str) -> Option<&Node> {
        self.entry.value.get(key).or_else(|| self.root.at(&["defaults", key]))
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.node(key).and_then(Node::scalar)
    }

    fn read(&self, found: &mut Found) {
        let name = self.entry.key.scalar().unwrap_or_default();
        let at = self.file.span(self.entry.key.start, self.entry.key.end);
        if self.node("disabled").and_then(Node::boolean) == Some(true) {
            found.pieces = 0;
            return;
        }
        let system = system_name(self.root.text_of("source").unwrap_or_default().as_str());
        let object = self.text("object").map(|pattern| self.filled(pattern, name));
        let into = object.as_deref().and_then(|object| dataset_named(object, self.vars));
        let Some(into) = into else {
            return opaque(found, at, format!("which table `{}` is", object.unwrap_or_default()));
        };
        let watermark = self.text("update_key").map(str::to_owned);
        if name.contains("://") || matches!(system.as_str(), "local" | "file") {
            let address = if name.contains("://") { name.to_owned() } else { format!("file://{name}") };
            found.loads = true;
            match dataset_named(&address, self.vars) {
                Some(files) => found.moves((files, at.clone()), (into, at)),
                None => found.writes.push((into, at)),
            }
        } else if let Some(sql) = self.entry.value.get("sql") {
            let (text, _) = text_of(sql, self.file);
            for table in tables_in(&text) {
                copies(found, &system, &table, into.clone(), watermark.clone(), &at);
            }
        } else if name.contains('*') {
            declares(found, &system, None, &at);
            opaque(found, at, format!("which tables `{name}` are: the source knows"));
        } else if into.is_file_set() {
            found.unloads = true;
            match name.parse::<DatasetId>() {
                Ok(table) => found.moves((table, at.clone()), (into, at)),
                Err(_) => found.writes.push((into, at)),
            }
        } else {
            copies(found, &system, &name.replace('"', ""), into, watermark, &at);
        }
    }

    /// `{stream_table}` and its like, filled for the stream `name`.
    fn filled(&self, pattern: &str, name: &str) -> String {
        let plain = name.replace('"', "");
        let (schema, table) = plain.rsplit_once('.').unwrap_or(("", &plain));
        let source = self.root.text_of("source").unwrap_or_default();
        let target = self.root.text_of("target").unwrap_or_default();
        let file_name = plain.rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default().to_owned();
        let known = [
            ("stream_table_lower", table.to_lowercase()),
            ("stream_table_upper", table.to_uppercase()),
            ("stream_table", table.to_owned()),
            ("stream_schema_lower", schema.to_lowercase()),
            ("stream_schema_upper", schema.to_uppercase()),
            ("stream_schema", schema.to_owned()),
            ("stream_name", plain.clone()),
            ("stream_file_name", file_name),
            ("source_name", source.to_lowercase()),
            ("target_name", target.to_lowercase()),
        ];
        let filled =
            known.iter().fold(pattern.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
        // What is left is known to the tool alone.
        filled.replace('{', "${").replace("$${", "${")
    }
}
