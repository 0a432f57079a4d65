//! Arguments, settings, exit codes; one file per command. Joins the rooms.
pub mod demo_data;
