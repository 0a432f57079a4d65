//! The apply room, over a world in memory that can die at any call.

mod bad_days;
mod damage;
mod engines;
mod hostile;
mod in_place;
mod memory;
mod refreshing;
mod repointing;
mod running;
mod shop;
