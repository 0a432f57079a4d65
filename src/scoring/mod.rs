//! What is worth a service, and why: candidates, criteria, ranking, sensitivity, sequence.
//!
//! [`score`] judges every candidate of an estate; [`explain`] shows how one score came about and
//! [`compare`] what decides between two. The formulas are in docs/SCORING.md.
mod bundles;
mod candidates;
mod compare;
mod confidence;
mod cost;
mod criteria;
mod explain;
mod model;
mod number;
mod parameters;
mod ranking;
mod sensitivity;
mod sequence;
mod sidney;
mod standing;
mod survey;

pub use compare::compare;
pub use explain::explain;
pub use model::*;
pub use parameters::Parameters;
pub use ranking::score;
pub use sensitivity::deciding_pair;
