//! Names that differ in their letters' case alone, where the engine tells such tables apart.
//!
//! carve's names are all lower case, so that a name in a log or a config meets the same name in SQL however it is
//! written. An engine that heeds case may have two tables under one such name: they are read as one, and told.
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    diagnostics::{CodeEntry, Diagnostic, Diagnostics},
    estate::{Estate, Script},
    lineage::{Coverage, JobLineage, TableUse, sql::lexer::unquoted},
    vocab::{DatasetId, JobId, Span},
};

/// How an engine compares names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Case {
    /// As they are written.
    Kept,
    /// Quoted ones as they are written, others in lower case.
    Lower,
    /// Quoted ones as they are written, others in upper case.
    Upper,
}

fn case_of(dialect: &str) -> Option<Case> {
    match dialect {
        "bigquery" | "clickhouse" => Some(Case::Kept),
        "postgres" => Some(Case::Lower),
        "snowflake" | "oracle" => Some(Case::Upper),
        _ => None,
    }
}

/// The faults of datasets under whose names several tables stand, one a dataset; `scripts` are the dialects of every
/// job's scripts.
pub(in crate::lineage) fn faults(
    estate: &Estate,
    scripts: &[Vec<(&'static str, Coverage)>],
    jobs: &BTreeMap<JobId, JobLineage>,
) -> Diagnostics {
    let mentions = || mentions(estate, scripts, jobs);
    // Few names have capitals or quotes: only of those is every mention looked at.
    let odd: HashSet<&DatasetId> =
        mentions().filter(|(_, text, case)| is_odd(text, *case)).map(|(one, ..)| &one.dataset).collect();
    let mut first: HashMap<(&DatasetId, Case), (String, &Span)> = HashMap::new();
    let mut told: HashSet<&DatasetId> = HashSet::new();
    let mut faults = Diagnostics::default();
    for (one, text, case) in mentions().filter(|(one, ..)| odd.contains(&one.dataset)) {
        let name = as_heeded(text, case);
        let (known, at) = first.entry((&one.dataset, case)).or_insert_with(|| (name.clone(), &one.at));
        if *known != name && told.insert(&one.dataset) {
            let here = format!("`{name}` here and `{known}` in {at} are two tables: they are read as one");
            faults.push(Diagnostic::new(CodeEntry::E038, one.at.clone(), here));
        }
    }
    faults
}

/// Whether a name written so may be another than the plain one.
fn is_odd(text: &str, case: Case) -> bool {
    match case {
        Case::Kept => text.bytes().any(|b| b.is_ascii_uppercase()),
        Case::Lower | Case::Upper => text.contains('"'),
    }
}

/// Every mention that stands in a file as it is, with its text, in an engine that heeds case.
fn mentions<'a>(
    estate: &'a Estate,
    scripts: &'a [Vec<(&'static str, Coverage)>],
    jobs: &'a BTreeMap<JobId, JobLineage>,
) -> impl Iterator<Item = (&'a TableUse, &'a str, Case)> {
    estate.jobs.iter().zip(scripts).flat_map(move |(job, dialects)| {
        let uses = jobs.get(&job.id).map_or(&[][..], |lineage| &lineage.uses);
        let heeding =
            |(script, (dialect, _)): (&'a Script, &(&'static str, Coverage))| Some((script, case_of(dialect)?));
        let mut scripts: Vec<(&Script, Case)> = job.scripts.iter().zip(dialects).filter_map(heeding).collect();
        scripts.sort_by_key(|(script, _)| (&script.at.file, script.at.start));
        uses.iter().filter_map(move |one| {
            let behind = scripts
                .partition_point(|(script, _)| (&script.at.file, script.at.start) <= (&one.at.file, one.at.start));
            // The nearest that begins before it, unless another one ends there: a hook within its model.
            let near = scripts[..behind].iter().rev().take(MOST_WITHIN);
            let mut texts = near.filter_map(|(script, case)| Some((one, text_of(script, one)?, *case)));
            texts.next()
        })
    })
}

/// Scripts within another one that are passed over on the way to it: a job may have thousands.
const MOST_WITHIN: usize = 16;

fn text_of<'a>(script: &'a Script, one: &TableUse) -> Option<&'a str> {
    let inside = one.exact && one.at.file == script.at.file && script.at.start <= one.at.start;
    let start = one.at.start.checked_sub(script.at.start).filter(|_| inside)?;
    script.text.get(start..start + (one.at.end - one.at.start))
}

/// The table's own name as the engine compares it.
fn as_heeded(text: &str, case: Case) -> String {
    let parts = crate::lineage::rename::split_name(text);
    // BigQuery may have one pair of quotes around the whole name.
    let last = parts.last().map_or(text, |part| text[part.clone()].trim());
    let plain = unquoted(last);
    let own = plain.rsplit('.').next().unwrap_or_default().to_owned();
    match (case, *plain == *last) {
        (Case::Lower, true) => own.to_lowercase(),
        (Case::Upper, true) => own.to_uppercase(),
        _ => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_compared_as_its_engine_does() {
        assert_ne!(as_heeded("d.Orders", Case::Kept), as_heeded("d.orders", Case::Kept));
        assert_eq!(as_heeded("`p.d.Orders`", Case::Kept), "Orders");
        assert_eq!(as_heeded("raw.Orders", Case::Lower), as_heeded("raw.\"orders\"", Case::Lower));
        assert_ne!(as_heeded("raw.\"Orders\"", Case::Lower), as_heeded("raw.Orders", Case::Lower));
        assert_eq!(as_heeded("raw.orders", Case::Upper), as_heeded("\"ORDERS\"", Case::Upper));
        assert_ne!(as_heeded("raw.\"orders\"", Case::Upper), as_heeded("raw.orders", Case::Upper));
    }
}
