use std::collections::BTreeMap;

use serde::Serialize;

use super::{ExposureMove, Switchover};
use crate::vocab::Digest;

/// What is known of the wrap and of the BI files when readiness is asked.
#[derive(Clone, Debug, Default)]
pub struct WrapFacts {
    /// Whether every step of the wrap is done.
    pub wrapped: bool,
    /// Whether the continuity proofs ended equal or explained.
    pub proven: bool,
    /// Digests of the exposures' files as they are now, by exposure id; missing ones are as drafted.
    pub files_now: BTreeMap<String, Digest>,
}

/// Whether one exposure may move now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// `ready`, `waiting`, `moved`, `changed`.
    pub state: &'static str,
    /// Why, in a sentence.
    pub because: String,
}

/// The readiness of every move, by exposure id.
pub fn readiness(switchover: &Switchover, facts: &WrapFacts) -> BTreeMap<String, Readiness> {
    switchover.moves.iter().map(|found| (found.id.clone(), one(found, facts))).collect()
}

fn one(found: &ExposureMove, facts: &WrapFacts) -> Readiness {
    let now = facts.files_now.get(&found.id).copied().unwrap_or(found.edit.before);
    let (state, because) = if now == found.edit.after {
        ("moved", "Its file names the new source already.")
    } else if now != found.edit.before {
        ("changed", "Its file changed since this was drafted: draft it again.")
    } else if !facts.wrapped {
        ("waiting", "The service is not wrapped yet.")
    } else if !facts.proven {
        ("waiting", "The continuity of old and new is not proven.")
    } else {
        ("ready", "The service is wrapped and old and new are proven to hold the same rows.")
    };
    Readiness { state, because: because.to_owned() }
}
