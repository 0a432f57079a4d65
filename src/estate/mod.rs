//! Reads the files of one estate into one checked value: a reader a format, faults beside the value.
mod model;

pub use model::*;
