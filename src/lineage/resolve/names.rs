//! Written names into datasets.
use crate::{
    lineage::sql::{ir::Name, words::is_any},
    vocab::DatasetId,
};

/// What stands in rendered text for a template name nobody knows: this, then the name.
pub(in crate::lineage) const UNKNOWN: &str = "carve_unknown_";

/// What stands before a name that a template gives and that nothing declares: the name is right, its evidence weaker.
pub(in crate::lineage) const INFERRED: &str = "carve_inferred_";

/// What stands for an expression of a template that could not be evaluated: no name.
pub(in crate::lineage) const MASK: &str = "carve_masked_value";

/// Words behind `UNKNOWN` that no two runs share.
const OF_ONE_RUN: &[&str] = &["run_unique", "run_id"];

/// Whether `name` is that of a table for one run: nobody can read it by this name later.
pub(super) fn lives_for_one_run(name: &Name) -> bool {
    name.parts.last().is_some_and(|part| {
        part.split(UNKNOWN).skip(1).any(|tail| OF_ONE_RUN.iter().any(|word| tail.starts_with(word)))
    })
}

/// What a written name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A dataset; whether part of its name is a stub.
    Dataset(DatasetId, bool),
    /// Computed by a template: nobody knows.
    Computed,
    /// Engine tables, variables and other things that are no dataset.
    Nothing,
}

/// The dataset that `name` means, where unqualified tables lie in `schema`.
pub(super) fn meaning_of(name: &Name, schema: Option<&str>) -> Meaning {
    let mut parts = name.parts.clone();
    if lives_for_one_run(name) {
        return Meaning::Nothing;
    }
    let Some(table) = parts.last_mut() else { return Meaning::Nothing };
    // BigQuery writes a partition behind a dollar sign.
    if let Some((head, tail)) = table.split_once('$')
        && !head.is_empty()
        && tail.chars().all(|c| c.is_ascii_digit())
    {
        *table = head.to_owned();
    }
    // Delta Lake writes a version behind an at sign.
    if let Some((head, version)) = table.split_once('@')
        && !head.is_empty()
        && is_version(version)
    {
        *table = head.to_owned();
    }
    let (computed, local) = (table.starts_with(UNKNOWN), table.starts_with(['@', '#']));
    if computed || parts.iter().any(|part| part.contains(MASK)) {
        return Meaning::Computed;
    }
    let stubbed = parts.iter().any(|part| part.contains(UNKNOWN) || part.contains(INFERRED));
    if parts.len() > 2 && parts[0].starts_with(UNKNOWN) {
        parts.remove(0);
    }
    if stubbed {
        for part in &mut parts {
            *part = part.replace(UNKNOWN, "").replace(INFERRED, "");
        }
    }
    let engine_table = parts.len() == 1 && is_any("not_a_table", &parts[0]);
    let engine_schema = parts.iter().any(|part| is_any("not_a_schema", part));
    let odd = |part: &String| {
        part.contains([':', '\n', '\'', '(']) || part.trim().is_empty() || part.chars().any(char::is_control)
    };
    if engine_table || engine_schema || parts.iter().any(odd) || local {
        return Meaning::Nothing;
    }
    if let (1, Some(schema)) = (parts.len(), schema) {
        parts.insert(0, schema.to_owned());
    }
    Meaning::Dataset(DatasetId::from_parts(&parts), stubbed)
}

/// What a name of plain words means, as nearly all are: the same as [`meaning_of`] says, sooner. `None` for any other.
pub(super) fn plain_meaning(name: &Name, schema: Option<&str>) -> Option<Meaning> {
    let plain = |part: &String| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && !part.contains("carve_")
    };
    let is_plain = (1..=3).contains(&name.parts.len()) && name.parts.iter().all(plain);
    if !is_plain {
        return None;
    }
    let engine_table = name.parts.len() == 1 && is_any("not_a_table", &name.parts[0]);
    if engine_table || name.parts.iter().any(|part| is_any("not_a_schema", part)) {
        return Some(Meaning::Nothing);
    }
    let dataset = match (name.parts.as_slice(), schema) {
        ([table], Some(schema)) => DatasetId::from_parts(&[schema, table]),
        (parts, _) => DatasetId::from_parts(parts),
    };
    Some(Meaning::Dataset(dataset, false))
}

/// The files that `address` names: without the part from which on nobody knows it; `None` where that is all of it.
pub(super) fn files_named(address: &str) -> Option<DatasetId> {
    if !address.contains(UNKNOWN) && !address.contains(MASK) {
        return address.parse().ok();
    }
    let (scheme, path) = address.split_once("://").map_or_else(|| address.split_once(':'), Some)?;
    let whole = address.contains("://");
    let mut kept: Vec<String> = Vec::new();
    for (at, part) in path.split('/').enumerate() {
        let unknown = part.contains(UNKNOWN) || part.contains(MASK);
        // A bucket has a name of its own even where nobody says it.
        match unknown {
            true if whole && at == 0 && !part.contains(MASK) => kept.push(part.replace(UNKNOWN, "")),
            true => break,
            false => kept.push(part.to_owned()),
        }
    }
    let path = kept.join("/");
    let path = path.trim_end_matches('/');
    let says_something = path.chars().any(char::is_alphanumeric) && !scheme.contains(UNKNOWN);
    says_something.then(|| format!("{scheme}:{}{path}", if whole { "//" } else { "" }).parse().ok()).flatten()
}

/// Whether `text` is a version of a table: `v3`, or a time in digits.
pub(super) fn is_version(text: &str) -> bool {
    let digits = text.strip_prefix('v').unwrap_or(text);
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(parts: &[&str], schema: Option<&str>) -> Meaning {
        let parts = parts.iter().map(|p| (*p).to_owned()).collect();
        meaning_of(&Name { parts, at: 0..0, exact: true }, schema)
    }

    #[test]
    fn a_name_means_a_dataset_or_nothing() {
        let dataset = |text: &str, stub| Meaning::Dataset(text.parse().unwrap(), stub);
        assert_eq!(meaning(&["raw", "orders"], None), dataset("raw.orders", false));
        assert_eq!(meaning(&["orders"], Some("raw")), dataset("raw.orders", false));
        assert_eq!(meaning(&["d", "t$20240101"], None), dataset("d.t", false));
        assert_eq!(meaning(&["information_schema", "tables"], None), Meaning::Nothing);
        assert_eq!(meaning(&["dual"], None), Meaning::Nothing);
        assert_eq!(meaning(&["d", "t@v12"], None), dataset("d.t", false));
    }

    #[test]
    fn plain_names_mean_what_any_name_means() {
        for parts in [&["raw", "orders"][..], &["orders"], &["dual"], &["sys", "x"], &["a", "b", "c"], &["v1"], &["_"]]
        {
            let parts = parts.iter().map(|p| (*p).to_owned()).collect();
            let name = Name { parts, at: 0..0, exact: true };
            for schema in [None, Some("raw")] {
                assert_eq!(plain_meaning(&name, schema), Some(meaning_of(&name, schema)), "{name:?}");
            }
        }
    }

    #[test]
    fn files_are_named_up_to_what_nobody_knows() {
        let named = |address: &str| files_named(address).map(|files| files.to_string());
        assert_eq!(named("s3://b/land/carve_unknown_day/x.csv").as_deref(), Some("s3://b/land"));
        assert_eq!(named("s3://carve_unknown_bucket/land/x.csv").as_deref(), Some("s3://bucket/land/x.csv"));
        assert_eq!(named("file:/srv/carve_unknown_file").as_deref(), Some("file:/srv"));
        assert_eq!(named("file:carve_unknown_file"), None);
        assert_eq!(named("file:/carve_unknown_file"), None);
    }

    #[test]
    fn a_table_for_one_run_is_nothing_to_others() {
        assert_eq!(meaning(&["tmp", "load_carve_unknown_run_unique"], None), Meaning::Nothing);
        assert_eq!(meaning(&["tmp", "carve_unknown_run_id_x"], None), Meaning::Nothing);
    }

    #[test]
    fn stubs_in_front_go_and_a_stub_for_the_table_is_computed() {
        let dataset = |text: &str, stub| Meaning::Dataset(text.parse().unwrap(), stub);
        assert_eq!(meaning(&["carve_unknown_project", "raw", "orders"], None), dataset("raw.orders", true));
        assert_eq!(meaning(&["carve_unknown_env", "orders"], None), dataset("env.orders", true));
        assert_eq!(meaning(&["raw", "carve_unknown_table"], None), Meaning::Computed);
        assert_eq!(meaning(&["carve_masked_value", "orders"], None), Meaning::Computed);
    }
}
