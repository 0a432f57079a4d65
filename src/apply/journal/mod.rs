//! What was begun and what is done: append-only lines on disk, and the state they mean.
mod crash;
mod event;
mod file;
mod state;

pub use event::{Event, Facts};
pub use file::JournalError;
pub(in crate::apply) use file::{Journal, read, services};
pub use state::{IllegalEvent, Phase, RunState, Stage, StepState};
