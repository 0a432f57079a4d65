//! `pre_hook` and `post_hook`: SQL that runs around a node.
use super::calls::Call;
use crate::estate::yaml::Node;

/// The SQL of one hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hook {
    /// A template of its own.
    pub(super) text: String,
    /// Its bytes in the node's file, where it stands there as it is.
    pub(super) place: Option<(usize, usize)>,
}

/// Both, as calls spell them; YAML may write a hyphen.
const NAMES: [&str; 2] = ["pre_hook", "post_hook"];

/// The hooks that a `config(…)` in `text` gives: one text, a list, maps with `sql`, or an expression.
pub(super) fn in_call(text: &str, call: &Call) -> Vec<Hook> {
    let given = NAMES.iter().filter_map(|name| call.place_of(name));
    given.flat_map(|(start, end)| in_value(text, start, end)).collect()
}

fn in_value(text: &str, start: usize, end: usize) -> Vec<Hook> {
    let value = text[start..end].trim();
    let found = texts(text, start, end);
    let is_one = found.iter().any(|(from, to)| to - from + 2 == value.len());
    if value.starts_with(['[', '{', '(']) || is_one {
        return found.into_iter().map(|place| hook(text, place)).collect();
    }
    let is_given = !value.is_empty() && !value.eq_ignore_ascii_case("none");
    let expression = Hook { text: format!("{{{{ {value} }}}}"), place: None };
    is_given.then_some(expression).into_iter().collect()
}

fn hook(text: &str, (start, end): (usize, usize)) -> Hook {
    let written = &text[start..end];
    match written.contains('\\') {
        true => Hook { text: written.replace("\\'", "'").replace("\\\"", "\"").replace("\\n", "\n"), place: None },
        false => Hook { text: written.to_owned(), place: Some((start, end)) },
    }
}

/// What stands between quotes in a range of `text`, but for the keys of maps.
fn texts(text: &str, start: usize, end: usize) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let (mut found, mut at) = (Vec::new(), start);
    while at < end {
        let quote = bytes[at];
        at += 1;
        if quote != b'\'' && quote != b'"' {
            continue;
        }
        let from = at;
        while at < end && bytes[at] != quote {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        if at >= end {
            break;
        }
        if !text[at + 1..end].trim_start().starts_with(':') {
            found.push((from, at));
        }
        at += 1;
    }
    found
}

/// The hooks that keys of a YAML map give.
pub(super) fn in_map(map: &Node) -> Vec<Hook> {
    let keys = NAMES.iter().flat_map(|name| [(*name).to_owned(), name.replace('_', "-")]);
    let given = keys.filter_map(|key| map.get(&format!("+{key}")).or_else(|| map.get(&key)));
    given.flat_map(|value| std::iter::once(value).chain(value.items())).filter_map(in_node).collect()
}

fn in_node(node: &Node) -> Option<Hook> {
    let text = node.scalar().or_else(|| node.get("sql")?.scalar())?;
    (!text.trim().is_empty()).then(|| Hook { text: text.to_owned(), place: None })
}

/// SQL that runs before or after a whole run of the project, with the name dbt gives it.
#[derive(Clone, Debug)]
pub(super) struct RunHook {
    /// `operation.<package>.<package>-on-run-start-0`.
    pub(super) id: String,
    /// A template.
    pub(super) text: String,
    /// Its bytes in `dbt_project.yml`.
    pub(super) place: (usize, usize),
    /// Whether the text stands there as it is.
    pub(super) verbatim: bool,
}

/// The hooks that `on-run-start` and `on-run-end` of the project `name` give, which stand in `text`.
pub(super) fn around_runs(root: &Node, name: &str, text: &str) -> Vec<RunHook> {
    let of = |key: &'static str| {
        let listed = root.get(key).into_iter().flat_map(|value| std::iter::once(value).chain(value.items()));
        let texts = listed.filter_map(|node| Some((node, in_node(node)?.text)));
        texts.enumerate().map(move |(at, (node, sql))| RunHook {
            id: format!("operation.{name}.{name}-{key}-{at}"),
            place: (node.start, node.end),
            verbatim: text.get(node.start..node.end) == Some(sql.as_str()),
            text: sql,
        })
    };
    of("on-run-start").chain(of("on-run-end")).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::calls::calls, *};

    fn hooks(text: &str) -> Vec<(String, bool)> {
        let found = calls(text, "config").iter().flat_map(|call| in_call(text, call)).collect::<Vec<_>>();
        let is_true = |hook: &Hook| hook.place.is_none_or(|(start, end)| text[start..end] == hook.text);
        assert!(found.iter().all(is_true));
        found.into_iter().map(|hook| (hook.text, hook.place.is_some())).collect()
    }

    #[test]
    fn a_hook_is_a_text_a_list_a_map_or_an_expression() {
        let cases: [(&str, &[(&str, bool)]); 6] = [
            ("config(pre_hook='a b')", &[("a b", true)]),
            ("config(post_hook=[\"a 'x', b\", 'c'])", &[("a 'x', b", true), ("c", true)]),
            ("config(post_hook={\"sql\": \"d\", \"transaction\": False}, schema='x')", &[("d", true)]),
            ("config(post_hook=after(this))", &[("{{ after(this) }}", false)]),
            ("config(post_hook='a' ~ b)", &[("{{ 'a' ~ b }}", false)]),
            ("config(pre_hook='it\\'s', post_hook=none)", &[("it's", false)]),
        ];
        for (text, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|(text, placed)| ((*text).to_owned(), *placed)).collect();
            assert_eq!(hooks(text), expected, "{text}");
        }
    }
}
