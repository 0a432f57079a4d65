//! What reads the candidate and must be kept right.
use std::collections::BTreeMap;

use crate::{
    graph::{Edge, Layer},
    lineage::Access,
    scoring::{
        EvidenceRow,
        cost::{Counted, Driver},
        survey::{Piece, Survey},
    },
    vocab::JobId,
};

/// A downstream job that stays as it is behind an import of the same name (wrap mode `in_place`).
pub(super) struct DependentKept;

impl Driver for DependentKept {
    fn name(&self) -> &'static str {
        "dependent_kept"
    }

    fn title(&self) -> &'static str {
        "downstream job kept behind an import of the same name"
    }

    fn count(&self, survey: &Survey<'_>, piece: &Piece) -> Counted {
        match in_place(survey, piece) {
            true => dependents(survey, piece, "stays as it is and is proven"),
            false => Vec::new().into(),
        }
    }
}

/// A downstream job whose SQL is repointed to the import (wrap mode `beside`, the default).
pub(super) struct DependentRepointed;

impl Driver for DependentRepointed {
    fn name(&self) -> &'static str {
        "dependent_repointed"
    }

    fn title(&self) -> &'static str {
        "downstream job repointed"
    }

    fn count(&self, survey: &Survey<'_>, piece: &Piece) -> Counted {
        match in_place(survey, piece) {
            true => Vec::new().into(),
            false => dependents(survey, piece, "is repointed, and proven where it can run alone"),
        }
    }
}

/// A downstream job that joins the candidate with datasets of other domains.
pub(super) struct CrossDomainJoin;

impl Driver for CrossDomainJoin {
    fn name(&self) -> &'static str {
        "cross_domain_join"
    }

    fn title(&self) -> &'static str {
        "join with another domain"
    }

    fn count(&self, survey: &Survey<'_>, piece: &Piece) -> Counted {
        let foreign = |edge: &&Edge| {
            let facts = survey.graph.datasets().get(&edge.dataset).filter(|facts| facts.layer != Layer::Unknown);
            let other = facts.is_some_and(|facts| facts.domain.as_ref() != Some(&piece.candidate.domain));
            // What the job itself fills is not joined, but continued.
            let own = facts.is_some_and(|facts| facts.written_by.contains(&edge.job));
            edge.access == Access::Read && other && !own
        };
        let row = |job: &JobId| {
            let edge = survey.graph.edges_of(job).iter().find(foreign)?;
            let at = edge.places.first().cloned();
            Some(EvidenceRow { what: job.to_string(), because: format!("joins it with `{}`", edge.dataset), at })
        };
        piece.candidate.dependents.iter().filter_map(row).collect::<Vec<_>>().into()
    }
}

/// A BI source that reads the candidate's own datasets, raw or source-aligned, and is switched.
pub(super) struct BiSource;

impl Driver for BiSource {
    fn name(&self) -> &'static str {
        "bi_source"
    }

    fn title(&self) -> &'static str {
        "BI source switched"
    }

    fn count(&self, survey: &Survey<'_>, piece: &Piece) -> Counted {
        let mut rows: BTreeMap<&str, EvidenceRow> = BTreeMap::new();
        for dataset in piece.candidate.raw.iter().chain(&piece.candidate.aligned) {
            for (id, at) in survey.direct.get(dataset).into_iter().flatten() {
                let what = survey.exposures.get(id).map_or((*id).to_owned(), |exposure| exposure.title.clone());
                let because = format!("reads `{dataset}`");
                rows.entry(id).or_insert(EvidenceRow { what, because, at: Some((*at).clone()) });
            }
        }
        rows.into_values().collect::<Vec<_>>().into()
    }
}

fn in_place(survey: &Survey<'_>, piece: &Piece) -> bool {
    let wraps = &survey.estate.settings.wraps;
    let mode = |name: &str| wraps.get(name).and_then(|wrap| wrap.mode.as_deref());
    mode(piece.candidate.name.as_str()).or_else(|| mode("")) == Some("in_place")
}

fn dependents(survey: &Survey<'_>, piece: &Piece, because: &str) -> Counted {
    let candidate = &piece.candidate;
    let row = |job: &JobId| {
        let mut edges = survey.graph.edges_of(job).iter().filter(|edge| edge.access == Access::Read);
        let edge = edges.find(|edge| candidate.raw.binary_search(&edge.dataset).is_ok());
        let what = edge.map_or(String::new(), |edge| format!("reads `{}`: ", edge.dataset));
        let at = edge.and_then(|edge| edge.places.first().cloned());
        EvidenceRow { what: job.to_string(), because: format!("{what}{because}"), at }
    };
    candidate.dependents.iter().map(row).collect::<Vec<_>>().into()
}
