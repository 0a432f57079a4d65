//! The shop: a whole invented company to try carve on, in the binary itself.
//!
//! [`write_estate`] lays out the lake team's repository, [`make_history`] gives it the git history of a
//! year, [`create_sources`] builds the operational databases behind it, and [`late_rows`] lets time go
//! by in them. [`LegacyLake`] is the shop's old job runner: it fills the lake as the shop's cron does,
//! before carve has changed anything. The same target, scale and seed give the same bytes.
//!
//! Public so that the integration tests build on the data that the demo shows.
mod changelog;
mod embedded;
mod error;
mod estate_files;
mod history;
mod late;
mod legacy_lake;
mod moments;
mod random;
mod sources;
mod sqlite;
mod texts;

pub use error::DemoDataError;
pub use estate_files::{RUN_VALUES, SETTINGS, estate_files, write_estate};
pub use history::make_history;
pub use late::{LateRows, late_rows};
pub use legacy_lake::{LAKE_FOLDER, LAKE_SCHEMAS, LegacyLake};
pub use sources::{SourceSummary, create_sources};
