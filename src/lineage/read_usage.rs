//! What the lines of logs read: tables, SQL, charts and dashboards.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use super::known_names::KnownNames;
use crate::{
    estate::{Estate, Exposure, Script, UsedThing},
    lineage::{Access, Lineage, analysis, template::Projects},
    vocab::DatasetId,
};

/// Index into `Estate::usage` → what it reads. Logs repeat themselves: each text is read once.
pub(in crate::lineage) fn read_usage(
    estate: &Estate,
    projects: &Projects,
    lineage: &Lineage,
) -> BTreeMap<usize, Vec<DatasetId>> {
    if estate.usage.is_empty() {
        return BTreeMap::new();
    }
    let names = KnownNames::of(estate, &lineage.jobs, &lineage.catalog, &lineage.names);
    let mut scripts: BTreeMap<Key<'_>, &Script> = BTreeMap::new();
    for usage in &estate.usage {
        if let UsedThing::Sql(script) = &usage.what {
            scripts.entry(key(script)).or_insert(script);
        }
    }
    let read: HashMap<Key<'_>, Vec<DatasetId>> = scripts
        .into_par_iter()
        .map(|(key, script)| {
            let (_, resolved) = analysis::analyse(script, estate, projects, &lineage.catalog, &lineage.names);
            let reads = resolved.uses.into_iter().filter(|one| one.access == Access::Read);
            let reads: BTreeSet<DatasetId> = reads.map(|one| names.own(&one.dataset)).collect();
            (key, reads.into_iter().collect())
        })
        .collect();
    let seen = Seen::of(estate, lineage);
    let of = |what: &UsedThing| match what {
        UsedThing::Table(dataset) => vec![names.own(dataset)],
        UsedThing::Sql(script) => read.get(&key(script)).cloned().unwrap_or_default(),
        UsedThing::Exposure { kind, number } => seen.reads(kind, *number),
    };
    estate.usage.iter().enumerate().map(|(at, usage)| (at, of(&usage.what))).collect()
}

/// What decides what a text means.
type Key<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

fn key(script: &Script) -> Key<'_> {
    (&script.text, script.dialect.as_deref(), script.schema.as_deref())
}

/// Exposures of Superset by the numbers at the ends of their files' names.
struct Seen<'a> {
    lineage: &'a Lineage,
    by_id: BTreeMap<&'a str, &'a Exposure>,
    by_number: BTreeMap<(&'a str, u64), &'a Exposure>,
}

impl<'a> Seen<'a> {
    fn of(estate: &'a Estate, lineage: &'a Lineage) -> Self {
        let numbered = |exposure: &'a Exposure| {
            let number = exposure.at.file.file_stem()?.rsplit_once('_')?.1.parse().ok()?;
            Some(((exposure.kind.as_str(), number), exposure))
        };
        let by_id = estate.exposures.iter().map(|exposure| (exposure.id.as_str(), exposure)).collect();
        let superset = estate.exposures.iter().filter(|exposure| exposure.tool == "superset");
        Seen { lineage, by_id, by_number: superset.filter_map(numbered).collect() }
    }

    /// What the exposure reads, with everything it is made of.
    fn reads(&self, kind: &str, number: u64) -> Vec<DatasetId> {
        let Some(first) = self.by_number.get(&(kind, number)) else { return Vec::new() };
        let (mut reads, mut known, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![*first]);
        while let Some(exposure) = open.pop() {
            if !known.insert(&exposure.id) {
                continue;
            }
            let uses = self.lineage.exposures.get(&exposure.id).into_iter().flatten();
            reads.extend(uses.filter(|one| one.access == Access::Read).map(|one| one.dataset.clone()));
            open.extend(exposure.parts.iter().filter_map(|part| self.by_id.get(part.as_str())));
        }
        reads.into_iter().collect()
    }
}
