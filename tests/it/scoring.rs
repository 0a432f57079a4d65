//! Graph and scoring over small estates built by hand: no file is read, no SQL parsed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod boundary;
mod documented;
mod estates;
mod order;
mod properties;
mod ranks;
mod scale;
