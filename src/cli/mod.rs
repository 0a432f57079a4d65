//! Arguments, settings, exit codes; one file per command. Joins the rooms.
