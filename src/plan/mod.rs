//! Everything decided before anything is done: draft (pure), steps, plan file, check.
mod check;
mod diff;
mod draft;
mod edit;
mod endpoints;
mod fit;
mod inputs;
mod left;
mod mention;
mod model;
mod plan_file;
mod repoint;
mod schedule;
#[cfg(test)]
mod tests_support;
mod wrap;

pub use check::{CheckInputs, StaleStep, check};
pub use diff::unified_diff;
pub use draft::{DraftError, DraftInputs, draft};
pub use edit::{apply_edits, file_edit};
pub use fit::{Fit, FitKnown, StandingEdits, fit};
pub use model::*;
pub use plan_file::{PlanFileError, from_text, to_text};
