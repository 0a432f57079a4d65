//! What the bare query in `age.sql` fills, where its folder is no schema that anybody names: the one table `age` that
//! is read and that nothing writes.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use camino::Utf8Path;

use super::mentions::Mentions;
use crate::{
    estate::{Declaration, Estate},
    vocab::{DatasetId, JobId},
};

/// The jobs whose bare queries fill another table than their files' places suggest.
pub(in crate::lineage) fn targets(estate: &Estate, mentions: &Mentions) -> BTreeMap<JobId, DatasetId> {
    if mentions.placed.is_empty() {
        return BTreeMap::new();
    }
    let all = Unwritten::of(estate, mentions);
    let proposed = all.proposed();
    if proposed.is_empty() {
        return BTreeMap::new();
    }
    let found = all.without_cycles(proposed);
    let beside = all.beside(&found);
    let found = found.into_iter().map(|(job, dataset)| (job, dataset.clone()));
    found.chain(beside).map(|(job, dataset)| (estate.jobs[job].id.clone(), dataset)).collect()
}

/// Tables that are read and that nothing is seen to write.
struct Unwritten<'e> {
    estate: &'e Estate,
    mentions: &'e Mentions,
    by_table: BTreeMap<&'e str, BTreeSet<&'e DatasetId>>,
    /// How many tables that are read each schema has.
    by_schema: BTreeMap<Option<&'e str>, usize>,
    /// Schemas that something else than a suggested target names.
    schemas: BTreeSet<&'e str>,
    read: HashSet<&'e DatasetId>,
}

/// Jobs whose targets one folder or one config suggests, in one schema.
type Group<'e> = (&'e Utf8Path, Option<&'e str>);

impl<'e> Unwritten<'e> {
    fn of(estate: &'e Estate, mentions: &'e Mentions) -> Self {
        let read: HashSet<&DatasetId> = mentions.reads.iter().flatten().chain(&mentions.shown).collect();
        let written: HashSet<&DatasetId> = mentions.writes.iter().flatten().collect();
        let said = mentions.writes.iter().enumerate();
        let said = said.flat_map(|(job, all)| all.iter().filter(move |one| mentions.placed.get(&job) != Some(*one)));
        let named = read.iter().copied().chain(said).chain(&mentions.declared);
        let schemas = named.filter(|one| one.system().is_none()).filter_map(DatasetId::schema).collect();
        let outside = |dataset: &DatasetId| {
            dataset.system().is_some()
                || dataset.is_file_set()
                || estate.declared.get(dataset).is_some_and(|declared| declared.source.is_some())
        };
        let (mut by_table, mut by_schema) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeMap::new());
        for dataset in read.difference(&written).copied().filter(|dataset| !outside(dataset)) {
            by_table.entry(dataset.table()).or_default().insert(dataset);
        }
        for dataset in read.iter().filter(|dataset| !outside(dataset)) {
            *by_schema.entry(dataset.schema()).or_default() += 1;
        }
        Unwritten { estate, mentions, by_table, by_schema, schemas, read }
    }

    fn is_unwritten(&self, dataset: &DatasetId) -> bool {
        self.by_table.get(dataset.table()).is_some_and(|all| all.contains(dataset))
    }

    fn group(&self, job: usize) -> Group<'e> {
        let job_at = &self.estate.jobs[job].at.file;
        let own_file = self.estate.jobs[job].scripts.iter().any(|script| script.at.file == *job_at);
        let around = if own_file { job_at.parent().unwrap_or(job_at) } else { job_at };
        (around, self.mentions.placed.get(&job).and_then(DatasetId::schema))
    }

    /// Whether a reader or its schema says that `placed` is what is filled.
    fn is_confirmed(&self, placed: &DatasetId) -> bool {
        self.read.contains(placed) || placed.schema().is_some_and(|schema| self.schemas.contains(schema))
    }

    /// The tables that `job` may fill, where nothing confirms `placed`. What it reads is none of them.
    fn candidates(&self, job: usize, placed: &DatasetId) -> Vec<&'e DatasetId> {
        let all = self.by_table.get(placed.table()).filter(|_| !self.is_confirmed(placed));
        all.into_iter().flatten().copied().filter(|found| !self.mentions.reads[job].contains(*found)).collect()
    }

    /// Job → the one table of its file's name; each table for one job.
    fn proposed(&self) -> BTreeMap<usize, &'e DatasetId> {
        let open = self.mentions.placed.iter().map(|(job, placed)| (*job, self.candidates(*job, placed)));
        let (sure, open): (Vec<_>, Vec<_>) =
            open.filter(|(_, all)| !all.is_empty()).partition(|(_, all)| all.len() == 1);
        let mut schemas: BTreeMap<Group<'e>, BTreeSet<Option<&str>>> = BTreeMap::new();
        for (job, all) in &sure {
            schemas.entry(self.group(*job)).or_default().insert(all[0].schema());
        }
        // Of several tables of the name it is the one beside those that its neighbours fill.
        let beside = open.into_iter().filter_map(|(job, all)| {
            let schemas = schemas.get(&self.group(job)).filter(|schemas| schemas.len() == 1)?;
            Some((job, all.into_iter().find(|found| schemas.contains(&found.schema()))?))
        });
        let mut jobs: BTreeMap<&DatasetId, BTreeSet<usize>> = BTreeMap::new();
        for (job, found) in sure.iter().map(|(job, all)| (*job, all[0])).chain(beside) {
            jobs.entry(found).or_default().insert(job);
        }
        for jobs in jobs.values_mut().filter(|jobs| jobs.len() > 1) {
            // What a config runs counts before a file that nothing runs.
            jobs.retain(|job| self.estate.jobs[*job].declared_by != Declaration::BareSql);
        }
        jobs.retain(|_, jobs| jobs.len() == 1);
        let kept = self.made_here(jobs).into_iter();
        kept.flat_map(|(found, jobs)| jobs.into_iter().map(move |job| (job, found))).collect()
    }

    /// Without schemas of whose tables only few are filled here: the others are filled elsewhere, and names agree by
    /// chance.
    fn made_here<T>(&self, mut found: BTreeMap<&'e DatasetId, T>) -> BTreeMap<&'e DatasetId, T> {
        let mut of_schema: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        let filled = self.read.iter().filter(|dataset| dataset.system().is_none() && !self.is_unwritten(dataset));
        for dataset in found.keys().chain(filled) {
            *of_schema.entry(dataset.schema()).or_default() += 1;
        }
        let count = |counts: &BTreeMap<Option<&str>, usize>, one: &DatasetId| {
            counts.get(&one.schema()).copied().unwrap_or_default()
        };
        found.retain(|dataset, _| count(&of_schema, dataset) * 2 >= count(&self.by_schema, dataset));
        found
    }

    /// Jobs whose results nobody reads, beside such as fill one other schema: theirs is the same.
    fn beside(&self, found: &BTreeMap<usize, &'e DatasetId>) -> BTreeMap<usize, DatasetId> {
        let mut groups: BTreeMap<Group<'e>, Vec<Option<&str>>> = BTreeMap::new();
        for (job, target) in found {
            groups.entry(self.group(*job)).or_default().push(target.schema());
        }
        let named: HashSet<&DatasetId> = self.mentions.each().collect();
        let target = |(job, placed): (&usize, &DatasetId)| {
            let schemas = groups.get(&self.group(*job)).filter(|_| !found.contains_key(job))?;
            let [Some(schema), rest @ ..] = schemas.as_slice() else { return None };
            let is_one = !rest.is_empty() && rest.iter().all(|other| *other == Some(*schema));
            let target = DatasetId::from_parts(&[*schema, placed.table()]);
            let is_free = !self.is_confirmed(placed) && !named.contains(&target);
            (is_one && is_free).then_some((*job, target))
        };
        self.mentions.placed.iter().filter_map(target).collect()
    }

    /// A job does not fill what it reads through other jobs.
    fn without_cycles(&self, proposed: BTreeMap<usize, &'e DatasetId>) -> BTreeMap<usize, &'e DatasetId> {
        let mut writers: HashMap<&DatasetId, BTreeSet<usize>> = HashMap::new();
        for (job, writes) in self.mentions.writes.iter().enumerate() {
            for dataset in writes.iter().chain(proposed.get(&job).copied()) {
                writers.entry(dataset).or_default().insert(job);
            }
        }
        let of = |(job, reads): (usize, &BTreeSet<DatasetId>)| -> BTreeSet<usize> {
            let all = reads.iter().filter_map(|dataset| writers.get(dataset)).flatten().copied();
            all.filter(|writer| *writer != job).collect()
        };
        let before: Vec<BTreeSet<usize>> = self.mentions.reads.iter().enumerate().map(of).collect();
        let tied = tied(&before);
        let feeds_itself = |job: usize, target: &DatasetId| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![job]);
            while let Some(job) = open.pop() {
                if self.mentions.reads[job].contains(target) {
                    return true;
                }
                open.extend(before[job].iter().filter(|job| tied.contains(job) && seen.insert(**job)));
            }
            false
        };
        let kept = |(job, target): &(usize, &DatasetId)| !tied.contains(job) || !feeds_itself(*job, target);
        proposed.into_iter().filter(kept).collect()
    }
}

/// Jobs on a cycle or behind one, where `before` are the jobs that feed each.
fn tied(before: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); before.len()];
    for (job, feeders) in before.iter().enumerate() {
        feeders.iter().for_each(|feeder| after[*feeder].push(job));
    }
    let mut waits: Vec<usize> = before.iter().map(BTreeSet::len).collect();
    let mut free: Vec<usize> = (0..before.len()).filter(|job| waits[*job] == 0).collect();
    while let Some(job) = free.pop() {
        for next in &after[job] {
            waits[*next] -= 1;
            if waits[*next] == 0 {
                free.push(*next);
            }
        }
    }
    (0..before.len()).filter(|job| waits[*job] > 0).collect()
}
