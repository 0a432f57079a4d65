//! Columns of tables as people and programs write them down.
use std::{collections::BTreeMap, fmt};

use camino::Utf8Path;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{
    lineage::read_ddl,
    vocab::{Column, DatasetId, LogicalType},
};

/// Columns by dataset.
pub type Catalog = BTreeMap<DatasetId, Vec<Column>>;

/// Text or a value that is no catalog.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no catalog: {0}; expected tables with their columns, as in {{\"raw.orders\": [\"id\", \"amount\"]}}")]
pub struct BadCatalog(String);

/// A catalog as written, its columns in the order in which they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrittenCatalog {
    /// A name.
    Text(String),
    /// Columns.
    List(Vec<WrittenCatalog>),
    /// Tables, or columns with their types.
    Map(Vec<(String, WrittenCatalog)>),
    /// Anything else.
    Other,
}

/// The catalog in the file `path` with the content `text`: DDL in a `.sql` or `.ddl` file, YAML in `.yaml` and `.yml`,
/// else JSON.
pub fn catalog_from(path: &Utf8Path, text: &str, dialect: Option<&str>) -> Result<Catalog, BadCatalog> {
    let written: WrittenCatalog = match path.extension().unwrap_or_default() {
        "sql" | "ddl" => {
            let catalog = read_ddl(text, dialect);
            let none = || BadCatalog("the script creates no table with columns".to_owned());
            return if catalog.is_empty() { Err(none()) } else { Ok(catalog) };
        }
        "yaml" | "yml" => serde_yaml::from_str(text).map_err(|error| BadCatalog(error.to_string()))?,
        _ => serde_json::from_str(text).map_err(|error| BadCatalog(error.to_string()))?,
    };
    catalog_of(&written)
}

/// The catalog that `written` holds: tables (or schemas of tables) by name, each with its columns as a list of names, a
/// list of objects with `name` and `type`, or names with types. A `tables` key around it is seen through.
pub fn catalog_of(written: &WrittenCatalog) -> Result<Catalog, BadCatalog> {
    let WrittenCatalog::Map(tables) = written else { return Err(BadCatalog("it is no object".to_owned())) };
    let tables = match tables.as_slice() {
        [(name, WrittenCatalog::Map(inner))] if name == "tables" => inner,
        _ => tables,
    };
    let mut catalog = Catalog::new();
    enter(&mut catalog, "", tables)?;
    Ok(catalog)
}

fn enter(catalog: &mut Catalog, above: &str, tables: &[(String, WrittenCatalog)]) -> Result<(), BadCatalog> {
    let nested = |value: &WrittenCatalog| matches!(value, WrittenCatalog::Map(_) | WrittenCatalog::List(_));
    for (name, value) in tables {
        let name = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match value {
            WrittenCatalog::Map(inner) if inner.iter().any(|(_, value)| nested(value)) => {
                enter(catalog, &name, inner)?;
            }
            _ => {
                let dataset: DatasetId = name.parse().map_err(|error| BadCatalog(format!("{error}")))?;
                catalog.insert(dataset, columns(&name, value)?);
            }
        }
    }
    Ok(())
}

fn columns(table: &str, value: &WrittenCatalog) -> Result<Vec<Column>, BadCatalog> {
    let bad = || BadCatalog(format!("the columns of `{table}` are neither a list nor names with types"));
    match value {
        WrittenCatalog::List(items) => items.iter().map(|item| listed(item).ok_or_else(bad)).collect(),
        WrittenCatalog::Map(fields) => Ok(fields.iter().map(|(name, kind)| column(name, kind.text())).collect()),
        _ => Err(bad()),
    }
}

fn listed(item: &WrittenCatalog) -> Option<Column> {
    match item {
        WrittenCatalog::Text(name) => Some(column(name, "")),
        WrittenCatalog::Map(fields) => {
            let field = |key: &str| fields.iter().find(|(name, _)| name == key).map(|(_, value)| value.text());
            let name = field("name").filter(|name| !name.is_empty())?;
            Some(column(name, field("type").or_else(|| field("data_type")).unwrap_or_default()))
        }
        _ => None,
    }
}

/// Lineage asks for names alone; the type is kept as it is written.
fn column(name: &str, physical: &str) -> Column {
    Column {
        name: name.to_owned(),
        logical: LogicalType::Text,
        physical: physical.to_owned(),
        nullable: true,
        description: None,
    }
}

impl WrittenCatalog {
    fn text(&self) -> &str {
        match self {
            WrittenCatalog::Text(text) => text,
            _ => "",
        }
    }
}

impl<'de> Deserialize<'de> for WrittenCatalog {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

/// Takes any value; maps keep their order, which a catalog's columns need.
struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = WrittenCatalog;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tables with their columns")
    }

    fn visit_str<E>(self, text: &str) -> Result<WrittenCatalog, E> {
        Ok(WrittenCatalog::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<WrittenCatalog, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(WrittenCatalog::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<WrittenCatalog, A::Error> {
        let mut map = Vec::new();
        while let Some(field) = fields.next_entry()? {
            map.push(field);
        }
        Ok(WrittenCatalog::Map(map))
    }

    fn visit_bool<E>(self, _: bool) -> Result<WrittenCatalog, E> {
        Ok(WrittenCatalog::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<WrittenCatalog, E> {
        Ok(WrittenCatalog::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<WrittenCatalog, E> {
        Ok(WrittenCatalog::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<WrittenCatalog, E> {
        Ok(WrittenCatalog::Other)
    }

    fn visit_unit<E>(self) -> Result<WrittenCatalog, E> {
        Ok(WrittenCatalog::Other)
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<WrittenCatalog, D::Error> {
        WrittenCatalog::deserialize(value)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<WrittenCatalog, D::Error> {
        IgnoredAny::deserialize(value).map(|_| WrittenCatalog::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(catalog: Catalog) -> Vec<(String, Vec<String>)> {
        let of = |columns: Vec<Column>| columns.into_iter().map(|column| column.name).collect();
        catalog.into_iter().map(|(dataset, columns)| (dataset.to_string(), of(columns))).collect()
    }

    #[test]
    fn every_way_of_writing_a_catalog_means_the_same_and_columns_keep_their_order() {
        let said = vec![("raw.t".to_owned(), vec!["b".to_owned(), "a".to_owned()])];
        for (file, text) in [
            ("c.json", r#"{"raw.t": ["b", "a"]}"#),
            ("c.json", r#"{"tables": {"RAW.T": ["b", "a"]}}"#),
            ("c.json", r#"{"raw": {"t": {"b": "int", "a": "text"}}}"#),
            ("c.json", r#"{"raw.t": [{"name": "b", "type": "int"}, {"name": "a"}]}"#),
            ("c.yaml", "raw.t:\n- b\n- a\n"),
            ("c.yaml", "raw.t: { b: int, a: text }\n"),
            ("c.sql", "create table raw.t (b int, a text);"),
        ] {
            assert_eq!(names(catalog_from(file.into(), text, None).unwrap()), said, "{text}");
        }
    }

    #[test]
    fn what_is_no_catalog_says_which_table() {
        let fault = |file: &str, text: &str| catalog_from(file.into(), text, None).unwrap_err().to_string();
        assert!(fault("c.json", "[1]").contains("no object"));
        assert!(fault("c.json", r#"{"raw.t": 1}"#).contains("`raw.t`"));
        assert!(fault("c.json", r#"{"raw.t": [1]}"#).contains("`raw.t`"));
        assert!(fault("c.json", "{").contains("EOF"));
        assert!(fault("c.sql", "select 1").contains("creates no table"));
    }
}
