//! What is done to a template before the engine sees it: other files are put where they are included, and each
//! condition learns whether anybody knows its answer.
use std::{ops::Range, sync::LazyLock};

use camino::{Utf8Path, Utf8PathBuf};
use regex::{Captures, Regex};

use super::fill::replaced;
use crate::{
    estate::{Fragments, included_names},
    lineage::place::{Origin, Origins},
};

/// Files within files.
const MAX_DEPTH: usize = 12;
/// Longest text that includes may make, in bytes.
const MAX_TEXT: usize = 4 * 1024 * 1024;

static CONDITION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)\{%[-+]?\s*(?:if|elif)\s+(.*?)\s*[-+]?%\}")
        .expect("the pattern is written here and a test runs it")
});
/// A span of time added to a moment that nobody knows gives a moment that nobody knows.
static SPAN_OF_TIME: LazyLock<Regex> = LazyLock::new(|| {
    let form = r"\s*[-+]\s*modules\.(?:datetime\.timedelta|dateutil\.relativedelta\.relativedelta)\([^()]*\)";
    Regex::new(form).expect("the pattern is written here and a test runs it")
});

/// A template made ready, and where each byte of it comes from.
pub(super) struct Expanded {
    pub(super) text: String,
    pub(super) origins: Origins,
    /// Files that are included and that nobody has.
    pub(super) missing: Vec<String>,
}

/// `text` of `file` with every file it includes in its place.
pub(super) fn expanded(text: &str, file: &Utf8Path, fragments: &Fragments) -> Expanded {
    let mut missing = Vec::new();
    let (text, origins) = match text.contains("include") {
        true => included(text, file, fragments, &mut vec![file.to_owned()], &mut missing),
        false => (text.to_owned(), Origins::same(text.len())),
    };
    let spans: Vec<(Range<usize>, String)> =
        SPAN_OF_TIME.find_iter(&text).map(|found| (found.range(), String::new())).collect();
    let (text, origins) = if spans.is_empty() { (text, origins) } else { replaced(&text, &origins, spans) };
    Expanded { text, origins, missing }
}

fn included(
    text: &str,
    file: &Utf8Path,
    fragments: &Fragments,
    open: &mut Vec<Utf8PathBuf>,
    missing: &mut Vec<String>,
) -> (String, Origins) {
    let mut put = Vec::new();
    let mut length = text.len();
    for (at, name) in included_names(text) {
        let found = fragments.find(file, name).filter(|(path, _)| open.len() < MAX_DEPTH && !open.contains(path));
        let inner = match found {
            Some((path, inner)) if length + inner.len() <= MAX_TEXT => {
                open.push(path.clone());
                let (inner, _) = included(&inner, &path, fragments, open, missing);
                open.pop();
                inner
            }
            _ => {
                missing.push(name.to_owned());
                String::new()
            }
        };
        length += inner.len();
        put.push((at, inner));
    }
    replaced(text, &Origins::same(text.len()), put)
}

/// `whole` with each condition asking `carve_if`, which knows what was not known; `None` where there is none.
pub(super) fn conditions_marked(whole: &Expanded) -> Option<(String, Origins)> {
    let text = &whole.text;
    if !text.contains("{%") || text.contains("endraw") {
        return None;
    }
    let marked = |captures: Captures<'_>| {
        let condition = captures.get(1)?;
        Some((condition.range(), format!("carve_if(carve_begin(), ({}))", condition.as_str())))
    };
    let marked: Vec<(Range<usize>, String)> = CONDITION.captures_iter(text).filter_map(marked).collect();
    (!marked.is_empty()).then(|| replaced(text, &whole.origins, marked))
}

/// Enters the rendered bytes `out`, which come from bytes `from` of the expanded text, as `same` or not.
pub(super) fn enter(origins: &Origins, out: Range<usize>, from: Range<usize>, same: bool, runs: &mut Vec<Origin>) {
    if !same {
        runs.push(Origin { out, source: origins.source(&from).0, same: false });
        return;
    }
    for run in origins.runs().iter().filter(|run| run.out.start < from.end && from.start < run.out.end) {
        let part = run.out.start.max(from.start)..run.out.end.min(from.end);
        let source = match run.same {
            true => run.source.start + part.start - run.out.start..run.source.start + part.end - run.out.start,
            false => run.source.clone(),
        };
        let start = out.start + part.start - from.start;
        runs.push(Origin { out: start..start + part.len(), source, same: run.same });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_included_file_stands_in_the_place_of_its_tag() {
        let fragments = Fragments::of([("q/parts/a.sql".into(), "raw.{{ x }}".into())].into());
        let text = "select 1 from {% include './parts/a.sql' %} b {% include 'none.sql' %}";
        let made = expanded(text, "q/m.sql".into(), &fragments);
        assert_eq!(made.text, "select 1 from raw.{{ x }} b ");
        assert_eq!(made.missing, ["none.sql"]);
        let b = made.text.rfind('b').unwrap();
        let (source, exact) = made.origins.source(&(b..b + 1));
        assert_eq!((&text[source], exact), ("b", true));
        let (source, exact) = made.origins.source(&(14..17));
        assert_eq!((&text[source], exact), ("{% include './parts/a.sql' %}", false));
    }

    #[test]
    fn spans_of_time_fall_away_and_conditions_are_marked() {
        let text = "{% if a == 1 %}{{ run_started_at - modules.datetime.timedelta(days=1) }}{%- elif b -%}{% endif %}";
        let made = expanded(text, "m.sql".into(), &Fragments::default());
        let (marked, _) = conditions_marked(&made).unwrap();
        assert_eq!(
            marked,
            "{% if carve_if(carve_begin(), (a == 1)) %}{{ run_started_at }}{%- elif carve_if(carve_begin(), (b)) -%}{% endif %}"
        );
    }
}
