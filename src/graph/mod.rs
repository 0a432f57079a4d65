//! Who feeds whom: build, cycles, boundary. Only `dependency_graph` knows petgraph.
//!
//! [`DependencyGraph::build`] turns an estate and its lineage into one graph of datasets, jobs and
//! exposures. What it answers: [`DependencyGraph::datasets`] (layer, systems, domain, readers and
//! writers of each), [`DependencyGraph::edges`], [`DependencyGraph::cycles`], the neighbourhood up
//! and down, the order in which jobs can run, and how domains lean on each other.
mod boundary;
mod consumption;
mod coupling;
mod dependency_graph;
mod domains;
mod facts;
mod faults;
mod gather;
mod job_order;
mod label_set;
mod model;
mod name_glob;
mod origins;
mod pairing;
mod places;
mod system_set;
mod walks;

pub use dependency_graph::DependencyGraph;
pub use model::*;
pub use name_glob::name_matches;
pub use origins::Origins;
pub use system_set::SystemSet;
