//! dbt projects as rendering sees them: macros by name, relations by model.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use regex::Regex;

use crate::{
    estate::{DbtProject, Estate, Fragments},
    vocab::DatasetId,
};

/// Every dbt project of an estate, its macros indexed once, and the files that templates include.
#[derive(Clone, Debug, Default)]
pub(in crate::lineage) struct Projects(Vec<Arc<Project>>, Fragments);

/// One project.
#[derive(Debug, Default)]
pub(super) struct Project {
    /// Its facts.
    pub(super) facts: DbtProject,
    /// Macro → file (index into `facts.macros`); later files win.
    pub(super) macros: BTreeMap<String, usize>,
    /// Package → macro → file.
    pub(super) packages: BTreeMap<String, BTreeMap<String, usize>>,
}

static MACRO: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{%[-+]?\s*macro\s+([A-Za-z_][A-Za-z0-9_]*)").expect("the pattern is written here and a test runs it")
});

impl Projects {
    /// The projects of `estate`.
    pub(in crate::lineage) fn of(estate: &Estate) -> Self {
        let projects = estate.dbt_projects.iter().map(|facts| Arc::new(Project::of(facts))).collect();
        Projects(projects, estate.fragments.clone())
    }

    /// The files that templates include.
    pub(super) fn fragments(&self) -> &Fragments {
        &self.1
    }

    /// The one relation that all projects together know as the model `name`.
    pub(super) fn model(&self, name: &str) -> Option<DatasetId> {
        let found: BTreeSet<&DatasetId> = self.0.iter().filter_map(|project| project.facts.nodes.get(name)).collect();
        found.iter().next().filter(|_| found.len() == 1).map(|id| (*id).clone())
    }

    /// The one relation that all projects together know as the table `table` of the source `source`.
    pub(super) fn source(&self, source: &str, table: &str) -> Option<DatasetId> {
        let key = (source.to_owned(), table.to_owned());
        let known = self.0.iter().filter_map(|project| project.facts.sources.get(&key)).map(|one| &one.relation);
        let found: BTreeSet<&DatasetId> = known.collect();
        found.iter().next().filter(|_| found.len() == 1).map(|id| (*id).clone())
    }

    /// The project numbered `index`.
    pub(super) fn get(&self, index: usize) -> Option<Arc<Project>> {
        self.0.get(index).cloned()
    }
}

impl Project {
    fn of(facts: &DbtProject) -> Self {
        let mut project = Project { facts: facts.clone(), ..Project::default() };
        for (file, (package, _, text)) in facts.macros.iter().enumerate() {
            for captures in MACRO.captures_iter(text) {
                let name = captures[1].to_owned();
                project.packages.entry(package.clone()).or_default().insert(name.clone(), file);
                project.macros.insert(name, file);
            }
        }
        project
    }

    /// The text of the macro file called `key`.
    pub(super) fn macro_text(&self, key: &str) -> Option<String> {
        let index: usize = key.strip_prefix("macros/")?.parse().ok()?;
        self.facts.macros.get(index).map(|(_, _, text)| without_blocks(text))
    }
}

static OPENING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{%[-+]?\s*(test|data_test|materialization|snapshot|docs)\s")
        .expect("the pattern is written here and a test runs it")
});

/// `text` without dbt's own blocks, which the engine does not know and which hold no macro. Lines stay.
fn without_blocks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = OPENING.captures_at(text, at) {
        let (Some(whole), Some(word)) = (found.get(0), found.get(1)) else { break };
        out.push_str(&text[at..whole.start()]);
        let end = block_end(text, whole.end(), word.as_str());
        out.extend(text[whole.start()..end].chars().filter(|c| *c == '\n'));
        at = end;
    }
    out.push_str(&text[at..]);
    out
}

/// The byte behind the tag `{% end<word> %}`; the text's end where there is none.
fn block_end(text: &str, mut at: usize, word: &str) -> usize {
    while let Some(open) = text[at..].find("{%").map(|found| at + found) {
        let close = text[open..].find("%}").map_or(text.len(), |found| open + found + 2);
        let inner = text[open + 2..close].trim_start_matches(['-', '+']).trim_start();
        if inner.strip_prefix("end").is_some_and(|rest| rest.starts_with(word)) {
            return close;
        }
        at = open + 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_are_no_macros_are_left_out() {
        let text = "a{% test t(m) %}\n{% if x %}{% endif %}{%- endtest -%}b{% materialization v, adapter='x' %}\nc{% endmaterialization %}{% macro d() %}{% endmacro %}";
        assert_eq!(without_blocks(text), "a\nb\n{% macro d() %}{% endmacro %}");
        assert_eq!(without_blocks("a{% docs b %}c"), "a");
    }

    #[test]
    fn the_projects_own_macro_wins() {
        let file = |package: &str, text: &str| (package.to_owned(), "m.sql".into(), Arc::from(text));
        let macros =
            vec![file("dbt_utils", "{% macro a() %}1{% endmacro %}"), file("shop", "{%- macro a() -%}2{% endmacro %}")];
        let project = Project::of(&DbtProject { macros, ..DbtProject::default() });
        assert_eq!(project.macros["a"], 1);
        assert_eq!(project.packages["dbt_utils"]["a"], 0);
    }
}
