//! Tables change their names: whole, in one transaction, while views and triggers keep reading the
//! name they were written with.
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::books::Books;
use super::place::{Access, Place, qualified, quoted};
use super::tables::{Found, Kind, find};
use super::trouble::{engine, refused};
use crate::connector::ConnectorError;
use crate::connector::words::{identifier, skip_blank};
use crate::vocab::DatasetId;

/// `live` becomes `previous`, `staging` becomes `live`; done already is done.
pub(super) fn swap(
    place: &Place,
    staging: &DatasetId,
    live: &DatasetId,
    previous: Option<&DatasetId>,
) -> Result<(), ConnectorError> {
    let schema = one_schema(place, &[Some(staging), Some(live), previous])?;
    let doing = || format!("put `{staging}` in the place of `{live}`");
    in_transaction(place, &schema, doing, |change| change.swap(staging, live, previous))
}

/// Gives `staging` the indexes of `live`, so that rows which break one are refused before the swap.
pub(super) fn take_indexes(place: &Place, staging: &DatasetId, live: &DatasetId) -> Result<(), ConnectorError> {
    let schema = one_schema(place, &[Some(staging), Some(live)])?;
    let doing = || format!("give `{staging}` the indexes of `{live}`");
    in_transaction(place, &schema, doing, |change| {
        let Some(old) = change.find(live)? else { return Ok(()) };
        let new = change.find(staging)?.ok_or_else(|| ConnectorError::NoSuchTable(staging.clone()))?;
        change.create_indexes(&new.name, change.indexes(&old.name)?)
    })
}

/// Renames a table; refuses when `to` exists.
pub(super) fn rename(place: &Place, from: &DatasetId, to: &DatasetId) -> Result<(), ConnectorError> {
    let schema = one_schema(place, &[Some(from), Some(to)])?;
    in_transaction(
        place,
        &schema,
        || format!("rename `{from}` to `{to}`"),
        |change| {
            let found = change.find(from)?.ok_or_else(|| ConnectorError::NoSuchTable(from.clone()))?;
            change.must_be_table(&found, from)?;
            match change.find(to)? {
                Some(_) => Err(change.refused(format!("`{to}` exists already"))),
                None => change.rename(&found, change.table(to)),
            }
        },
    )
}

/// Drops a table or view if it is there.
pub(super) fn drop_table(place: &Place, table: &DatasetId) -> Result<(), ConnectorError> {
    let schema = one_schema(place, &[Some(table)])?;
    if !place.has(&schema)? {
        return Ok(());
    }
    in_transaction(
        place,
        &schema,
        || format!("drop `{table}`"),
        |change| {
            if let Some(found) = change.find(table)? {
                change.drop(&found)?;
            }
            change.books.close().map_err(|e| engine(&change.doing, e))
        },
    )
}

/// The schema all of them are in: SQLite renames no table from one file to another.
pub(super) fn one_schema(place: &Place, tables: &[Option<&DatasetId>]) -> Result<String, ConnectorError> {
    place.must_exist()?;
    let mut schemas: Vec<String> = tables.iter().flatten().map(|table| place.names(table).0).collect();
    schemas.dedup();
    match (schemas.len(), schemas.pop()) {
        (1, Some(schema)) => Ok(schema),
        _ => {
            let named: Vec<String> = tables.iter().flatten().map(|table| format!("`{table}`")).collect();
            let why = "in SQLite a table can only be renamed within its schema: keep them in one";
            Err(refused(format!("rename among {}", named.join(", ")), why))
        }
    }
}

fn in_transaction(
    place: &Place,
    schema: &str,
    doing: impl Fn() -> String,
    work: impl FnOnce(&Change<'_>) -> Result<(), ConnectorError>,
) -> Result<(), ConnectorError> {
    let mut connection = place.open(schema, Access::Write)?;
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| engine(doing(), e))?;
    work(&Change::of(&transaction, place, schema, doing()))?;
    transaction.commit().map_err(|e| engine(doing(), e))
}

/// An index of the old table that the new one shall have.
struct Index {
    name: String,
    unique: bool,
    /// The columns in their parentheses, and the condition if there is one.
    tail: String,
}

/// Changes of tables within one transaction.
pub(super) struct Change<'c> {
    pub(super) connection: &'c Connection,
    books: Books<'c>,
    place: &'c Place,
    pub(super) schema: String,
    pub(super) doing: String,
}

impl<'c> Change<'c> {
    /// A change of tables of `schema`, within the transaction that is open on `connection`.
    pub(super) fn of(connection: &'c Connection, place: &'c Place, schema: &str, doing: String) -> Self {
        Change { connection, books: Books::of(connection, schema), place, schema: schema.to_owned(), doing }
    }

    /// `live` becomes `previous`, `staging` becomes `live`; done already is done.
    pub(super) fn swap(
        &self,
        staging: &DatasetId,
        live: &DatasetId,
        previous: Option<&DatasetId>,
    ) -> Result<(), ConnectorError> {
        let Some(new) = self.find(staging)? else {
            let made_as = self.books.made_as(&self.table(live)).map_err(|e| engine(self.doing.clone(), e))?;
            return match made_as == Some(self.table(staging)) {
                true => Ok(()),
                false => Err(ConnectorError::NoSuchTable(staging.clone())),
            };
        };
        self.must_be_table(&new, staging)?;
        // Whoever takes the place takes the spelling too: so the old table has it again when it comes back.
        let spelled = self.find(live)?.map_or_else(|| self.table(live), |old| old.name);
        let indexes = self.make_way(live, previous)?;
        self.rename(&new, spelled.clone())?;
        self.create_indexes(&spelled, indexes)
    }

    fn table(&self, id: &DatasetId) -> String {
        self.place.names(id).1
    }

    pub(super) fn find(&self, id: &DatasetId) -> Result<Option<Found>, ConnectorError> {
        find(self.connection, &self.schema, &self.table(id))
    }

    pub(super) fn refused(&self, why: String) -> ConnectorError {
        refused(self.doing.clone(), why)
    }

    fn run(&self, sql: &str) -> Result<(), ConnectorError> {
        self.connection.execute_batch(sql).map_err(|e| engine(self.doing.clone(), e))
    }

    fn must_be_table(&self, found: &Found, id: &DatasetId) -> Result<(), ConnectorError> {
        match found.kind {
            Kind::View => Err(self.refused(format!("`{id}` is a view, and SQLite renames only tables"))),
            _ => Ok(()),
        }
    }

    /// Frees the name `live` and returns the indexes that its table had.
    fn make_way(&self, live: &DatasetId, previous: Option<&DatasetId>) -> Result<Vec<Index>, ConnectorError> {
        let Some(old) = self.find(live)? else { return Ok(Vec::new()) };
        self.must_be_table(&old, live)?;
        let indexes = self.indexes(&old.name)?;
        self.has_no_triggers(&old)?;
        match previous {
            None => self.drop_ours(&old, live)?,
            Some(previous) => {
                if let Some(older) = self.find(previous)? {
                    self.drop_ours(&older, previous)?;
                }
                self.rename(&old, self.table(previous))?;
            }
        }
        Ok(indexes)
    }

    /// Drops a table that carve made, and no other.
    fn drop_ours(&self, found: &Found, id: &DatasetId) -> Result<(), ConnectorError> {
        let made = self.books.made_as(&self.table(id)).map_err(|e| engine(self.doing.clone(), e))?;
        match made {
            Some(_) => self.drop(found),
            None => Err(self.refused(format!("`{id}` is in the way and carve did not make it: rename or drop it"))),
        }
    }

    fn drop(&self, found: &Found) -> Result<(), ConnectorError> {
        let what = if found.kind == Kind::View { "VIEW" } else { "TABLE" };
        self.run(&format!("DROP {what} {}", qualified(&self.schema, &found.name)))?;
        self.books.forget(&found.name.to_lowercase()).map_err(|e| engine(self.doing.clone(), e))
    }

    fn rename(&self, from: &Found, to: String) -> Result<(), ConnectorError> {
        self.run(&format!("ALTER TABLE {} RENAME TO {}", qualified(&self.schema, &from.name), quoted(&to)))?;
        let (from, to) = (from.name.to_lowercase(), to.to_lowercase());
        self.books.renamed(&from, &to).map_err(|e| engine(self.doing.clone(), e))
    }

    /// A trigger would stay with the old table, and nobody would notice that it fires no more.
    fn has_no_triggers(&self, old: &Found) -> Result<(), ConnectorError> {
        let sql = format!(
            "SELECT name FROM {}.sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE ORDER BY name",
            quoted(&self.schema)
        );
        match self.names(&sql, &old.name)?.first() {
            None => Ok(()),
            Some(trigger) => Err(self.refused(format!(
                "`{}` has the trigger `{trigger}`, which would stay with the old table: drop it first, create it again \
                 afterwards",
                old.name
            ))),
        }
    }

    fn indexes(&self, table: &str) -> Result<Vec<Index>, ConnectorError> {
        let sql = format!(
            "SELECT sql FROM {}.sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?1 COLLATE NOCASE \
             ORDER BY name",
            quoted(&self.schema)
        );
        let texts = self.names(&sql, table)?;
        let taken_apart = texts.iter().map(|text| {
            Index::of(text).ok_or_else(|| self.refused(format!("the index of `{table}` is not understood: {text}")))
        });
        taken_apart.collect()
    }

    /// Creates those of `indexes` that `table` lacks, under names that are free.
    fn create_indexes(&self, table: &str, indexes: Vec<Index>) -> Result<(), ConnectorError> {
        let has = self.indexes(table)?;
        for index in indexes {
            if has.iter().any(|other| other.unique == index.unique && other.tail == index.tail) {
                continue;
            }
            let name = qualified(&self.schema, &self.free_name(&index.name)?);
            let unique = if index.unique { "UNIQUE " } else { "" };
            let sql = format!("CREATE {unique}INDEX {name} ON {} {}", quoted(table), index.tail);
            self.connection.execute_batch(&sql).map_err(|error| match error.sqlite_error_code() {
                Some(ErrorCode::ConstraintViolation) => self.refused(format!(
                    "the new rows break the unique index `{}` {} of the table they replace: mend the doubled rows at \
                     their origin, or drop the index",
                    index.name, index.tail
                )),
                // SQLite says so of a column that is not there; everything else is no fault of the index.
                None | Some(ErrorCode::Unknown) => self.refused(format!(
                    "the index `{}` {} cannot be made on the new table ({error}): publish the columns it needs, or \
                     drop the index",
                    index.name, index.tail
                )),
                _ => engine(self.doing.clone(), error),
            })?;
        }
        Ok(())
    }

    /// `name`, or with the first number after it that no other index or table has.
    fn free_name(&self, name: &str) -> Result<String, ConnectorError> {
        let base = match name.rsplit_once("__") {
            Some((base, number)) if !base.is_empty() && number.parse::<u32>().is_ok() => base,
            _ => name,
        };
        let sql = format!("SELECT lower(name) FROM {}.sqlite_schema", quoted(&self.schema));
        let taken = self.names(&sql, "")?;
        let mut free = base.to_owned();
        let mut number = 2;
        while taken.contains(&free.to_ascii_lowercase()) {
            free = format!("{base}__{number}");
            number += 1;
        }
        Ok(free)
    }

    pub(super) fn names(&self, sql: &str, argument: &str) -> Result<Vec<String>, ConnectorError> {
        let look = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self.connection.prepare(sql)?;
            if statement.parameter_count() == 0 {
                return statement.query_map([], |row| row.get(0))?.collect();
            }
            statement.query_map([argument], |row| row.get(0))?.collect()
        };
        look().map_err(|e| engine(self.doing.clone(), e))
    }
}

impl Index {
    /// Takes apart what SQLite keeps: `CREATE [UNIQUE] INDEX name ON table (columns) …`.
    fn of(sql: &str) -> Option<Index> {
        let rest = sql.strip_prefix("CREATE ")?;
        let (unique, rest) = match rest.strip_prefix("UNIQUE ") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (name, rest) = identifier(rest.strip_prefix("INDEX ")?)?;
        let (on, rest) = identifier(rest)?;
        let (_, tail) = identifier(rest)?;
        let tail = skip_blank(tail);
        (on.eq_ignore_ascii_case("on") && tail.starts_with('(')).then(|| Index { name, unique, tail: tail.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_comes_apart_whatever_its_quotes() {
        let index =
            Index::of("CREATE UNIQUE INDEX \"a \"\"b\" /* ( */ on [t ( x] -- (\n (a, b DESC) WHERE a > 0").unwrap();
        assert_eq!((index.name.as_str(), index.unique), ("a \"b", true));
        assert_eq!(index.tail, "(a, b DESC) WHERE a > 0");
        assert!(Index::of("CREATE INDEX i ON t").is_none() && Index::of("CREATE INDEX \"i ON t(a)").is_none());
    }
}
