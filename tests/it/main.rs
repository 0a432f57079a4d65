//! Every test that crosses rooms: one binary, so that it links once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that cannot unwrap fails, as it should, and may say why"
)]
#[cfg(feature = "http")]
mod api;
mod apply;
mod bi;
mod cli;
mod connector;
mod docs;
mod estate;
mod fixtures;
mod full_disk;
mod fuzz;
mod honest;
mod kill;
mod layers;
mod lineage;
mod lineage_forms;
mod lineage_limits;
mod loose_ends;
mod names;
mod one_part;
mod plans;
mod production;
mod readers;
mod reconcile;
mod refusals;
mod report;
mod scoring;
mod secrets;
mod servers;
mod service;
mod support;
mod tampered;
#[cfg(feature = "http")]
mod wrap_api;
mod wrap_csv;
