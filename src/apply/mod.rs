//! Runs a plan and can be run again: executor, journal (pure state), one file per kind of step, proofs.
//!
//! [`preflight`] tries everything first, [`run`] does the steps, [`rollback`] undoes them, [`refresh`] keeps a
//! wrapped service fresh, [`verify`] proves it again at any time, [`status`] tells how far all services are. What
//! the journal means and what happens after a crash is in `docs/APPLY.md`.
mod begun;
mod breaking;
mod context;
mod cut;
mod differences;
mod error;
mod extract;
mod files;
mod journal;
mod known_edits;
mod lock;
mod model;
mod not_compared;
mod note;
mod overtaken;
mod preflight;
mod proofs;
mod prune;
mod publication;
mod publishing;
mod readings;
mod refresh;
mod rollback;
mod rows;
mod run;
mod session;
mod status;
mod step;
mod transport;
mod upload;
mod verify;
mod world;

pub use begun::begun;
pub use breaking::{Reader, Readers};
pub use error::{ApplyError, Needs};
pub use journal::{Event, Facts, IllegalEvent, JournalError, Phase, RunState, Stage, StepState};
pub use known_edits::KnownEdits;
pub use model::*;
pub use preflight::preflight;
pub use refresh::{RefreshOptions, refresh};
pub use rollback::rollback;
pub use run::run;
pub use status::status;
pub use verify::verify;
pub use world::{OutsideError, RunOptions, World};
