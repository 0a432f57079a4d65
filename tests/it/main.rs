//! Every test that crosses rooms: one binary, so that it links once.
mod apply;
mod cli;
mod connector;
mod estate;
mod fixtures;
mod layers;
mod lineage;
mod report;
mod scoring;
mod service;
