//! Tables change their names: whole, in one transaction. DuckDB renames no table that has indexes, so they are
//! dropped before and made again after, within the same transaction. Views are text and read a name.
//!
//! An index is made again under a name that none had when the transaction began: DuckDB 1.5 writes the dropped
//! index into its log where the new one has the same name, and dies, or finds no rows by it ever after.
use std::cell::RefCell;
use std::collections::BTreeSet;

use super::books;
use super::catalog::{Found, find};
use super::instance::Session;
use super::place::Place;
use super::successor::{Index, children, comments, free_name, index_names, indexes};
use super::trouble::{engine, is_constraint, refused, said};
use crate::connector::ConnectorError;
use crate::vocab::DatasetId;

/// `live` becomes `previous`, `staging` becomes `live`; done already is done.
pub(super) fn swap(
    place: &Place,
    staging: &DatasetId,
    live: &DatasetId,
    previous: Option<&DatasetId>,
) -> Result<(), ConnectorError> {
    let doing = format!("put `{staging}` in the place of `{live}`");
    one_schema(place, &[Some(staging), Some(live), previous])?;
    in_transaction(place, doing, |change| change.swap(staging, live, previous))
}

/// Gives `staging` the indexes of `live`, so that rows which break one are refused before the swap.
pub(super) fn take_indexes(place: &Place, staging: &DatasetId, live: &DatasetId) -> Result<(), ConnectorError> {
    in_transaction(place, format!("give `{staging}` the indexes of `{live}`"), |change| {
        let Some(old) = change.find(live)?.filter(|old| !old.is_view) else { return Ok(()) };
        let new = change.find(staging)?.ok_or_else(|| ConnectorError::NoSuchTable(staging.clone()))?;
        change.add_indexes(&new, change.indexes(&old)?)
    })
}

/// Renames a table; refuses when `to` exists.
pub(super) fn rename(place: &Place, from: &DatasetId, to: &DatasetId) -> Result<(), ConnectorError> {
    one_schema(place, &[Some(from), Some(to)])?;
    in_transaction(place, format!("rename `{from}` to `{to}`"), |change| {
        let found = change.find(from)?.ok_or_else(|| ConnectorError::NoSuchTable(from.clone()))?;
        change.must_be_table(&found, from)?;
        if change.find(to)?.is_some() {
            return Err(change.refused(format!("`{to}` exists already")));
        }
        let indexes = change.without_indexes(&found)?;
        let renamed = change.rename(&found, &change.table(to))?;
        change.make(&renamed, &indexes)
    })
}

/// Drops a table or view if it is there.
pub(super) fn drop_table(place: &Place, table: &DatasetId) -> Result<(), ConnectorError> {
    in_transaction(place, format!("drop `{table}`"), |change| match change.find(table)? {
        Some(found) => change.drop(&found),
        None => Ok(()),
    })?;
    let session = place.open()?;
    let _turn = session.turn();
    books::close(&session);
    Ok(())
}

/// All of them must be in one schema: DuckDB moves no table from one to another.
pub(super) fn one_schema(place: &Place, tables: &[Option<&DatasetId>]) -> Result<(), ConnectorError> {
    let mut schemas: Vec<String> = tables.iter().flatten().map(|table| place.names(table).0).collect();
    schemas.dedup();
    if schemas.len() == 1 {
        return Ok(());
    }
    let named: Vec<String> = tables.iter().flatten().map(|table| format!("`{table}`")).collect();
    let why = "in DuckDB a table can only be renamed within its schema: keep them in one";
    Err(refused(format!("rename among {}", named.join(", ")), why))
}

fn in_transaction(
    place: &Place,
    doing: String,
    work: impl FnOnce(&Change<'_>) -> Result<(), ConnectorError>,
) -> Result<(), ConnectorError> {
    let session = place.open()?;
    let _turn = session.turn();
    let change = Change::begin(&session, place, doing)?;
    work(&change)?;
    change.run("COMMIT")
}

/// Changes of tables within one transaction, which is taken back when its session goes.
pub(super) struct Change<'s> {
    pub(super) session: &'s Session,
    place: &'s Place,
    pub(super) doing: String,
    /// Names of indexes that were there when it began, or were made since.
    taken: RefCell<BTreeSet<String>>,
}

impl<'s> Change<'s> {
    /// Begins the transaction.
    pub(super) fn begin(session: &'s Session, place: &'s Place, doing: String) -> Result<Self, ConnectorError> {
        let change = Change { session, place, doing, taken: RefCell::default() };
        change.run("BEGIN TRANSACTION")?;
        change.taken.replace(index_names(session).map_err(|e| change.failed(e))?);
        Ok(change)
    }

    /// `live` becomes `previous`, `staging` becomes `live`; done already is done.
    pub(super) fn swap(
        &self,
        staging: &DatasetId,
        live: &DatasetId,
        previous: Option<&DatasetId>,
    ) -> Result<(), ConnectorError> {
        let Some(new) = self.find(staging)? else {
            let made_as = books::made_as(self.session, &self.entry(live)).map_err(|e| self.failed(e))?;
            return match made_as == Some(self.entry(staging)) {
                true => Ok(()),
                false => Err(ConnectorError::NoSuchTable(staging.clone())),
            };
        };
        self.must_be_table(&new, staging)?;
        let old = self.find(live)?;
        let taken_over = match &old {
            Some(old) => self.take_over(old, &new, live)?,
            None => Vec::new(),
        };
        let own = self.without_indexes(&new)?;
        // Whoever takes the place takes the spelling too: so the old table has it again when it comes back.
        let spelled = old.as_ref().map_or_else(|| self.table(live), |old| old.name.clone());
        if let Some(old) = &old {
            self.make_way(old, live, previous)?;
        }
        let renamed = self.rename(&new, &spelled)?;
        self.make(&renamed, &own)?;
        self.add_indexes(&renamed, taken_over)
    }

    /// Gives `new` the comments of the table it replaces, and tells the indexes it is to have.
    fn take_over(&self, old: &Found, new: &Found, live: &DatasetId) -> Result<Vec<Index>, ConnectorError> {
        self.must_be_table(old, live)?;
        let children = children(self.session, old).map_err(|e| self.failed(e))?;
        if let Some(child) = children.first() {
            return Err(self.refused(format!(
                "a foreign key of `{child}` leads to it, and DuckDB renames no such table: drop that foreign key"
            )));
        }
        for statement in comments(self.session, old, new)? {
            self.run(&statement)?;
        }
        self.indexes(old)
    }

    /// Frees the name `live`.
    fn make_way(&self, old: &Found, live: &DatasetId, previous: Option<&DatasetId>) -> Result<(), ConnectorError> {
        let Some(previous) = previous else { return self.drop_ours(old, live) };
        if let Some(older) = self.find(previous)? {
            self.drop_ours(&older, previous)?;
        }
        let indexes = self.without_indexes(old)?;
        let renamed = self.rename(old, &self.table(previous))?;
        self.make(&renamed, &indexes)
    }

    /// Drops a table that carve made, and no other.
    fn drop_ours(&self, found: &Found, id: &DatasetId) -> Result<(), ConnectorError> {
        let made = books::made_as(self.session, &self.entry(id)).map_err(|e| self.failed(e))?;
        match made {
            Some(_) => self.drop(found),
            None => Err(self.refused(format!("`{id}` is in the way and carve did not make it: rename or drop it"))),
        }
    }

    fn drop(&self, found: &Found) -> Result<(), ConnectorError> {
        let what = if found.is_view { "VIEW" } else { "TABLE" };
        self.run(&format!("DROP {what} {}", found.sql()))?;
        books::forget(self.session, &books::entry(&found.schema, &found.name)).map_err(|e| self.failed(e))
    }

    fn rename(&self, from: &Found, to: &str) -> Result<Found, ConnectorError> {
        self.run(&format!("ALTER TABLE {} RENAME TO {}", from.sql(), super::catalog::quoted(to)))?;
        let (before, after) = (books::entry(&from.schema, &from.name), books::entry(&from.schema, to));
        books::renamed(self.session, &before, &after).map_err(|e| self.failed(e))?;
        Ok(from.named(to))
    }

    fn indexes(&self, table: &Found) -> Result<Vec<Index>, ConnectorError> {
        let found = indexes(self.session, table).map_err(|e| self.failed(e))?;
        found.map_err(|text| self.refused(format!("an index of `{}` is not understood: {text}", table.name)))
    }

    /// Takes the indexes off `table`, and tells which they were.
    fn without_indexes(&self, table: &Found) -> Result<Vec<Index>, ConnectorError> {
        let indexes = self.indexes(table)?;
        for index in &indexes {
            self.run(&index.drop(self.session, table))?;
        }
        Ok(indexes)
    }

    /// Makes `indexes` on `table`, under names that are free.
    fn make(&self, table: &Found, indexes: &[Index]) -> Result<(), ConnectorError> {
        for index in indexes {
            let name = free_name(&self.taken.borrow(), &index.name);
            self.taken.borrow_mut().insert(name.to_lowercase());
            let made = self.session.run(&Index { name, ..index.clone() }.create(table));
            made.map_err(|error| self.not_made(index, error))?;
        }
        Ok(())
    }

    fn not_made(&self, index: &Index, error: ::duckdb::Error) -> ConnectorError {
        let (name, tail, said) = (&index.name, &index.tail, said(&error));
        if is_constraint(&error) {
            return self.refused(format!(
                "the new rows break the unique index `{name}` {tail} of the table they replace: mend the doubled rows \
                 at their origin, or drop the index"
            ));
        }
        match said.starts_with("Binder Error") {
            true => self.refused(format!(
                "the index `{name}` {tail} cannot be made on the new table ({said}): publish the columns it needs, or \
                 drop the index"
            )),
            false => self.failed(error),
        }
    }

    /// Makes those of `indexes` that `table` lacks.
    fn add_indexes(&self, table: &Found, indexes: Vec<Index>) -> Result<(), ConnectorError> {
        let has = self.indexes(table)?;
        let lacking = |index: &Index| !has.iter().any(|own| own.unique == index.unique && own.tail == index.tail);
        let lacking: Vec<Index> = indexes.into_iter().filter(lacking).collect();
        self.make(table, &lacking)
    }

    /// The table `id`, if it is there.
    pub(super) fn find(&self, id: &DatasetId) -> Result<Option<Found>, ConnectorError> {
        let (schema, table) = self.place.names(id);
        find(self.session, &schema, &table)
    }

    fn table(&self, id: &DatasetId) -> String {
        self.place.names(id).1
    }

    fn entry(&self, id: &DatasetId) -> String {
        let (schema, table) = self.place.names(id);
        books::entry(&schema, &table)
    }

    fn must_be_table(&self, found: &Found, id: &DatasetId) -> Result<(), ConnectorError> {
        match found.is_view {
            true => Err(self.refused(format!("`{id}` is a view, and only tables change places"))),
            false => Ok(()),
        }
    }

    /// The error that the change is not allowed, and why.
    pub(super) fn refused(&self, why: String) -> ConnectorError {
        refused(self.doing.clone(), why)
    }

    /// The error that DuckDB failed at it.
    pub(super) fn failed(&self, error: ::duckdb::Error) -> ConnectorError {
        engine(self.doing.clone(), error)
    }

    fn run(&self, sql: &str) -> Result<(), ConnectorError> {
        self.session.run(sql).map_err(|e| self.failed(e))
    }
}
