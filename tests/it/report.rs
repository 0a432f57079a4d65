//! The report on a shop of realistic size and on estates that are none.
mod chromium;
mod pages;
mod shop;
mod switchover;
