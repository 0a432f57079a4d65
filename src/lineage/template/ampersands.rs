//! SnowSQL's and SQL*Plus's variables: `&name`, `&&name.` and `&{name}`, with what a script defines of them itself.
use std::{collections::BTreeMap, ops::Range, sync::LazyLock};

use regex::Regex;

use super::fill::{Filled, replaced, stub};

/// The name, in braces or not, and the full stop that ends it in SQL*Plus.
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
    let name = "[A-Za-z_][A-Za-z0-9_]{0,80}";
    let form = format!(r"&&?(?:\{{({name})\}}|({name})(\.)?)");
    Regex::new(&form).expect("the pattern is written here and a test runs it")
});

/// `define name = value` of SQL*Plus, `!define name=value` of SnowSQL.
static DEFINED: LazyLock<Regex> = LazyLock::new(|| {
    let form = r"(?im)^[ \t]*!?define[ \t]+([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*([^\r\n]*)";
    Regex::new(form).expect("the pattern is written here and a test runs it")
});

/// Fills the variables of a script in `dialect`, by `values` before what it defines itself.
pub(super) fn filled_in(filled: Filled, values: &BTreeMap<String, String>, dialect: Option<&str>) -> Filled {
    let is_oracle = dialect == Some("oracle");
    if !(is_oracle || dialect == Some("snowflake")) || !filled.text.contains('&') {
        return filled;
    }
    let text = &filled.text;
    let defined: BTreeMap<String, &str> = DEFINED.captures_iter(text).filter_map(definition).collect();
    let (mut problems, mut complete) = (filled.problems.clone(), filled.complete);
    let replacement = |captures: regex::Captures<'_>| -> Option<(Range<usize>, String)> {
        let mut whole = captures.get(0)?.range();
        let name = captures.get(1).or(captures.get(2))?.as_str();
        // In Snowflake the full stop goes on to the next part of a name.
        whole.end -= usize::from(captures.get(3).is_some() && !is_oracle);
        let own = defined.get(&name.to_lowercase()).map(|value| (*value).to_owned());
        match values.get(name).cloned().or(own) {
            Some(value) => Some((whole, value)),
            // `AT&T` in a text is a text.
            None if in_text(text, whole.start) => None,
            None => {
                complete = false;
                problems.push(format!("nobody says what `{name}` is"));
                Some((whole, stub(name)))
            }
        }
    };
    let replacements: Vec<_> = VARIABLE.captures_iter(text).filter_map(replacement).collect();
    if replacements.is_empty() {
        return filled;
    }
    let (text, origins) = replaced(text, &filled.origins, replacements);
    problems.sort();
    problems.dedup();
    Filled { text, origins, problems, complete, ..filled }
}

fn definition(captures: regex::Captures<'_>) -> Option<(String, &str)> {
    let value = captures.get(2)?.as_str().trim().trim_end_matches(';').trim_matches(['\'', '"']);
    Some((captures.get(1)?.as_str().to_lowercase(), value))
}

/// Whether byte `at` stands within quotes, as far as its line tells.
fn in_text(text: &str, at: usize) -> bool {
    text[..at].rsplit('\n').next().unwrap_or_default().matches('\'').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::place::Origins;

    fn read(text: &str, values: &[(&str, &str)], dialect: &str) -> (String, Vec<String>) {
        let given = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let plain =
            Filled { text: text.to_owned(), origins: Origins::same(text.len()), complete: true, ..Filled::default() };
        let filled = filled_in(plain, &given, Some(dialect));
        (filled.text, filled.problems)
    }

    #[test]
    fn a_variable_is_what_is_given_or_defined() {
        assert_eq!(read("from &{db}.s.&t", &[("db", "prod"), ("t", "x")], "snowflake").0, "from prod.s.x");
        assert_eq!(read("from &db.s", &[("db", "prod")], "snowflake").0, "from prod.s");
        assert_eq!(read("define Sch = mart\ninto &&sch..o", &[], "oracle").0, "define Sch = mart\ninto mart.o");
        assert_eq!(read("!define t='a.b'\nfrom &t", &[], "snowflake").0, "!define t='a.b'\nfrom a.b");
    }

    #[test]
    fn an_unknown_one_is_told_but_in_a_text() {
        let (text, problems) = read("select 'AT&T' from &src", &[], "snowflake");
        assert_eq!(
            (text.as_str(), problems),
            ("select 'AT&T' from carve_unknown_src", vec!["nobody says what `src` is".to_owned()])
        );
        assert_eq!(read("a &b", &[], "postgres"), ("a &b".to_owned(), Vec::new()));
    }
}
