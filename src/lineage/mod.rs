//! SQL into reads, writes and column edges: templates, dialects, scopes, a fallback scan, span edits.
//!
//! A script goes through four hands: `template` fills it and remembers where each byte comes from, `sql` cuts
//! it into statements and lowers each into carve's own small tree, `resolve` turns names into datasets and
//! columns into the columns that feed them, and `analysis` puts the result back into places of the file.
//! [`read`] does this for a whole estate, [`Editor`] edits by it, [`meaning`] hashes what matters.
mod analysis;
mod comparable;
mod covered;
mod editor;
mod known_names;
mod letters;
mod meaning;
mod model;
mod naming;
mod observed;
mod order;
mod place;
mod read;
mod read_sql;
mod read_usage;
mod rename;
mod repoint;
mod resolve;
mod settled;
mod sql;
mod template;

pub use analysis::{deep_pool, on_deep_stack};
pub use comparable::{Rendered, render};
pub use editor::Editor;
pub use meaning::{config_meaning, meaning};
pub use model::*;
pub use read::{read, read_steps};
pub use read_sql::{read_ddl, read_sql, read_sql_steps};
pub use repoint::{Move, RepointProblem, TextEdit};
