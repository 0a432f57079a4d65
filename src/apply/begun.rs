//! The plan that was begun, kept beside its journal: the file under `plans/` may be planned anew or go meanwhile, and
//! what was begun must still be finished, followed or undone.
use camino::Utf8Path;

use crate::{
    apply::{error::StepError, files, journal},
    plan::{self, Plan},
    vocab::ServiceName,
};

const FILE: &str = "plan.yaml";

/// Keeps `plan` in its service's `folder`.
pub(super) fn keep(folder: &Utf8Path, plan: &Plan) -> Result<(), StepError> {
    let text = plan::to_text(plan).map_err(|error| StepError::Broken(error.to_string()))?;
    files::replace(&folder.join(FILE), text.as_bytes()).map_err(StepError::io("keep the plan beside its journal"))
}

/// Forgets it: all of it is undone.
pub(super) fn forget(folder: &Utf8Path) {
    let _ = std::fs::remove_file(folder.join(FILE));
}

/// The plan of `service` that was begun and not undone, below the folder `state` of carve's own files; `None` where
/// there is none, or what was kept is not what the journal speaks of.
pub fn begun(state: &Utf8Path, service: &ServiceName) -> Option<Plan> {
    let folder = state.join(service.as_str());
    let state = journal::read(&folder).ok()?.state;
    let id = state.plan.filter(|_| state.stage != journal::Stage::RolledBack)?;
    let text = String::from_utf8(files::read(&folder.join(FILE)).ok()??).ok()?;
    plan::from_text(&text).ok().filter(|plan| plan.id == id)
}
