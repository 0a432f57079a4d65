//! Which names with a catalog are tables that the estate names without one.
use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::mentions::Mentions;
use crate::{
    estate::{SameNames, in_catalog, split_catalog},
    vocab::DatasetId,
};

/// `catalog.schema.table` is `schema.table` where both are named and no other catalog holds such a table.
pub(in crate::lineage) fn same_names(mentions: &Mentions) -> SameNames {
    // A folder is a catalog only where somebody names it as one.
    let catalogs: HashSet<&str> = mentions.each().filter_map(|name| Some(split_catalog(name)?.0)).collect();
    if catalogs.is_empty() {
        return SameNames::default();
    }
    let spoken: HashSet<&DatasetId> = mentions.each().collect();
    let in_folders = mentions
        .in_folders
        .iter()
        .filter(|name| split_catalog(name).is_some_and(|(catalog, _)| catalogs.contains(catalog)));
    let mut held: BTreeMap<DatasetId, BTreeSet<String>> = BTreeMap::new();
    for (catalog, short) in spoken.iter().copied().chain(in_folders).filter_map(split_catalog) {
        held.entry(short).or_default().insert(catalog.to_owned());
    }
    let mut names = SameNames::default();
    for (short, catalogs) in held.into_iter().filter(|(short, _)| spoken.contains(short)) {
        let mut all = catalogs.iter();
        match (all.next(), all.next()) {
            (Some(only), None) => {
                let long = in_catalog(only, &short);
                if !mentions.is_copied(&short, &long) {
                    names.called.insert(long, short);
                }
            }
            _ => drop(names.apart.insert(short, catalogs)),
        }
    }
    names
}

impl Mentions {
    /// Whether a statement copies the one into the other: then they are two tables.
    fn is_copied(&self, a: &DatasetId, b: &DatasetId) -> bool {
        self.copied.contains(&(a.clone(), b.clone())) || self.copied.contains(&(b.clone(), a.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentions(reads: &[&str], in_folders: &[&str]) -> Mentions {
        let set = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<BTreeSet<DatasetId>>();
        Mentions { reads: vec![set(reads)], in_folders: set(in_folders), ..Mentions::default() }
    }

    fn called(mentions: &Mentions) -> Vec<String> {
        same_names(mentions).called.iter().map(|(long, short)| format!("{long} = {short}")).collect()
    }

    #[test]
    fn a_catalog_is_left_out_where_it_is_the_only_one() {
        let all =
            ["p.raw.orders", "raw.orders", "p.raw.alone", "p.raw.two", "q.raw.two", "raw.two", "crm:p.raw.orders"];
        let mentions = mentions(&all, &[]);
        assert_eq!(called(&mentions), ["p.raw.orders = raw.orders"]);
        let apart = same_names(&mentions).apart;
        assert_eq!(apart.keys().map(ToString::to_string).collect::<Vec<_>>(), ["raw.two"]);
    }

    #[test]
    fn a_folder_counts_as_catalog_where_somebody_names_it_so() {
        let two = mentions(&["p.raw.a", "raw.a", "q.raw.b"], &["q.raw.a", "sql.raw.a"]);
        assert_eq!(called(&two), Vec::<String>::new());
        let one = mentions(&["p.raw.a", "raw.a"], &["p.raw.a", "sql.raw.a"]);
        assert_eq!(called(&one), ["p.raw.a = raw.a"]);
    }

    #[test]
    fn a_table_that_is_copied_from_another_is_not_that_table() {
        let mut both = mentions(&["pg.raw.a", "raw.a"], &[]);
        both.copied.insert(("pg.raw.a".parse().unwrap(), "raw.a".parse().unwrap()));
        assert_eq!(called(&both), Vec::<String>::new());
    }
}
