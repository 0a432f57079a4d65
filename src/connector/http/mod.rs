//! An HTTP API of a microservice as a place data comes from: a table is an endpoint that answers items as JSON.
//!
//! `settings` is what an address says, `auth` who asks, `client` one request and its answer (the only file that knows
//! hyper), `retry` how often; `answer` finds the items and what stands around them, `paging` the next page, `reading`
//! reads an endpoint whole into a `spool` on disk, and `origin` answers carve from there. An API has no snapshots:
//! docs/CONNECTIONS.md says what is done about it.
mod answer;
mod auth;
mod client;
mod link;
mod origin;
mod paging;
mod reading;
mod retry;
mod settings;
mod spool;
mod trouble;
mod url;

pub use origin::HttpOrigin;
