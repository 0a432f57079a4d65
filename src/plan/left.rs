//! What still names a table that moves and is not edited: each place, for a person to look at.
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use camino::Utf8Path;
use rayon::prelude::*;

use super::{DraftInputs, endpoints::Lane, mention::mentions, repoint::Gathered};
use crate::{
    diagnostics::Severity,
    estate::{FileFormat, Job},
    lineage::Access,
    vocab::{DatasetId, JobId, Span, WordFinder},
};

/// A sentence with its place for every mention of a table that moves which no edit covers: in SQL that was not
/// understood, in files that could not be read as what they are, in strings, and without a schema. `told` are jobs
/// and tables of which the list says so already.
pub(super) fn left(
    inputs: &DraftInputs<'_>,
    lanes: &[Lane],
    gathered: &Gathered,
    told: &BTreeSet<(JobId, DatasetId)>,
) -> Vec<String> {
    let moving: Vec<&Lane> = lanes.iter().filter(|lane| lane.live != lane.raw).collect();
    if moving.is_empty() {
        return Vec::new();
    }
    let mut found = without_schema(inputs, &moving);
    let names = WordFinder::new(moving.iter().map(|lane| lane.raw.name()));
    let sizes: HashMap<&str, u64> = inputs.estate.files.iter().map(|file| (file.path.as_str(), file.bytes)).collect();
    let in_file = |(file, jobs): (&str, Vec<(usize, &Job)>)| {
        let Some(text) = text_of(inputs, file, &jobs, &sizes) else { return Vec::new() };
        let file = Utf8Path::new(file);
        let named: Vec<&Lane> = match &names {
            Some(names) => names.found_in(&text).map(|at| moving[at]).collect(),
            None => moving.clone(),
        };
        if named.is_empty() {
            return Vec::new();
        }
        // Lower case in ASCII keeps every byte in its place.
        let lower = text.to_ascii_lowercase();
        let spans = gathered.get(file);
        // Edits do not overlap: only the last that begins before `at` can cover it.
        let edited = |at: usize| {
            let before = spans.and_then(|spans| spans.range(..(at + 1, 0, String::new(), String::new())).next_back());
            before.is_some_and(|(_, end, ..)| at < *end)
        };
        let places = named.into_iter().flat_map(|lane| {
            let at = mentions(&lower, lane.raw.name()).into_iter();
            at.map(move |at| (lane, at)).filter(|(_, at)| !edited(*at) && !is_filled(&lower, *at))
        });
        let lines = places.filter_map(|(lane, at)| {
            let job = jobs.iter().rev().find(|(start, _)| *start <= at).map(|(_, job)| *job);
            mentioned(inputs, &lane.raw, job, Span::of(file, &text, at, at), told)
        });
        lines.collect()
    };
    let lines: Vec<Vec<String>> = files(inputs).into_par_iter().map(in_file).collect();
    found.extend(lines.into_iter().flatten());
    found
}

/// The text of a file of `jobs`: most are one script, whose text is at hand. `sizes` are those of files, in bytes.
fn text_of<'a>(
    inputs: &DraftInputs<'a>,
    file: &str,
    jobs: &[(usize, &'a Job)],
    sizes: &HashMap<&str, u64>,
) -> Option<Cow<'a, str>> {
    let size = sizes.get(file).copied();
    let mut scripts = jobs.iter().flat_map(|(_, job)| &job.scripts);
    let whole = scripts.find(|script| {
        let all = script.at.start == 0 && Some(script.text.len() as u64) == size;
        all && script.verbatim && script.at.file.as_str() == file
    });
    match whole {
        Some(script) => Some(Cow::Borrowed(&*script.text)),
        None => (inputs.read_file)(Utf8Path::new(file)).map(Cow::Owned),
    }
}

fn mentioned(
    inputs: &DraftInputs<'_>,
    raw: &DatasetId,
    job: Option<&Job>,
    at: Span,
    told: &BTreeSet<(JobId, DatasetId)>,
) -> Option<String> {
    let Some(job) = job else {
        return Some(format!("{at}: `{raw}` in a file that was not understood: see whether it must be repointed"));
    };
    let writes = inputs.graph.datasets().get(raw).is_some_and(|facts| facts.written_by.contains(&job.id));
    if writes || told.contains(&(job.id.clone(), raw.clone())) {
        return None;
    }
    Some(format!(
        "{at}: `{raw}` in job `{}` stands where carve does not edit: see whether it must be repointed",
        job.id
    ))
}

/// Whether the word before says that the table is made or filled there: that is no read.
fn is_filled(lower: &str, at: usize) -> bool {
    let before = lower[..at].trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '"' | '\'' | '`'));
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    matches!(word, "table" | "exists" | "into" | "update" | "overwrite")
}

/// A bare name that nothing writes may be the table, by a search path that carve does not see.
fn without_schema(inputs: &DraftInputs<'_>, moving: &[&Lane]) -> Vec<String> {
    let datasets = inputs.graph.datasets();
    let mut by_table: BTreeMap<&str, Vec<&DatasetId>> = BTreeMap::new();
    for raw in moving.iter().map(|lane| &lane.raw).filter(|raw| raw.schema().is_some()) {
        by_table.entry(raw.table()).or_default().push(raw);
    }
    let bare = |id: &DatasetId| {
        id.schema().is_none()
            && id.system().is_none()
            && !id.is_file_set()
            && datasets.get(id).is_some_and(|facts| facts.written_by.is_empty())
    };
    let mut lines = Vec::new();
    for edge in inputs.graph.edges().iter().filter(|edge| edge.access == Access::Read && bare(&edge.dataset)) {
        let (job, name) = (&edge.job, &edge.dataset);
        for raw in by_table.get(name.table()).into_iter().flatten() {
            lines.extend(edge.places.iter().map(|at| {
                format!("{at}: job `{job}` reads `{name}` without a schema, which may be `{raw}`: see whether it must be repointed")
            }));
        }
    }
    lines
}

/// Files of jobs, each with its jobs by where they begin, and files that were not understood, in order.
fn files<'a>(inputs: &DraftInputs<'a>) -> Vec<(&'a str, Vec<(usize, &'a Job)>)> {
    let mut files: HashMap<&str, Vec<(usize, &Job)>> = HashMap::new();
    for job in &inputs.estate.jobs {
        for at in job.scripts.iter().map(|script| &script.at).chain([&job.at]) {
            files.entry(at.file.as_str()).or_default().push((at.start, job));
        }
    }
    let jobs_live_in = |format| !matches!(format, FileFormat::Settings | FileFormat::UsageLog | FileFormat::Superset);
    let broken = inputs.diagnostics.iter().filter(|fault| fault.code.severity == Severity::Error);
    let broken: BTreeSet<&str> = broken.map(|fault| fault.at.file.as_str()).collect();
    let broken = inputs.estate.files.iter().filter(|file| broken.contains(file.path.as_str()));
    for file in broken.filter(|file| jobs_live_in(file.format)) {
        files.entry(file.path.as_str()).or_default();
    }
    let mut files: Vec<(&str, Vec<(usize, &Job)>)> = files.into_iter().collect();
    files.sort_unstable_by_key(|(file, _)| *file);
    files.iter_mut().for_each(|(_, jobs)| jobs.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id))));
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_made_or_filled_is_not_read_there() {
        let at = |text: &str| is_filled(text, text.find("raw.a").unwrap());
        assert!(
            at("create table if not exists raw.a (") && at("insert into raw.a") && at("{ from: a, into: \"raw.a\" }")
        );
        assert!(!at("select * from raw.a") && !at("'raw.a'") && !at("raw.a"));
    }
}
