//! How a service is found: what it is, who answers for it, where it lies, how it is read.
//!
//! [`page`] gathers that into one [`CatalogPage`] of ready text; the report room renders it as HTML
//! and Markdown.
mod facts;
mod model;
mod page;
mod snippets;

pub use facts::{PublishedContract, ServiceFacts};
pub use model::{CatalogColumn, CatalogEndpoint, CatalogPage, HistoryRow, Snippet};
pub use page::page;
