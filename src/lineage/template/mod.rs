//! Templates in SQL: rendered by a real engine where that works, masked at equal length where not.
mod dataform;
mod engine;
mod fill;
mod mask;
mod objects;
mod outside;
mod project;

pub(in crate::lineage) use fill::{Filled, fill};
pub(in crate::lineage) use project::Projects;
