//! The data service's format, seen through its door.
mod bumps;
mod contracts;
mod fingerprints;
mod manifests;
mod parts;
mod publication;
mod rows;
