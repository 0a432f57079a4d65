//! The part of `carve scan` that says what the estate as a whole told: dialects, catalogs left out, targets by name.
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::scan::word;
use crate::{
    cli::{Context, workspace::Survey},
    console::Table,
    estate::DialectBy,
};

/// Examples shown to people.
const SHOWN: usize = 3;

pub(super) fn show(survey: &Survey, context: &Context) {
    let mut table = Table::new(&["Dialect", "Known by", ">Scripts"]);
    for ((by, dialect), count) in &survey.estate.dialects {
        table.row([dialect.clone(), reason(*by).to_owned(), count.to_string()]);
    }
    if !table.is_empty() {
        context.screen.out(format!("{}\n", table.text(context.screen.width())));
    }
    for line in lines(survey) {
        context.screen.out(line);
    }
}

fn reason(by: DialectBy) -> &'static str {
    match by {
        DialectBy::Declared => "a config, an adapter or its runner",
        DialectBy::Signs => "signs in its own text",
        DialectBy::Folder => "the files around it",
        DialectBy::Estate => "the rest of the estate",
        DialectBy::Nothing => "nothing: read leniently",
    }
}

/// What was settled about names, a line each kind; each with a blank line behind.
fn lines(survey: &Survey) -> Vec<String> {
    let names = &survey.lineage.names;
    let left_out: Vec<String> = names.called.iter().map(|(long, own)| format!("`{long}` is `{own}`")).collect();
    let all = |catalogs: &std::collections::BTreeSet<String>| {
        catalogs.iter().map(|catalog| format!("`{catalog}`")).collect::<Vec<_>>().join(", ")
    };
    let apart: Vec<String> =
        names.apart.iter().map(|(short, catalogs)| format!("`{short}` in {}", all(catalogs))).collect();
    let targets: Vec<String> =
        survey.lineage.targets.iter().map(|(job, target)| format!("{job} fills `{target}`")).collect();
    let kinds = [
        ("Names with a catalog the estate leaves out", left_out),
        ("Tables that several catalogs hold, kept apart", apart),
        ("Bare queries that fill the one unwritten table of their file's name", targets),
    ];
    kinds.into_iter().filter(|(_, found)| !found.is_empty()).map(|(what, found)| line(what, &found)).collect()
}

fn line(what: &str, found: &[String]) -> String {
    let examples = found.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    let more = if found.len() > SHOWN { " …" } else { "" };
    format!("{what}: {} ({examples}{more}).\n", found.len())
}

/// Scripts by dialect and by how it is known.
pub(super) fn dialects(survey: &Survey) -> Vec<Value> {
    let one = |((by, dialect), count): (&(DialectBy, String), &u64)| json!({ "dialect": dialect, "known_by": word(by), "scripts": count });
    survey.estate.dialects.iter().map(one).collect()
}

/// What was settled about names, whole.
pub(super) fn as_json(survey: &Survey) -> Value {
    let names = &survey.lineage.names;
    let called: BTreeMap<String, String> =
        names.called.iter().map(|(long, own)| (long.to_string(), own.to_string())).collect();
    let apart: BTreeMap<String, Vec<&String>> =
        names.apart.iter().map(|(short, catalogs)| (short.to_string(), catalogs.iter().collect())).collect();
    let targets: BTreeMap<String, String> =
        survey.lineage.targets.iter().map(|(job, target)| (job.to_string(), target.to_string())).collect();
    json!({ "catalog_left_out": called, "catalogs_kept_apart": apart, "targets_by_reader": targets })
}
