//! A script's text with its templates filled, and where each byte comes from.
use std::{collections::BTreeMap, ops::Range, sync::LazyLock};

use regex::Regex;

use super::{ampersands, dataform, engine, project::Projects};
use crate::{
    estate::{Estate, Script, Templating},
    lineage::{
        place::{Origin, Origins},
        resolve::UNKNOWN,
    },
};

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
    /// The texts of other ways through conditions that nobody can decide, and where they come from.
    pub(in crate::lineage) others: Vec<(String, Origins)>,
}

impl Filled {
    /// What the other ways through open conditions give; the faults are those of the first.
    pub(in crate::lineage) fn ways(&mut self) -> Vec<Filled> {
        let (complete, masked) = (self.complete, self.masked);
        let way = |(text, origins)| Filled { text, origins, complete, masked, ..Filled::default() };
        std::mem::take(&mut self.others).into_iter().map(way).collect()
    }
}

/// Fills the templates of `script`.
pub(in crate::lineage) fn fill(script: &Script, estate: &Estate, projects: &Projects) -> Filled {
    let values = values(script, estate);
    let filled = match script.templating {
        Templating::Compiled => plain(&script.text),
        _ if is_jinja(&script.text) => twice(engine::render(script, &values, projects), script, &values, projects),
        _ => plain(&script.text),
    };
    match script.templating {
        Templating::Generic => {
            let mut filled = ampersands::filled_in(filled, &values, estate.dialect_of(script));
            let others = filled.ways().into_iter().map(|way| substituted(way, &values));
            let others = others.map(|way| (way.text, way.origins)).collect();
            Filled { others, ..substituted(filled, &values) }
        }
        _ => filled,
    }
}

/// What a template makes that is a template again: one tool's `{% raw %}` holds what the next one renders.
fn twice(first: Filled, script: &Script, values: &BTreeMap<String, String>, projects: &Projects) -> Filled {
    let again = script.templating == Templating::Generic && !first.masked && is_jinja(&first.text);
    if !again {
        return first;
    }
    let inner = Script { text: first.text.as_str().into(), ..script.clone() };
    let second = engine::render(&inner, values, projects);
    if second.masked {
        return first;
    }
    let others = second.others.into_iter().map(|(text, origins)| (text, origins.behind(&first.origins)));
    let mut problems: Vec<String> = first.problems.into_iter().chain(second.problems).collect();
    problems.sort();
    problems.dedup();
    Filled {
        origins: second.origins.behind(&first.origins),
        complete: first.complete && second.complete,
        masked: false,
        others: first.others.into_iter().chain(others).collect(),
        text: second.text,
        problems,
    }
}

fn values(script: &Script, estate: &Estate) -> BTreeMap<String, String> {
    let mut values = said_in(&script.text);
    values.extend(estate.settings.vars.clone());
    values.extend(script.params.clone());
    values
}

/// What a script says of its own variables: psql's `\set name value`, sqlcmd's `:setvar name value`.
fn said_in(text: &str) -> BTreeMap<String, String> {
    if ![r"\set ", ":setvar ", ":SETVAR "].iter().any(|mark| text.contains(mark)) {
        return BTreeMap::new();
    }
    let said = |line: &str| {
        let mut words = line.trim().splitn(3, char::is_whitespace);
        let command = words.next()?;
        let known = command == "\\set" || command.eq_ignore_ascii_case(":setvar");
        let (name, value) = (words.next()?, words.next()?.trim());
        let value = value.trim_matches(['\'', '"']);
        (known && !value.contains(['`', ':'])).then(|| (name.to_owned(), value.to_owned()))
    };
    text.lines().filter_map(said).collect()
}

/// Lines that sqlcmd takes for itself.
static SQLCMD: LazyLock<Regex> = LazyLock::new(|| {
    let form = r"(?im)^[ \t]*:(?:setvar|on error|r |connect|error |out |perftrace|serverlist|list|reset|quit|exit|xml|ed |help)[^\n]*";
    Regex::new(form).expect("the pattern is written here and a test runs it")
});

fn is_jinja(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

fn plain(text: &str) -> Filled {
    Filled { text: text.to_owned(), origins: Origins::same(text.len()), complete: true, ..Filled::default() }
}

/// `${name}`, `$(name)`, `{name}`, `%(name)s`, and psql's `:'name'`, `:"name"` and `:name`.
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    let name = r"[A-Za-z_][A-Za-z0-9_.:\-]{0,80}";
    let forms = format!(
        r#"\$\{{\s*({name})\s*\}}|\$\(\s*({name})\s*\)|\{{([A-Za-z_][A-Za-z0-9_]{{0,80}})\}}|%\(({name})\)s|:'({name})'|\$\{{\s*(moment\([^{{}}\n]{{0,200}}?)\s*\}}|\$\{{\s*([A-Za-z_][A-Za-z0-9_.]*(?:\[[^\]\n{{}}]{{1,80}}\][A-Za-z0-9_.]*)+)\s*\}}|:"([A-Za-z_][A-Za-z0-9_]{{0,80}})"|:([A-Za-z_][A-Za-z0-9_]{{0,80}})"#
    );
    Regex::new(&forms).expect("the pattern is written here and a test runs it")
});

/// Fills shell-like placeholders in what the engine made.
fn substituted(filled: Filled, values: &BTreeMap<String, String>) -> Filled {
    if !filled.text.bytes().any(|b| matches!(b, b'$' | b'{' | b'%' | b':')) {
        return filled;
    }
    let lines: Vec<Range<usize>> = match filled.text.contains(':') {
        true => SQLCMD.find_iter(&filled.text).map(|line| line.range()).collect(),
        false => Vec::new(),
    };
    let found: Vec<(Range<usize>, String)> = PLACEHOLDER
        .captures_iter(&filled.text)
        .filter_map(|captures| {
            let whole = captures.get(0)?.range();
            let name = captures.iter().skip(1).flatten().next()?.as_str();
            if filled.text[whole.clone()].starts_with(':') && !stands(&filled.text, &whole, is_known(values, name)) {
                return None;
            }
            if is_macro(&filled.text, &whole) && !is_known(values, name) {
                return None;
            }
            if lines.iter().any(|line| line.start <= whole.start && whole.end <= line.end) {
                return None;
            }
            Some((whole, name.to_owned()))
        })
        .collect();
    let refs = if filled.text.contains("${") { dataform::refs(&filled.text) } else { Vec::new() };
    if found.is_empty() && refs.is_empty() && lines.is_empty() {
        return filled;
    }
    let mut problems = filled.problems.clone();
    let mut complete = filled.complete;
    let replacements = found.into_iter().map(|(range, name)| {
        let bare = name.rsplit(':').next().unwrap_or(&name);
        let value = values.get(&name).or_else(|| values.get(bare)).map(|value| settled(value));
        let value = value.filter(|value| !(value.trim().contains(' ') && is_part_of_name(&filled.text, &range)));
        let written = &filled.text[range.clone()];
        if written.starts_with(":\"") {
            complete &= value.is_some();
            return (range, value.map_or_else(|| stub(bare), |value| format!("\"{}\"", value.replace('"', "\"\""))));
        }
        if written.starts_with(":'") {
            complete &= value.is_some();
            return (range, format!("'{}'", value.unwrap_or_default().replace('\'', "''")));
        }
        (
            range,
            value.unwrap_or_else(|| {
                complete = false;
                if name.starts_with("moment(") {
                    return moment(&name).to_owned();
                }
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
    let mut replacements: Vec<(Range<usize>, String)> =
        replacements.chain(refs).chain(lines.into_iter().map(|line| (line, String::new()))).collect();
    replacements.sort_by_key(|(range, _)| range.start);
    let (text, origins) = replaced(&filled.text, &filled.origins, replacements);
    problems.sort();
    problems.dedup();
    Filled { text, origins, complete, problems, ..filled }
}

/// Whether `{cluster}` and its like at `range` stand in a string, where ClickHouse's servers fill them: no name is missing.
fn is_macro(text: &str, range: &Range<usize>) -> bool {
    const MACROS: [&str; 6] = ["{cluster}", "{replica}", "{shard}", "{uuid}", "{layer}", "{installation}"];
    let quotes = || text[..range.start].rsplit('\n').next().unwrap_or_default().matches('\'').count();
    MACROS.contains(&&text[range.clone()]) && quotes() % 2 == 1
}

/// Whether what stands at `range` is a part of a longer name: a value of several words, such as `add the table here`,
/// cannot be.
fn is_part_of_name(text: &str, range: &Range<usize>) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || c == '_';
    text[..range.start].ends_with(goes_on) || text[range.end..].starts_with(goes_on)
}

/// What Digdag's `moment(…)` gives: something of the shape it is formatted to.
fn moment(expression: &str) -> &'static str {
    let formats =
        [("YYYYMMDD", "20240101"), ("YYYY-MM-DD", "2024-01-01"), ("YYYYMM", "202401"), ("unix()", "1704067200")];
    formats.iter().find(|(format, _)| expression.contains(format)).map_or("20240101", |(_, value)| *value)
}

/// Whether psql's `:name` at `range` is a variable: it is given, or stands where only a name can.
fn stands(text: &str, range: &Range<usize>, given: bool) -> bool {
    const NAMED: [&str; 10] = ["from", "join", "into", "table", "exists", "view", "update", "schema", "only", "using"];
    let (before, after) = (&text[..range.start], &text[range.end..]);
    if text[range.clone()].starts_with(":'") {
        return may_quote(before);
    }
    if !(may_quote(before) || before.ends_with('.')) || after.starts_with(':') {
        return false;
    }
    let word = before.trim_end().rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let names = NAMED.iter().any(|named| word.eq_ignore_ascii_case(named)) && before.ends_with(char::is_whitespace);
    given || before.ends_with('.') || names
}

/// Whether a value is given that is no template itself.
fn is_known(values: &BTreeMap<String, String>, name: &str) -> bool {
    values.get(name).is_some_and(|value| !value.contains("{{"))
}

/// A value whose own variables nobody knows: each is a stub.
fn settled(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find("${") {
        let Some(end) = rest[at..].find('}') else { break };
        out.push_str(&rest[..at]);
        out.push_str(&stub(&rest[at + 2..at + end]));
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    out
}

/// Whether psql's `:'name'` may stand behind `before`: a colon within a word or a string is another thing.
fn may_quote(before: &str) -> bool {
    before.chars().next_back().is_none_or(|c| c.is_whitespace() || "(,=<>|+-*/[".contains(c))
}

/// What stands for a name nobody knows: a word that says so.
pub(super) fn stub(name: &str) -> String {
    // `tables[i].name` and `types[i]`.
    let name = name.split_once('[').map_or(name, |(list, rest)| match rest.rsplit_once("].") {
        Some((_, field)) => field,
        None => list,
    });
    let last = name.rsplit(['.', ':']).next().unwrap_or(name);
    let word: String =
        last.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    format!("{UNKNOWN}{word}")
}

/// `text` with each range replaced, and where the result comes from.
pub(super) fn replaced(text: &str, origins: &Origins, replacements: Vec<(Range<usize>, String)>) -> (String, Origins) {
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
    let first = origins.runs().partition_point(|run| run.out.end <= range.start);
    for run in origins.runs()[first..].iter().take_while(|run| run.out.start < range.end) {
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
    fn a_value_of_several_words_is_no_part_of_a_name() {
        let values =
            BTreeMap::from([("t".to_owned(), "add the table".to_owned()), ("c".to_owned(), "a, b".to_owned())]);
        let filled = substituted(plain("select ${c} from ${t}_meta"), &values);
        assert_eq!((filled.text.as_str(), filled.complete), ("select a, b from carve_unknown_t_meta", false));
    }

    #[test]
    fn a_quoted_variable_of_psql_is_a_text() {
        let values = BTreeMap::from([("v".to_owned(), "it's".to_owned())]);
        let filled = substituted(plain("select 'at:'x'' where a = :'v' and b in (:'w') and c::'d'"), &values);
        assert_eq!(filled.text, "select 'at:'x'' where a = 'it''s' and b in ('') and c::'d'");
        assert!(!filled.complete && filled.problems.is_empty());
    }

    #[test]
    fn a_variable_of_psql_is_a_name_where_it_is_given_or_a_name_must_stand() {
        let values = BTreeMap::from([("t".to_owned(), "raw.x".to_owned()), ("v".to_owned(), "20v1".to_owned())]);
        let filled = substituted(plain("select a::text, b[1:n] from :t.:\"v\" join :u on a = :w"), &values);
        let expected = "select a::text, b[1:n] from raw.x.\"20v1\" join carve_unknown_u on a = :w";
        assert_eq!((filled.text.as_str(), filled.complete), (expected, false));
        let unsettled = BTreeMap::from([("t".to_owned(), "${pwd}".to_owned())]);
        assert_eq!(substituted(plain("drop table :t"), &unsettled).text, "drop table carve_unknown_pwd");
    }

    #[test]
    fn a_script_may_say_its_variables_itself() {
        let said = said_in("\\set s 'raw'\n:setvar db \"Lake\"\n\\set now `date`\nselect 1");
        assert_eq!(said, BTreeMap::from([("s".to_owned(), "raw".to_owned()), ("db".to_owned(), "Lake".to_owned())]));
        let filled = substituted(plain(":setvar db \"Lake\"\n:on error exit\nuse [$(db)]"), &said);
        assert_eq!(filled.text, "\n\nuse [Lake]");
    }

    #[test]
    fn a_field_of_a_list_is_a_stub_and_a_moment_has_its_shape() {
        let text = "select a from ${t[i].db}.${t[i]}_${moment(session_time).format(\"YYYYMMDD\")} where b > ${moment(x).unix()}";
        let expected = "select a from carve_unknown_db.carve_unknown_t_20240101 where b > 1704067200";
        assert_eq!(substituted(plain(text), &BTreeMap::new()).text, expected);
    }

    #[test]
    fn a_template_within_a_template_is_rendered_too() {
        let text = "select a from {{ db }}.t {% raw %}{% if x %} where b in {{ x }}{% endif %}{% endraw %} and c";
        let values = BTreeMap::from([("db".to_owned(), "raw".to_owned())]);
        let script = Script {
            at: crate::vocab::Span::of("x.sql", text, 0, text.len()),
            text: text.into(),
            verbatim: true,
            templating: Templating::Generic,
            dialect: None,
            schema: None,
            target: None,
            materialized: None,
            params: BTreeMap::new(),
        };
        let projects = Projects::of(&Estate::default());
        let filled = twice(engine::render(&script, &values, &projects), &script, &values, &projects);
        assert_eq!(filled.text.split_whitespace().collect::<Vec<_>>().join(" "), "select a from raw.t and c");
        let (source, exact) = filled.origins.source(&(filled.text.len() - 1..filled.text.len()));
        assert_eq!((&text[source], exact), ("c", true));
    }

    #[test]
    fn struct_literals_are_no_placeholders() {
        let filled = substituted(plain("select {'a': 1}, {a: 1}"), &BTreeMap::new());
        assert!(filled.complete);
    }
}
