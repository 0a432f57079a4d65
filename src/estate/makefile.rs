//! Makefiles whose recipes run SQL: a job a target.
use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::{
    estate::{
        FileFormat, command,
        paths::folder_of,
        reader::{Around, Reader, Reading},
        text_file::TextFile,
    },
    vocab::JobId,
};

/// Variables within variables.
const MAX_LEVELS: usize = 8;

/// Makefiles.
pub(crate) struct Makefile;

impl Reader for Makefile {
    fn format(&self) -> FileFormat {
        FileFormat::Makefile
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        matches!(path.file_name(), Some("Makefile" | "makefile" | "GNUmakefile")) || path.extension() == Some("mk")
    }

    fn claims(&self, file: &TextFile) -> bool {
        command::mentions_client(&file.text)
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        let (vars, rules) = parsed(&file.text);
        for rule in &rules {
            let place = |base| command::Place { file: file.clone(), base, whole: file.span(rule.start, rule.end) };
            let raw = &file.text[rule.start..rule.end];
            let filled = filled(raw, &vars, rule);
            // Recipes without variables stand in the file as they run.
            let found = match filled == raw {
                true => command::run(raw, &place(Some(rule.start)), folder_of(&file.path), BTreeMap::new(), around),
                false => command::run(&filled, &place(None), folder_of(&file.path), BTreeMap::new(), around),
            };
            let id = |target: &str| JobId::new(format!("{}:{target}", file.path));
            let at = file.span(rule.at, rule.at + rule.target.len());
            if let Some(job) = found.enter(id(&rule.target), at, None, &mut reading) {
                job.depends_on = rule.needs.iter().map(|need| id(need)).collect();
            }
        }
        through_idle(&rules, &file.path, &mut reading);
        reading
    }
}

/// A target without work of its own is passed through.
fn through_idle(rules: &[Rule], path: &Utf8Path, reading: &mut Reading) {
    for rule in rules {
        let id = format!("{path}:{}", rule.target);
        if !reading.jobs.iter().any(|job| job.id.as_str() == id) {
            let needs = rule.needs.iter().map(|need| JobId::new(format!("{path}:{need}"))).collect();
            reading.groups.insert(id, needs);
        }
    }
}

/// One rule: a target, what it needs, and where its recipe stands.
#[derive(Debug)]
struct Rule {
    target: String,
    needs: Vec<String>,
    /// Byte at which the target stands.
    at: usize,
    start: usize,
    end: usize,
}

/// The variables and rules of a makefile.
fn parsed(text: &str) -> (BTreeMap<String, String>, Vec<Rule>) {
    let mut vars = BTreeMap::new();
    let mut rules: Vec<Rule> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        if line.starts_with('\t') {
            if let Some(rule) = rules.last_mut() {
                rule.start = rule.start.min(start);
                rule.end = at;
            }
        } else if let Some((name, value)) = assignment(line) {
            vars.insert(name, value);
        } else if let Some((targets, needs)) = rule_of(line) {
            for target in targets {
                let place = start + line.find(&target).unwrap_or(0);
                rules.push(Rule { target, needs: needs.clone(), at: place, start: usize::MAX, end: 0 });
            }
        }
    }
    for rule in rules.iter_mut().filter(|rule| rule.end == 0) {
        rule.start = 0;
    }
    (vars, rules)
}

/// `NAME := value`, `NAME ?= value`.
fn assignment(line: &str) -> Option<(String, String)> {
    let (name, value) = line.trim_start_matches("export ").split_once('=')?;
    let name = name.trim_end_matches([':', '?', '+', '!', ' ']).trim();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    is_name.then(|| (name.to_owned(), value.trim().to_owned()))
}

fn rule_of(line: &str) -> Option<(Vec<String>, Vec<String>)> {
    let line = line.split('#').next().unwrap_or_default();
    let (targets, needs) = line.split_once(':')?;
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let targets: Vec<String> = words(targets).into_iter().filter(|name| !name.starts_with('.')).collect();
    let needs = words(needs.trim_start_matches(':').split([';', '|']).next().unwrap_or_default());
    (!targets.is_empty() && !line.starts_with(char::is_whitespace)).then_some((targets, needs))
}

/// A recipe with make's variables filled: `$(X)`, `$@`, `$<`, `$$`.
fn filled(recipe: &str, vars: &BTreeMap<String, String>, rule: &Rule) -> String {
    let mut text = recipe.to_owned();
    for _ in 0..MAX_LEVELS {
        let mut next = text.clone();
        for (name, value) in vars {
            next = next.replace(&format!("$({name})"), value).replace(&format!("${{{name}}}"), value);
        }
        if next == text || next.len() > 1_000_000 {
            break;
        }
        text = next;
    }
    let first = rule.needs.first().map(String::as_str).unwrap_or_default();
    text.replace("$@", &rule.target).replace("$<", first).replace("$^", &rule.needs.join(" ")).replace("$$", "$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_recipes_and_needs() {
        let text = "DB ?= lake\n.PHONY: all\nall: load mart # both\nload: dirs\n\t@psql $(DB) -f $@.sql\nmart:\n\tpsql -f mart.sql\n";
        let (vars, rules) = parsed(text);
        assert_eq!(vars["DB"], "lake");
        let names: Vec<_> = rules.iter().map(|rule| (rule.target.as_str(), rule.needs.join(" "))).collect();
        assert_eq!(names, [("all", "load mart".to_owned()), ("load", "dirs".to_owned()), ("mart", String::new())]);
        assert_eq!(filled(&text[rules[1].start..rules[1].end], &vars, &rules[1]), "\t@psql lake -f load.sql\n");
    }
}
