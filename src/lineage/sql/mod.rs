//! SQL text into carve's own statements: lexer, dialects, splitting, grammar, lowering, fallback scan.
pub(in crate::lineage) mod dialect;
pub(in crate::lineage) mod fills;
pub(in crate::lineage) mod help;
pub(in crate::lineage) mod ir;
pub(in crate::lineage) mod lexer;
mod lower;
mod lower_change;
mod lower_expr;
mod lower_query;
mod lower_stmt;
pub(in crate::lineage) mod parse;
mod remote;
pub(in crate::lineage) mod scan;
pub(in crate::lineage) mod script;
mod split;
mod types;
pub(in crate::lineage) mod words;
