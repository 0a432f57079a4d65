//! Reads the files of one estate into one checked value: a reader a format, faults beside the value.
mod archive;
mod dbt;
mod dialect;
mod history;
mod job_file;
mod load;
mod model;
mod paths;
mod read_file;
mod roots;
mod settings_file;
mod sql_file;
mod sql_type;
mod starter;
mod superset;
mod text_file;
mod unclaimed;
mod usage;
mod walk;
mod yaml;

pub use dialect::{DIALECTS, dialect_named};
pub use load::{LoadOptions, load};
pub use model::*;
pub use settings_file::settings;
pub use starter::starter_settings;

pub(crate) use usage::header_names;
