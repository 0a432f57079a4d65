//! The data service's format, seen through its door.
mod fingerprints;
mod parts;
mod rows;
