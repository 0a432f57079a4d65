//! The order in which jobs are read: who fills a dataset comes before who reads it.
use std::collections::{BTreeSet, HashMap};

use crate::vocab::DatasetId;

/// Jobs (by index) in levels: no job of a level reads what a later one writes, but for cycles, which are cut
/// at the job that waits for the fewest others.
pub(in crate::lineage) fn levels(tables: &[(Vec<&DatasetId>, Vec<&DatasetId>)]) -> Vec<Vec<usize>> {
    let mut writers: HashMap<&DatasetId, Vec<usize>> = HashMap::new();
    for (job, (_, writes)) in tables.iter().enumerate() {
        writes.iter().for_each(|dataset| writers.entry(dataset).or_default().push(job));
    }
    let mut waits: Vec<usize> = vec![0; tables.len()];
    let mut feeds: Vec<Vec<usize>> = vec![Vec::new(); tables.len()];
    for (job, (reads, _)) in tables.iter().enumerate() {
        let before = reads.iter().filter_map(|dataset| writers.get(dataset)).flatten().copied();
        let before: BTreeSet<usize> = before.filter(|writer| *writer != job).collect();
        waits[job] = before.len();
        before.into_iter().for_each(|writer| feeds[writer].push(job));
    }
    let mut left: BTreeSet<(usize, usize)> = waits.iter().enumerate().map(|(job, waits)| (*waits, job)).collect();
    let mut levels = Vec::new();
    while let Some((fewest, _)) = left.first().copied() {
        let free = left.iter().take_while(|(count, _)| *count == 0).map(|(_, job)| *job);
        let level: Vec<usize> =
            if fewest == 0 { free.collect() } else { left.first().map(|(_, job)| *job).into_iter().collect() };
        for job in &level {
            left.remove(&(waits[*job], *job));
        }
        for job in &level {
            for reader in std::mem::take(&mut feeds[*job]) {
                let before = (waits[reader], reader);
                waits[reader] -= 1;
                if left.remove(&before) {
                    left.insert((waits[reader], reader));
                }
            }
        }
        levels.push(level);
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels_of(jobs: &[(&[&str], &[&str])]) -> Vec<Vec<usize>> {
        let ids = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<DatasetId>>();
        let owned: Vec<_> = jobs.iter().map(|(reads, writes)| (ids(reads), ids(writes))).collect();
        levels(
            &owned.iter().map(|(reads, writes)| (reads.iter().collect(), writes.iter().collect())).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn writers_come_before_readers() {
        assert_eq!(levels_of(&[(&["b"], &["c"]), (&["a"], &["b"]), (&["a"], &["d"])]), [vec![1, 2], vec![0]]);
    }

    #[test]
    fn a_cycle_is_cut_and_everything_is_read() {
        let levels = levels_of(&[(&["b"], &["a"]), (&["a"], &["b"]), (&["a", "b"], &["c"]), (&["c"], &["c"])]);
        assert_eq!(levels, [vec![0], vec![1], vec![2], vec![3]]);
    }
}
