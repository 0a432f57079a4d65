//! Faults in the user's input, as values: each has a code, a summary that never varies, its place,
//! what is wrong here and what to do. Reading goes on after each; nothing is hidden.
mod code;
mod diagnostic;

pub use code::{CODES, Code, CodeEntry, Severity};
pub use diagnostic::{Diagnostic, Diagnostics};
