use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use crate::{
    estate::Commit,
    scoring::{
        EvidenceRow,
        criteria::{Measure, Measured, counted},
        survey::{Piece, Survey},
    },
    vocab::Span,
};

/// Commits to the files that make the candidate: its import jobs, the jobs of its source-aligned
/// datasets, the DDL of both. Each commit counts once, half as much every `half_life_days` before the
/// newest commit of the estate, and less where it touched more than `bulk_files` files.
pub(super) struct Structural;

impl Measure for Structural {
    fn name(&self) -> &'static str {
        "structural"
    }

    fn measure(&self, survey: &Survey<'_>, piece: &Piece) -> Measured {
        let Some(newest) = survey.estate.history.newest else {
            return Measured { raw: None, because: "no git history".to_owned(), evidence: Vec::new() };
        };
        let files = files_of(survey, piece);
        let mut commits: BTreeMap<&str, (&Commit, &Utf8Path)> = BTreeMap::new();
        for file in &files {
            for commit in survey.estate.history.commits.get(*file).into_iter().flatten() {
                commits.entry(&commit.id).or_insert((commit, file));
            }
        }
        let mut rows: Vec<(i64, f64, EvidenceRow)> = Vec::new();
        let mut bulk = 0;
        for (commit, file) in commits.values() {
            let seconds = (newest.as_second() - commit.at.as_second()).max(0);
            let weight = weight_of(seconds as f64 / 86_400.0, commit.files, survey);
            let is_bulk = f64::from(commit.files) > survey.parameters.bulk_files;
            bulk += usize::from(is_bulk);
            let because = format!(
                "{} before the newest commit, {} touched{}: counts {weight:.2}",
                counted((seconds / 86_400) as usize, "day", "days"),
                counted(commit.files as usize, "file", "files"),
                if is_bulk { ", a bulk change" } else { "" },
            );
            let at = Some(Span::whole(file.to_path_buf()));
            rows.push((seconds, weight, EvidenceRow { what: format!("commit {}", commit.id), because, at }));
        }
        // The newest first; equal ages by name, since `commits` is in the order of names.
        rows.sort_by_key(|(seconds, ..)| *seconds);
        // An empty sum is -0.0, which people would see.
        let raw = rows.iter().fold(0.0, |sum, (_, weight, _)| sum + weight);
        let discounted = match bulk {
            0 => String::new(),
            bulk => format!(" and discounting {}", counted(bulk, "bulk change", "bulk changes")),
        };
        let because = format!(
            "{} to {}, {raw:.1} after ageing{discounted}",
            counted(rows.len(), "commit", "commits"),
            counted(files.len(), "file", "files")
        );
        Measured { raw: Some(raw), because, evidence: rows.into_iter().map(|(.., row)| row).collect() }
    }
}

fn weight_of(age_days: f64, files: u32, survey: &Survey<'_>) -> f64 {
    let bulk = survey.parameters.bulk_files;
    let share = if f64::from(files) > bulk { bulk / f64::from(files) } else { 1.0 };
    (-age_days / survey.parameters.half_life_days).exp2() * share
}

fn files_of<'a>(survey: &Survey<'a>, piece: &'a Piece) -> BTreeSet<&'a Utf8Path> {
    let mut files = BTreeSet::new();
    for job in piece.candidate.import_jobs.iter().chain(&piece.aligned_jobs) {
        let Some(job) = survey.jobs.get(job) else { continue };
        files.insert(job.at.file.as_path());
        files.extend(job.scripts.iter().map(|script| script.at.file.as_path()));
    }
    for dataset in piece.candidate.raw.iter().chain(&piece.candidate.aligned) {
        if let Some(at) = survey.estate.declared.get(dataset).and_then(|declared| declared.at.as_ref()) {
            files.insert(at.file.as_path());
        }
        files.extend(survey.definitions.get(dataset).into_iter().flatten().copied());
    }
    files
}
