//! PostgreSQL, as an origin and as the central lake: the only room that knows tokio-postgres.
//!
//! `target` is where a server is and how its password is found, `tls` and `session` how it is reached;
//! `types` says what each of its types means, `describe` what a table is, `wire` and `numeric` how a row crosses,
//! `reading`, `ranges` and `snapshot` read tables, `query` reads answers; `staging`, `copy_in`, `books` and `swap`
//! are how an import comes in. What may not stand in a table's way say `obstacles`, what its successor has of it `successor`,
//! `indexes` (`index_names`), `policies` and `views`, and what it has not `shortfall`, in a `rehearsal`. `script` is how SQL is run.
mod books;
mod copy_in;
mod describe;
mod index_names;
mod indexes;
mod lake;
mod moment;
mod names;
mod numeric;
mod obstacles;
mod origin;
mod password;
mod policies;
mod query;
mod ranges;
mod reading;
mod rehearsal;
mod script;
mod session;
mod shortfall;
mod snapshot;
mod staging;
mod stream;
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
