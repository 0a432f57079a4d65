//! Runs a plan and can be run again: executor, journal (pure state), one file per kind of step, proofs.
mod error;
mod journal;
mod lock;
mod model;
mod world;

pub use error::ApplyError;
pub use journal::{Event, Facts, IllegalEvent, JournalError, Phase, RunState, Stage, StepState};
pub use model::*;
pub use world::{RunOptions, World};
