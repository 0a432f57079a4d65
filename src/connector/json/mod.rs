//! Objects of JSON as rows: `lines` reads them, `seen` finds the types, `values` makes the values, `text` takes JSON apart.
mod lines;
mod seen;
mod text;
mod values;

pub(super) use lines::{Lines, count, schema, send};
#[cfg(feature = "http")]
pub(super) use text::{canonical, checked, elements, members, quoted};
