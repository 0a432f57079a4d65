//! The report on a shop of realistic size and on estates that are none.
mod catalog;
mod chromium;
mod pages;
mod shop;
mod switchover;
