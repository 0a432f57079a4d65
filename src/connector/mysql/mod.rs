//! MariaDB and MySQL as an origin: the only room that knows mysql_async.
//!
//! `target` is where a server is and how its password is found, `session` how it is reached and with which settings;
//! `names` says what a dataset's name stands for, `types` what each type means, `describe` what a table is;
//! `reading`, `values` and `snapshot` read tables.
mod describe;
mod names;
mod origin;
mod reading;
mod session;
mod snapshot;
mod target;
mod trouble;
mod types;
mod values;

pub use origin::Mysql;
