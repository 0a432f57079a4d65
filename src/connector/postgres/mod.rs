//! PostgreSQL, as an origin and as the central lake: the only room that knows tokio-postgres.
//!
//! `target` is where a server is and how its password is found, `tls` and `session` how it is reached;
//! `types` says what each of its types means, `describe` what a table is, `wire` and `numeric` how a row crosses,
//! `reading`, `ranges` and `snapshot` read tables, `query` reads answers; `staging`, `copy_in`, `books`, `swap`,
//! `views` and `rehearsal` are how an import comes in, `script` how SQL is run.
mod books;
mod copy_in;
mod describe;
mod lake;
mod names;
mod numeric;
mod origin;
mod password;
mod query;
mod ranges;
mod reading;
mod rehearsal;
mod script;
mod session;
mod snapshot;
mod staging;
mod successor;
mod swap;
mod target;
mod tls;
mod trouble;
mod types;
mod values;
mod views;
mod wire;

pub use origin::Postgres;
