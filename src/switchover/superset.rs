//! Superset datasets: a physical one names its table in two scalars, a virtual one in its SQL.
use super::{
    Replaced,
    yaml_scalar::{Quotes, escaped, quotes_of, scalar, value_of},
};
use crate::{
    estate::{Estate, Script},
    lineage::Editor,
    plan::{SpanEdit, apply_edits},
    vocab::DatasetId,
};

/// The edits that make a physical dataset read `replaced.new`.
///
/// # Errors
/// In words: the file does not name the table in plain scalars.
pub(super) fn repoint_physical(text: &str, replaced: &Replaced) -> Result<Vec<SpanEdit>, String> {
    let mut edits = vec![set(text, "table_name", replaced.new.table())?];
    if replaced.new.schema() != replaced.old.schema() {
        edits.push(set(text, "schema", replaced.new.schema().unwrap_or("null"))?);
    }
    Ok(edits)
}

fn set(text: &str, key: &str, value: &str) -> Result<SpanEdit, String> {
    let found = scalar(text, key)
        .ok_or_else(|| format!("`{key}` is not written as one plain word: edit it in Superset and export again"))?;
    let new = escaped(value, found.quotes);
    let old = text[found.bytes.clone()].to_owned();
    Ok(SpanEdit { start: found.bytes.start, end: found.bytes.end, old, new })
}

/// The edits that make the SQL of a virtual dataset read the new tables, and that SQL after them.
///
/// # Errors
/// In words: the SQL cannot be edited safely.
pub(super) fn repoint_virtual(
    text: &str,
    script: &Script,
    estate: &Estate,
    replaced: &[&Replaced],
) -> Result<(Vec<SpanEdit>, String), String> {
    let mut edits = Vec::new();
    for pair in replaced {
        edits.extend(in_sql(script, estate, &pair.old, &pair.new)?);
    }
    edits.sort_by_key(|edit| edit.start);
    let after = apply_edits(&script.text, &edits).ok_or("two tables are named in one place of its SQL")?;
    let in_file = match script.verbatim {
        true => edits.into_iter().map(|edit| shifted(edit, script.at.start)).collect(),
        false => in_scalar(text, &edits)?,
    };
    Ok((in_file, after))
}

/// The one door to lineage's span edits.
fn in_sql(script: &Script, estate: &Estate, old: &DatasetId, new: &DatasetId) -> Result<Vec<SpanEdit>, String> {
    let edits = Editor::new(estate, [(old, new)]).repoint(script, old, new).map_err(|problem| problem.to_string())?;
    Ok(edits.into_iter().map(|e| SpanEdit { start: e.start, end: e.end, old: e.old, new: e.new }).collect())
}

fn shifted(edit: SpanEdit, by: usize) -> SpanEdit {
    SpanEdit { start: edit.start + by, end: edit.end + by, ..edit }
}

/// The same edits in the file, where the SQL stands between quotes or in a folded block: every name
/// must be found there exactly as often as the SQL has it, else the place is not sure.
fn in_scalar(text: &str, edits: &[SpanEdit]) -> Result<Vec<SpanEdit>, String> {
    let value = value_of(text, "sql").ok_or("its SQL is not at the top level of the file")?;
    let quotes = quotes_of(text, &value);
    let mut in_file: Vec<SpanEdit> = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    for edit in edits {
        if done.contains(&edit.old.as_str()) {
            continue;
        }
        done.push(&edit.old);
        let wanted = edits.iter().filter(|other| other.old == edit.old).count();
        let places = occurrences(&text[value.clone()], &escaped(&edit.old, quotes));
        if places.len() != wanted {
            return Err(unsure(&edit.old, quotes));
        }
        in_file.extend(places.into_iter().map(|at| {
            let start = value.start + at;
            let old = escaped(&edit.old, quotes);
            SpanEdit { start, end: start + old.len(), old, new: escaped(&edit.new, quotes) }
        }));
    }
    Ok(in_file)
}

fn unsure(name: &str, quotes: Quotes) -> String {
    let how = if quotes == Quotes::Plain { "folded" } else { "between quotes" };
    format!("its SQL is written {how} and `{name}` cannot be told apart there: write the SQL as a block (`sql: |`)")
}

/// Where `name` stands in `text` as a whole name.
fn occurrences(text: &str, name: &str) -> Vec<usize> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.');
    let whole = |at: usize| {
        !text[..at].chars().next_back().is_some_and(is_word)
            && !text[at + name.len()..].chars().next().is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
    };
    if name.is_empty() {
        return Vec::new();
    }
    text.match_indices(name).map(|(at, _)| at).filter(|at| whole(*at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(old: &str, new: &str) -> Replaced {
        Replaced { old: old.parse().unwrap(), new: new.parse().unwrap() }
    }

    fn edit(old: &str, new: &str) -> SpanEdit {
        SpanEdit { start: 0, end: 0, old: old.into(), new: new.into() }
    }

    #[test]
    fn the_schema_is_touched_only_when_it_changes() {
        let text = "table_name: orders\nschema: raw\n";
        let one = repoint_physical(text, &replaced("raw.orders", "raw.orders__import")).unwrap();
        assert_eq!(one.len(), 1);
        let two = repoint_physical(text, &replaced("raw.orders", "imported.orders")).unwrap();
        assert_eq!((two.len(), two[1].new.as_str()), (2, "imported"));
    }

    #[test]
    fn a_quoted_query_is_edited_where_its_name_stands() {
        let text = "sql: \"SELECT * FROM \\\"raw\\\".\\\"orders\\\"\\n\\\n  \\ JOIN raw.orders_old\"\nx: raw.orders\n";
        let edits = in_scalar(text, &[edit("\"raw\".\"orders\"", "\"raw\".\"orders__import\"")]).unwrap();
        assert_eq!(edits.len(), 1);
        assert_eq!(&text[edits[0].start..edits[0].end], "\\\"raw\\\".\\\"orders\\\"");
    }

    #[test]
    fn a_name_that_also_stands_elsewhere_in_the_query_is_left_to_a_person() {
        let text = "sql: 'SELECT 1 FROM raw.orders -- raw.orders'\n";
        assert!(in_scalar(text, &[edit("raw.orders", "raw.orders__import")]).is_err());
        assert_eq!(occurrences("x.raw.orders raw.orders2 raw.orders.id", "raw.orders"), [25]);
    }
}
