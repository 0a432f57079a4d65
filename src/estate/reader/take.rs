//! From what each reader found to jobs of one estate: what runs something accounts for it.
use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use super::Reading;
use crate::{
    estate::{FileFormat, FormatCoverage, Job},
    vocab::JobId,
};

/// One file that a reader took.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) path: Utf8PathBuf,
    pub(crate) format: FileFormat,
    pub(crate) reading: Reading,
}

/// The jobs of every file that no other one runs.
pub(crate) struct TakenJobs {
    /// In the order in which their files were taken.
    pub(crate) readings: Vec<Reading>,
    /// What each file was read as.
    pub(crate) formats: BTreeMap<Utf8PathBuf, FileFormat>,
    /// How much each format gave.
    pub(crate) coverage: BTreeMap<FileFormat, FormatCoverage>,
}

impl TakenJobs {
    /// Sorts `taken`: a file that another one runs gives no jobs of its own.
    pub(crate) fn of(taken: Vec<Taken>) -> TakenJobs {
        let run = run_by_others(&taken);
        let named = claimed_by_name(&taken);
        let mut all = TakenJobs { readings: Vec::new(), formats: BTreeMap::new(), coverage: BTreeMap::new() };
        for Taken { path, format, mut reading } in taken {
            if run.contains(&path) {
                // The caller's reading says it better: with the arguments it is run with.
                reading = Reading { claimed: reading.claimed, also_read: reading.also_read, ..Reading::default() };
            }
            if by_place(format) {
                reading.jobs.retain(|job| !job.scripts.iter().any(|script| named.contains(&script.at.file)));
            }
            // A file that does nothing with data is none of carve's business.
            if reading.jobs.is_empty() && reading.pieces == 0 && !run.contains(&path) && reading.is_bare() {
                continue;
            }
            let coverage = all.coverage.entry(format).or_default();
            coverage.jobs += reading.jobs.len() as u64;
            coverage.pieces += reading.pieces;
            coverage.opaque += reading.opaque;
            for path in reading.also_read.iter().chain([&path]) {
                all.formats.insert(path.clone(), format);
            }
            all.readings.push(reading);
        }
        for format in all.formats.values() {
            all.coverage.entry(*format).or_default().files += 1;
        }
        all
    }
}

impl Reading {
    /// Whether nothing was found or told.
    fn is_bare(&self) -> bool {
        self.faults.is_empty() && self.sources.is_empty() && self.declared.is_empty() && self.dbt_runs.is_empty()
    }
}

/// Whether files of `format` are about the SQL beside them, which they do not name.
fn by_place(format: FileFormat) -> bool {
    format == FileFormat::TableMetadata
}

/// The files that jobs name: what runs one is no second job by its place.
fn claimed_by_name(taken: &[Taken]) -> BTreeSet<Utf8PathBuf> {
    let naming = taken.iter().filter(|one| !by_place(one.format));
    naming.flat_map(|one| one.reading.claimed.iter().cloned()).collect()
}

/// The files that a job of another file runs, by way of any number of others. Of a circle the first counts as run by none.
fn run_by_others(taken: &[Taken]) -> BTreeSet<Utf8PathBuf> {
    let claims: BTreeMap<&Utf8PathBuf, &BTreeSet<Utf8PathBuf>> =
        taken.iter().map(|one| (&one.path, &one.reading.claimed)).collect();
    let claimed: BTreeSet<&Utf8PathBuf> =
        taken.iter().flat_map(|one| one.reading.claimed.iter().filter(move |path| **path != one.path)).collect();
    let (inner, outer): (Vec<&Utf8PathBuf>, Vec<&Utf8PathBuf>) =
        claims.keys().copied().partition(|p| claimed.contains(p));
    let mut run: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    for root in outer.into_iter().chain(inner) {
        let mut open = vec![root];
        let first_in_circle = !run.contains(root);
        while let Some(path) = open.pop().filter(|_| first_in_circle) {
            for next in claims.get(path).into_iter().flat_map(|claimed| claimed.iter()) {
                if next != root && run.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
    }
    run
}

/// Puts jobs in the place of names that stand for several.
pub(crate) fn expand(jobs: &mut [Job], groups: &BTreeMap<String, Vec<JobId>>) {
    for job in jobs {
        if !job.depends_on.iter().any(|id| groups.contains_key(id.as_str())) {
            continue;
        }
        let of = |id: &JobId| groups.get(id.as_str()).cloned().unwrap_or_else(|| vec![id.clone()]);
        let all: BTreeSet<JobId> = job.depends_on.iter().flat_map(of).filter(|id| *id != job.id).collect();
        job.depends_on = all.into_iter().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(path: &str, claimed: &[&str]) -> Taken {
        let reading = Reading { claimed: claimed.iter().map(|p| (*p).into()).collect(), ..Reading::default() };
        Taken { path: path.into(), format: FileFormat::Shell, reading }
    }

    #[test]
    fn what_another_file_runs_is_no_job_of_its_own_and_a_circle_keeps_one() {
        let all = [taken("a", &["b"]), taken("b", &["c"]), taken("c", &[]), taken("x", &["y"]), taken("y", &["x"])];
        assert_eq!(run_by_others(&all), ["b", "c", "y"].map(Utf8PathBuf::from).into());
    }
}
