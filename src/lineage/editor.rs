//! Everything about an estate that reading one script anew needs, gathered once for many scripts.
use crate::{
    estate::{Estate, SameNames, Script},
    lineage::{
        analysis::{self, Prepared, declared_catalog},
        resolve::{Catalog, JobResolver, Resolved},
        template::Projects,
    },
    vocab::DatasetId,
};

/// Reads scripts of one estate again, before and after an edit: [`Editor::repoint`], [`Editor::comparable_queries`].
///
/// Making one indexes the whole estate, so one serves all scripts of a plan.
#[derive(Clone, Debug)]
pub struct Editor<'e> {
    pub(in crate::lineage) estate: &'e Estate,
    projects: Projects,
    catalog: Catalog,
    names: SameNames,
}

impl<'e> Editor<'e> {
    /// For edits that make reads of one dataset reads of another: each of `moves` is (old, new), and the new
    /// dataset has the columns that are declared for the old one.
    pub fn new<'d>(estate: &'e Estate, moves: impl IntoIterator<Item = (&'d DatasetId, &'d DatasetId)>) -> Self {
        let mut catalog = declared_catalog(estate);
        let moves: Vec<(&DatasetId, &DatasetId)> = moves.into_iter().collect();
        let names = estate.same_names.moved(moves.iter().copied());
        for (from, to) in moves {
            if let Some(columns) = catalog.get(from).cloned() {
                catalog.insert(to.clone(), columns);
            }
        }
        Editor { estate, projects: Projects::of(estate), catalog, names }
    }

    pub(in crate::lineage) fn analyse(&self, script: &Script) -> (Prepared, Resolved) {
        analysis::analyse(script, self.estate, &self.projects, &self.catalog, &self.names)
    }

    /// The same, and each other way through conditions that nobody can decide.
    pub(in crate::lineage) fn every_way(&self, script: &Script) -> Vec<(Prepared, Resolved)> {
        let (mut prepared, resolved) = self.analyse(script);
        let others = std::mem::take(&mut prepared.others).into_iter().map(|way| {
            let resolved = JobResolver::new(&self.catalog, &self.names).script(script, &way.sql);
            (way, resolved)
        });
        let others: Vec<_> = others.collect();
        std::iter::once((prepared, resolved)).chain(others).collect()
    }
}
