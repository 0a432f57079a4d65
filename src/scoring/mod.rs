//! What is worth a service, and why: candidates, criteria, ranking, sensitivity, sequence.
mod model;

pub use model::*;
