//! The terminal: tables, bars, source frames, colour. Everything carve prints goes through here.
mod bars;
mod frame;
mod screen;
mod table;
mod wrap;

pub use bars::Bars;
pub use frame::frame;
pub use screen::{ColorChoice, Screen, Style};
pub use table::{Table, bar};
