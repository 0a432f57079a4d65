//! Reads the keys of maps and tells every fault: unknown, doubled, of the wrong kind.
use std::collections::BTreeSet;

use super::{Node, Shape};
use crate::{
    diagnostics::{Code, CodeEntry, Diagnostic},
    estate::text_file::TextFile,
    vocab::{DatasetId, Span, nearest},
};

/// Reads values of one file and gathers what is wrong with them.
pub(crate) struct Fields<'a> {
    pub(crate) file: &'a TextFile,
    pub(crate) faults: &'a mut Vec<Diagnostic>,
}

impl Fields<'_> {
    /// Where `node` is written.
    pub(crate) fn span(&self, node: &Node) -> Span {
        self.file.span(node.start, node.end)
    }

    /// Tells the fault `code` at `node`.
    pub(crate) fn fault(&mut self, code: Code, node: &Node, here: impl Into<String>) {
        self.faults.push(Diagnostic::new(code, self.span(node), here));
    }

    /// Tells the fault `code` at `node`, with advice.
    pub(crate) fn fault_with(&mut self, code: Code, node: &Node, here: impl Into<String>, help: impl Into<String>) {
        self.faults.push(Diagnostic::new(code, self.span(node), here).help(help));
    }

    /// Tells keys of `map` that are not `known` (unless they begin with `x-`) and keys that stand twice.
    pub(crate) fn only(&mut self, map: &Node, known: &[&str]) {
        self.no_doubles(map);
        for entry in map.entries() {
            let key = entry.key.scalar().unwrap_or_default();
            if known.contains(&key) || key.starts_with("x-") {
                continue;
            }
            let help = match nearest(key, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the keys here are {}", known.join(", ")),
            };
            self.fault_with(CodeEntry::E005, &entry.key, format!("`{key}` is no key here"), help);
        }
    }

    /// Tells keys of `map` that stand twice.
    pub(crate) fn no_doubles(&mut self, map: &Node) {
        let mut seen = BTreeSet::new();
        for entry in map.entries() {
            let key = entry.key.scalar().unwrap_or_default();
            if !seen.insert(key) {
                self.fault(CodeEntry::E006, &entry.key, format!("`{key}` stands twice; the first counts"));
            }
        }
    }

    /// The map at `key`; anything else but nothing is a fault.
    pub(crate) fn map<'n>(&mut self, parent: &'n Node, key: &str) -> Option<&'n Node> {
        self.of_kind(parent, key, "a map", |shape| matches!(shape, Shape::Map(_)))
    }

    /// The text at `key`; numbers and yes or no count as text.
    pub(crate) fn text(&mut self, parent: &Node, key: &str) -> Option<String> {
        let node = self.of_kind(parent, key, "text", |shape| !matches!(shape, Shape::Map(_) | Shape::List(_)))?;
        node.scalar().map(str::to_owned)
    }

    /// The number at `key`, which must lie in `range`.
    pub(crate) fn number(&mut self, parent: &Node, key: &str, range: (f64, f64)) -> Option<f64> {
        let node = parent.get(key)?;
        self.number_at(node, range)
    }

    /// The number `node`, which must lie in `range`.
    pub(crate) fn number_at(&mut self, node: &Node, (low, high): (f64, f64)) -> Option<f64> {
        let number = node.scalar().and_then(|text| text.replace('_', "").parse::<f64>().ok());
        let found = number.filter(|number| (low..=high).contains(number));
        if found.is_none() {
            let bound = if high == f64::MAX { format!("at least {low}") } else { format!("from {low} to {high}") };
            self.fault_with(
                CodeEntry::E015,
                node,
                format!("expected a number {bound}"),
                format!("use a number {bound}"),
            );
        }
        found
    }

    /// The yes or no at `key`.
    pub(crate) fn boolean(&mut self, parent: &Node, key: &str) -> Option<bool> {
        let node = parent.get(key)?;
        let found = node.boolean();
        if found.is_none() {
            self.fault_with(
                CodeEntry::E015,
                node,
                format!("expected true or false, found {}", node.kind()),
                "write `true` or `false`",
            );
        }
        found
    }

    /// One of `choices` at `key`.
    pub(crate) fn choice(&mut self, parent: &Node, key: &str, choices: &[&str]) -> Option<String> {
        let node = parent.get(key)?;
        let found = node.scalar().filter(|text| choices.contains(text)).map(str::to_owned);
        if found.is_none() {
            let here = format!("`{}` is not one of {}", node.scalar().unwrap_or(node.kind()), choices.join(", "));
            self.fault_with(CodeEntry::E015, node, here, format!("use {}", choices.join(", ")));
        }
        found
    }

    /// The scalars at `key`: one, or a list of them.
    pub(crate) fn texts<'n>(&mut self, parent: &'n Node, key: &str) -> Vec<&'n Node> {
        let Some(node) = parent.get(key) else { return Vec::new() };
        let nodes: Vec<&Node> = match &node.shape {
            Shape::Null => Vec::new(),
            Shape::List(items) => items.iter().collect(),
            _ => vec![node],
        };
        let (good, bad): (Vec<&Node>, Vec<&Node>) = nodes.into_iter().partition(|node| node.scalar().is_some());
        for node in bad {
            self.fault_with(
                CodeEntry::E015,
                node,
                format!("expected text, found {}", node.kind()),
                "write one text, or a list of them",
            );
        }
        good
    }

    /// The texts at `key`, owned.
    pub(crate) fn strings(&mut self, parent: &Node, key: &str) -> Vec<String> {
        self.texts(parent, key).into_iter().filter_map(Node::scalar).map(str::to_owned).collect()
    }

    /// The dataset that `node` names.
    pub(crate) fn dataset(&mut self, node: &Node) -> Option<DatasetId> {
        let text = node.scalar().unwrap_or_default();
        if DatasetId::cannot_be_addressed_in_the_lake(text) {
            self.fault_with(
                CodeEntry::E013,
                node,
                format!(
                    "`{text}` is a table of the lake whose name holds a dot or a quote, which carve cannot address"
                ),
                "give the table a plain name, or let a view of a plain name stand for it",
            );
            return None;
        }
        let found = text.parse().ok();
        if found.is_none() {
            self.fault_with(
                CodeEntry::E013,
                node,
                format!("`{text}` names no dataset"),
                "write `table`, `schema.table` or `system:table`",
            );
        }
        found
    }

    /// The datasets at `key`, each with its place.
    pub(crate) fn datasets(&mut self, parent: &Node, key: &str) -> Vec<(DatasetId, Span)> {
        let nodes = self.texts(parent, key);
        nodes.into_iter().filter_map(|node| Some((self.dataset(node)?, self.span(node)))).collect()
    }

    fn of_kind<'n>(&mut self, parent: &'n Node, key: &str, kind: &str, fits: fn(&Shape) -> bool) -> Option<&'n Node> {
        let node = parent.get(key).filter(|node| node.shape != Shape::Null)?;
        if !fits(&node.shape) {
            self.fault_with(
                CodeEntry::E015,
                node,
                format!("expected {kind}, found {}", node.kind()),
                format!("write {kind} here"),
            );
            return None;
        }
        Some(node)
    }
}
