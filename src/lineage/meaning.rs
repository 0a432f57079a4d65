//! What a text means, as a hash: layout, comments and the case of bare words do not count.
use crate::{
    lineage::{
        analysis::on_deep_stack,
        sql::{
            dialect::Dialect,
            lexer::{Kind, lex},
            parse::canonical,
            script::whole_statements,
        },
    },
    vocab::Digest,
};

/// SHA-256 of what SQL means: comments, layout and the case of unquoted words do not count.
///
/// Each statement's syntax tree is written out again and hashed; what does not parse, and templates, count
/// token by token.
pub fn meaning(text: &str, dialect: Option<&str>) -> Digest {
    let dialect = dialect.and_then(Dialect::named).unwrap_or_else(|| Dialect::detected(text));
    let templated = ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark));
    let normal = match templated {
        true => templates_apart(text, dialect),
        false => on_deep_stack(|| statements(text, dialect)),
    };
    Digest::of(normal)
}

fn statements(text: &str, dialect: Dialect) -> String {
    let Some(ranges) = whole_statements(text, dialect) else { return folded(text, dialect) };
    let one = |statement: &str| {
        let names = std::iter::once(dialect.name()).chain(dialect.neighbours().iter().copied());
        let tree = names.filter_map(Dialect::named).find_map(|dialect| canonical(statement, dialect));
        folded(tree.as_deref().unwrap_or(statement), dialect)
    };
    ranges.into_iter().map(|range| one(&text[range])).collect::<Vec<_>>().join("\u{1e}")
}

/// Tokens with bare words in one case.
fn folded(text: &str, dialect: Dialect) -> String {
    let mut normal = String::with_capacity(text.len());
    for token in lex(text, dialect.rules()) {
        match token.kind {
            Kind::Word => normal.push_str(&token.of(text).to_lowercase()),
            _ => normal.push_str(token.of(text)),
        }
        normal.push('\u{1f}');
    }
    normal
}

/// Templates count as they are written, but for the blanks around and their comments; the SQL between counts as tokens.
fn templates_apart(text: &str, dialect: Dialect) -> String {
    let mut normal = String::new();
    let mut rest = text;
    loop {
        let next = ["{{", "{%", "{#"].iter().filter_map(|mark| Some((rest.find(mark)?, *mark))).min();
        let Some((at, mark)) = next else {
            normal.push_str(&folded(rest, dialect));
            return normal;
        };
        normal.push_str(&folded(&rest[..at], dialect));
        let close = match mark {
            "{{" => "}}",
            "{%" => "%}",
            _ => "#}",
        };
        let end = rest[at..].find(close).map_or(rest.len(), |end| at + end + 2);
        if mark != "{#" {
            let words: Vec<&str> = rest[at..end].split_whitespace().collect();
            normal.push_str(&words.join(" "));
            normal.push('\u{1f}');
        }
        rest = &rest[end..];
    }
}

/// SHA-256 of what YAML means: its documents as JSON with sorted keys, SQL in them by its own meaning. Malformed text
/// stands for itself. Of a job file (`format: carve-jobs/…`) only those jobs count whose names `counts` accepts.
pub fn config_meaning(yaml_text: &str, counts: &dyn Fn(&str) -> bool) -> Digest {
    use serde::Deserialize;
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(yaml_text) {
        match serde_yaml::Value::deserialize(document) {
            Ok(mut value) => {
                other_jobs_out(&mut value, counts);
                documents.push(canonical_json(&value));
            }
            Err(_) => return Digest::of(yaml_text),
        }
    }
    Digest::of(documents.join("\n"))
}

fn other_jobs_out(document: &mut serde_yaml::Value, counts: &dyn Fn(&str) -> bool) {
    let format = document.get("format").and_then(serde_yaml::Value::as_str);
    if !format.is_some_and(|format| format.starts_with("carve-jobs/")) {
        return;
    }
    if let Some(jobs) = document.get_mut("jobs").and_then(serde_yaml::Value::as_mapping_mut) {
        jobs.retain(|name, _| name.as_str().is_none_or(counts));
    }
}

/// The value of a key; under `sql` and `query`, text of more than one word is SQL.
fn value_of(key: &serde_yaml::Value, value: &serde_yaml::Value) -> String {
    match (key.as_str(), value.as_str()) {
        (Some("sql" | "query"), Some(sql)) if sql.contains(char::is_whitespace) => meaning(sql, None).to_string(),
        _ => canonical_json(value),
    }
}

fn canonical_json(value: &serde_yaml::Value) -> String {
    use serde_yaml::Value;
    let text = |text: &str| serde_json::Value::from(text).to_string();
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(bool) => bool.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(string) => text(string),
        Value::Sequence(items) => format!("[{}]", items.iter().map(canonical_json).collect::<Vec<_>>().join(",")),
        Value::Mapping(map) => {
            let mut entries: Vec<String> =
                map.iter().map(|(k, v)| format!("{}:{}", canonical_json(k), value_of(k, v))).collect();
            entries.sort();
            format!("{{{}}}", entries.join(","))
        }
        Value::Tagged(tagged) => format!("{}{}", text(&tagged.tag.to_string()), canonical_json(&tagged.value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_comments_and_case_of_words_do_not_count() {
        let one = meaning("SELECT a, sum(b) FROM raw.orders -- x\n GROUP BY a;", None);
        assert_eq!(one, meaning("select a , SUM(b)\nfrom RAW.orders /* y */ group by a", None));
        assert_ne!(one, meaning("select a, sum(b) from raw.orders2 group by a", None));
        assert_ne!(meaning("select 'A'", None), meaning("select 'a'", None));
        assert_ne!(meaning("select \"A\"", None), meaning("select \"a\"", None));
    }

    #[test]
    fn what_does_not_parse_still_has_a_meaning() {
        assert_eq!(meaning("frobnicate  THE table", None), meaning("FROBNICATE the -- x\n table", None));
        assert_ne!(meaning("frobnicate the table", None), meaning("frobnicate a table", None));
    }

    #[test]
    fn templates_count_and_their_comments_do_not() {
        let one = meaning("select {{ x }} from {{ ref('a') }}", None);
        assert_eq!(one, meaning("SELECT {{ x }}\nFROM {{  ref('a') }} {# why #}", None));
        assert_ne!(one, meaning("select {{ x }} from {{ ref('b') }}", None));
    }

    #[test]
    fn where_a_block_ends_counts() {
        let short = "begin if x then insert into a select 1; end if; insert into b select 2; end";
        let long = "begin if x then insert into a select 1; insert into b select 2; end if; end";
        assert_ne!(meaning(short, Some("bigquery")), meaning(long, Some("bigquery")));
    }

    #[test]
    fn yaml_means_its_values() {
        let all = |text: &str| config_meaning(text, &|_| true);
        assert_eq!(all("a: 1\nb: [x]"), all("# c\nb:\n  - x\na: 1"));
        assert_ne!(all("a: 1"), all("a: '1'"));
        assert_eq!(all("a: ["), all("a: ["));
        assert_eq!(all("sql: |\n  select 1 -- one"), all("sql: SELECT  1"));
        assert_ne!(all("sql: select 1"), all("sql: select 2"));
    }

    #[test]
    fn other_jobs_of_a_job_file_do_not_count() {
        let of_a = |text: &str| config_meaning(text, &|job| job == "a");
        let file = "format: carve-jobs/1\ndefaults: { owner: x }\njobs:\n  a: { from: s }\n  b: { from: s }\n";
        assert_eq!(of_a(file), of_a(&file.replace("b: { from: s }", "c: { from: t }")));
        assert_ne!(of_a(file), of_a(&file.replace("a: { from: s }", "a: { from: t }")));
        assert_ne!(of_a(file), of_a(&file.replace("owner: x", "owner: y")));
        let other = "jobs: { a: 1, b: 2 }";
        assert_ne!(of_a(other), of_a("jobs: { a: 1, b: 3 }"), "carve does not know what a job is here");
    }
}
