//! SQLite: one file, or a folder in which every schema is a file of its own.
//!
//! Each file knows one thing: `place` where the files are, `affinity` what a declared type means,
//! `values` how one value crosses, `describe` what a table is, `snapshot` one state of all files,
//! `staging`, `swap`, `rehearsal` and `books` how an import comes in, `script` and `query` how SQL is run.
mod affinity;
mod books;
mod describe;
mod lake;
mod origin;
mod place;
mod query;
mod rehearsal;
mod rows;
mod script;
mod shortfall;
mod snapshot;
mod staging;
mod swap;
mod tables;
mod trouble;
mod values;

pub use origin::Sqlite;
