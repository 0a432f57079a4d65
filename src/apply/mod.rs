//! Runs a plan and can be run again: executor, journal (pure state), one file per kind of step, proofs.
mod model;

pub use model::*;
