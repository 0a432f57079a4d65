//! The terminal: tables, bars, source frames.
