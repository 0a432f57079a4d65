//! Who builds on whose data: jobs that read one domain's tables to fill another's.
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{ReportInputs, text};
use crate::{
    graph::Edge,
    lineage::Access,
    vocab::{DatasetId, JobId},
};

/// A square matrix: rows are the domains that are read, columns those that read.
#[derive(Clone, Debug, Serialize)]
pub struct Coupling {
    /// The domains, in the order of names; the last may stand for several.
    pub domains: Vec<String>,
    /// A row a domain.
    pub rows: Vec<CouplingRow>,
    /// What it comes to, in a sentence.
    pub summary: String,
}

/// One domain that is read.
#[derive(Clone, Debug, Serialize)]
pub struct CouplingRow {
    /// The domain.
    pub domain: String,
    /// One cell a reading domain.
    pub cells: Vec<CouplingCell>,
}

/// How much one domain builds on another.
#[derive(Clone, Debug, Serialize)]
pub struct CouplingCell {
    /// Table pairs; empty for none.
    pub text: String,
    /// 0 (none) to 4 (the most), for shading.
    pub shade: u8,
    /// Whether both are one domain.
    pub own: bool,
    /// What it says, for a tooltip.
    pub title: String,
}

const DOMAINS_SHOWN: usize = 16;
const NO_DOMAIN: &str = "(no domain)";

/// The matrix of `inputs`: cell (a, b) counts pairs of tables where one of b is filled from one of a.
pub(super) fn coupling(inputs: &ReportInputs) -> Coupling {
    let pairs = table_pairs(inputs.edges);
    let domain_of = |id: &DatasetId| {
        inputs.datasets.get(id).and_then(|facts| facts.domain.clone()).unwrap_or_else(|| NO_DOMAIN.to_owned())
    };
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    for (from, to) in pairs {
        *counts.entry((domain_of(from), domain_of(to))).or_default() += 1;
    }
    let (counts, domains) = fold_small(counts);
    let crossing: u64 = counts.iter().filter(|((from, to), _)| from != to).map(|(_, n)| n).sum();
    let all: u64 = counts.values().sum();
    let summary = match all {
        0 => "No table is filled from another.".to_owned(),
        _ => format!(
            "{} of {} pairs of tables cross a domain ({}).",
            text::thousands(crossing),
            text::thousands(all),
            text::percent(crossing, all)
        ),
    };
    Coupling { rows: rows(&domains, &counts), domains, summary }
}

/// Pairs of datasets where a job reads the one and writes the other, each once.
pub(super) fn table_pairs(edges: &[Edge]) -> BTreeSet<(&DatasetId, &DatasetId)> {
    let mut reads: BTreeMap<&JobId, BTreeSet<&DatasetId>> = BTreeMap::new();
    let mut writes: BTreeMap<&JobId, BTreeSet<&DatasetId>> = BTreeMap::new();
    for edge in edges {
        match edge.access {
            Access::Read => reads.entry(&edge.job).or_default().insert(&edge.dataset),
            Access::Write => writes.entry(&edge.job).or_default().insert(&edge.dataset),
            Access::Define | Access::Drop => continue,
        };
    }
    let mut pairs = BTreeSet::new();
    for (job, sources) in &reads {
        for target in writes.get(job).into_iter().flatten() {
            pairs.extend(sources.iter().filter(|source| *source != target).map(|source| (*source, *target)));
        }
    }
    pairs
}

type Counts = BTreeMap<(String, String), u64>;

/// Keeps the busiest domains and folds the rest into one, so that the matrix fits a page.
fn fold_small(counts: Counts) -> (Counts, Vec<String>) {
    let mut weight: BTreeMap<&str, u64> = BTreeMap::new();
    for ((from, to), n) in &counts {
        *weight.entry(from).or_default() += n;
        *weight.entry(to).or_default() += n;
    }
    if weight.len() <= DOMAINS_SHOWN {
        let domains = weight.into_keys().map(str::to_owned).collect();
        return (counts, domains);
    }
    let mut by_weight: Vec<(&str, u64)> = weight.into_iter().collect();
    by_weight.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let kept: BTreeSet<String> = by_weight.iter().take(DOMAINS_SHOWN - 1).map(|(name, _)| (*name).to_owned()).collect();
    let others = format!("({} others)", by_weight.len() - kept.len());
    let name = |domain: String| if kept.contains(&domain) { domain } else { others.clone() };
    let mut folded = Counts::new();
    for ((from, to), n) in counts {
        *folded.entry((name(from), name(to))).or_default() += n;
    }
    let domains = kept.iter().cloned().chain([others.clone()]).collect();
    (folded, domains)
}

fn rows(domains: &[String], counts: &Counts) -> Vec<CouplingRow> {
    let most = counts.iter().filter(|((from, to), _)| from != to).map(|(_, n)| *n).max().unwrap_or(0);
    let cell = |from: &String, to: &String| {
        let n = counts.get(&(from.clone(), to.clone())).copied().unwrap_or(0);
        CouplingCell {
            text: if n == 0 { String::new() } else { text::thousands(n) },
            shade: shade(n, most),
            own: from == to,
            title: format!(
                "{} of {to} filled from {from}",
                text::count(n as usize, "pair of tables", "pairs of tables")
            ),
        }
    };
    domains
        .iter()
        .map(|from| CouplingRow { domain: from.clone(), cells: domains.iter().map(|to| cell(from, to)).collect() })
        .collect()
}

fn shade(n: u64, most: u64) -> u8 {
    if n == 0 || most == 0 {
        return 0;
    }
    (1 + (n.min(most) - 1) * 4 / most).min(4) as u8
}
