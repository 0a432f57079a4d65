use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::plain_address;

/// One normalised dataset name: a table, view or file set.
///
/// A dataset of the lake is written `schema.table` (`catalog.schema.table` where the estate says
/// so). A dataset of a source system carries the system before a colon: `order_db:orders`. A file
/// set keeps its address without user, password and options: `s3://bucket/path`, or `file:/path` where no
/// scheme is written. Always lower case, never quoted.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DatasetId {
    system: Option<Arc<str>>,
    name: Arc<str>,
}

/// Text that names no dataset.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` names no dataset: expected `table`, `schema.table` or `system:table`")]
pub struct BadDatasetId {
    text: String,
}

impl DatasetId {
    /// A dataset of the lake from its name's parts, outermost first; quotes must be gone already.
    pub fn from_parts<S: AsRef<str>>(parts: &[S]) -> Self {
        let mut name = String::with_capacity(parts.iter().map(|part| part.as_ref().len() + 1).sum());
        for (at, part) in parts.iter().map(AsRef::as_ref).enumerate() {
            name.push_str(if at > 0 { "." } else { "" });
            match part.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
                true => name.push_str(part),
                false => name.push_str(&part.to_lowercase()),
            }
        }
        // Every address has a colon.
        let name = if name.contains(':') { plain_address(&name).into() } else { name.into() };
        DatasetId { system: None, name }
    }

    /// The table `table` of source system `system`.
    pub fn in_system(system: &str, table: &str) -> Self {
        let [system, name] = [system, table].map(|text| plain_address(text).to_lowercase());
        DatasetId { system: Some(system.into()), name: name.into() }
    }

    /// The source system this dataset lives in; `None` for the lake's own.
    pub fn system(&self) -> Option<&str> {
        self.system.as_deref()
    }

    /// The dotted name without the system.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Everything before the last dot of the name (`raw` of `raw.orders`); `None` for a bare table or a file set.
    pub fn schema(&self) -> Option<&str> {
        if self.is_file_set() {
            return None;
        }
        self.name.rsplit_once('.').map(|(schema, _)| schema)
    }

    /// The last part of the name (`orders` of `raw.orders`).
    pub fn table(&self) -> &str {
        if self.is_file_set() {
            return &self.name;
        }
        self.name.rsplit_once('.').map_or(&*self.name, |(_, table)| table)
    }

    /// Whether this is an address of files rather than a table.
    pub fn is_file_set(&self) -> bool {
        self.system.is_none() && is_address(&self.name)
    }

    /// The dataset beside this one, in the same schema and system, with another table name.
    pub fn sibling(&self, table: &str) -> Self {
        let name = match self.schema() {
            Some(schema) => format!("{schema}.{}", table.to_lowercase()),
            None => table.to_lowercase(),
        };
        DatasetId { system: self.system.clone(), name: name.into() }
    }
}

impl FromStr for DatasetId {
    type Err = BadDatasetId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadDatasetId { text: text.to_owned() };
        let plain = plain_address(text.trim());
        let trimmed = &*plain;
        if is_address(trimmed) {
            return Ok(DatasetId { system: None, name: trimmed.to_lowercase().into() });
        }
        let (system, name) = match trimmed.split_once(':') {
            Some((system, name)) => (Some(system), name),
            None => (None, trimmed),
        };
        let unquoted: String = name.chars().filter(|c| !matches!(c, '"' | '`' | '[' | ']')).collect();
        let empty_part = unquoted.split('.').any(|part| part.trim().is_empty());
        if empty_part || unquoted.chars().any(char::is_control) || system.is_some_and(|s| s.trim().is_empty()) {
            return Err(bad());
        }
        Ok(DatasetId { system: system.map(|s| s.to_lowercase().into()), name: unquoted.to_lowercase().into() })
    }
}

/// Whether `text` is an address of files: `s3://bucket/x`, `dbfs:/mnt/x`, `file:x.csv`.
fn is_address(text: &str) -> bool {
    let rooted = |(scheme, rest): (&str, &str)| {
        scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '+') && rest.starts_with('/')
    };
    text.contains("://")
        || text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"))
        || text.split_once(':').is_some_and(rooted)
}

impl fmt::Display for DatasetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.system {
            Some(system) => write!(f, "{system}:{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl fmt::Debug for DatasetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

impl From<DatasetId> for String {
    fn from(id: DatasetId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for DatasetId {
    type Error = BadDatasetId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lower_case_and_unquoted_ever_after() {
        let id: DatasetId = "\"Lake\".`Orders`".parse().unwrap();
        assert_eq!(id.to_string(), "lake.orders");
        assert_eq!((id.schema(), id.table()), (Some("lake"), "orders"));
    }

    #[test]
    fn a_source_system_stands_before_the_colon() {
        let id: DatasetId = "Order_DB:orders".parse().unwrap();
        assert_eq!(id, DatasetId::in_system("order_db", "Orders"));
        assert_eq!(id.sibling("lines").to_string(), "order_db:lines");
    }

    #[test]
    fn an_address_of_files_is_no_table() {
        for text in ["s3://bucket/x", "file:/x.csv", "file:x.csv", "dbfs:/mnt/x"] {
            let id: DatasetId = text.parse().unwrap();
            assert_eq!((id.is_file_set(), id.system(), id.to_string().as_str()), (true, None, text));
        }
        assert!(!"order_db:orders".parse::<DatasetId>().unwrap().is_file_set());
    }

    #[test]
    fn no_password_is_part_of_a_name() {
        for text in ["jdbc:postgresql://etl:Hunter2@h:5432/crm", "https://u:hunter2@h/x", "mongodb://u:hunter2@h/x"] {
            let made = [text.parse().unwrap(), DatasetId::from_parts(&[text]), DatasetId::in_system(text, text)];
            assert!(made.iter().all(|id| !id.to_string().contains("hunter2")), "{made:?}");
        }
    }

    #[test]
    fn empty_parts_name_nothing() {
        for text in ["", ".", "a.", "a..b", ":x"] {
            assert!(text.parse::<DatasetId>().is_err(), "{text}");
        }
    }
}
