//! The shop's operational systems, filled with two years of invented trade.
mod crm;
mod customer_api;
mod order_api;
mod order_api_rest;
mod web_events;

use camino::Utf8Path;

use crate::{cli::demo_data::DemoDataError, progress::Progress};

/// Rows per table when nothing else is asked for.
const ORDERS: i64 = 60_000;
const CUSTOMERS: i64 = 40_000;
const EVENTS: i64 = 100_000;

/// What was created: rows per table, in the order of `system:table`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceSummary {
    /// `order_api:orders` and its rows.
    pub tables: Vec<(String, u64)>,
}

impl SourceSummary {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, rows)| rows).sum()
    }

    /// Source systems, each once, in order.
    pub fn systems(&self) -> Vec<&str> {
        let mut systems: Vec<&str> = self.tables.iter().filter_map(|(name, _)| Some(name.split_once(':')?.0)).collect();
        systems.dedup();
        systems
    }
}

/// How much of everything there is, and which pseudo-random stream it comes from.
#[derive(Clone, Copy, Debug)]
struct Size {
    seed: u64,
    orders: i64,
    customers: i64,
    events: i64,
}

impl Size {
    fn new(rows_scale: f64, seed: u64) -> Self {
        // A scale that is no number counts as nothing; at least a handful of rows keeps every job meaningful.
        let scaled = |rows: i64| ((rows as f64 * rows_scale) as i64).max(50);
        Size { seed, orders: scaled(ORDERS), customers: scaled(CUSTOMERS), events: scaled(EVENTS) }
    }
}

/// Creates the source databases and file drops of the estate at `target`, below `target/sources`.
///
/// `rows_scale` 1.0 makes about 700,000 rows in all. The rows depend on `rows_scale` and `seed` only.
/// What was there before is replaced. Fails when a file cannot be written.
pub fn create_sources(
    target: &Utf8Path,
    rows_scale: f64,
    seed: u64,
    progress: &dyn Progress,
) -> Result<SourceSummary, DemoDataError> {
    let folder = target.join("sources");
    std::fs::create_dir_all(&folder).map_err(DemoDataError::file("create folder", &folder))?;
    let size = Size::new(rows_scale, seed);
    let name = "creating source databases";
    progress.started(name, Some(4), "systems");
    let mut tables = Vec::new();
    let systems: [(&str, Create); 4] = [
        ("crm", crm::create),
        ("customer_api", customer_api::create),
        ("order_api", order_api::create),
        ("web_events", web_events::create),
    ];
    for (done, (system, create)) in (1..).zip(systems) {
        tables.extend(create(&folder, size)?.into_iter().map(|(table, rows)| (format!("{system}:{table}"), rows)));
        progress.advanced(name, done);
    }
    tables.sort();
    let summary = SourceSummary { tables };
    progress.finished(name, &format!("{} rows in {} tables", summary.rows(), summary.tables.len()));
    Ok(summary)
}

/// Creates one system's tables below a folder.
type Create = fn(&Utf8Path, Size) -> Result<Tables, DemoDataError>;
/// Tables of one system and their rows.
type Tables = Vec<(&'static str, u64)>;
