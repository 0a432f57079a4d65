//! Who feeds whom: build, cycles, boundary. Only `dependency_graph` knows petgraph.
mod model;

pub use model::*;
