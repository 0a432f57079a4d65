//! Dataform's `${ref("orders")}` in SQL: the table it names.
use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::outside::inferred;
use crate::vocab::DatasetId;

/// `${ref("schema", "table")}`, `${resolve("table")}`, `${ref({schema: "s", name: "t"})}`.
static CALL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\$\{\s*(?:ref|resolve)\(([^()]{1,400})\)\s*\}")
        .expect("the pattern is written here and a test runs it")
});

static TEXT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?:(\w+)\s*:\s*)?["'`]([^"'`]*)["'`]"#).expect("the pattern is written here and a test runs it")
});

/// Each call of `text` and the name that stands in its place.
pub(super) fn refs(text: &str) -> Vec<(Range<usize>, String)> {
    let call = |captures: regex::Captures<'_>| {
        let whole = captures.get(0)?.range();
        Some((whole, named(captures.get(1)?.as_str())?))
    };
    CALL.captures_iter(text).filter_map(call).collect()
}

fn named(arguments: &str) -> Option<String> {
    let mut parts: Vec<(u8, &str)> = TEXT
        .captures_iter(arguments)
        .filter_map(|captures| {
            let place = match captures.get(1).map(|key| key.as_str()) {
                Some("database") => 0,
                Some("schema") => 1,
                Some("name") | None => 2,
                Some(_) => return None,
            };
            Some((place, captures.get(2)?.as_str()))
        })
        .collect();
    // The sort is stable: arguments without keys stay in their order.
    parts.sort_by_key(|(place, _)| *place);
    let parts: Vec<&str> = parts.into_iter().map(|(_, part)| part).filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| inferred(&DatasetId::from_parts(&parts)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::resolve::INFERRED;

    fn names(text: &str) -> Vec<String> {
        refs(text).into_iter().map(|(_, name)| name.replace(INFERRED, "")).collect()
    }

    #[test]
    fn every_form_of_a_reference_names_its_table() {
        let text = "from ${ref(\"orders\")} a, ${ ref('raw', 'items') } b, ${resolve({name: \"n\", schema: 's'})}";
        assert_eq!(names(text), ["orders", "raw.items", "s.n"]);
        assert_eq!(names("${self()} ${ref(name)} ${when(incremental(), `x`)}"), Vec::<String>::new());
    }
}
