//! Everything decided before anything is done: draft (pure), steps, plan file, check, diff.
mod model;

pub use model::*;
