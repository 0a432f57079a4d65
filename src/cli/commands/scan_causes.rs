//! What was not understood, by the words it begins with: where a mended grammar or a mapping would help most.
use std::collections::BTreeMap;

use serde::Serialize;

use crate::{cli::workspace::Survey, lineage::Refused, vocab::Span};

/// Statements that no grammar took, of one kind.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Cause {
    /// Their first words, in capitals.
    pub(super) words: String,
    /// How many.
    pub(super) count: u64,
    /// What was wrong with the first.
    pub(super) why: String,
    /// The first, in the order of places.
    pub(super) example: Span,
}

/// Words that may follow the first one of a statement and still say of what kind it is.
const KIND_WORDS: &[&str] = &[
    "ALL",
    "ANALYZE",
    "AS",
    "BODY",
    "CATALOG",
    "CLUSTER",
    "COLUMN",
    "CONSTRAINT",
    "DATABASE",
    "DEFINER",
    "DICTIONARY",
    "DIRECTORY",
    "EVENT",
    "EXISTS",
    "EXTENSION",
    "EXTERNAL",
    "FILE",
    "FOREIGN",
    "FORMAT",
    "FROM",
    "FUNCTION",
    "GLOBAL",
    "GROUP",
    "IF",
    "IMMEDIATE",
    "INDEX",
    "INTEGRATION",
    "INTO",
    "JOB",
    "LIVE",
    "LOCAL",
    "LOGIN",
    "MACRO",
    "MASKING",
    "MATERIALIZED",
    "MODEL",
    "NOT",
    "ON",
    "OR",
    "OVERWRITE",
    "PACKAGE",
    "PARTITION",
    "PIPE",
    "POLICY",
    "PRIVILEGES",
    "PROC",
    "PROCEDURE",
    "PUBLICATION",
    "REPLACE",
    "RESOURCE",
    "ROLE",
    "ROW",
    "SCHEMA",
    "SEQUENCE",
    "SERVER",
    "SESSION",
    "SET",
    "STAGE",
    "STATISTICS",
    "STREAM",
    "STREAMING",
    "SYNONYM",
    "SYSTEM",
    "TABLE",
    "TABLES",
    "TASK",
    "TEMP",
    "TEMPORARY",
    "TO",
    "TRANSACTION",
    "TRIGGER",
    "TYPE",
    "UNIQUE",
    "USER",
    "VIEW",
    "VIRTUAL",
    "VOLATILE",
    "WAREHOUSE",
];

/// The causes of a survey, the most frequent first, equal ones by their words. Their counts add up to all statements
/// that were scanned or not understood.
pub(super) fn causes(survey: &Survey) -> Vec<Cause> {
    causes_of(&survey.lineage.refused)
}

fn causes_of(refused: &[Refused]) -> Vec<Cause> {
    let mut causes: BTreeMap<String, Cause> = BTreeMap::new();
    for one in refused {
        let cause = causes.entry(first_words(&one.begins)).or_insert_with_key(|words| Cause {
            words: words.clone(),
            count: 0,
            why: one.why.clone(),
            example: one.at.clone(),
        });
        cause.count += 1;
        if one.at < cause.example {
            (cause.why, cause.example) = (one.why.clone(), one.at.clone());
        }
    }
    let mut causes: Vec<Cause> = causes.into_values().collect();
    causes.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.words.cmp(&b.words)));
    causes
}

/// The words that say of what kind the statement at the start of `text` is: the first, and what belongs to it.
fn first_words(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in past_comments(text).split_whitespace().take(8) {
        let word: String = word.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let word = word.to_uppercase();
        if word.is_empty() || (!words.is_empty() && !KIND_WORDS.contains(&word.as_str())) {
            break;
        }
        words.push(word);
    }
    match words.is_empty() {
        true => past_comments(text).chars().next().map_or_else(|| "(nothing)".to_owned(), String::from),
        false => words.join(" "),
    }
}

fn past_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let next = match rest {
            _ if rest.starts_with("--") => rest.split_once('\n').map(|(_, after)| after),
            _ if rest.starts_with("/*") => rest.split_once("*/").map(|(_, after)| after),
            _ => return rest,
        };
        rest = next.unwrap_or_default().trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_one_macro_makes_count_each() {
        let refused = |begins: &str, line: u32| Refused {
            at: Span { line, ..Span::of("x.sql", "{{ m() }}", 0, 9) },
            begins: begins.to_owned(),
            why: format!("why {line}"),
        };
        let all = [refused("create policy a", 2), refused("create policy b", 1), refused("create policy c", 1)];
        let causes = causes_of(&all);
        assert_eq!((causes.len(), causes[0].count, causes[0].words.as_str()), (1, 3, "CREATE POLICY"));
        assert_eq!((causes[0].example.line, causes[0].why.as_str()), (1, "why 1"));
    }

    #[test]
    fn a_statement_is_named_by_its_kind_and_not_by_what_it_is_about() {
        for (text, words) in [
            ("create or replace function raw.f(x int)", "CREATE OR REPLACE FUNCTION"),
            ("-- why\n/* and\nhow */ ALTER SESSION SET x", "ALTER SESSION SET"),
            ("insert into orders (a)", "INSERT INTO"),
            ("vacuum orders", "VACUUM"),
            ("{{ macro() }}", "{"),
            ("", "(nothing)"),
            ("-- only a comment", "(nothing)"),
        ] {
            assert_eq!(first_words(text), words, "{text}");
        }
    }
}
