use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Digest, plain_address};

/// Bytes of a name that every lake keeps: PostgreSQL cuts longer ones.
const LONGEST_NAME: usize = 63;

/// One normalised dataset name: a table, view or file set.
///
/// A dataset of the lake is written `schema.table` (`catalog.schema.table` where the estate says
/// so). A dataset of a source system carries the system before a colon: `order_db:orders`. A file
/// set keeps its address without user, password and options: `s3://bucket/path`, or `file:/path` where no
/// scheme is written. Always lower case, and never quoted but for a table of a source system whose parts hold dots or
/// quotes themselves: `order_db:"a.b"."c""d"`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DatasetId {
    system: Option<Arc<str>>,
    name: Arc<str>,
    /// What `name` says, where the dots and quotes in it do not tell.
    quoted: Option<Arc<QuotedName>>,
}

/// A name some part of which has to be quoted.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct QuotedName {
    schema: Option<String>,
    table: String,
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
        DatasetId { system: None, name, quoted: None }
    }

    /// A table as its own engine's SQL names it: what stands in double quotes is one part, whatever characters it has.
    pub fn as_its_engine_names_it(text: &str) -> Result<Self, BadDatasetId> {
        match text.contains('"').then(|| quoted_parts(text.trim())).flatten() {
            Some(parts) => Ok(DatasetId::from_quoted(None, parts)),
            None => text.parse(),
        }
    }

    /// Whether `text` names a table of the lake part of whose name holds a dot or a quote: names of the lake are known by
    /// their dots alone. One quoted part with dots is a whole name, as BigQuery writes it.
    pub fn cannot_be_addressed_in_the_lake(text: &str) -> bool {
        let Some(parts) = text.contains('"').then(|| quoted_parts(text.trim())).flatten() else { return false };
        parts.iter().any(|part| part.contains('"') || parts.len() > 1 && part.contains('.'))
    }

    fn from_quoted(system: Option<Arc<str>>, parts: Vec<String>) -> Self {
        let (table, before) = parts.split_last().expect("whoever takes a name apart finds one part at least");
        let is_odd = |part: &str| part.contains(['.', '"']);
        let written: Vec<String> = parts
            .iter()
            .map(|part| if is_odd(part) { format!("\"{}\"", part.replace('"', "\"\"")) } else { part.clone() })
            .collect();
        let quoted = QuotedName { schema: before.last().cloned(), table: table.clone() };
        let quoted = parts.iter().any(|part| is_odd(part)).then(|| quoted.into());
        DatasetId { system, name: written.join(".").into(), quoted }
    }

    /// The table `table` of source system `system`, quoted or not.
    pub fn in_system(system: &str, table: &str) -> Self {
        let [system, name] = [system, table].map(|text| plain_address(text).to_lowercase());
        let system = Some(system.into());
        match name.contains('"').then(|| quoted_parts(&name)).flatten() {
            Some(parts) => DatasetId::from_quoted(system, parts),
            None => DatasetId { system, name: name.into(), quoted: None },
        }
    }

    /// The source system this dataset lives in; `None` for the lake's own.
    pub fn system(&self) -> Option<&str> {
        self.system.as_deref()
    }

    /// The dotted name without the system.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Everything before the last dot of the name (`raw` of `raw.orders`), of a quoted name the part before the table;
    /// `None` for a bare table or a file set.
    pub fn schema(&self) -> Option<&str> {
        match &self.quoted {
            Some(quoted) => quoted.schema.as_deref(),
            None if self.is_file_set() => None,
            None => self.name.rsplit_once('.').map(|(schema, _)| schema),
        }
    }

    /// The part before the table (`raw` of `db.raw.orders`): the schema without its catalog.
    pub fn bare_schema(&self) -> Option<&str> {
        let schema = self.schema()?;
        Some(if self.quoted.is_some() { schema } else { schema.rsplit('.').next().unwrap_or(schema) })
    }

    /// The last part of the name (`orders` of `raw.orders`).
    pub fn table(&self) -> &str {
        match &self.quoted {
            Some(quoted) => &quoted.table,
            None if self.is_file_set() => &self.name,
            None => self.name.rsplit_once('.').map_or(&*self.name, |(_, table)| table),
        }
    }

    /// Whether this is an address of files rather than a table.
    pub fn is_file_set(&self) -> bool {
        self.system.is_none() && is_address(&self.name)
    }

    /// The dataset beside this one, in the same schema and system, with another table name.
    pub fn sibling(&self, table: &str) -> Self {
        if let Some(quoted) = &self.quoted {
            let parts = quoted.schema.iter().cloned().chain([table.to_lowercase()]);
            return DatasetId::from_quoted(self.system.clone(), parts.collect());
        }
        let name = match self.schema() {
            Some(schema) => format!("{schema}.{}", table.to_lowercase()),
            None => table.to_lowercase(),
        };
        DatasetId { system: self.system.clone(), name: name.into(), quoted: None }
    }

    /// The table beside this one that is called after it, `orders__import` of `orders` for `import`. A name that an engine might
    /// cut is made shorter, and a digest of the whole one keeps it apart from others that begin alike.
    pub fn derived(&self, suffix: &str) -> Self {
        let (table, suffix) = (self.table(), format!("__{suffix}"));
        if table.len() + suffix.len() <= LONGEST_NAME {
            return self.sibling(&format!("{table}{suffix}"));
        }
        let digest = Digest::of(table.as_bytes()).short();
        let room = LONGEST_NAME.saturating_sub(suffix.len() + digest.len() + 1);
        self.sibling(&format!("{}_{digest}{suffix}", &table[..table.floor_char_boundary(room)]))
    }
}

impl FromStr for DatasetId {
    type Err = BadDatasetId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadDatasetId { text: text.to_owned() };
        let plain = plain_address(text.trim());
        let trimmed = &*plain;
        if is_address(trimmed) {
            return Ok(DatasetId { system: None, name: trimmed.to_lowercase().into(), quoted: None });
        }
        let (system, name) = match trimmed.split_once(':') {
            Some((system, name)) => (Some(system), name),
            None => (None, trimmed),
        };
        // In the lake's own SQL a quoted name may be a whole one: what it means is for the dialect to say.
        if let Some(system) = system.filter(|system| !system.trim().is_empty())
            && name.contains('"')
            && let Some(parts) = quoted_parts(name)
        {
            return Ok(DatasetId::from_quoted(Some(system.to_lowercase().into()), parts));
        }
        let unquoted: String = name.chars().filter(|c| !matches!(c, '"' | '`' | '[' | ']')).collect();
        let empty_part = unquoted.split('.').any(|part| part.trim().is_empty());
        if empty_part || unquoted.chars().any(char::is_control) || system.is_some_and(|s| s.trim().is_empty()) {
            return Err(bad());
        }
        let system = system.map(|system| system.to_lowercase().into());
        Ok(DatasetId { system, name: unquoted.to_lowercase().into(), quoted: None })
    }
}

/// The parts of a name as SQL writes it, lower case and without their quotes; `None` where it is not written so.
fn quoted_parts(name: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = name;
    loop {
        let (part, after) = match rest.trim_start().strip_prefix('"') {
            Some(inner) => in_quotes(inner)?,
            None => {
                let (part, after) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
                let plain = |c: char| !matches!(c, '"' | '`' | '[' | ']');
                (part.chars().all(plain).then(|| part.trim().to_owned())?, after)
            }
        };
        if part.trim().is_empty() || part.chars().any(char::is_control) {
            return None;
        }
        parts.push(part.to_lowercase());
        match after.trim_start().strip_prefix('.') {
            Some(more) => rest = more,
            None => return after.trim().is_empty().then_some(parts),
        }
    }
}

/// The text up to the quote that closes it, a doubled one for one of its own, and what follows.
fn in_quotes(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        part.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => rest = more,
            None => return Some((part, after)),
        }
        part.push('"');
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
    fn a_quoted_part_of_a_source_systems_table_is_one_part_whatever_it_holds() {
        for (text, schema, table, written) in [
            ("shop:\"a.b\"", None, "a.b", "shop:\"a.b\""),
            (
                "shop:\"Weird Sch\"\"ema\".\"Or ders\"",
                Some("weird sch\"ema"),
                "or ders",
                "shop:\"weird sch\"\"ema\".or ders",
            ),
            ("shop:db.\"S.1\".t", Some("s.1"), "t", "shop:db.\"s.1\".t"),
            ("shop:\"Raw\".\"Orders\"", Some("raw"), "orders", "shop:raw.orders"),
        ] {
            let id: DatasetId = text.parse().unwrap();
            assert_eq!((id.bare_schema(), id.table(), id.to_string().as_str()), (schema, table, written));
            assert_eq!(written.parse::<DatasetId>().unwrap(), id, "what is written down is read again");
            assert_eq!(DatasetId::in_system("Shop", text.split_once(':').unwrap().1), id);
            assert_eq!(id.sibling("X").table(), "x");
        }
        let whole = DatasetId::as_its_engine_names_it("\"a.b\"").unwrap();
        assert_eq!((whole.system(), whole.schema(), whole.table()), (None, None, "a.b"));
        assert_eq!("\"raw.orders\"".parse::<DatasetId>().unwrap().to_string(), "raw.orders", "a name of the lake");
        assert_eq!("shop:a\"b".parse::<DatasetId>().unwrap().to_string(), "shop:ab", "a quote that nobody closed");
    }

    #[test]
    fn a_name_of_the_lake_is_told_apart_by_its_dots() {
        for (text, cannot) in [
            ("raw.\"a.b\"", true),
            ("\"raw\".\"c\"\"d\"", true),
            ("\"c\"\"d\"", true),
            ("\"raw\".\"Or ders\"", false),
            ("\"project.raw.orders\"", false),
            ("shop:\"a.b\"", false),
            ("shop:\"s.1\".\"a.b\"", false),
            ("raw.a.b", false),
        ] {
            assert_eq!(DatasetId::cannot_be_addressed_in_the_lake(text), cannot, "{text}");
        }
    }

    #[test]
    fn a_name_called_after_another_is_never_cut_and_never_that_of_a_third() {
        let of =
            |table: &str, suffix| DatasetId::in_system("x", &format!("raw.{table}")).derived(suffix).table().to_owned();
        assert_eq!(of("orders", "before_carve"), "orders__before_carve");
        let long = "é".repeat(24);
        assert_eq!(of(&long, "carve_staging"), format!("{long}__carve_staging"), "63 bytes are kept by PostgreSQL");
        let (one, other) = (of(&format!("{long}1"), "carve_staging"), of(&format!("{long}2"), "carve_staging"));
        assert_ne!(one, other);
        assert_eq!(one, of(&format!("{long}1"), "carve_staging"));
        for name in [&one, &other] {
            assert!(
                name.len() <= 63 && name.starts_with(&"é".repeat(15)) && name.ends_with("__carve_staging"),
                "{name}"
            );
        }
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
