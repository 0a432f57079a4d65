//! Comments in a SQL file that show how it is run: `-- usage: hive -d table=mart.t -f loads/t.hql`.
//!
//! Many houses keep no other word of what a parameterised script fills. A command in a comment that runs the very file it
//! stands in binds the file's parameters; what is only a form to fill in (`-d table=<table>`) binds nothing.
use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use crate::estate::{Job, Script, command, paths::folder_of, reader::Around, text_file::TextFile, walk::Found};

/// Signs of a value that people fill in.
const FORMS: &[&str] = &["<", ">", "$", "{", "[", "...", "…", "xxx"];

/// Binds the parameters of `job`, made of `file` alone, as the commands in its comments say: a script each.
pub(crate) fn bind(job: &mut Job, file: &TextFile, found: &[Found], texts: &BTreeMap<Utf8PathBuf, TextFile>) {
    let [script] = job.scripts.as_slice() else { return };
    let own: Vec<Script> = runs(file, found, texts)
        .into_iter()
        .map(|run| {
            let mut params = script.params.clone();
            params.extend(run.params);
            Script {
                params,
                dialect: script.dialect.clone().or(run.dialect),
                schema: script.schema.clone().or(run.schema),
                ..script.clone()
            }
        })
        .collect();
    if !own.is_empty() {
        job.scripts = own;
    }
}

/// What the comments of `file` run it with, each set of parameters once.
fn runs(file: &TextFile, found: &[Found], texts: &BTreeMap<Utf8PathBuf, TextFile>) -> Vec<Script> {
    // Most files never say their own name.
    let Some(name) = file.path.file_name().filter(|name| file.text.contains(*name)) else { return Vec::new() };
    // The comment runs this file and no other, wherever the machine has it.
    let Ok(at) = found.binary_search_by(|one| one.path.cmp(&file.path)) else { return Vec::new() };
    let vars = BTreeMap::new();
    let around = Around::new(&found[at..=at], vec![texts], u64::MAX, &vars, None);
    let place = command::Place { file: file.clone(), base: None, whole: file.whole() };
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for text in commented(&file.text).into_iter().filter(|text| text.contains(name)) {
        let run = |from| command::run(from, &place, folder_of(&file.path), BTreeMap::new(), &around).scripts;
        let bound = command::from_clients(&text).map(run).map(|scripts| {
            let own = scripts.into_iter().filter(|script| script.at.file == file.path);
            own.map(without_forms).filter(|script| !script.params.is_empty()).collect::<Vec<_>>()
        });
        let first = bound.into_iter().find(|scripts| !scripts.is_empty()).unwrap_or_default();
        all.extend(first.into_iter().filter(|script| seen.insert(script.params.clone())));
    }
    all
}

fn without_forms(mut script: Script) -> Script {
    script.params.retain(|_, value| !value.is_empty() && !FORMS.iter().any(|sign| value.contains(sign)));
    script
}

/// The lines of comments in `text` without their marks, those that go on in the next joined with it.
fn commented(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let (mut inside, mut goes_on) = (false, false);
    for line in text.lines() {
        let trimmed = line.trim();
        let opens = trimmed.starts_with("/*");
        let comment = match trimmed.strip_prefix("--").or_else(|| trimmed.strip_prefix('#')) {
            Some(rest) => rest,
            None if inside || opens => trimmed.trim_start_matches(['/', '*']).trim_end_matches(['*', '/']),
            None => {
                goes_on = false;
                continue;
            }
        };
        inside = (inside || opens) && !trimmed.ends_with("*/");
        let comment = comment.trim();
        let (words, more) = match comment.strip_suffix('\\') {
            Some(words) => (words.trim_end(), true),
            None => (comment, false),
        };
        match lines.last_mut().filter(|_| goes_on) {
            Some(before) => before.extend([" ", words]),
            None => lines.push(words.to_owned()),
        }
        goes_on = more;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_comments_are_joined_where_they_go_on() {
        let text = "-- Usage:\n--   hive -f a.hql \\\n--     -d x=1\nselect 1\n/* psql\n * -f b.sql */\n# c\n";
        assert_eq!(commented(text), ["Usage:", "hive -f a.hql -d x=1", "psql", "-f b.sql", "c"]);
    }
}
