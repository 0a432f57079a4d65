//! Which bytes of which files change so that dependents read the import, and which cannot be changed.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use camino::{Utf8Path, Utf8PathBuf};

use super::{ComparedQuery, DraftInputs, FileEdit, SpanEdit, endpoints::Lane, file_edit, mention};
use crate::{
    estate::{Job, Script, Templating},
    lineage::{Editor, RepointProblem, TextEdit},
    vocab::{DatasetId, JobId, Span, holds_secret},
};

/// What repointing one job comes to.
#[derive(Debug, Default)]
pub(super) struct JobEdits {
    /// Its edits, by file.
    pub(super) files: Gathered,
    pub(super) queries: Vec<ComparedQuery>,
    pub(super) left_out: Vec<String>,
    /// Mentions that a person must change, each a sentence with its place.
    pub(super) by_hand: Vec<String>,
    /// The tables these sentences are about.
    pub(super) told: BTreeSet<(JobId, DatasetId)>,
}

/// Edits per file while they are gathered: two jobs may share one.
pub(super) type Gathered = BTreeMap<Utf8PathBuf, BTreeSet<(usize, usize, String, String)>>;

/// What lineage must know to edit the scripts that read `lanes`.
pub(super) fn editor<'e>(inputs: &DraftInputs<'e>, lanes: &[Lane]) -> Editor<'e> {
    Editor::new(inputs.estate, lanes.iter().map(|lane| (&lane.raw, &lane.live)))
}

/// Lanes whose raw tables' readers must read another table, by these tables, each with its place among all lanes.
pub(super) type Moving<'l> = HashMap<&'l DatasetId, (usize, &'l Lane)>;

/// Those of `lanes`.
pub(super) fn moving(lanes: &[Lane]) -> Moving<'_> {
    let all = lanes.iter().enumerate().filter(|(_, lane)| lane.live != lane.raw);
    all.map(|(at, lane)| (&lane.raw, (at, lane))).collect()
}

/// What `job` needs so that it reads the imports of `moving`.
pub(super) fn job_edits(inputs: &DraftInputs<'_>, editor: &Editor<'_>, job: &Job, moving: &Moving<'_>) -> JobEdits {
    let mut edits = JobEdits::default();
    // Reading a script for a table that it does not read is all the work for nothing.
    let touched = inputs.graph.edges_of(&job.id).iter().filter_map(|edge| moving.get(&edge.dataset).copied());
    let lanes: BTreeMap<usize, &Lane> = touched.collect();
    let lanes: Vec<&Lane> = lanes.into_values().collect();
    for script in job.scripts.iter().filter(|_| !lanes.is_empty()) {
        script_edits(inputs, editor, job, script, &lanes, &mut edits);
    }
    edits
}

/// All edits of one file together; the error says why a person must make them.
pub(super) fn edited(
    inputs: &DraftInputs<'_>,
    file: &Utf8Path,
    spans: BTreeSet<(usize, usize, String, String)>,
) -> Result<FileEdit, String> {
    let spans = spans.into_iter().map(|(start, end, old, new)| SpanEdit { start, end, old, new }).collect();
    let text = (inputs.read_file)(file).ok_or_else(|| format!("{file}: the file cannot be read as text"))?;
    file_edit(file, &text, spans).ok_or_else(|| format!("{file}: the file changed while it was read: plan again"))
}

fn script_edits(
    inputs: &DraftInputs<'_>,
    editor: &Editor<'_>,
    job: &Job,
    script: &Script,
    lanes: &[&Lane],
    edits: &mut JobEdits,
) {
    let mut spans: Vec<TextEdit> = Vec::new();
    let moves: Vec<_> = lanes.iter().map(|lane| (&lane.raw, &lane.live)).collect();
    // Tables that a dbt source declares: the script keeps its text, and renders to another.
    let mut by_source: Vec<(&DatasetId, &DatasetId)> = Vec::new();
    for (lane, answer) in lanes.iter().zip(editor.repoint_all(script, &moves)) {
        let problem = match answer {
            Ok(found) => {
                spans.extend(found);
                continue;
            }
            Err(RepointProblem::NotRead(_)) => continue,
            Err(problem @ RepointProblem::DbtSource { .. }) => match dbt_source_edit(inputs, script, lane) {
                Some((file, edit)) => {
                    edits.files.entry(file).or_default().insert(edit);
                    by_source.push((&lane.raw, &lane.live));
                    continue;
                }
                None => problem,
            },
            Err(problem) => problem,
        };
        edits.told.insert((job.id.clone(), lane.raw.clone()));
        for at in places(inputs, script, &lane.raw) {
            edits.by_hand.push(format!("{at}: `{}` in job `{}`: {problem}", lane.raw, job.id));
        }
    }
    if !by_source.is_empty() {
        compare_rendered(editor, &job.id, script, &by_source, edits);
    }
    if spans.is_empty() {
        return;
    }
    spans.sort_by_key(|edit| edit.start);
    match in_file(inputs, script, &spans) {
        Some(mapped) => edits.files.entry(script.at.file.clone()).or_default().extend(mapped),
        None => {
            edits.by_hand.push(format!("{}: the SQL of job `{}` is not written here byte for byte", script.at, job.id));
            return;
        }
    }
    compare(editor, &job.id, script, &spans, edits);
}

/// Where the script's file names `table`; the script itself where it nowhere does in so many words.
fn places(inputs: &DraftInputs<'_>, script: &Script, table: &DatasetId) -> Vec<Span> {
    let text = (inputs.read_file)(&script.at.file).unwrap_or_default();
    let lower = text.to_ascii_lowercase();
    let found = mention::mentions(&lower, table.name()).into_iter();
    let inside = found.filter(|at| (script.at.start..script.at.end.max(script.at.start + 1)).contains(at));
    let places: Vec<Span> = inside.map(|at| Span::of(&script.at.file, &text, at, at + table.name().len())).collect();
    if places.is_empty() { vec![script.at.clone()] } else { places }
}

/// Spans of the script as spans of its file. SQL in a YAML block is indented there: the n-th mention in
/// the script is the n-th in the block, as long as both count the same.
fn in_file(
    inputs: &DraftInputs<'_>,
    script: &Script,
    spans: &[TextEdit],
) -> Option<Vec<(usize, usize, String, String)>> {
    if script.verbatim {
        let at = script.at.start;
        let shifted = |edit: &TextEdit| (at + edit.start, at + edit.end, edit.old.clone(), edit.new.clone());
        return Some(spans.iter().map(shifted).collect());
    }
    let text = (inputs.read_file)(&script.at.file)?;
    let block = text.get(script.at.start..script.at.end)?;
    let mapped = |edit: &TextEdit| {
        let in_script: Vec<usize> = script.text.match_indices(&edit.old).map(|(at, _)| at).collect();
        let in_block: Vec<usize> = block.match_indices(&edit.old).map(|(at, _)| at).collect();
        let nth = in_script.iter().position(|at| *at == edit.start)?;
        let start = script.at.start + in_block.get(nth)?;
        (in_script.len() == in_block.len()).then(|| (start, start + edit.old.len(), edit.old.clone(), edit.new.clone()))
    };
    spans.iter().map(mapped).collect()
}

/// A dbt model that reads through `source()` is moved where the source is declared: by its `identifier`.
fn dbt_source_edit(
    inputs: &DraftInputs<'_>,
    script: &Script,
    lane: &Lane,
) -> Option<(Utf8PathBuf, (usize, usize, String, String))> {
    let Templating::Dbt { project, .. } = &script.templating else { return None };
    let project = inputs.estate.dbt_projects.get(*project)?;
    let source = project
        .sources
        .values()
        .find(|source| inputs.estate.same_names.own(&source.relation, &source.at.file) == lane.raw)?;
    let text = (inputs.read_file)(&source.at.file)?;
    let edit = identifier_edit(&text, source.at.start, lane.live.table())?;
    Some((source.at.file.clone(), edit))
}

/// Sets `identifier` of the source table whose `name` is written at `start`; `None` for an entry in flow style.
fn identifier_edit(text: &str, start: usize, table: &str) -> Option<(usize, usize, String, String)> {
    let line = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    let name = line + text[line..].find("name:")?;
    if text[line..name].contains('{') {
        return None;
    }
    let line_start = text[..name].rfind('\n').map_or(0, |at| at + 1);
    let indent = text[line_start..name].chars().count();
    let name_end = name + text[name..].find(['\r', '\n']).unwrap_or(text.len() - name);
    // An identifier of the same entry stands before the next list item of its depth.
    let mut at = name_end;
    for line in text[name_end..].split_inclusive('\n') {
        let trimmed = line.trim_start();
        let depth = line.len() - trimmed.len();
        if !trimmed.is_empty() && depth < indent && at > name_end {
            break;
        }
        if let Some(value) = trimmed.strip_prefix("identifier:").filter(|_| depth == indent) {
            let old = value.trim();
            let start = at + depth + "identifier:".len() + (value.len() - value.trim_start().len());
            return Some((start, start + old.len(), old.to_owned(), table.to_owned()));
        }
        at += line.len();
    }
    let insert = format!("\n{}identifier: {table}", " ".repeat(indent));
    let value = text[name + "name:".len()..name_end].trim();
    // An edit that holds the name is found again when a comment moves it; behind a comment there is only the place.
    match value.is_empty() || value.contains('#') {
        true => Some((name_end, name_end, String::new(), insert)),
        false => {
            let start = name + text[name..name_end].rfind(value)?;
            Some((start, start + value.len(), value.to_owned(), format!("{value}{insert}")))
        }
    }
}

fn compare(editor: &Editor<'_>, job: &JobId, script: &Script, spans: &[TextEdit], edits: &mut JobEdits) {
    let Some(after) = with(&script.text, spans) else { return };
    let moved = Script { text: after.into(), ..script.clone() };
    let (before, left_out) = editor.comparable_queries(script);
    let (after, _) = editor.comparable_queries(&moved);
    edits.left_out.extend(left_out.iter().map(|reason| format!("{job}: {reason}")));
    if before.len() != after.len() {
        edits.left_out.push(format!("{job}: its queries could not be paired"));
        return;
    }
    let pairs = before.into_iter().zip(after).filter(|(before, after)| before.1 != after.1);
    let pairs: Vec<_> = pairs.map(|((target, before), (_, after))| query(job, target, before, after)).collect();
    keep(editor, job, script, pairs, left_out.is_empty(), edits);
}

/// A model that reads through `source()` keeps its text: what it renders to now is compared with the same query over
/// the tables that the source will name.
fn compare_rendered(
    editor: &Editor<'_>,
    job: &JobId,
    script: &Script,
    moves: &[(&DatasetId, &DatasetId)],
    edits: &mut JobEdits,
) {
    let (queries, left_out) = editor.comparable_queries(script);
    edits.left_out.extend(left_out.iter().map(|reason| format!("{job}: {reason}")));
    let mut pairs = Vec::new();
    for (target, before) in queries {
        let text = before.as_str().into();
        let plain = Script { text, verbatim: false, templating: Templating::Compiled, ..script.clone() };
        let mut spans: Vec<TextEdit> = Vec::new();
        for answer in editor.repoint_all(&plain, moves) {
            match answer {
                Ok(found) => spans.extend(found),
                Err(RepointProblem::NotRead(_)) => {}
                Err(problem) => edits.left_out.push(format!("{job}: the query it renders to: {problem}")),
            }
        }
        spans.sort_by_key(|edit| edit.start);
        let after = with(&before, &spans).filter(|after| *after != before);
        pairs.extend(after.map(|after| query(job, target, before, after)));
    }
    keep(editor, job, script, pairs, left_out.is_empty(), edits);
}

/// `text` with `spans` in it.
fn with(text: &str, spans: &[TextEdit]) -> Option<String> {
    let plain = spans.iter().map(|edit| SpanEdit {
        start: edit.start,
        end: edit.end,
        old: edit.old.clone(),
        new: edit.new.clone(),
    });
    super::apply_edits(text, &plain.collect::<Vec<_>>())
}

/// Takes up queries to compare, but for those that hold a secret. A job of which nothing can be compared says so.
fn keep(
    editor: &Editor<'_>,
    job: &JobId,
    script: &Script,
    pairs: Vec<ComparedQuery>,
    nothing_told: bool,
    edits: &mut JobEdits,
) {
    if pairs.is_empty() && nothing_told {
        edits
            .left_out
            .push(format!("{job}: {}: none of its queries that can be run alone reads what moves", script.at));
    }
    let values = editor.secret_values(script);
    let is_secret = |text: &str| holds_secret(text) || values.iter().any(|value| text.contains(value));
    let (secret, open): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|pair| is_secret(&pair.before));
    let kept_out = |_| format!("{job}: the query holds a secret, which a plan must not repeat");
    edits.left_out.extend(secret.into_iter().map(kept_out));
    edits.queries.extend(open);
}

fn query(job: &JobId, target: Option<DatasetId>, before: String, after: String) -> ComparedQuery {
    ComparedQuery { job: job.clone(), target, before, after }
}

/// The edit that sends a legacy import into another table: the place where its `into` is written.
pub(super) fn reroute_import(inputs: &DraftInputs<'_>, lane: &Lane, into: &DatasetId) -> Option<FileEdit> {
    let import = lane.import.as_ref()?;
    let file: &Utf8Path = &import.into_at.file;
    let text = (inputs.read_file)(file)?;
    let old = text.get(import.into_at.start..import.into_at.end)?.to_owned();
    let new = format!("{}{into}", catalog_before(&old, &lane.raw));
    let edit = SpanEdit { start: import.into_at.start, end: import.into_at.end, old, new };
    file_edit(file, &text, vec![edit])
}

/// What is written before the name of `table` (a catalog that the estate leaves out elsewhere, with its dot).
fn catalog_before<'t>(written: &'t str, table: &DatasetId) -> &'t str {
    let (head, tail) = written.split_at_checked(written.len().saturating_sub(table.name().len())).unwrap_or(("", ""));
    if tail.eq_ignore_ascii_case(table.name()) && head.ends_with('.') { head } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_s_new_table_lies_in_the_catalog_of_the_old_one() {
        let table: DatasetId = "raw.orders".parse().unwrap();
        assert_eq!(catalog_before("Proj.raw.Orders", &table), "Proj.");
        assert_eq!(catalog_before("raw.orders", &table), "");
        assert_eq!(catalog_before("straw.orders", &table), "");
    }

    #[test]
    fn a_dbt_source_gets_an_identifier_below_its_name() {
        let text = "sources:\n  - name: shop\n    tables:\n      - name: orders\n        description: x\n      - name: lines\n";
        let start = text.find("orders").unwrap();
        let (at, end, old, new) = identifier_edit(text, start, "orders__import").unwrap();
        assert_eq!((&text[at..end], old.as_str()), ("orders", "orders"));
        let after = format!("{}{new}{}", &text[..at], &text[end..]);
        assert!(
            after.contains("- name: orders\n        identifier: orders__import\n        description: x\n"),
            "{after}"
        );
    }

    #[test]
    fn the_identifier_of_the_next_table_is_left_alone() {
        let text = "tables:\n  - name: bikes\n  - name: stations\n    identifier: station_master_v2\n";
        let (at, end, _, new) = identifier_edit(text, text.find("bikes").unwrap(), "bikes__import").unwrap();
        assert_eq!((at, end), (text.find("bikes").unwrap(), text.find("bikes").unwrap() + 5));
        assert_eq!(new, "bikes\n    identifier: bikes__import");
        let text = "tables:\n  - name: bikes  # red\n";
        let (at, end, old, _) = identifier_edit(text, text.find("bikes").unwrap(), "b").unwrap();
        assert_eq!((at, end, old.as_str()), (text.len() - 1, text.len() - 1, ""));
        assert_eq!(identifier_edit("tables: [{ name: a }]", 17, "b"), None);
    }

    #[test]
    fn an_identifier_that_stands_there_is_replaced() {
        let text = "tables:\n  - name: orders\n    identifier: ord_v1\n  - name: lines\n    identifier: l\n";
        let (start, end, old, new) = identifier_edit(text, text.find("orders").unwrap(), "orders__import").unwrap();
        assert_eq!((&text[start..end], old.as_str(), new.as_str()), ("ord_v1", "ord_v1", "orders__import"));
    }
}
