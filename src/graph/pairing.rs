//! Which reads of a job feed which of its writes.
//!
//! A command or statement that says both its source and its target is complete: it is paired with nothing else. What
//! says only one of the two is a loose end, and loose ends meet loose ends.
use std::collections::{BTreeMap, BTreeSet};

use super::gather::Mention;
use crate::{
    estate::{Declaration, Job},
    lineage::{Access, JobLineage, StatementLineage},
    vocab::{DatasetId, Span},
};

/// Datasets read, and datasets they feed.
pub(super) type Sets<'a> = (BTreeSet<&'a DatasetId>, BTreeSet<&'a DatasetId>);

/// What is known of how one dataset is filled; the last says most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Filled {
    /// Rows only go.
    Emptied,
    /// From values that the statement has from elsewhere: constants, or what a program hands it.
    ByValues,
    /// By a command or statement that says from what.
    Whole,
    /// By one that does not: rows of a pipe or of a frame.
    Open,
}

/// The flows of one job: one a target whose sources are known, and one of its loose ends.
pub(super) fn flows_of<'a>(
    job: &'a Job,
    lineage: Option<&'a JobLineage>,
    mentions: &'a [Mention<'a>],
) -> Vec<Sets<'a>> {
    let with = |access| mentions.iter().filter(move |m| m.access == access).map(|m| m.dataset);
    let reads: BTreeSet<&DatasetId> = with(Access::Read).collect();
    let writes: BTreeSet<&DatasetId> = with(Access::Write).collect();
    let statements = lineage.map_or(&[][..], |lineage| &lineage.statements);

    let known = known(job, statements, &reads, &writes);
    let covered: BTreeSet<&DatasetId> = known.values().flatten().copied().collect();
    let unused: BTreeSet<&DatasetId> = reads.difference(&covered).copied().collect();
    let filled = filled(job, statements, &writes);
    let with = |how: Filled| -> BTreeSet<&DatasetId> {
        filled.iter().filter(|(_, own)| **own == how).map(|(dataset, _)| *dataset).collect()
    };
    let (open, by_values) = (with(Filled::Open), with(Filled::ByValues));

    let loose: BTreeSet<&DatasetId> = loose_reads(job, statements, &reads).chain(unused.iter().copied()).collect();
    let ends = if open.is_empty() && !loose.is_empty() { by_values } else { open };
    let mut flows: Vec<Sets<'a>> = Vec::new();
    for (target, mut sources) in known {
        sources.remove(target);
        if !(ends.contains(target) && sources.is_empty()) {
            flows.push((sources, BTreeSet::from([target])));
        }
    }
    match (loose.is_empty(), ends.is_empty()) {
        (false, false) => flows.push((loose, ends)),
        (false, true) => flows.extend(without_ends(job, mentions, unused, writes)),
        // A config's own words about the whole job: what is not known is never taken for independence.
        (true, false) if job.declared_by != Declaration::Tool => flows.push((reads, ends)),
        (true, false) => flows.push((BTreeSet::new(), ends)),
        (true, true) => {}
    }
    flows
}

/// The datasets that commands and statements fill, each with what they fill it from.
fn known<'a>(
    job: &'a Job,
    statements: &'a [StatementLineage],
    reads: &BTreeSet<&'a DatasetId>,
    writes: &BTreeSet<&'a DatasetId>,
) -> BTreeMap<&'a DatasetId, BTreeSet<&'a DatasetId>> {
    let mut known: BTreeMap<&DatasetId, BTreeSet<&DatasetId>> = BTreeMap::new();
    for import in &job.imports {
        known.entry(&import.into).or_default().insert(&import.from);
    }
    for one in &job.moves {
        known.entry(&one.into).or_default().insert(&one.from);
    }
    for statement in statements {
        if let Some(target) = statement.target.as_ref().filter(|target| writes.contains(target)) {
            known.entry(target).or_default().extend(statement.sources.iter().filter(|s| reads.contains(s)));
        }
    }
    known
}

/// How each of `writes` is filled.
fn filled<'a>(
    job: &'a Job,
    statements: &'a [StatementLineage],
    writes: &BTreeSet<&'a DatasetId>,
) -> BTreeMap<&'a DatasetId, Filled> {
    let mut filled: BTreeMap<&DatasetId, Filled> = BTreeMap::new();
    let mut note = |dataset: &'a DatasetId, how: Filled| {
        let own = filled.entry(dataset).or_insert(how);
        *own = how.max(*own);
    };
    job.imports.iter().for_each(|import| note(&import.into, Filled::Whole));
    job.moves.iter().for_each(|one| note(&one.into, Filled::Whole));
    for statement in statements {
        if let Some(target) = &statement.target {
            note(target, how_of(statement, target));
        }
    }
    let moved = job.moves.iter().map(|one| &one.into);
    surplus(job.writes.iter().map(|(dataset, _)| dataset), moved).for_each(|dataset| note(dataset, Filled::Open));
    writes.iter().map(|dataset| (*dataset, filled.get(dataset).copied().unwrap_or(Filled::Open))).collect()
}

fn how_of(statement: &StatementLineage, target: &DatasetId) -> Filled {
    let takes_others = statement.sources.iter().any(|source| source != target);
    match statement.kind.as_str() {
        _ if takes_others => Filled::Whole,
        "delete" | "truncate" => Filled::Emptied,
        "update" => Filled::ByValues,
        // Its own definition says all that is in it.
        kind if kind.starts_with("create") => Filled::Whole,
        _ if !statement.sources.is_empty() => Filled::Whole,
        // Rows that come on the client's input.
        "copy" | "load" => Filled::Open,
        _ => Filled::ByValues,
    }
}

/// What commands and bare queries read without saying for what.
fn loose_reads<'a>(
    job: &'a Job,
    statements: &'a [StatementLineage],
    reads: &BTreeSet<&'a DatasetId>,
) -> impl Iterator<Item = &'a DatasetId> {
    let moved = job.moves.iter().map(|one| &one.from);
    let by_commands = surplus(job.reads.iter().map(|(dataset, _)| dataset), moved);
    let bare = statements.iter().filter(|statement| statement.target.is_none());
    by_commands.chain(bare.flat_map(|statement| &statement.sources).filter(|source| reads.contains(source)))
}

/// Those of `all` that stand there more often than in `moved`.
fn surplus<'a>(
    all: impl Iterator<Item = &'a DatasetId>,
    moved: impl Iterator<Item = &'a DatasetId>,
) -> impl Iterator<Item = &'a DatasetId> {
    let mut left: BTreeMap<&DatasetId, i64> = BTreeMap::new();
    all.for_each(|dataset| *left.entry(dataset).or_default() += 1);
    moved.for_each(|dataset| *left.entry(dataset).or_default() -= 1);
    left.into_iter().filter(|(_, count)| *count > 0).map(|(dataset, _)| dataset)
}

/// The flows of reads that belong to no statement, in a job without an open end. A config's own words, and the
/// conditions of a script, may feed what they stand beside; a command's output that nobody takes feeds nothing.
fn without_ends<'a>(
    job: &'a Job,
    mentions: &'a [Mention<'a>],
    unused: BTreeSet<&'a DatasetId>,
    writes: BTreeSet<&'a DatasetId>,
) -> Vec<Sets<'a>> {
    if unused.is_empty() {
        return Vec::new();
    }
    if job.declared_by != Declaration::Tool {
        return vec![(unused, writes)];
    }
    let scripts = Scripts::of(job);
    let mut beside: BTreeMap<usize, Sets<'a>> = BTreeMap::new();
    let mut met: BTreeSet<&DatasetId> = BTreeSet::new();
    for one in mentions {
        let Some(script) = scripts.around(one.at) else { continue };
        match one.access {
            Access::Read if unused.contains(one.dataset) => beside.entry(script).or_default().0.insert(one.dataset),
            Access::Write => beside.entry(script).or_default().1.insert(one.dataset),
            _ => continue,
        };
    }
    let mut flows: Vec<Sets<'a>> =
        beside.into_values().filter(|(reads, writes)| !reads.is_empty() && !writes.is_empty()).collect();
    flows.iter().for_each(|(reads, _)| met.extend(reads));
    let alone: BTreeSet<&DatasetId> = unused.difference(&met).copied().collect();
    flows.extend((!alone.is_empty()).then_some((alone, BTreeSet::new())));
    flows
}

/// The scripts of a job by their places.
struct Scripts<'a>(BTreeMap<(&'a str, usize), (usize, usize)>);

impl<'a> Scripts<'a> {
    fn of(job: &'a Job) -> Self {
        let places = job.scripts.iter().enumerate();
        Scripts(places.map(|(number, one)| ((one.at.file.as_str(), one.at.start), (one.at.end, number))).collect())
    }

    /// The number of the script in which `at` stands.
    fn around(&self, at: &Span) -> Option<usize> {
        let (key, (end, number)) = self.0.range(..=(at.file.as_str(), at.start)).next_back()?;
        (key.0 == at.file.as_str() && at.start <= *end).then_some(*number)
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;
    use crate::{
        estate::Move,
        lineage::{Evidence, TableUse},
        vocab::JobId,
    };

    fn id(name: &str) -> DatasetId {
        DatasetId::from_str(name).unwrap()
    }

    fn place() -> Span {
        Span::of("run.sh", "", 0, 0)
    }

    /// Statements as `kind target < source source`, `-` for none.
    fn lineage(statements: &[&str]) -> JobLineage {
        let mut all = JobLineage::default();
        for text in statements {
            let words: Vec<&str> = text.split_whitespace().collect();
            let named = |name: &str, access| TableUse {
                dataset: id(name),
                access,
                evidence: Evidence::Parsed,
                at: place(),
                exact: false,
            };
            let target = Some(words[1]).filter(|name| *name != "-");
            all.uses.extend(target.map(|name| named(name, Access::Write)));
            all.uses.extend(words[3..].iter().map(|name| named(name, Access::Read)));
            all.statements.push(StatementLineage {
                kind: words[0].to_owned(),
                target: target.map(id),
                sources: words[3..].iter().map(|name| id(name)).collect(),
                ..StatementLineage::default()
            });
        }
        all
    }

    fn shown(job: &Job, lineage: &JobLineage) -> Vec<String> {
        let mentions = crate::graph::gather::mentions_of(job, Some(lineage));
        let names = |all: &BTreeSet<&DatasetId>| all.iter().map(|id| id.to_string()).collect::<Vec<_>>().join("+");
        let flows = flows_of(job, Some(lineage), &mentions);
        flows.iter().map(|(from, into)| format!("{} > {}", names(from), names(into))).collect()
    }

    fn tool() -> Job {
        Job::of_tool(JobId::new("run.sh"), place())
    }

    #[test]
    fn loose_ends_meet_loose_ends_and_complete_statements_nothing() {
        let one = lineage(&["insert m.h < r.h", "select - < cust", "copy raw.cust <", "insert log <", "update c < c"]);
        let flows = shown(&tool(), &one);
        assert_eq!(flows, [" > c", " > log", "r.h > m.h", "cust > raw.cust"]);
    }

    #[test]
    fn rows_read_go_to_values_written_where_nothing_else_takes_them() {
        let one = lineage(&["select - < s", "insert t <", "delete d <", "insert o < x"]);
        assert_eq!(shown(&tool(), &one), [" > d", "x > o", "s > t"]);
    }

    #[test]
    fn a_move_is_complete_and_the_same_table_may_be_loose_beside_it() {
        let mut job = tool();
        for (from, into) in [("a", "b"), ("c", "d")] {
            job.reads.push((id(from), place()));
            job.writes.push((id(into), place()));
            job.moves.push(Move { from: id(from), into: id(into), at: place() });
        }
        assert_eq!(shown(&job, &JobLineage::default()), ["a > b", "c > d"]);
        job.reads.push((id("a"), place()));
        job.writes.push((id("e"), place()));
        assert_eq!(shown(&job, &JobLineage::default()), ["a > b", "c > d", "a > e"]);
    }

    #[test]
    fn a_query_whose_rows_nobody_takes_feeds_nothing() {
        let mut job = tool();
        job.reads.push((id("s3://b/x"), place()));
        assert_eq!(shown(&job, &lineage(&["insert o < s"])), ["s > o", "s3://b/x > "]);
        // What a config says of the whole job may feed all of it.
        job.declared_by = Declaration::CarveJobs;
        assert_eq!(shown(&job, &lineage(&["insert o < s"])), ["s > o", "s3://b/x > o"]);
    }
}
