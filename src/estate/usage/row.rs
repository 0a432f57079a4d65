//! One row of a log, whatever its format: values by the names of their columns.
use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{Map, Value};

/// A row that can be asked for a column by its lower-case name.
pub(super) trait Row {
    /// The value of the column `name`; `None` where there is none or it is empty.
    fn get(&self, name: &str) -> Option<Cow<'_, str>>;

    /// The first of `names` that has a value.
    fn first(&self, names: &[&str]) -> Option<Cow<'_, str>> {
        names.iter().find_map(|name| self.get(name))
    }

    /// Whether the column `name` has a value other than the words for nothing.
    fn says(&self, name: &str) -> bool {
        let nothing =
            |text: &str| ["null", "none", "nan", "[]", "{}", "\\n"].contains(&text.to_ascii_lowercase().as_str());
        self.get(name).is_some_and(|text| !nothing(text.trim()))
    }
}

/// The columns of a CSV log.
#[derive(Clone, Debug)]
pub(super) struct Columns(BTreeMap<String, usize>);

impl Columns {
    pub(super) fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut columns = BTreeMap::new();
        for (at, name) in names.into_iter().enumerate() {
            columns.entry(name.trim().to_ascii_lowercase()).or_insert(at);
        }
        Columns(columns)
    }

    /// The names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// A record of a CSV log.
pub(super) struct Record<'a> {
    pub(super) columns: &'a Columns,
    pub(super) fields: &'a [&'a str],
}

impl Row for Record<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let text = *self.fields.get(*self.columns.0.get(name)?)?;
        (!text.trim().is_empty()).then_some(Cow::Borrowed(text))
    }
}

/// An object of a JSON log, keys in lower case; `metadata.query` reaches into objects within.
pub(super) struct Object(Map<String, Value>);

impl Object {
    pub(super) fn of(object: Map<String, Value>) -> Self {
        Object(object.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect())
    }

    /// The names of the outer keys.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Row for Object {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        let mut value = self.0.get(first)?;
        for key in rest.split('.').filter(|key| !key.is_empty()) {
            let object = value.as_object()?;
            value = object.iter().find(|(known, _)| known.eq_ignore_ascii_case(key))?.1;
        }
        match value {
            Value::Null => None,
            Value::String(text) => (!text.trim().is_empty()).then_some(Cow::Borrowed(text)),
            other => Some(Cow::Owned(other.to_string())),
        }
    }
}
