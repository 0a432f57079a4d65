//! Lineage as other programs and pictures want it. Pure: values in, rows and text out.
//!
//! [`Picture`] holds the edges of an estate, dataset to dataset and column to column, and can be cut down to what is
//! around one dataset. [`dot`] and [`mermaid`] draw it, [`openlineage`] tells it as events, [`trace`] follows one
//! column, [`batch`] reads scripts by the line.
pub mod batch;
mod catalog;
mod column_trace;
mod draw;
pub mod openlineage;
mod picture;
mod rows;
mod script;

pub use catalog::{BadCatalog, Catalog, WrittenCatalog, catalog_from, catalog_of};
pub use column_trace::{ColumnStep, trace};
pub use draw::{dot, mermaid};
pub use picture::{Direction, Picture};
pub use rows::{ColumnRow, FeedRow};
pub use script::script_answer;
