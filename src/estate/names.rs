//! Names of datasets as configs write them: with a project before a colon, a partition behind, templates within.
use std::collections::BTreeMap;

use crate::{estate::shaped, vocab::DatasetId};

/// Stands before a word that takes an unknown value's place.
const UNKNOWN: char = '\u{1}';

/// Words that stand for what no two runs share.
const OF_ONE_RUN: &[&str] = &["run_unique", "run_id"];

/// Whether `text` names a table that lives for one run: a clock, a random number or the run's id is part of it.
pub(crate) fn lives_for_one_run(text: &str) -> bool {
    let table = text.rsplit('.').next().unwrap_or(text);
    OF_ONE_RUN.iter().any(|word| {
        [format!("${{{word}}}"), format!("{{{{ {word} }}}}"), format!("{{{{{word}}}}}")]
            .iter()
            .any(|mark| table.contains(mark))
    })
}

/// The dataset that `text` names, its templates filled from `params`; `None` where what matters of it is not known.
///
/// A project or catalog that is only known when the job runs is left out, as lineage does with SQL.
pub(crate) fn dataset_named(text: &str, params: &BTreeMap<String, String>) -> Option<DatasetId> {
    let text = text.trim();
    let filled = fill(text, params);
    if filled.contains("://") {
        return files_named(&filled);
    }
    if lives_for_one_run(text) {
        return None;
    }
    // `project:dataset.table`, `table$20240101`, `table@-3600000`.
    let table = filled.split_once(['$', '@']).map_or(filled.as_str(), |(table, _)| table);
    let unquoted: String = table.chars().filter(|c| !matches!(c, '"' | '`' | '[' | ']')).collect();
    let mut parts: Vec<&str> = unquoted.split(['.', ':']).map(str::trim).collect();
    while parts.len() > 1 && parts[0].is_empty() {
        parts.remove(0);
    }
    if parts.last()?.starts_with(UNKNOWN) {
        return None;
    }
    if parts.len() > 2 && parts[0].starts_with(UNKNOWN) {
        parts.remove(0);
    }
    let good =
        |part: &&str| !part.is_empty() && !part.contains(|c: char| c.is_control() && c != UNKNOWN || c.is_whitespace());
    if !parts.iter().all(good) || parts.iter().any(|part| part.contains(['/', '(', ')', '\'', ';', ','])) {
        return None;
    }
    let parts: Vec<String> = parts.iter().map(|part| part.replace(UNKNOWN, "")).collect();
    Some(DatasetId::from_parts(&parts))
}

/// Whether part of the name `text` is only known when the job runs.
pub(crate) fn is_guess(text: &str, params: &BTreeMap<String, String>) -> bool {
    fill(text, params).contains(UNKNOWN)
}

/// The address of files, without what stands for many of them or is known only when the job runs.
pub(crate) fn files_named(filled: &str) -> Option<DatasetId> {
    let (scheme, path) = filled.split_once("://")?;
    let mut kept: Vec<String> = Vec::new();
    for (at, part) in path.split('/').enumerate() {
        let varies = part.contains([UNKNOWN, '*', '?', '{']) || (at > 0 && dated(part));
        if varies && at > 0 {
            break;
        }
        kept.push(part.replace(UNKNOWN, ""));
    }
    let path = kept.join("/");
    let path = path.trim_end_matches('/');
    if path.is_empty() { None } else { format!("{}://{path}", scheme.trim_start_matches(UNKNOWN)).parse().ok() }
}

/// Whether the shape of a known moment is in `part`.
fn dated(part: &str) -> bool {
    part.contains("2024-01-01") || part.contains("20240101")
}

/// `text` with `{{ x }}` and `${x}` filled: from `params`, by the shape of what schedulers give, else by a marked word.
pub(crate) fn fill(text: &str, params: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("${")).min() {
        // Of `table${{ ds }}` the dollar sign stands before a partition.
        let at = if rest[at..].starts_with("${{") { at + 1 } else { at };
        out.push_str(&rest[..at]);
        let close = if rest[at..].starts_with("{{") { "}}" } else { "}" };
        let inner = &rest[at + 2..];
        let Some(end) = inner.find(close) else {
            rest = &rest[at..];
            break;
        };
        out.push_str(&value_of(&inner[..end], params));
        rest = &inner[end + close.len()..];
    }
    out.push_str(rest);
    out
}

/// What an expression in a template stands for.
fn value_of(expression: &str, params: &BTreeMap<String, String>) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    // `${name:-default}` and `${hivevar:name}`.
    if let Some((_, default)) = expression.split_once(":-") {
        return default.to_owned();
    }
    let path = expression.split(['|', '(', '[']).next().unwrap_or_default().trim();
    let words: Vec<&str> = path.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()).collect();
    let argument = expression.split(['\'', '"']).nth(1);
    let known = params.get(path).or_else(|| params.get(*words.last()?));
    let known = known.or_else(|| params.get(argument?));
    if let Some(value) = known {
        return value.clone();
    }
    let is_shaped = |word: &&&str| !OF_ONE_RUN.contains(*word);
    if let Some(value) = words.first().filter(is_shaped).and_then(|word| shaped(word)) {
        return value.to_owned();
    }
    let word = argument.or(words.last().copied()).unwrap_or("unknown");
    let word: String = word.chars().map(|c| if is_word(c) { c.to_ascii_lowercase() } else { '_' }).collect();
    format!("{UNKNOWN}{word}")
}

/// Tables that a query on a source system reads: the names behind FROM and JOIN.
pub(crate) fn tables_in(sql: &str) -> Vec<String> {
    let mut words =
        sql.split(|c: char| c.is_whitespace() || c == '(' || c == ')' || c == ',').filter(|word| !word.is_empty());
    let mut found: Vec<String> = Vec::new();
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case("from") || word.eq_ignore_ascii_case("join") {
            let Some(name) = words.clone().next() else { break };
            let name = name.trim_end_matches(';').replace(['"', '`', '[', ']'], "");
            let is_name = !name.is_empty() && !name.eq_ignore_ascii_case("select") && !name.starts_with('\'');
            if is_name && !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn named(text: &str, expected: Option<&str>) {
        let params = BTreeMap::from([("schema".to_owned(), "raw".to_owned())]);
        assert_eq!(dataset_named(text, &params).map(|id| id.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn a_name_loses_its_partition_and_unknown_project() {
        named("My-Project:raw.Orders$20240101", Some("my-project.raw.orders"));
        named("raw.orders${{ ds_nodash }}", Some("raw.orders"));
        named("{{ var.value.project }}.{{ params.schema }}.orders", Some("raw.orders"));
        named("${PROJECT}:raw.orders_{{ ds_nodash }}", Some("raw.orders_20240101"));
        named("raw.{{ var.value.table }}", None);
        named("${env}_raw.orders", Some("env_raw.orders"));
        named("{{ env_var('X') }}.orders", Some("x.orders"));
        named("${TABLE:-raw.t}", Some("raw.t"));
        named("", None);
        named("not a name", None);
    }

    #[test]
    fn files_are_named_by_the_folder_that_does_not_vary() {
        named("gs://bucket/export/blocks/date={{ ds }}/*.json", Some("gs://bucket/export/blocks"));
        named("s3://${BUCKET}/Orders/*.csv", Some("s3://bucket/orders"));
        named("s3://", None);
    }

    #[test]
    fn the_tables_of_a_source_stand_behind_from_and_join() {
        assert_eq!(tables_in("SELECT a FROM Orders o\nJOIN `shop`.lines l ON 1; "), ["Orders", "shop.lines"]);
        assert_eq!(tables_in("select * from (select 1 from t)"), ["t"]);
    }
}
