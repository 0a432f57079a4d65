//! DuckDB: one file, which a single process at a time may have open to write.
//!
//! Each file knows one thing: `place` where the file is, `instance` how it is opened once a process,
//! `types` what a type means and how its values are asked for, `values` how one value crosses, `catalog`
//! what is there, `reading` and `snapshot` how rows come out, `staging`, `swap`, `successor`, `rehearsal` and
//! `books` how an import comes in, `script` and `query` how SQL is run.
mod books;
mod catalog;
mod describe;
mod instance;
mod lake;
mod origin;
mod place;
mod query;
mod reading;
mod rehearsal;
mod script;
mod snapshot;
mod staging;
mod successor;
mod swap;
mod trouble;
mod types;
mod values;

pub use origin::DuckDb;
