//! SQL in a BI tool's file, made readable without moving a byte.
use std::collections::BTreeMap;

use crate::{
    estate::{
        Script, Templating,
        text_file::TextFile,
        yaml::{Node, Written},
    },
    vocab::Span,
};

/// What takes the place of another query of the tool: its tables are told where it stands.
pub(super) const OTHER_QUERY: &str = "(SELECT 1)";

/// SQL where it stands.
#[derive(Clone, Debug)]
pub(super) struct Sql {
    at: Span,
    /// The SQL. What is changed in it stays as long as it was.
    pub(super) text: String,
    verbatim: bool,
    /// What stands for its templates.
    pub(super) params: BTreeMap<String, String>,
}

impl Sql {
    /// The SQL in bytes `start..end` of `file`, as they are.
    pub(super) fn of_bytes(file: &TextFile, start: usize, end: usize) -> Sql {
        let text = file.text[start..end].to_owned();
        Sql { at: file.span(start, end), text, verbatim: file.editable, params: BTreeMap::new() }
    }

    /// The SQL that is the value of `node`; `None` where that is no text, or blank.
    pub(super) fn of_node(file: &TextFile, node: &Node) -> Option<Sql> {
        let value = node.scalar().filter(|text| !text.trim().is_empty())?;
        Some(match node.written {
            Written::AsIs | Written::Block => Sql::of_bytes(file, node.start, node.end),
            _ => Sql::made(file.span(node.start, node.end), value),
        })
    }

    /// SQL that `at` says in another way: between escapes, in pieces.
    pub(super) fn made(at: Span, text: &str) -> Sql {
        Sql { at, text: text.to_owned(), verbatim: false, params: BTreeMap::new() }
    }

    /// Puts `with`, which is as long, at `start`.
    pub(super) fn put(&mut self, start: usize, with: &str) {
        self.text.replace_range(start..start + with.len(), with);
    }

    /// Puts spaces in place of every `mark`.
    pub(super) fn blank(&mut self, mark: &str) {
        self.text = self.text.replace(mark, &" ".repeat(mark.len()));
    }

    /// The script of it.
    pub(super) fn script(self, dialect: Option<&str>) -> Script {
        Script {
            at: self.at,
            text: self.text.into(),
            verbatim: self.verbatim,
            templating: Templating::Generic,
            dialect: dialect.map(str::to_owned),
            schema: None,
            target: None,
            materialized: None,
            params: self.params,
        }
    }
}

/// Whether what stands at `at` of `text` takes a table's place: `FROM`, `JOIN` or a part of a name stands before.
pub(super) fn takes_a_table_s_place(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches(['"', '`', '[']);
    if before.ends_with(['.', '}']) {
        return true;
    }
    let word = before.trim_end().rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let is_apart = before.ends_with(|c: char| c.is_whitespace());
    is_apart && ["from", "join", "table", "into"].iter().any(|one| word.eq_ignore_ascii_case(one))
}

/// The dialect that one of the words of `text` names: `grafana-postgresql-datasource`, `snowflake_prod`.
pub(super) fn dialect_in(text: &str) -> Option<&'static str> {
    let whole = crate::estate::dialect_named(text);
    whole.or_else(|| text.split(|c: char| !c.is_ascii_alphanumeric()).find_map(crate::estate::dialect_named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_s_place_is_behind_from_or_inside_a_name() {
        for (text, expected) in
            [("select a from ", true), ("join \"", true), ("from raw.", true), ("where a = ", false), ("xfrom", false)]
        {
            assert_eq!(takes_a_table_s_place(text, text.len()), expected, "{text}");
        }
    }

    #[test]
    fn a_connection_s_name_tells_the_dialect() {
        assert_eq!(dialect_in("grafana-postgresql-datasource"), Some("postgres"));
        assert_eq!(dialect_in("snowflake_prod"), Some("snowflake"));
        assert_eq!(dialect_in("lake"), None);
    }
}
