//! Tables: at the source, at the service, in the lake.
use std::collections::BTreeMap;

use crate::{
    scoring::{
        EvidenceRow,
        cost::{Counted, Driver},
        survey::{Piece, Survey},
    },
    vocab::{DatasetId, Span},
};

/// A table of the source system whose meaning must be understood.
pub(super) struct SourceTable;

impl Driver for SourceTable {
    fn name(&self) -> &'static str {
        "source_table"
    }

    fn title(&self) -> &'static str {
        "source table to understand"
    }

    fn count(&self, survey: &Survey<'_>, piece: &Piece) -> Counted {
        let mut rows: BTreeMap<&DatasetId, EvidenceRow> = BTreeMap::new();
        for raw in &piece.candidate.raw {
            let known = piece.source_tables.get(raw).into_iter().flatten();
            for source in known.clone() {
                let at = survey.graph.readers_of(source).next().and_then(|edge| edge.places.first().cloned());
                let row = EvidenceRow { what: source.to_string(), because: format!("feeds `{raw}`"), at };
                rows.entry(source).or_insert(row);
            }
            // Unknown never means cheap: a table without a known source has one all the same.
            if known.count() == 0 {
                let because = "its source is not known: counted as one table".to_owned();
                rows.insert(raw, EvidenceRow { what: raw.to_string(), because, at: place_of(survey, raw) });
            }
        }
        rows.into_values().collect::<Vec<_>>().into()
    }
}

/// A dataset that gets an endpoint and a contract.
pub(super) struct Endpoint;

impl Driver for Endpoint {
    fn name(&self) -> &'static str {
        "endpoint"
    }

    fn title(&self) -> &'static str {
        "endpoint with its contract"
    }

    fn count(&self, survey: &Survey<'_>, piece: &Piece) -> Counted {
        one_a_dataset(survey, piece, "becomes an endpoint")
    }
}

/// A dataset that is imported back into the lake and proven equal.
pub(super) struct Import;

impl Driver for Import {
    fn name(&self) -> &'static str {
        "import"
    }

    fn title(&self) -> &'static str {
        "import back into the lake, proven equal"
    }

    fn count(&self, survey: &Survey<'_>, piece: &Piece) -> Counted {
        one_a_dataset(survey, piece, "is imported from the service")
    }
}

fn one_a_dataset(survey: &Survey<'_>, piece: &Piece, because: &str) -> Counted {
    let row = |dataset: &DatasetId| EvidenceRow {
        what: dataset.to_string(),
        because: because.to_owned(),
        at: place_of(survey, dataset),
    };
    piece.candidate.raw.iter().map(row).collect::<Vec<_>>().into()
}

/// Where a dataset is written, declared or at least read.
fn place_of(survey: &Survey<'_>, dataset: &DatasetId) -> Option<Span> {
    let written = || survey.graph.writers_of(dataset).next().and_then(|edge| edge.places.first().cloned());
    let declared = || survey.estate.declared.get(dataset).and_then(|declared| declared.at.clone());
    let read = || survey.graph.readers_of(dataset).next().and_then(|edge| edge.places.first().cloned());
    written().or_else(declared).or_else(read)
}
