//! What is worth a service, and why: candidates, criteria, ranking, sensitivity, sequence.
//!
//! [`score`] judges every candidate of an estate; [`explain`] shows how one score came about and
//! [`compare`] what decides between two. The formulas are in docs/SCORING.md.
mod model;
mod parameters;

pub use model::*;
pub use parameters::Parameters;
