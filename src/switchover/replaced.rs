use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    plan::{Action, Plan},
    vocab::DatasetId,
};

/// One table whose readers move to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Replaced {
    /// What they read today.
    pub old: DatasetId,
    /// What they shall read.
    pub new: DatasetId,
}

/// The tables that `plan` replaces under a new name. An in-place wrap replaces none: its tables keep theirs.
pub fn replaced(plan: &Plan) -> Vec<Replaced> {
    let swaps = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Swap(swap) => Some(swap),
        _ => None,
    });
    let origins = origins(plan);
    let mut replaced: Vec<Replaced> = swaps
        .filter_map(|swap| {
            let old = origins.get(&swap.staging)?;
            (*old != swap.live).then(|| Replaced { old: old.clone(), new: swap.live.clone() })
        })
        .collect();
    replaced.sort();
    replaced.dedup();
    replaced
}

/// Staging table → the raw table that dependents read today: as the continuity proof compares them,
/// else as the endpoint's origin says it.
fn origins(plan: &Plan) -> BTreeMap<DatasetId, DatasetId> {
    let mut origins = BTreeMap::new();
    let mut published = BTreeMap::new();
    for step in &plan.steps {
        match &step.action {
            Action::Publish(publish) => {
                published.extend(publish.endpoints.iter().map(|e| (e.endpoint.clone(), e.table.clone())));
            }
            Action::Import(import) => {
                let table = published.get(&import.endpoint).filter(|table| table.system().is_none());
                if let Some(table) = table {
                    origins.entry(import.staging.clone()).or_insert_with(|| table.clone());
                }
            }
            Action::ProveContinuity(prove) => {
                origins.insert(prove.new.clone(), prove.old.clone());
            }
            _ => {}
        }
    }
    origins
}
