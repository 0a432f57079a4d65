//! What changes in a BI tool's file: tables named by themselves, and inside SQL, wherever that is written.
use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use super::{
    Change, Replaced, SourceKind,
    escaped::{self, Writing},
};
use crate::{
    estate::{Estate, Exposure, Script},
    lineage::{Editor, RepointProblem},
    plan::{SpanEdit, apply_edits},
    vocab::{DatasetId, Span},
};

/// All that changes for one exposure.
pub(super) struct Changes {
    /// Each place with what stands there before and after.
    pub(super) places: Vec<Change>,
    /// Edits by file, or why there are none.
    pub(super) edits: Result<BTreeMap<Utf8PathBuf, Vec<SpanEdit>>, String>,
    /// By name, or in SQL.
    pub(super) kind: SourceKind,
    /// The first SQL that changes, as it is read, before and after.
    pub(super) sql: Option<(Script, Script)>,
}

/// What makes `exposure` read the new tables. `text_of` gives a file's text, or why it cannot be edited.
pub(super) fn changes(
    estate: &Estate,
    exposure: &Exposure,
    moved: &[&Replaced],
    text_of: impl Fn(&Utf8PathBuf) -> Result<String, String>,
) -> Changes {
    let mut found = Changes { places: Vec::new(), edits: Ok(BTreeMap::new()), kind: SourceKind::Physical, sql: None };
    for pair in moved {
        for (_, at) in exposure.reads.iter().filter(|(dataset, _)| *dataset == pair.old) {
            let edit = text_of(&at.file).and_then(|text| by_name(&exposure.tool, &text, at, pair));
            found.enter(at, pair.old.to_string(), pair.new.to_string(), edit.map(|edit| vec![edit]));
        }
    }
    let editor = Editor::new(estate, moved.iter().map(|pair| (&pair.old, &pair.new)));
    for script in &exposure.scripts {
        match in_sql(&editor, script, moved) {
            Ok(edits) if edits.is_empty() => {}
            Ok(edits) => found.enter_sql(script, edits, text_of(&script.at.file)),
            Err(why) => found.enter(&script.at, script.text.to_string(), String::new(), Err(why)),
        }
    }
    found
}

impl Changes {
    fn enter(&mut self, at: &Span, before: String, after: String, edits: Result<Vec<SpanEdit>, String>) {
        self.places.push(Change { at: format!("{}:{}", at.file, at.line), before, after });
        match (&mut self.edits, edits) {
            (Ok(all), Ok(edits)) => all.entry(at.file.clone()).or_default().extend(edits),
            (Ok(_), Err(why)) => self.edits = Err(why),
            (Err(_), _) => {}
        }
    }

    fn enter_sql(&mut self, script: &Script, edits: Vec<SpanEdit>, text: Result<String, String>) {
        self.kind = SourceKind::Virtual;
        let after = apply_edits(&script.text, &edits).unwrap_or_default();
        let placed = text.and_then(|text| in_file(&text, script, &edits));
        let shown = placed.as_ref().map(|(shown, _)| shown.clone()).unwrap_or_else(|_| script.text.to_string());
        let shown_after = apply_edits(&shown, &edits).unwrap_or_else(|| after.clone());
        if self.sql.is_none() {
            self.sql = Some((script.clone(), Script { text: after.into(), ..script.clone() }));
        }
        self.enter(&script.at, shown, shown_after, placed.map(|(_, edits)| edits));
    }
}

/// Edits of `script.text` for every pair it reads.
fn in_sql(editor: &Editor<'_>, script: &Script, moved: &[&Replaced]) -> Result<Vec<SpanEdit>, String> {
    let mut edits = Vec::new();
    for pair in moved {
        match editor.repoint(script, &pair.old, &pair.new) {
            Ok(found) => {
                edits.extend(found.into_iter().map(|e| SpanEdit { start: e.start, end: e.end, old: e.old, new: e.new }))
            }
            Err(RepointProblem::NotRead(_)) => {}
            Err(problem) => return Err(problem.to_string()),
        }
    }
    edits.sort_by_key(|edit| (edit.start, edit.end));
    edits.dedup();
    Ok(edits)
}

/// The SQL as its file has it, and the same edits there.
fn in_file(text: &str, script: &Script, edits: &[SpanEdit]) -> Result<(String, Vec<SpanEdit>), String> {
    let unsure = || format!("the SQL at line {} is written in a way that carve does not edit", script.at.line);
    let raw = text.get(script.at.start..script.at.end).ok_or_else(unsure)?;
    let ending = script.at.file.extension().unwrap_or_default();
    let writing = match script.verbatim {
        true => Writing::AsIs,
        false => escaped::writing(ending, text, script.at.start).ok_or_else(unsure)?,
    };
    let (shown, places) =
        escaped::read(raw, writing).filter(|(shown, _)| shown.len() == script.text.len()).ok_or_else(unsure)?;
    let mut found = Vec::new();
    for edit in edits {
        if shown.get(edit.start..edit.end) != Some(edit.old.as_str()) {
            return Err(unsure());
        }
        let (start, end) = (places[edit.start], places[edit.end]);
        let (old, new) = (raw[start..end].to_owned(), escaped::written(&edit.new, writing));
        found.push(SpanEdit { start: script.at.start + start, end: script.at.start + end, old, new });
    }
    Ok((shown, found))
}

/// The edit of a table that is named by itself: its last part, in the case and quotes it has.
fn by_name(tool: &str, text: &str, at: &Span, pair: &Replaced) -> Result<SpanEdit, String> {
    let line = at.line;
    match tool {
        "looker" | "powerbi" => {}
        "metabase" => {
            return Err("its question is built from the old table's fields: choose the new table in Metabase's editor"
                .to_owned());
        }
        "lightdash" => return Err("its explore is a dbt model: it moves when the model is repointed".to_owned()),
        other => return Err(format!("it names its table in {other}'s own way: repoint it there by hand")),
    }
    if pair.old.schema() != pair.new.schema() {
        return Err(format!("line {line} names the schema apart from the table: repoint it by hand"));
    }
    let unsure = || format!("line {line} does not name `{}` in one word: repoint it by hand", pair.old.table());
    let raw = text.get(at.start..at.end).ok_or_else(unsure)?;
    let is_quote = |c: char| matches!(c, '"' | '`' | '\'' | '[' | ']');
    let inner = raw.trim_end_matches(is_quote);
    let start = inner.rfind(|c: char| c == '.' || is_quote(c)).map_or(0, |at| at + 1);
    let old = &inner[start..];
    if !old.eq_ignore_ascii_case(pair.old.table()) {
        return Err(unsure());
    }
    let start = at.start + start;
    Ok(SpanEdit { start, end: start + old.len(), old: old.to_owned(), new: in_case_of(old, &pair.new) })
}

/// The new table's name as the old one is written: databases that fold names to upper case have them so.
fn in_case_of(old: &str, new: &DatasetId) -> String {
    let is_upper = old.chars().any(char::is_uppercase) && !old.chars().any(char::is_lowercase);
    if is_upper { new.table().to_uppercase() } else { new.table().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(raw: &str, old: &str, new: &str) -> Result<String, String> {
        let pair = Replaced { old: old.parse().unwrap(), new: new.parse().unwrap() };
        let text = format!("x {raw} ;;");
        let at = Span::of("a.lkml", &text, 2, 2 + raw.len());
        by_name("looker", &text, &at, &pair).map(|edit| apply_edits(&text, &[edit]).unwrap())
    }

    #[test]
    fn a_name_keeps_its_quotes_its_case_and_what_stands_before_it() {
        let new = |raw| edit(raw, "raw.orders", "raw.orders__import");
        assert_eq!(new("`p.raw.orders`").unwrap(), "x `p.raw.orders__import` ;;");
        assert_eq!(new("\"RAW\".\"ORDERS\"").unwrap(), "x \"RAW\".\"ORDERS__IMPORT\" ;;");
        assert_eq!(new("@{raw}.orders").unwrap(), "x @{raw}.orders__import ;;");
        assert!(new("{% if a %}raw.x{% endif %}").is_err());
        assert!(edit("raw.orders", "raw.orders", "imported.orders").is_err());
    }
}
