//! Names with a catalog that the estate leaves out elsewhere: `project.raw.orders` and `raw.orders` are one table.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use camino::Utf8Path;

use crate::vocab::DatasetId;

/// Which written names mean one dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SameNames {
    /// As written, with a catalog → as the estate calls it.
    pub called: BTreeMap<DatasetId, DatasetId>,
    /// A name without catalog → the catalogs that hold a table of that name each, where there are several.
    pub apart: BTreeMap<DatasetId, BTreeSet<String>>,
}

impl SameNames {
    /// Whether every name means itself.
    pub fn is_empty(&self) -> bool {
        self.called.is_empty() && self.apart.is_empty()
    }

    /// The one name of what `written` means in `file`.
    ///
    /// Where several catalogs hold the table, the folder that bears the name of one of them decides.
    pub fn own(&self, written: &DatasetId, file: &Utf8Path) -> DatasetId {
        self.own_in(written, file, None)
    }

    /// The same where a script says `USE database`: among several catalogs that one decides.
    pub fn own_in(&self, written: &DatasetId, file: &Utf8Path, database: Option<&str>) -> DatasetId {
        if let Some(own) = self.called.get(written) {
            return own.clone();
        }
        let catalogs = self.apart.get(written);
        if let Some(database) = database.filter(|one| catalogs.is_some_and(|catalogs| catalogs.contains(*one))) {
            return in_catalog(database, written);
        }
        let home = catalogs.and_then(|catalogs| {
            let folders = file.components().rev().skip(1).map(|part| part.as_str().to_lowercase());
            folders.into_iter().find(|folder| catalogs.contains(folder))
        });
        home.map_or_else(|| written.clone(), |catalog| in_catalog(&catalog, written))
    }

    /// These names, where the first of each of `moves` becomes the second as well: the new name is written with and
    /// without catalog as the old one is.
    pub fn moved<'d>(&self, moves: impl IntoIterator<Item = (&'d DatasetId, &'d DatasetId)>) -> Self {
        let mut names = self.clone();
        // The catalogs each name is written with.
        let mut catalogs: HashMap<DatasetId, Vec<String>> = HashMap::new();
        for (long, own) in &self.called {
            if let Some(catalog) = long.name().strip_suffix(own.name()).and_then(|rest| rest.strip_suffix('.')) {
                catalogs.entry(own.clone()).or_default().push(catalog.to_owned());
            }
        }
        for (from, to) in moves {
            let written = catalogs.get(from).cloned().unwrap_or_default();
            names.called.extend(written.iter().map(|catalog| (in_catalog(catalog, to), to.clone())));
            // A name that moves on is written as it was before.
            if !written.is_empty() {
                catalogs.insert(to.clone(), written);
            }
            if let (Some((catalog, short)), Some((home, moved))) = (split(from), split(to))
                && catalog == home
                && names.apart.contains_key(&short)
            {
                names.apart.entry(moved).or_default().insert(catalog.to_owned());
            }
        }
        names
    }
}

/// `name` of the catalog `catalog`.
pub(crate) fn in_catalog(catalog: &str, name: &DatasetId) -> DatasetId {
    DatasetId::from_parts(&[catalog, name.name()])
}

/// The catalog and the rest of `catalog.schema.table`; `None` for every other name.
pub(crate) fn split(name: &DatasetId) -> Option<(&str, DatasetId)> {
    if name.system().is_some() || name.is_file_set() || name.name().matches('.').count() != 2 {
        return None;
    }
    let (catalog, short) = name.name().split_once('.')?;
    Some((catalog, DatasetId::from_parts(&[short])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> DatasetId {
        text.parse().unwrap()
    }

    fn names() -> SameNames {
        SameNames {
            called: [(id("p.raw.orders"), id("raw.orders"))].into(),
            apart: [(id("mart.day"), ["a".to_owned(), "b".to_owned()].into())].into(),
        }
    }

    #[test]
    fn a_name_with_a_catalog_that_is_left_out_elsewhere_is_the_name_without() {
        assert_eq!(names().own(&id("p.raw.orders"), "x.sql".into()), id("raw.orders"));
        assert_eq!(names().own(&id("q.raw.orders"), "x.sql".into()), id("q.raw.orders"));
    }

    #[test]
    fn the_folder_of_a_catalog_decides_where_several_hold_the_table() {
        let own = |file: &str| names().own(&id("mart.day"), file.into()).to_string();
        assert_eq!(own("sql/A/mart/x.sql"), "a.mart.day");
        assert_eq!(own("sql/a/b/x.sql"), "b.mart.day");
        assert_eq!(own("sql/x.sql"), "mart.day");
        assert_eq!(own("sql/a.sql"), "mart.day");
    }

    #[test]
    fn the_database_that_a_script_uses_decides_before_its_folder() {
        let own = |database| names().own_in(&id("mart.day"), "sql/a/x.sql".into(), database).to_string();
        assert_eq!(own(Some("b")), "b.mart.day");
        assert_eq!(own(Some("c")), "a.mart.day");
        assert_eq!(own(None), "a.mart.day");
    }

    #[test]
    fn a_moved_table_is_written_as_the_old_one_was() {
        let moved = names().moved([(&id("raw.orders"), &id("raw.orders__import"))]);
        assert_eq!(moved.own(&id("p.raw.orders__import"), "x.sql".into()), id("raw.orders__import"));
        let moved = names().moved([(&id("a.mart.day"), &id("a.mart.day__import"))]);
        assert_eq!(moved.own(&id("mart.day__import"), "a/x.sql".into()), id("a.mart.day__import"));
        let (a, b, c) = (id("raw.orders"), id("raw.b"), id("raw.c"));
        let moved = names().moved([(&a, &b), (&b, &c)]);
        assert_eq!(moved.own(&id("p.raw.c"), "x.sql".into()), c);
    }
}
