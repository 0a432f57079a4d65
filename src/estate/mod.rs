//! Reads the files of one estate into one checked value: a reader a format, faults beside the value.
mod archive;
mod command;
mod cron;
mod dbt;
mod dialect;
mod history;
mod job_file;
mod known_values;
mod load;
mod model;
mod names;
mod openlineage;
mod paths;
mod read_file;
mod reader;
mod roots;
mod settings_file;
mod shell;
mod sql_file;
mod sql_type;
mod starter;
mod superset;
mod text_file;
mod unclaimed;
mod usage;
mod walk;
mod workflows;
mod yaml;

pub use dialect::{DIALECTS, dialect_named};
pub use load::{LoadOptions, load};
pub use model::*;
pub use settings_file::settings;
pub use starter::starter_settings;

pub(crate) use known_values::shaped;
pub(crate) use usage::header_names;
