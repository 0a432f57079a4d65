//! Command lines that run SQL: a shell's words and loops, and what the clients on it are told to do.
//!
//! `syntax` cuts a text into commands, `run` walks them with the shell's variables, and `clients` knows each
//! program. Nothing is executed.
mod clients;
mod include;
mod of_yaml;
mod printed;
mod run;
mod syntax;
mod text_tools;
mod words;

pub(crate) use clients::{from_clients, mentions_client};
pub(crate) use include::included;
pub(crate) use of_yaml::of_node;
pub(crate) use run::{Place, run};
