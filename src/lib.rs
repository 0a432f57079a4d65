//! carve carves data-lake pipelines out into data services, one piece at a time.
//!
//! The rooms, lowest first; `docs/ARCHITECTURE.md` says which may import which, and a test keeps it.
//! `estate` reads files into values, `lineage` reads their SQL, `graph` says who feeds whom, `export`
//! tells it to other programs, `scoring`
//! what is worth a service, `plan` decides every step before anything is done, `service` is the data
//! service's format, `connector` the world behind three traits, `reconcile` finds what differs
//! between two tables, `apply` runs a plan, `switchover` moves
//! the readers, `catalog` and `report` tell people, `console` and `cli` are the terminal.
pub mod apply;
pub mod catalog;
pub mod cli;
pub mod connector;
pub mod console;
pub mod diagnostics;
pub mod estate;
pub mod export;
pub mod graph;
pub mod lineage;
pub mod plan;
pub mod progress;
pub mod reconcile;
pub mod report;
pub mod scoring;
pub mod service;
pub mod switchover;
pub mod vocab;
