//! SQL into reads, writes and column edges: templates, dialects, scopes, a fallback scan, span edits.
mod doors;
mod model;

pub use doors::*;
pub use model::*;
