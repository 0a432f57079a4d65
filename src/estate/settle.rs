//! The estate once its SQL is read: each dataset under its one name, each bare query with its target.
use std::collections::BTreeMap;

use super::{Estate, SameNames};
use crate::vocab::{DatasetId, JobId, Span};

impl Estate {
    /// Calls each dataset by its one name, and lets the bare queries of `targets` fill what is said there.
    ///
    /// Templates of dbt keep the relations they render.
    pub fn settle(&mut self, names: SameNames, targets: &BTreeMap<JobId, DatasetId>) {
        let place = |all: &mut Vec<(DatasetId, Span)>| {
            for (dataset, at) in all {
                *dataset = names.own(dataset, &at.file);
            }
        };
        for job in &mut self.jobs {
            place(&mut job.reads);
            place(&mut job.writes);
            for one in &mut job.moves {
                one.from = names.own(&one.from, &one.at.file);
                one.into = names.own(&one.into, &one.at.file);
            }
            for import in &mut job.imports {
                import.from = names.own(&import.from, &import.from_at.file);
                import.into = names.own(&import.into, &import.into_at.file);
            }
            for script in &mut job.scripts {
                let settled = script.target.as_ref().map(|target| names.own(target, &script.at.file));
                let given = targets.get(&job.id).filter(|_| settled.is_some()).cloned();
                script.target = given.or(settled);
            }
        }
        for exposure in &mut self.exposures {
            place(&mut exposure.reads);
        }
        for (dataset, declared) in std::mem::take(&mut self.declared) {
            let file = declared.at.as_ref().map(|at| at.file.clone()).unwrap_or_default();
            let own = names.own(&dataset, &file);
            self.declared.entry(own).or_insert(declared);
        }
        self.same_names = names;
    }
}
