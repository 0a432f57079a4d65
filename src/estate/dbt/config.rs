//! What is configured about one node: in its file, in a schema file, or for its folder in dbt_project.yml.
use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    calls::calls,
    hooks::{self, Hook},
    static_text::filled,
};
use crate::estate::yaml::{Node, Shape};

/// The settings that carve needs of a node; `None` where nothing says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) materialized: Option<String>,
    pub(super) schema: Option<String>,
    /// `target_schema` of a snapshot: taken as it is.
    pub(super) target_schema: Option<String>,
    pub(super) alias: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) owner: Option<String>,
    pub(super) domain: Option<String>,
    pub(super) group: Option<String>,
    /// All that anybody configures: none takes another's place.
    pub(super) hooks: Vec<Hook>,
}

impl Config {
    /// This config, and `other` where it says nothing.
    pub(super) fn over(self, other: Config) -> Config {
        Config {
            materialized: self.materialized.or(other.materialized),
            schema: self.schema.or(other.schema),
            target_schema: self.target_schema.or(other.target_schema),
            alias: self.alias.or(other.alias),
            enabled: self.enabled.or(other.enabled),
            owner: self.owner.or(other.owner),
            domain: self.domain.or(other.domain),
            group: self.group.or(other.group),
            hooks: [other.hooks, self.hooks].concat(),
        }
    }

    /// What `config(…)` in the text of a node says.
    pub(super) fn in_sql(text: &str) -> Config {
        calls(text, "config").iter().rev().fold(Config::default(), |found, call| {
            let named = |name: &str| call.named(name).map(str::to_owned);
            let here = Config {
                materialized: named("materialized"),
                schema: named("schema"),
                target_schema: named("target_schema"),
                alias: named("alias"),
                enabled: call.named("enabled").and_then(|text| text.to_ascii_lowercase().parse().ok()),
                group: named("group"),
                hooks: hooks::in_call(text, call),
                ..Config::default()
            };
            here.over(found)
        })
    }

    /// What the keys of `map` say, with or without `+` before them.
    pub(super) fn in_map(map: &Node, vars: &BTreeMap<String, Value>) -> Config {
        let key = |name: &str| map.get(&format!("+{name}")).or_else(|| map.get(name));
        let text = |name: &str| key(name).and_then(Node::scalar).and_then(|text| filled(text, vars));
        let meta = |name: &str| key("meta").and_then(|meta| meta.get(name)).and_then(Node::scalar).map(str::to_owned);
        Config {
            materialized: text("materialized"),
            schema: text("schema"),
            target_schema: text("target_schema"),
            alias: text("alias"),
            enabled: key("enabled").and_then(Node::boolean),
            owner: meta("owner"),
            domain: meta("domain"),
            group: text("group"),
            hooks: hooks::in_map(map),
        }
    }

    /// What a schema file's entry says: its `config` over its own `meta` and `group`.
    pub(super) fn in_entry(entry: &Node, vars: &BTreeMap<String, Value>) -> Config {
        let own = Config::in_map(entry, vars);
        let own = Config { owner: own.owner, domain: own.domain, group: own.group, ..Config::default() };
        entry.get("config").map(|config| Config::in_map(config, vars)).unwrap_or_default().over(own)
    }

    /// What `models:` (or `seeds:`, `snapshots:`) of dbt_project.yml says for a node in `folders` of `package`.
    pub(super) fn in_tree(tree: &Node, package: &str, folders: &[&str], vars: &BTreeMap<String, Value>) -> Config {
        let mut found = Config::in_map(tree, vars);
        let mut at = tree;
        for name in std::iter::once(&package).chain(folders) {
            match at.get(name).filter(|node| matches!(node.shape, Shape::Map(_))) {
                Some(inner) => at = inner,
                None => break,
            }
            found = Config::in_map(at, vars).over(found);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::{text_file::TextFile, yaml};

    #[test]
    fn the_nearer_config_wins() {
        let text = "+materialized: view\nshop:\n  +schema: base\n  staging:\n    schema: stg\n    orders: { +enabled: false }\n";
        let tree = yaml::document(&TextFile::inside("f.yml".into(), text.to_owned())).unwrap();
        let config = Config::in_tree(&tree, "shop", &["staging", "orders"], &BTreeMap::new());
        assert_eq!(
            (config.schema.as_deref(), config.materialized.as_deref(), config.enabled),
            (Some("stg"), Some("view"), Some(false))
        );
        let sql = Config::in_sql("{{ config(alias='o') }} {{ config(schema='x', alias='p') }}");
        let config = sql.over(config);
        assert_eq!((config.schema.as_deref(), config.alias.as_deref()), (Some("x"), Some("o")));
    }
}
