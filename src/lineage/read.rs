//! The SQL of a whole estate: first tables and DDL, then columns in the order in which datasets feed each other.
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::atomic::{AtomicU64, Ordering},
};

use rayon::prelude::*;

use crate::{
    diagnostics::{CodeEntry, Diagnostic, Diagnostics},
    estate::{Estate, Exposure, Job, JobKind, Script, Templating},
    lineage::{
        Access, Coverage, Evidence, JobLineage, Lineage, Refused, Steps, TableUse,
        analysis::{self, Prepared},
        covered::Covered,
        letters, observed,
        order::levels,
        read_usage::read_usage,
        resolve::{Catalog, JobResolver},
        settled::{Settled, read_settled},
        template::Projects,
    },
    progress::Progress,
    vocab::{Column, DatasetId},
};

const NAME: &str = "reading SQL";

/// Reads every job's, exposure's and usage's SQL, in parallel; the same estate gives the same value.
///
/// Columns come from what is declared, from DDL in scripts, and from the queries that make datasets.
pub fn read(estate: &Estate, progress: &dyn Progress) -> (Lineage, Diagnostics) {
    read_steps(estate, Steps::Collapsed, progress)
}

/// The same, with every step of scripts where `steps` says so.
pub fn read_steps(estate: &Estate, steps: Steps, progress: &dyn Progress) -> (Lineage, Diagnostics) {
    match analysis::deep_pool() {
        Some(pool) => pool.install(|| read_all(estate, steps, progress)),
        None => analysis::on_deep_stack(|| read_all(estate, steps, progress)),
    }
}

fn read_all(estate: &Estate, steps: Steps, progress: &dyn Progress) -> (Lineage, Diagnostics) {
    let projects = Projects::of(estate);
    let count: usize = estate.jobs.iter().map(|job| job.scripts.len()).sum();
    progress.started(NAME, Some(count as u64), "scripts");
    let done = AtomicU64::new(0);
    let declared = analysis::declared_catalog(estate);
    let nothing = Settled { shown: steps == Steps::Raw, ..Settled::default() };
    let first = |job: &Job| {
        let scripts: Vec<Prepared> =
            job.scripts.iter().map(|script| analysis::prepare(script, estate, &projects)).collect();
        let before = done.fetch_add(job.scripts.len() as u64, Ordering::Relaxed);
        progress.advanced(NAME, before + job.scripts.len() as u64);
        // While its trees are at hand: to fetch those of thousands of jobs again takes longer than to walk them.
        let read = read_job(job, &scripts, &declared, &nothing);
        (scripts, read)
    };
    let (prepared, read): (Vec<Vec<Prepared>>, Vec<JobRead>) = estate.jobs.par_iter().map(first).unzip();
    let coverage: Vec<Vec<(&'static str, Coverage)>> = prepared
        .iter()
        .map(|scripts| scripts.iter().map(|one| (one.sql.dialect.name(), one.sql.coverage)).collect())
        .collect();
    let refused = refused(estate.jobs.iter().map(|job| job.scripts.as_slice()).zip(&prepared));
    let shown = prepare_exposures(estate, &projects);
    let (jobs, catalog, settled, mut diagnostics) = read_jobs(estate, prepared, read, declared, &shown, steps);
    let Settled { names, targets, .. } = settled;
    diagnostics.extend(letters::faults(estate, &coverage, &jobs));
    let mut lineage = Lineage { jobs, catalog, names, targets, refused, ..Lineage::default() };
    let mut covered = Covered::of(estate);
    read_exposures(estate, &shown, &mut lineage, &mut covered, &mut diagnostics);
    observed::merge(estate, &mut lineage);
    lineage.usage = read_usage(estate, &projects, &lineage);
    let scripts = estate.jobs.iter().flat_map(|job| &job.scripts);
    for (script, (dialect, coverage)) in scripts.zip(coverage.into_iter().flatten()) {
        covered.add(&mut lineage, &script.at.file, dialect, &coverage);
    }
    diagnostics.sort();
    let statements: u64 = lineage.coverage.values().map(|c| c.statements).sum();
    progress.finished(NAME, &format!("{count} scripts, {statements} statements"));
    (lineage, diagnostics)
}

/// The statements that no grammar took, in the order of scripts.
fn refused<'a>(of: impl Iterator<Item = (&'a [Script], &'a Vec<Prepared>)>) -> Vec<Refused> {
    let scripts = of.flat_map(|(scripts, prepared)| scripts.iter().zip(prepared));
    scripts.flat_map(|(script, prepared)| analysis::refused(script, prepared)).collect()
}

/// What one job means, and what it says about columns.
pub(in crate::lineage) struct JobRead {
    pub(in crate::lineage) lineage: JobLineage,
    diagnostics: Diagnostics,
    declared: Vec<(DatasetId, Vec<Column>)>,
    derived: Vec<(DatasetId, Vec<Column>)>,
    /// Tables that only pass through one of its scripts.
    pub(in crate::lineage) passing: BTreeSet<DatasetId>,
}

/// The jobs of `prepared`, which were read once already (`first`) with nothing but the `catalog` of what is declared.
fn read_jobs(
    estate: &Estate,
    mut prepared: Vec<Vec<Prepared>>,
    first: Vec<JobRead>,
    mut catalog: Catalog,
    shown: &[Vec<Prepared>],
    steps: Steps,
) -> (BTreeMap<crate::vocab::JobId, JobLineage>, Catalog, Settled, Diagnostics) {
    let (first, settled) =
        read_settled(estate, &prepared, first, &mut catalog, &names_shown(estate, shown), steps == Steps::Raw);
    let declared: BTreeSet<DatasetId> = catalog.keys().cloned().collect();
    // Datasets whose columns became known since: only jobs that mention one of them mean more now.
    let mut learnt: HashSet<DatasetId> = HashSet::new();
    for (dataset, columns) in first.iter().flat_map(|one| &one.declared) {
        if !catalog.contains_key(dataset) {
            catalog.insert(dataset.clone(), columns.clone());
            learnt.insert(dataset.clone());
        }
    }
    let mut read: BTreeMap<usize, JobRead> = BTreeMap::new();
    let levels = levels(&tables_of(estate, &first));
    let mut first: Vec<Option<JobRead>> = first.into_iter().map(Some).collect();
    for level in levels {
        let mut work: Vec<(usize, Vec<Prepared>, Option<JobRead>)> =
            level.into_iter().map(|at| (at, std::mem::take(&mut prepared[at]), first[at].take())).collect();
        work.sort_unstable_by_key(|(at, ..)| *at);
        // Trees and first readings are given back by the threads that worked on them: they are many small pieces.
        let again = |(at, scripts, one): (usize, Vec<Prepared>, Option<JobRead>)| {
            let kept = one.filter(|one| !one.mentions_any(&learnt));
            (at, kept.unwrap_or_else(|| read_job(&estate.jobs[at], &scripts, &catalog, &settled)))
        };
        let level: Vec<(usize, JobRead)> = work.into_par_iter().map(again).collect();
        for (dataset, columns) in level.iter().flat_map(|(_, one)| &one.derived) {
            if derive(&mut catalog, &declared, dataset, columns) {
                learnt.insert(dataset.clone());
            }
        }
        read.extend(level);
    }
    let mut diagnostics = Diagnostics::default();
    let mut jobs = BTreeMap::new();
    for (at, one) in read {
        diagnostics.extend(one.diagnostics);
        jobs.insert(estate.jobs[at].id.clone(), one.lineage);
    }
    (jobs, catalog, settled, diagnostics)
}

impl JobRead {
    fn mentions_any(&self, datasets: &HashSet<DatasetId>) -> bool {
        self.lineage.uses.iter().any(|one| datasets.contains(&one.dataset))
    }
}

/// Schema files often list only some columns: a query that makes more of them knows better. False: nothing new.
fn derive(catalog: &mut Catalog, declared: &BTreeSet<DatasetId>, dataset: &DatasetId, columns: &[Column]) -> bool {
    match catalog.get_mut(dataset) {
        None => {
            catalog.insert(dataset.clone(), columns.to_vec());
            true
        }
        Some(known) if declared.contains(dataset) => {
            let is_known = |column: &Column| known.iter().find(|k| k.name.eq_ignore_ascii_case(&column.name)).cloned();
            let missing = columns.iter().any(|column| is_known(column).is_none());
            let covers = known.iter().all(|k| columns.iter().any(|c| c.name.eq_ignore_ascii_case(&k.name)));
            if missing && covers {
                *known = columns.iter().map(|column| is_known(column).unwrap_or_else(|| column.clone())).collect();
            }
            missing && covers
        }
        Some(_) => false,
    }
}

/// What a job reads, and what it writes or defines.
type Tables<'a> = (Vec<&'a DatasetId>, Vec<&'a DatasetId>);

fn tables_of<'a>(estate: &'a Estate, read: &'a [JobRead]) -> Vec<Tables<'a>> {
    estate.jobs.par_iter().zip(read).map(|(job, one)| reads_and_writes(job, &one.lineage)).collect()
}

fn reads_and_writes<'a>(job: &'a Job, lineage: &'a JobLineage) -> Tables<'a> {
    let of = |access: Access| lineage.uses.iter().filter(move |one| one.access == access).map(|one| &one.dataset);
    let reads = of(Access::Read).chain(job.reads.iter().map(|(dataset, _)| dataset));
    let writes = of(Access::Write).chain(of(Access::Define)).chain(job.writes.iter().map(|(dataset, _)| dataset));
    let once = |mut all: Vec<&'a DatasetId>| {
        all.sort_unstable();
        all.dedup();
        all
    };
    (once(reads.collect()), once(writes.collect()))
}

pub(in crate::lineage) fn read_job(job: &Job, prepared: &[Prepared], catalog: &Catalog, settled: &Settled) -> JobRead {
    let mut resolver = JobResolver::new(catalog, &settled.names).collapsing(&settled.kept).staged(&settled.stages);
    if settled.shown {
        resolver = resolver.showing(job.id.as_str());
    }
    let mut one = JobRead {
        lineage: JobLineage::default(),
        diagnostics: Diagnostics::default(),
        declared: Vec::new(),
        derived: Vec::new(),
        passing: BTreeSet::new(),
    };
    let mut untargeted = Vec::new();
    for (script, prepared) in job.scripts.iter().zip(prepared) {
        let script = &*settled.script(job, script);
        let mut resolved = resolver.script(script, &prepared.sql);
        one.lineage.uses.extend(analysis::table_uses(script, prepared, &resolved.uses));
        one.lineage.uses.extend(own_table(script, &one.lineage.uses, settled));
        one.lineage.statements.extend(analysis::placed_statements(script, prepared, &mut resolved));
        one.lineage.unparsed += (prepared.sql.coverage.scanned + prepared.sql.coverage.not_understood) as u32;
        one.lineage.dynamic += prepared.sql.dynamic;
        one.diagnostics.extend(analysis::faults(script, prepared, &resolved));
        untargeted.extend(resolved.untargeted.iter().map(|at| analysis::span_of(script, prepared, at)));
        one.declared.extend(resolved.declared);
        one.derived.extend(resolved.derived);
        one.passing.extend(resolved.passing);
        for way in &prepared.others {
            let mut resolved = resolver.script(script, &way.sql);
            let uses = analysis::table_uses(script, way, &resolved.uses);
            one.passing.append(&mut resolved.passing);
            add_new(&mut one.lineage.uses, uses);
            add_new(&mut one.lineage.statements, analysis::placed_statements(script, way, &mut resolved));
        }
    }
    settled.weaken(job, &mut one.lineage.uses);
    let goes_nowhere = job.kind != JobKind::Export && job.writes.is_empty() && !analysis::writes(&one.lineage.uses);
    if goes_nowhere {
        let here = "nothing says where its rows go";
        one.diagnostics.extend(untargeted.into_iter().map(|at| Diagnostic::new(CodeEntry::E033, at, here)));
    }
    one
}

/// Adds those of `more` that are not there yet.
fn add_new<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// The table that a dbt model makes, whatever became of its SQL; none where `uses` have it.
fn own_table(script: &Script, uses: &[TableUse], settled: &Settled) -> Option<TableUse> {
    let is_made = script.materialized.as_deref() != Some("ephemeral");
    let target = script.target.as_ref().filter(|_| is_made && matches!(script.templating, Templating::Dbt { .. }))?;
    let target = settled.names.own(target, &script.at.file);
    let written = uses.iter().any(|one| one.access == Access::Write && one.dataset == target);
    (!written).then(|| TableUse {
        dataset: target,
        access: Access::Write,
        evidence: Evidence::Declared,
        at: script.at.clone(),
        exact: false,
    })
}

/// The SQL of every exposure, not yet resolved.
fn prepare_exposures(estate: &Estate, projects: &Projects) -> Vec<Vec<Prepared>> {
    let of = |exposure: &Exposure| -> Vec<Prepared> {
        exposure.scripts.iter().map(|script| analysis::prepare(script, estate, projects)).collect()
    };
    estate.exposures.par_iter().map(of).collect()
}

/// Every table that the SQL of exposures reads, each once.
fn names_shown(estate: &Estate, shown: &[Vec<Prepared>]) -> Vec<DatasetId> {
    let settled = Settled::default();
    let nothing = Catalog::new();
    let of = |(exposure, prepared): (&Exposure, &Vec<Prepared>)| -> BTreeSet<DatasetId> {
        let scripts = exposure.scripts.iter().zip(prepared);
        let ways =
            scripts.flat_map(|(script, one)| std::iter::once(one).chain(&one.others).map(move |way| (script, way)));
        let uses =
            ways.flat_map(|(script, way)| JobResolver::new(&nothing, &settled.names).script(script, &way.sql).uses);
        uses.filter(|one| one.access == Access::Read).map(|one| one.dataset).collect()
    };
    let all: BTreeSet<DatasetId> = estate.exposures.par_iter().zip(shown).flat_map_iter(of).collect();
    all.into_iter().collect()
}

fn read_exposures<'a>(
    estate: &'a Estate,
    shown: &'a [Vec<Prepared>],
    lineage: &mut Lineage,
    covered: &mut Covered<'a>,
    diagnostics: &mut Diagnostics,
) {
    let known = &*lineage;
    let read: Vec<_> =
        estate.exposures.par_iter().zip(shown).map(|(exposure, one)| read_exposure(exposure, one, known)).collect();
    lineage.refused.extend(refused(estate.exposures.iter().map(|one| one.scripts.as_slice()).zip(shown)));
    for ((exposure, prepared), (uses, faults)) in estate.exposures.iter().zip(shown).zip(read) {
        lineage.exposures.insert(exposure.id.clone(), uses);
        diagnostics.extend(faults);
        for (script, one) in exposure.scripts.iter().zip(prepared) {
            covered.add(lineage, &script.at.file, one.sql.dialect.name(), &one.sql.coverage);
        }
    }
}

fn read_exposure(exposure: &Exposure, prepared: &[Prepared], known: &Lineage) -> (Vec<TableUse>, Diagnostics) {
    let named = exposure.reads.iter().map(|(dataset, at)| TableUse {
        dataset: known.names.own(dataset, &at.file),
        access: Access::Read,
        evidence: Evidence::Declared,
        at: at.clone(),
        exact: false,
    });
    let mut uses: Vec<TableUse> = named.collect();
    let mut faults = Diagnostics::default();
    for (script, prepared) in exposure.scripts.iter().zip(prepared) {
        let resolved = JobResolver::new(&known.catalog, &known.names).script(script, &prepared.sql);
        uses.extend(analysis::table_uses(script, prepared, &resolved.uses));
        faults.extend(analysis::faults(script, prepared, &resolved));
        for way in &prepared.others {
            let resolved = JobResolver::new(&known.catalog, &known.names).script(script, &way.sql);
            add_new(&mut uses, analysis::table_uses(script, way, &resolved.uses));
        }
    }
    (uses, faults)
}
