//! A script's text with its templates filled, and where each byte comes from.
use std::{collections::BTreeMap, ops::Range, sync::LazyLock};

use regex::Regex;

use super::{dataform, engine, mask, project::Projects};
use crate::{
    estate::{Estate, Script, Templating},
    lineage::{
        place::{Origin, Origins},
        resolve::UNKNOWN,
    },
};

/// Longest text that is kept of one script, in bytes.
const MAX_OUTPUT: usize = 8 * 1024 * 1024;

/// A script, filled.
#[derive(Clone, Debug, Default)]
pub(in crate::lineage) struct Filled {
    /// SQL.
    pub(in crate::lineage) text: String,
    /// Where it comes from.
    pub(in crate::lineage) origins: Origins,
    /// Whether every value is known.
    pub(in crate::lineage) complete: bool,
    /// Whether templates had to be masked: what is read then is inferred.
    pub(in crate::lineage) masked: bool,
    /// What was not filled, each in a few words.
    pub(in crate::lineage) problems: Vec<String>,
}

/// Fills the templates of `script`.
pub(in crate::lineage) fn fill(script: &Script, estate: &Estate, projects: &Projects) -> Filled {
    let values = values(script, estate);
    let filled = match script.templating {
        Templating::Compiled => plain(&script.text),
        _ if is_jinja(&script.text) => jinja(script, &values, projects),
        _ => plain(&script.text),
    };
    match script.templating {
        Templating::Generic => substituted(filled, &values),
        _ => filled,
    }
}

fn values(script: &Script, estate: &Estate) -> BTreeMap<String, String> {
    let mut values = estate.settings.vars.clone();
    values.extend(script.params.clone());
    values
}

fn is_jinja(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

fn plain(text: &str) -> Filled {
    Filled { text: text.to_owned(), origins: Origins::same(text.len()), complete: true, ..Filled::default() }
}

fn jinja(script: &Script, values: &BTreeMap<String, String>, projects: &Projects) -> Filled {
    match engine::render(script, values, projects) {
        Ok(filled) if filled.text.len() <= MAX_OUTPUT => filled,
        Ok(_) => masked(&script.text, format!("the rendered text is longer than {MAX_OUTPUT} bytes")),
        Err(why) => masked(&script.text, why),
    }
}

fn masked(text: &str, why: String) -> Filled {
    Filled {
        text: mask::mask(text),
        origins: Origins::same(text.len()),
        complete: false,
        masked: true,
        problems: vec![why],
    }
}

/// `${name}`, `$(name)`, `{name}` and `%(name)s`.
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    let name = r"[A-Za-z_][A-Za-z0-9_.:\-]{0,80}";
    let forms =
        format!(r"\$\{{\s*({name})\s*\}}|\$\(\s*({name})\s*\)|\{{([A-Za-z_][A-Za-z0-9_]{{0,80}})\}}|%\(({name})\)s");
    Regex::new(&forms).expect("the pattern is written here and a test runs it")
});

/// Fills shell-like placeholders in what the engine made.
fn substituted(filled: Filled, values: &BTreeMap<String, String>) -> Filled {
    let found: Vec<(Range<usize>, String)> = PLACEHOLDER
        .captures_iter(&filled.text)
        .filter_map(|captures| {
            let whole = captures.get(0)?.range();
            let name = captures.iter().skip(1).flatten().next()?.as_str();
            Some((whole, name.to_owned()))
        })
        .collect();
    let refs = if filled.text.contains("${") { dataform::refs(&filled.text) } else { Vec::new() };
    if found.is_empty() && refs.is_empty() {
        return filled;
    }
    let mut problems = filled.problems.clone();
    let mut complete = filled.complete;
    let replacements = found.into_iter().map(|(range, name)| {
        let bare = name.rsplit(':').next().unwrap_or(&name);
        let value = values.get(&name).or_else(|| values.get(bare)).cloned();
        (
            range,
            value.unwrap_or_else(|| {
                complete = false;
                match super::objects::shaped(bare) {
                    Some(value) => value.to_owned(),
                    None => {
                        problems.push(format!("nobody says what `{name}` is"));
                        stub(bare)
                    }
                }
            }),
        )
    });
    let mut replacements: Vec<(Range<usize>, String)> = replacements.chain(refs).collect();
    replacements.sort_by_key(|(range, _)| range.start);
    let (text, origins) = replaced(&filled.text, &filled.origins, replacements);
    problems.sort();
    problems.dedup();
    Filled { text, origins, complete, problems, ..filled }
}

/// What stands for a name nobody knows: a word that says so.
pub(super) fn stub(name: &str) -> String {
    let last = name.rsplit(['.', ':']).next().unwrap_or(name);
    let word: String =
        last.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    format!("{UNKNOWN}{word}")
}

/// `text` with each range replaced, and where the result comes from.
fn replaced(text: &str, origins: &Origins, replacements: Vec<(Range<usize>, String)>) -> (String, Origins) {
    let mut out = String::with_capacity(text.len());
    let mut runs = Vec::new();
    let mut done = 0;
    for (range, value) in replacements {
        keep(text, origins, done..range.start, &mut out, &mut runs);
        let (source, _) = origins.source(&range);
        runs.push(Origin { out: out.len()..out.len() + value.len(), source, same: false });
        out.push_str(&value);
        done = range.end;
    }
    keep(text, origins, done..text.len(), &mut out, &mut runs);
    (out, Origins::of(runs))
}

/// Copies a range of text and the runs it is made of.
fn keep(text: &str, origins: &Origins, range: Range<usize>, out: &mut String, runs: &mut Vec<Origin>) {
    for run in origins.runs().iter().filter(|run| run.out.start < range.end && range.start < run.out.end) {
        let part = run.out.start.max(range.start)..run.out.end.min(range.end);
        let source = match run.same {
            true => run.source.start + part.start - run.out.start..run.source.start + part.end - run.out.start,
            false => run.source.clone(),
        };
        runs.push(Origin { out: out.len()..out.len() + part.len(), source, same: run.same });
        out.push_str(&text[part]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_places_stay_true() {
        let values = BTreeMap::from([("env".to_owned(), "prod".to_owned())]);
        let filled = substituted(plain("select a from raw_${env}.${t} where b"), &values);
        assert_eq!(filled.text, "select a from raw_prod.carve_unknown_t where b");
        assert!(!filled.complete && filled.problems.len() == 1);
        let b = filled.text.rfind('b').unwrap();
        let (source, exact) = filled.origins.source(&(b..b + 1));
        assert_eq!((&"select a from raw_${env}.${t} where b"[source], exact), ("b", true));
    }

    #[test]
    fn struct_literals_are_no_placeholders() {
        let filled = substituted(plain("select {'a': 1}, {a: 1}"), &BTreeMap::new());
        assert!(filled.complete);
    }
}
