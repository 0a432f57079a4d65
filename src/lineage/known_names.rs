//! Names from outside the estate's own text: logs and events write more parts than the estate does.
use std::collections::{BTreeMap, HashSet};

use camino::Utf8Path;

use crate::{
    estate::{Estate, SameNames},
    lineage::{JobLineage, resolve::Catalog},
    vocab::{DatasetId, JobId},
};

/// Every dataset that the estate itself names.
pub(in crate::lineage) struct KnownNames<'a> {
    all: HashSet<&'a DatasetId>,
    same: SameNames,
}

impl<'a> KnownNames<'a> {
    /// The names in jobs, their SQL, exposures and schema files.
    pub(in crate::lineage) fn of(
        estate: &'a Estate,
        jobs: &'a BTreeMap<JobId, JobLineage>,
        catalog: &'a Catalog,
        same: &SameNames,
    ) -> Self {
        let mut names: HashSet<&DatasetId> = catalog.keys().chain(estate.declared.keys()).collect();
        names.extend(jobs.values().flat_map(|job| &job.uses).map(|one| &one.dataset));
        for job in &estate.jobs {
            names.extend(job.reads.iter().chain(&job.writes).map(|(dataset, _)| dataset));
            names.extend(job.imports.iter().flat_map(|import| [&import.from, &import.into]));
        }
        names.extend(estate.exposures.iter().flat_map(|exposure| &exposure.reads).map(|(dataset, _)| dataset));
        KnownNames { all: names, same: same.clone() }
    }

    /// The estate's name for `dataset`: as it is where the estate knows it, else without the catalog (and schema) that
    /// the estate leaves out, else as it is.
    pub(in crate::lineage) fn own(&self, dataset: &DatasetId) -> DatasetId {
        self.same.own(&self.known(dataset), Utf8Path::new(""))
    }

    fn known(&self, dataset: &DatasetId) -> DatasetId {
        if self.all.contains(dataset) || dataset.is_file_set() {
            return dataset.clone();
        }
        let mut name = dataset.name();
        while let Some((_, shorter)) = name.split_once('.') {
            name = shorter;
            let found = match dataset.system() {
                Some(system) => DatasetId::in_system(system, name),
                None => DatasetId::from_parts(&[name]),
            };
            if self.all.contains(&found) {
                return found;
            }
        }
        dataset.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_the_estate_leaves_out_are_left_out() {
        let mut estate = Estate::default();
        for name in ["raw.orders", "crm:accounts", "db.raw.both", "raw.both"] {
            estate.declared.insert(name.parse().unwrap(), Default::default());
        }
        let (jobs, catalog) = Default::default();
        let names = KnownNames::of(&estate, &jobs, &catalog, &estate.same_names);
        for (said, own) in [
            ("prod.raw.orders", "raw.orders"),
            ("raw.orders", "raw.orders"),
            ("db.raw.both", "db.raw.both"),
            ("other.raw.both", "raw.both"),
            ("crm:public.accounts", "crm:accounts"),
            ("else.where", "else.where"),
            ("s3://b/raw.orders", "s3://b/raw.orders"),
        ] {
            assert_eq!(names.own(&said.parse().unwrap()).to_string(), own, "{said}");
        }
    }
}
