//! The world behind three traits: [`Origin`], [`Bucket`], [`Lake`]; one file per engine.
mod model;

pub use model::*;
