//! Templates in SQL: rendered by a real engine where that works, expression by expression where not.
mod ampersands;
mod branch;
mod dataform;
mod engine;
mod expand;
mod fill;
mod moment;
mod objects;
mod outside;
mod pieces;
mod project;
mod tags;

pub(in crate::lineage) use fill::{Filled, fill};
pub(in crate::lineage) use project::Projects;
