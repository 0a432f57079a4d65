//! YAML with places: the parser says what a value is, the placer where it is written.
mod fields;
mod node;
mod parse;
mod place;

pub(crate) use fields::Fields;
pub(crate) use node::{Entry, Node, Shape, Written};
pub(crate) use parse::{document, further_document};
