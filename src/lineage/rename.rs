//! A written name with another table in it, in the style it was written in.
use std::ops::Range;

use crate::{
    lineage::sql::{dialect::Dialect, lexer::unquoted},
    vocab::DatasetId,
};

/// The parts of a written name: byte ranges between the dots that stand outside quotes.
pub(in crate::lineage) fn split_name(written: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut close: Option<char> = None;
    for (at, c) in written.char_indices() {
        match (close, c) {
            (Some(quote), c) if c == quote => close = None,
            (Some(_), _) => {}
            (None, '"' | '`') => close = Some(c),
            (None, '[') => close = Some(']'),
            (None, '.') => {
                parts.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(start..written.len());
    parts
}

/// `written`, which names `from`, naming `to`: parts that stay the same keep their bytes, the others their quotes and case.
pub(in crate::lineage) fn renamed(written: &str, from: &DatasetId, to: &DatasetId, dialect: Dialect) -> String {
    let parts = split_name(written);
    // One pair of backticks around the whole name.
    if let ([_], Some(inner)) = (parts.as_slice(), written.strip_prefix('`').and_then(|w| w.strip_suffix('`')))
        && inner.contains('.')
    {
        return format!("`{}`", renamed(inner, from, to, dialect));
    }
    let old: Vec<&str> = from.name().split('.').collect();
    let new: Vec<&str> = to.name().split('.').collect();
    let text = |range: &Range<usize>| &written[range.clone()];
    let last = parts.last().map(text).unwrap_or(written);
    let kept = parts.len().saturating_sub(old.len());
    // Parts of the old name that are not written (a default schema) may stay unwritten only if they do not change.
    let unwritten = old.len().saturating_sub(parts.len());
    let aligned = old.len() == new.len() && old[..unwritten] == new[..unwritten];
    if !aligned {
        return new.iter().map(|part| styled(last, part, dialect)).collect::<Vec<_>>().join(".");
    }
    let mut out: Vec<String> = parts[..kept].iter().map(|range| text(range).to_owned()).collect();
    for (at, range) in parts[kept..].iter().enumerate() {
        let (old, new) = (old[unwritten + at], new[unwritten + at]);
        out.push(if old == new { text(range).to_owned() } else { styled(text(range), new, dialect) });
    }
    out.join(".")
}

/// What an engine makes of the case of a name.
enum Case {
    /// Case never matters.
    Ignored,
    /// Unquoted names are lower case; quoted ones are as they stand.
    Lower,
    /// Unquoted names are upper case; quoted ones are as they stand.
    Upper,
    /// Names are as they stand, quoted or not.
    Kept,
}

impl Case {
    fn of(dialect: Dialect) -> Self {
        match dialect.name() {
            "snowflake" | "oracle" | "teradata" => Case::Upper,
            "postgres" | "redshift" | "ansi" | "generic" => Case::Lower,
            "bigquery" | "mysql" | "clickhouse" => Case::Kept,
            _ => Case::Ignored,
        }
    }

    /// The table that carve knows as `name`, which it makes without quotes, where `like` was written.
    fn written(self, name: &str, is_upper: bool, is_quoted: bool) -> String {
        let upper = match self {
            Case::Ignored => is_upper,
            Case::Lower => is_upper && !is_quoted,
            Case::Upper => is_upper || is_quoted,
            Case::Kept => false,
        };
        if upper { name.to_uppercase() } else { name.to_owned() }
    }
}

/// `name` written as `like` is: same quotes, upper case where that is and means the same table.
fn styled(like: &str, name: &str, dialect: Dialect) -> String {
    let blank = |c: char| c.is_whitespace();
    let (lead, tail) =
        (&like[..like.len() - like.trim_start_matches(blank).len()], &like[like.trim_end_matches(blank).len()..]);
    let like = like.trim();
    let bare = unquoted(like);
    let letters = |test: fn(char) -> bool| bare.chars().any(test);
    let is_upper = letters(char::is_uppercase) && !letters(char::is_lowercase);
    let name = Case::of(dialect).written(name, is_upper, bare != like);
    let plain =
        name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    let quotes = match like.chars().next() {
        Some('"') => Some(('"', '"')),
        Some('`') => Some(('`', '`')),
        Some('[') => Some(('[', ']')),
        _ if plain => None,
        _ => Some(match dialect.name() {
            "bigquery" | "hive" | "spark" | "databricks" | "mysql" => ('`', '`'),
            "tsql" => ('[', ']'),
            _ => ('"', '"'),
        }),
    };
    match quotes {
        Some((open, close)) => format!("{lead}{open}{name}{close}{tail}"),
        None => format!("{lead}{name}{tail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to_import(written: &str) -> String {
        let id = |text: &str| text.parse::<DatasetId>().unwrap();
        renamed(written, &id("raw.orders"), &id("raw.orders__import"), Dialect::GENERIC)
    }

    #[test]
    fn a_name_keeps_its_style() {
        assert_eq!(to_import("raw.orders"), "raw.orders__import");
        assert_eq!(to_import("\"raw\".\"orders\""), "\"raw\".\"orders__import\"");
        assert_eq!(to_import("RAW.ORDERS"), "RAW.ORDERS__IMPORT");
        assert_eq!(to_import("`proj.raw.orders`"), "`proj.raw.orders__import`");
        assert_eq!(to_import("[raw].[orders]"), "[raw].[orders__import]");
        assert_eq!(to_import("Lake.Raw.Orders"), "Lake.Raw.orders__import");
    }

    #[test]
    fn upper_case_stays_where_it_means_the_same_table() {
        let id = |text: &str| text.parse::<DatasetId>().unwrap();
        let to = |written: &str, dialect: &str| {
            renamed(written, &id("raw.orders"), &id("raw.orders__import"), Dialect::named(dialect).unwrap())
        };
        for dialect in ["postgres", "snowflake", "tsql", "oracle", "spark", "sqlite"] {
            assert_eq!(to("RAW.ORDERS", dialect), "RAW.ORDERS__IMPORT", "{dialect}");
        }
        // Here another case is another table, and carve made the new one in lower case.
        for dialect in ["bigquery", "mysql", "clickhouse"] {
            assert_eq!(to("RAW.ORDERS", dialect), "RAW.orders__import", "{dialect}");
        }
        assert_eq!(to("\"RAW\".\"ORDERS\"", "postgres"), "\"RAW\".\"orders__import\"");
        assert_eq!(to("\"RAW\".\"ORDERS\"", "snowflake"), "\"RAW\".\"ORDERS__IMPORT\"");
        assert_eq!(to("\"Raw\".\"Orders\"", "snowflake"), "\"Raw\".\"ORDERS__IMPORT\"");
        assert_eq!(to("[RAW].[ORDERS]", "tsql"), "[RAW].[ORDERS__IMPORT]");
    }

    #[test]
    fn an_unwritten_schema_is_written_where_it_changes() {
        let id = |text: &str| text.parse::<DatasetId>().unwrap();
        assert_eq!(to_import("orders"), "orders__import");
        assert_eq!(renamed("orders", &id("raw.orders"), &id("mesh.orders"), Dialect::GENERIC), "mesh.orders");
        assert_eq!(renamed("\"orders\"", &id("orders"), &id("raw-2.orders"), Dialect::GENERIC), "\"raw-2\".\"orders\"");
    }
}
