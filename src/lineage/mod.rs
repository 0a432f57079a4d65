//! SQL into reads, writes and column edges: templates, dialects, scopes, a fallback scan, span edits.
mod model;

pub use model::*;
