//! The apply room, over a world in memory that can die at any call.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod bad_days;
mod memory;
mod refreshing;
mod running;
mod shop;
